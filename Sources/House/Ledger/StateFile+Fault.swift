import Disk
import GRDB
import Model
import StateDisk

/// What SQLite's errors mean to the person who runs the pipeline.
extension StateFile {
    /// The file is there, but it is not one we may write to.
    func refused(_ why: String) -> Fault { Fault(.cannotWrite, "\(path) \(why)", mend: mendByRebuilding) }

    var mendByRebuilding: String { "run `cogni state rebuild` with the file of pipeline \(pipeline)" }

    /// A `Fault` passes as it is; SQLite's own words are kept, never the statement's values.
    func fault(_ error: any Error) -> Fault {
        if let fault = error as? Fault { return fault }
        guard let error = error as? DatabaseError else {
            return Fault(.cannotWrite, "\(path) failed: \(type(of: error))", mend: mendByRebuilding)
        }
        let failure = StateDisk.takeFailure()
        let called = "\(error.message ?? "no message") (SQLite \(error.extendedResultCode.rawValue))"
        let words = failure.map { "\($0), \(called)" } ?? called
        switch error.resultCode {
        // A page that could not be read is one whose content SQLite may call malformed. The disk has failed, not the state.
        case .SQLITE_CORRUPT where failure?.call == "read", .SQLITE_IOERR:
            return Fault(
                .cannotWrite,
                "\(path) could not be read or written: \(words)",
                mend: "check the disk and run again"
            )
        case .SQLITE_BUSY, .SQLITE_LOCKED:
            return Fault(
                .locked,
                "\(path) is being written by another process: \(words)",
                mend: "wait for it and run again"
            )
        case .SQLITE_CORRUPT, .SQLITE_NOTADB, .SQLITE_FORMAT, .SQLITE_MISMATCH:
            return refused("is damaged: \(words)")
        case .SQLITE_FULL:
            return Fault(.cannotWrite, "\(path) could not grow: \(words)", mend: "free disk space and run again")
        case .SQLITE_READONLY, .SQLITE_PERM, .SQLITE_CANTOPEN, .SQLITE_AUTH:
            return Fault(
                .cannotWrite,
                "\(path) can't be opened for writing: \(words)",
                mend: "make it and its folder writable"
            )
        default:
            return Fault(.cannotWrite, "\(path) failed: \(words)", mend: mendByRebuilding)
        }
    }

    /// A row whose text is not what we wrote.
    func damaged(_ table: String, _ column: String) -> Fault { refused("holds a damaged row: \(table).\(column)") }
}
