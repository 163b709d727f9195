internal import Glibc
internal import StageClock

/// One open file. Closed when it goes away; only ``sync()`` and ``close()`` say whether its bytes arrived.
///
/// Short writes and interrupted calls are carried on. A failed ``sync()`` must not be tried again on the same file:
/// the kernel may have dropped the pages, and the second call would lie. Throw the file away and write it anew.
package final class DiskFile {
    package let path: String
    private var descriptor: CInt

    private init(path: String, descriptor: CInt) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit { if descriptor >= 0 { _ = Glibc.close(descriptor) } }

    /// A new file for writing; EEXIST when the name is taken, also by a symbolic link. `mode` is reduced by the umask.
    package static func create(_ path: String, mode: UInt32 = 0o644) throws(DiskError) -> DiskFile {
        try DiskGate.pass("open", path)
        return try open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
    }

    /// An existing regular file for reading. A symbolic link as the last component is refused.
    package static func read(_ path: String) throws(DiskError) -> DiskFile {
        // Without O_NONBLOCK, a named pipe planted under the name would hold the process for ever.
        let file = try open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0)
        guard try file.status().kind == .file else { throw DiskError("open", path, text: "not a regular file") }
        return file
    }

    /// A file below `root` for reading; no component of `path` may be a symbolic link or `..`.
    package static func read(_ path: String, beneath root: String) throws(DiskError) -> DiskFile {
        let whole = root + "/" + path
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        guard !parts.isEmpty, !parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) else {
            throw DiskError("open", whole, text: "not a plain path below the folder")
        }
        var folder = try open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        for part in parts.dropLast() {
            let next = uninterrupted {
                unsafe openat(folder.descriptor, String(part), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            }
            guard next >= 0 else { throw .last("openat", whole) }
            folder = DiskFile(path: whole, descriptor: next)
        }
        let flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK
        let found = uninterrupted { unsafe openat(folder.descriptor, String(parts[parts.count - 1]), flags) }
        guard found >= 0 else { throw .last("openat", whole) }
        let file = DiskFile(path: whole, descriptor: found)
        guard try file.status().kind == .file else { throw DiskError("open", whole, text: "not a regular file") }
        return file
    }

    static func open(_ path: String, _ flags: CInt, _ mode: UInt32) throws(DiskError) -> DiskFile {
        let descriptor = uninterrupted { unsafe Glibc.open(path, flags, mode) }
        guard descriptor >= 0 else { throw .last("open", path) }
        return DiskFile(path: path, descriptor: descriptor)
    }

    package func write(_ bytes: Span<UInt8>) throws(DiskError) {
        let status: DiskError? = unsafe bytes.withUnsafeBytes { bytes in
            do throws(DiskError) {
                try unsafe write(bytes)
                return nil
            } catch {
                return error
            }
        }
        if let status { throw status }
    }

    package func write(_ text: String) throws(DiskError) { try write(Array(text.utf8).span) }

    /// For the rooms of `Native`.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(DiskError) {
        var rest = unsafe bytes
        while unsafe !rest.isEmpty {
            try DiskGate.pass("write", path)
            let written = unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
            if written < 0 {
                if errno == EINTR { continue }
                throw .last("write", path)
            }
            unsafe rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(written))
        }
    }

    /// Reads at most `room.count` bytes; 0 at the end of the file. For the rooms of `Native`.
    package func read(into room: UnsafeMutableRawBufferPointer) throws(DiskError) -> Int {
        while true {
            let count = unsafe Glibc.read(descriptor, room.baseAddress, room.count)
            if count >= 0 { return count }
            guard errno == EINTR else { throw .last("read", path) }
        }
    }

    /// Reads at most as many bytes as `block` has; 0 at the end of the file.
    package func read(into block: inout [UInt8]) throws(DiskError) -> Int {
        var failure: DiskError?
        let count = unsafe block.withUnsafeMutableBytes { room in
            do throws(DiskError) { return try unsafe read(into: room) } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
        return count
    }

    /// The rest of the file, refused when it is longer than `limit` bytes.
    package func readAll(limit: Int) throws(DiskError) -> [UInt8] {
        let expected = min(max(try status().size, 0), limit)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(expected + 1)
        var block = [UInt8](repeating: 0, count: 64 * 1024)
        while true {
            let count = try read(into: &block)
            if count == 0 { return bytes }
            guard bytes.count + count <= limit else {
                throw DiskError("read", path, text: "longer than \(limit) bytes")
            }
            bytes.append(contentsOf: block[..<count])
        }
    }

    package func status() throws(DiskError) -> FileStatus {
        var raw = stat()
        guard unsafe fstat(descriptor, &raw) == 0 else { throw .last("fstat", path) }
        return FileStatus(raw)
    }

    /// Bytes and size are on the medium when this returns.
    package func sync() throws(DiskError) {
        try DiskGate.pass("fsync", path)
        try StageClock.measure(.sync) { () throws(DiskError) in
            guard uninterrupted({ fsync(descriptor) }) == 0 else { throw .last("fsync", path) }
        }
    }

    /// Closes now, so that a late error (NFS, quota) is told. Not repeated after EINTR: Linux has closed it by then.
    package func close() throws(DiskError) {
        guard descriptor >= 0 else { return }
        let closing = descriptor
        descriptor = -1
        guard Glibc.close(closing) == 0 || errno == EINTR else { throw .last("close", path) }
    }

    /// The open file's number, for libraries in `Native` that write by themselves. Not to be closed or kept.
    package func withDescriptor<R, E: Error>(_ body: (CInt) throws(E) -> R) throws(E) -> R { try body(descriptor) }

    /// Takes the advisory lock, or says that another process has it. Dropped when the file closes, however that
    /// happens.
    func lockExclusively() throws(DiskError) -> Bool {
        try DiskGate.pass("flock", path)
        if uninterrupted({ flock(descriptor, LOCK_EX | LOCK_NB) }) == 0 { return true }
        guard errno == EWOULDBLOCK else { throw .last("flock", path) }
        return false
    }

    /// Whether the name leads to this very file.
    func isStill(at path: String) throws(DiskError) -> Bool {
        let ours = try status()
        guard let found = try Disk.target(path) else { return false }
        return found.device == ours.device && found.inode == ours.inode
    }

    func truncate() throws(DiskError) {
        guard uninterrupted({ ftruncate(descriptor, 0) }) == 0 else { throw .last("ftruncate", path) }
    }
}

/// Makes a call again for as long as only a signal came between. Not for `close`: Linux has closed the file by then.
func uninterrupted(_ call: () -> CInt) -> CInt {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}
