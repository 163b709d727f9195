package import Disk

/// Why an archive could not be written or read.
package enum ArchiveError: Error, Sendable, Equatable, CustomStringConvertible {
    /// A system call failed.
    case disk(DiskError)
    /// A compression library or OpenSSL said no: which call, and its own words.
    case library(call: String, path: String, reason: String)
    /// The file is not what its name says: cut short, changed, or followed by something else.
    case damaged(path: String, reason: String)
    /// The content, or one line of it, is longer than the reader allows.
    case tooLong(path: String, limit: Int)

    package var description: String {
        switch self {
        case .disk(let error): error.description
        case .library(let call, let path, let reason): "\(call) for \(path): \(reason)"
        case .damaged(let path, let reason): "\(path): \(reason)"
        case .tooLong(let path, let limit): "\(path): longer than \(limit) bytes"
        }
    }
}

/// Turns the small error of the room below into this room's.
func onDisk<R>(_ body: () throws(DiskError) -> R) throws(ArchiveError) -> R {
    do throws(DiskError) { return try body() } catch { throw .disk(error) }
}
