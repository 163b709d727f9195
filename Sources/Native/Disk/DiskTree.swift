internal import Glibc

extension Disk {
    /// Removes a folder and all in it, or a single name. Nothing there is no failure.
    ///
    /// Goes down by open folders, not by paths: a symbolic link is removed itself and never followed, also when someone
    /// puts one in the place of a folder while we are at it.
    package static func removeTree(_ path: String) throws(DiskError) {
        guard let status = try status(path) else { return }
        guard status.kind == .folder else { return try remove(path) }
        let folder = uninterrupted { unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) }
        guard folder >= 0 else { throw .last("open", path) }
        try empty(folder, path)
        try DiskGate.pass("rmdir", path)
        guard unsafe rmdir(path) == 0 else { throw .last("rmdir", path) }
    }

    /// Removes what is in an open folder, and closes it.
    private static func empty(_ folder: CInt, _ path: String) throws(DiskError) {
        guard let handle = unsafe fdopendir(folder) else {
            let error = DiskError.last("fdopendir", path)
            _ = close(folder)
            throw error
        }
        defer { unsafe closedir(handle) }
        for name in try unsafe names(handle, path) {
            let whole = path + "/" + name
            let inner = uninterrupted {
                unsafe openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
            }
            if inner >= 0 {
                try empty(inner, whole)
                try DiskGate.pass("rmdir", whole)
                guard unsafe unlinkat(folder, name, AT_REMOVEDIR) == 0 else { throw .last("unlinkat", whole) }
            } else if errno == ENOTDIR || errno == ELOOP {
                try DiskGate.pass("unlink", whole)
                guard unsafe unlinkat(folder, name, 0) == 0 else { throw .last("unlinkat", whole) }
            } else {
                throw .last("openat", whole)
            }
        }
    }
}

/// A name below a folder, as ``Disk/walk(_:)`` gives it.
package struct TreeEntry: Sendable, Equatable {
    /// Relative, parts joined by `/`.
    package var path: String
    package var status: FileStatus
}

extension Disk {
    /// Everything below `root` in the order of path bytes, folders before what is in them. Links are reported, not
    /// followed.
    package static func walk(_ root: String) throws(DiskError) -> [TreeEntry] {
        var found: [TreeEntry] = []
        try walk(root, "", into: &found)
        return found.sorted { $0.path.utf8.lexicographicallyPrecedes($1.path.utf8) }
    }

    private static func walk(_ root: String, _ below: String, into found: inout [TreeEntry]) throws(DiskError) {
        for name in try list(below.isEmpty ? root : root + "/" + below) {
            let path = below.isEmpty ? name : below + "/" + name
            guard let status = try status(root + "/" + path) else { continue }
            found.append(TreeEntry(path: path, status: status))
            if status.kind == .folder { try walk(root, path, into: &found) }
        }
    }
}
