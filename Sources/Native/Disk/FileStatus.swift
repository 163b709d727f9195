internal import Glibc

/// What `lstat` says of a name, as far as anyone here asks.
package struct FileStatus: Sendable, Equatable {
    package enum Kind: Sendable { case file, folder, link, other }

    package var kind: Kind
    /// In bytes.
    package var size: Int
    /// Equal `device` and `inode` mean the same file.
    package var device: UInt64
    package var inode: UInt64
    /// Permission bits: `0o644`.
    package var mode: UInt32

    init(_ raw: stat) {
        kind =
            switch raw.st_mode & S_IFMT {
            case S_IFREG: .file
            case S_IFDIR: .folder
            case S_IFLNK: .link
            default: .other
            }
        size = Int(raw.st_size)
        device = UInt64(raw.st_dev)
        inode = UInt64(raw.st_ino)
        mode = raw.st_mode & 0o7777
    }
}
