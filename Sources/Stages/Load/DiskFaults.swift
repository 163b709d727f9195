package import ArchiveWriting
package import Disk
package import Model

extension Fault {
    /// A file or folder could not be written or read; the mend follows from the cause.
    package init(_ error: DiskError) {
        let mend =
            switch error.cause {
            case .full: "free space on the disk of `\(error.path)`, then run again; nothing half-written is visible"
            case .denied: "make `\(error.path)` accessible to this user, or name another place"
            case .missing where error.isNoFolder: "name another place: a file stands where a folder is needed"
            case .missing: "check that `\(error.path)`, and the folder that it is in, exist"
            case .tooManyOpen: "raise the limit of open files (`ulimit -n`), then run again"
            case .device: "check the disk's health, then run again"
            case .other: "mend what the system says, then run again"
            }
        self.init(.cannotWrite, error.description, mend: mend)
    }

    package init(_ error: ArchiveError) {
        switch error {
        case .disk(let error): self.init(error)
        case .library: self.init(.cannotWrite, error.description, mend: "run again; if it stays, report the message")
        case .damaged, .tooLong:
            self.init(
                .cannotWrite,
                error.description,
                mend: "run `cogni verify` on the output to see all that is damaged"
            )
        }
    }
}

/// Runs calls of the room below and turns their error into a fault.
package func onDisk<R>(_ body: () throws(DiskError) -> R) throws(Fault) -> R {
    do throws(DiskError) { return try body() } catch { throw Fault(error) }
}

package func inArchive<R>(_ body: () throws(ArchiveError) -> R) throws(Fault) -> R {
    do throws(ArchiveError) { return try body() } catch { throw Fault(error) }
}
