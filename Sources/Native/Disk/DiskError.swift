internal import Glibc

/// A system call on a file failed: which call, on which path, with which number, in the system's words.
package struct DiskError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Name of the system call: `fsync`.
    package let call: String
    package let path: String
    /// `errno` as the call left it: 28 is ENOSPC.
    package let number: Int32
    package let text: String

    package init(_ call: String, _ path: String, number: Int32) {
        self.call = call
        self.path = path
        self.number = number
        self.text = unsafe strerror(number).map { unsafe String(cString: $0) } ?? "unknown"
    }

    /// For failures that have no number: a file that is shorter than it was.
    package init(_ call: String, _ path: String, text: String) {
        self.call = call
        self.path = path
        self.number = 0
        self.text = text
    }

    /// With the number that the calling thread's last failed call left.
    static func last(_ call: String, _ path: String) -> DiskError { DiskError(call, path, number: errno) }

    /// What someone would have to do about it.
    package enum Cause: Sendable { case full, denied, missing, tooManyOpen, device, other }

    package var cause: Cause {
        switch number {
        case ENOSPC, EDQUOT, EFBIG: .full
        case EACCES, EPERM, EROFS: .denied
        case ENOENT, ENOTDIR: .missing
        case EMFILE, ENFILE: .tooManyOpen
        case EIO: .device
        default: .other
        }
    }

    /// Something on the way is a file.
    package var isNoFolder: Bool { number == ENOTDIR }
    package var isMissing: Bool { number == ENOENT || number == ENOTDIR }
    package var isExisting: Bool { number == EEXIST || number == ENOTEMPTY }
    /// A hard link that the file system can't make: other device, too many links, or none at all.
    package var isLinkRefused: Bool {
        number == EXDEV || number == EMLINK || number == EPERM || number == ENOTSUP || number == ENOSYS
    }
    /// A symbolic link where none may stand.
    package var isLoop: Bool { number == ELOOP }

    package var description: String {
        number == 0 ? "\(call) \(path): \(text)" : "\(call) \(path): \(text) (errno \(number))"
    }
}
