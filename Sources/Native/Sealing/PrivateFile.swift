internal import Disk
internal import Glibc

/// Why a file that holds keys could not be read or written.
package enum PrivateFileError: Error, Sendable, Equatable {
    case missing
    /// A link could have been put there by someone else, so none is followed.
    case link
    /// A folder, device or pipe.
    case notAFile
    case tooLarge(byteCount: Int)
    /// It was to be made and is there already.
    case exists
    /// The operating system's words.
    case system(call: String, reason: String)

    static func last(_ call: String) -> PrivateFileError {
        let number = errno
        switch number {
        case ENOENT: return .missing
        case ELOOP: return .link
        case EEXIST: return .exists
        default: return .system(call: call, reason: unsafe String(cString: strerror(number)))
        }
    }
}

/// Files that only their owner may see: read without following links, written whole or not at all.
package enum PrivateFile {
    /// What a file holds and who may touch it; the reader decides whether that is well.
    package struct Content: Sendable {
        package let bytes: KeyBytes
        /// The lower nine bits: `rwxrwxrwx`.
        package let mode: UInt32
        package let isOurs: Bool

        package var isReadableByOthers: Bool { mode & 0o077 != 0 }
        package var isWritableByOthers: Bool { mode & 0o022 != 0 }
    }

    /// - Parameter limit: In bytes; a larger file is refused unread.
    package static func read(_ path: String, limit: Int) throws(PrivateFileError) -> Content {
        let file = uninterrupted { unsafe Glibc.open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK) }
        guard file >= 0 else { throw .last("open") }
        defer { _ = close(file) }
        var status = stat()
        guard unsafe fstat(file, &status) == 0 else { throw .last("fstat") }
        guard status.st_mode & S_IFMT == S_IFREG else { throw .notAFile }
        let count = Int(status.st_size)
        guard count <= limit else { throw .tooLarge(byteCount: count) }
        var failure: PrivateFileError?
        let bytes: KeyBytes
        do {
            bytes = try unsafe KeyBytes(count: count) { target in
                var done = 0
                while done < count {
                    let got = unsafe Glibc.read(file, target.baseAddress.map { unsafe $0 + done }, count - done)
                    if got < 0, errno == EINTR { continue }
                    guard got > 0 else {
                        failure = got < 0 ? .last("read") : .system(call: "read", reason: "the file shrank")
                        return false
                    }
                    done += got
                }
                return true
            }
        } catch { throw failure ?? .system(call: "mmap", reason: "out of memory") }
        // The superuser's files are as good as ours: nobody else can have made them.
        let isOurs = status.st_uid == geteuid() || status.st_uid == 0
        return Content(bytes: bytes, mode: UInt32(status.st_mode & 0o777), isOurs: isOurs)
    }

    /// Writes beside, syncs, renames and syncs the folder: after a crash the old file or the new one is there.
    ///
    /// What a crash left beside is taken over by the next write. Hold ``FolderLock`` where several may write.
    /// - Parameter replacing: Otherwise a file that exists is left alone, and `.exists` thrown.
    package static func write(_ bytes: [UInt8], to path: String, replacing: Bool) throws(PrivateFileError) {
        try write(to: path, replacing: replacing) { (file, beside) throws(PrivateFileError) in
            let failure = unsafe bytes.withUnsafeBytes { unsafe fill(file, with: $0, beside) }
            if let failure { throw failure }
        }
    }

    /// The same of a key's text.
    package static func write(_ key: KeyBytes, to path: String, replacing: Bool) throws(PrivateFileError) {
        try write(to: path, replacing: replacing) { (file, beside) throws(PrivateFileError) in
            let failure = unsafe key.withRaw { unsafe fill(file, with: $0, beside) }
            if let failure { throw failure }
        }
    }

    private static func write(
        to path: String,
        replacing: Bool,
        _ fill: (Int32, String) throws(PrivateFileError) -> Void
    ) throws(PrivateFileError) {
        let beside = path + ".tmp"
        try remove(beside)
        try pass("open", beside)
        let file = uninterrupted {
            unsafe Glibc.open(beside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        }
        guard file >= 0 else { throw .last("open") }
        do throws(PrivateFileError) {
            try fill(file, beside)
            if replacing {
                try move(beside, to: path)
            } else {
                // A link fails where a rename would replace.
                try pass("link", path)
                guard unsafe link(beside, path) == 0 else { throw PrivateFileError.last("link") }
                try remove(beside)
                try syncFolder(of: path)
            }
        } catch {
            try? remove(beside)
            throw error
        }
    }

    /// Gives a file another name, in place of what had it, and makes that durable.
    package static func move(_ old: String, to new: String) throws(PrivateFileError) {
        try pass("rename", new)
        guard unsafe rename(old, new) == 0 else { throw PrivateFileError.last("rename") }
        try syncFolder(of: new)
    }

    /// Nothing of that name is no failure.
    private static func remove(_ path: String) throws(PrivateFileError) {
        try pass("unlink", path)
        guard unsafe unlink(path) == 0 || errno == ENOENT else { throw PrivateFileError.last("unlink") }
    }

    /// The tests' door in front of every call that changes the disk.
    private static func pass(_ call: String, _ path: String) throws(PrivateFileError) {
        do throws(DiskError) { try DiskGate.pass(call, path) } catch {
            throw .system(call: call, reason: "\(error)")
        }
    }

    /// Writes all, syncs and closes; what failed, if anything did.
    private static func fill(_ file: Int32, with bytes: UnsafeRawBufferPointer, _ path: String) -> PrivateFileError? {
        do throws(PrivateFileError) {
            try unsafe filled(file, with: bytes, path)
            return nil
        } catch { return error }
    }

    private static func filled(_ file: Int32, with bytes: UnsafeRawBufferPointer, _ path: String)
        throws(PrivateFileError)
    {
        defer { _ = close(file) }
        try pass("write", path)
        var done = 0
        while done < bytes.count {
            let wrote = unsafe Glibc.write(file, bytes.baseAddress.map { unsafe $0 + done }, bytes.count - done)
            if wrote < 0, errno == EINTR { continue }
            guard wrote > 0 else { throw .last("write") }
            done += wrote
        }
        try pass("fsync", path)
        guard uninterrupted({ fsync(file) }) == 0 else { throw .last("fsync") }
    }

    private static func syncFolder(of path: String) throws(PrivateFileError) {
        let name = Disk.parent(path)
        try pass("fsync", name)
        let folder = uninterrupted { unsafe Glibc.open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard folder >= 0 else { throw .last("open") }
        defer { _ = close(folder) }
        guard uninterrupted({ fsync(folder) }) == 0 else { throw .last("fsync") }
    }

    /// Makes a call again for as long as only a signal came between.
    private static func uninterrupted(_ call: () -> Int32) -> Int32 {
        while true {
            let result = call()
            if result >= 0 || errno != EINTR { return result }
        }
    }
}
