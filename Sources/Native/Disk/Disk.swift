internal import Glibc

/// Names, folders and links. Nothing here follows a symbolic link in the last component unless it says so.
package enum Disk {
    /// `nil` when there is nothing of that name. A symbolic link is reported, not followed.
    package static func status(_ path: String) throws(DiskError) -> FileStatus? {
        var raw = stat()
        guard unsafe lstat(path, &raw) == 0 else {
            let error = DiskError.last("lstat", path)
            if error.isMissing { return nil }
            throw error
        }
        return FileStatus(raw)
    }

    /// As ``status(_:)``, of what a symbolic link points to.
    package static func target(_ path: String) throws(DiskError) -> FileStatus? {
        var raw = stat()
        guard unsafe stat(path, &raw) == 0 else {
            let error = DiskError.last("stat", path)
            if error.isMissing { return nil }
            throw error
        }
        return FileStatus(raw)
    }

    /// Whether there is anything of that name, also a link to nothing.
    package static func exists(_ path: String) throws(DiskError) -> Bool { try status(path) != nil }

    /// Names in a folder without `.` and `..`, sorted by their bytes, so that no locale or file system decides.
    package static func list(_ folder: String) throws(DiskError) -> [String] {
        while true {
            if let handle = unsafe opendir(folder) {
                defer { unsafe closedir(handle) }
                return try unsafe names(handle, folder)
            }
            guard errno == EINTR else { throw .last("opendir", folder) }
        }
    }

    static func names(_ handle: OpaquePointer, _ folder: String) throws(DiskError) -> [String] {
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = unsafe readdir(handle) else {
                guard errno == 0 else { throw .last("readdir", folder) }
                return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
            }
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) { name in
                unsafe name.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
    }

    package static func makeFolder(_ path: String, mode: UInt32 = 0o755) throws(DiskError) {
        try DiskGate.pass("mkdir", path)
        guard unsafe mkdir(path, mode) == 0 else { throw .last("mkdir", path) }
    }

    /// Makes the folder and those above it that are missing, each synced into the one above it. A symbolic link to a
    /// folder counts as one: people put their output on other disks that way.
    package static func makeFolders(_ path: String, mode: UInt32 = 0o755) throws(DiskError) {
        if let found = try target(path) {
            guard found.kind == .folder else { throw DiskError("mkdir", path, number: ENOTDIR) }
            return
        }
        let above = parent(path)
        if above != path { try makeFolders(above, mode: mode) }
        do throws(DiskError) { try makeFolder(path, mode: mode) } catch {
            guard error.isExisting, try target(path)?.kind == .folder else { throw error }
        }
        try syncFolder(above)
    }

    /// `a/b` → `a`, `a` → `.`, `/a` → `/`.
    package static func parent(_ path: String) -> String {
        var trimmed = Substring(path)
        while trimmed.count > 1, trimmed.last == "/" { trimmed.removeLast() }
        guard let slash = trimmed.lastIndex(of: "/") else { return "." }
        return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
    }

    /// Seen from the root, links resolved as far as the path exists.
    package static func absolute(_ path: String) -> String {
        guard let resolved = unsafe realpath(path, nil) else { return path }
        defer { unsafe free(resolved) }
        return unsafe String(cString: resolved)
    }

    /// Makes the names in a folder durable: after creating, renaming, linking or removing there.
    package static func syncFolder(_ path: String) throws(DiskError) {
        let folder = try DiskFile.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
        try folder.sync()
        try folder.close()
    }

    /// Replaces `new` when it exists, atomically.
    package static func rename(_ old: String, to new: String) throws(DiskError) {
        try DiskGate.pass("rename", new)
        guard unsafe Glibc.rename(old, new) == 0 else { throw .last("rename", new) }
    }

    /// A second name for the same file. A symbolic link is linked itself, not what it points to.
    package static func link(_ existing: String, to new: String) throws(DiskError) {
        try DiskGate.pass("link", new)
        guard unsafe Glibc.link(existing, new) == 0 else { throw .last("link", new) }
    }

    /// Takes the rights of everyone but the owner away, where there are any. The owner may read and write.
    package static func keepPrivate(_ path: String) throws(DiskError) {
        guard let status = try status(path), status.mode != 0o600 else { return }
        try DiskGate.pass("chmod", path)
        guard unsafe chmod(path, 0o600) == 0 else { throw .last("chmod", path) }
    }

    package static func remove(_ path: String) throws(DiskError) {
        try DiskGate.pass("unlink", path)
        guard unsafe unlink(path) == 0 else { throw .last("unlink", path) }
    }

    package static func readLink(_ path: String) throws(DiskError) -> String {
        var room = [UInt8](repeating: 0, count: 4096)
        let count = unsafe room.withUnsafeMutableBytes { room in
            unsafe readlink(path, room.baseAddress!.assumingMemoryBound(to: CChar.self), room.count)
        }
        guard count >= 0 else { throw .last("readlink", path) }
        return String(decoding: room[..<count], as: UTF8.self)
    }

    /// Points the symbolic link `path` at `target` in one step: whoever looks sees the old one or the new one.
    /// `temporary` is a name in the same folder, taken over if a crash left it. The folder is synced afterwards.
    package static func pointLink(_ path: String, at target: String, temporary: String) throws(DiskError) {
        if try status(temporary) != nil { try remove(temporary) }
        try DiskGate.pass("symlink", temporary)
        guard unsafe symlink(target, temporary) == 0 else { throw .last("symlink", temporary) }
        try rename(temporary, to: path)
        try syncFolder(parent(path))
    }

    /// Writes a new small file; its name is durable once the folder is, and its bytes unless whoever wants them not synced syncs
    /// them with others'.
    package static func create(_ path: String, _ bytes: [UInt8], mode: UInt32 = 0o644, isSynced: Bool = true)
        throws(DiskError)
    {
        let file = try DiskFile.create(path, mode: mode)
        try file.write(bytes.span)
        if isSynced { try file.sync() }
        try file.close()
    }

    /// Copies a file's bytes under a new name, synced.
    package static func copy(_ source: String, to target: String) throws(DiskError) {
        let from = try DiskFile.read(source)
        let file = try DiskFile.create(target)
        var block = [UInt8](repeating: 0, count: 256 * 1024)
        while true {
            let count = try from.read(into: &block)
            if count == 0 { break }
            try file.write(block.span.extracting(0..<count))
        }
        try file.sync()
        try file.close()
    }

    /// Where ``replace(_:with:mode:)`` writes the new bytes, beside the old.
    package static func replacement(of path: String) -> String { path + ".new" }

    /// Writes a small file so that its name shows the old bytes or the new ones, never a part, also after power loss.
    package static func replace(
        _ path: String,
        with bytes: [UInt8],
        mode: UInt32 = 0o644
    ) throws(DiskError) {
        let temporary = replacement(of: path)
        if try status(temporary) != nil { try remove(temporary) }
        try create(temporary, bytes, mode: mode)
        try rename(temporary, to: path)
        try syncFolder(parent(path))
    }

    /// Adds one line to a log, synced. The whole log is written anew and swapped in, so no reader sees half a line;
    /// meant for logs of a few lines a day.
    package static func appendLine(_ path: String, _ line: [UInt8]) throws(DiskError) {
        var bytes = try exists(path) ? try contents(path, limit: 256 << 20) : []
        if let last = bytes.last, last != 10 { bytes.append(10) }
        try replace(path, with: bytes + line + [10])
    }

    /// Adds bytes to the end of a file in one call, not synced: lines of several processes do not mix. For what may be lost.
    package static func append(_ path: String, _ bytes: [UInt8], mode: UInt32 = 0o644) throws(DiskError) {
        try DiskGate.pass("open", path)
        let file = try DiskFile.open(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, mode)
        try file.write(bytes.span)
        try file.close()
    }

    /// Whatever the umask says. For files that another user's program is meant to read.
    package static func setMode(_ path: String, _ mode: UInt32) throws(DiskError) {
        try DiskGate.pass("chmod", path)
        guard unsafe chmod(path, mode) == 0 else { throw .last("chmod", path) }
    }

    /// A whole small file; refused when longer than `limit` bytes.
    package static func contents(_ path: String, limit: Int = 64 << 20) throws(DiskError) -> [UInt8] {
        let file = try DiskFile.read(path)
        return try file.readAll(limit: limit)
    }

    /// Bytes that this user may still write on the file system of `path`.
    package static func freeSpace(_ path: String) throws(DiskError) -> Int {
        var raw = statvfs()
        guard unsafe statvfs(path, &raw) == 0 else { throw .last("statvfs", path) }
        return Int(clamping: UInt64(raw.f_bavail) &* UInt64(raw.f_frsize))
    }

    /// Blocks this thread: only for waits of some milliseconds, for what another process has in hand.
    package static func pause(milliseconds: Int) { usleep(useconds_t(milliseconds) * 1000) }

    package static func isWritable(_ path: String) -> Bool { unsafe access(path, W_OK) == 0 }
}
