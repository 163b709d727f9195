internal import Disk
internal import Dispatch
internal import StageClock

/// A file whose bytes are complete but may not be on the medium, still under the name `<path>.part`.
///
/// Waiting for the medium keeps a thread but not a processor: ``settle(_:)`` waits on threads of its own, so that those who
/// compress go on.
package struct UnsettledFile: @unchecked Sendable {  // nobody writes to the file any more; one settles it
    private let file: DiskFile
    private let path: String
    /// Of the task that wrote the file; the threads that wait have no task.
    private let gate = DiskGate.current
    private let clock = StageClock.current

    private static let threads = DispatchQueue(label: "sync", attributes: .concurrent)

    init(_ file: DiskFile, path: String) {
        self.file = file
        self.path = path
    }

    /// Closes the file and gives it its name.
    ///
    /// - Parameter sync: waits until the bytes are on the medium first.
    package func settle(sync: Bool) throws(ArchiveError) {
        try onDisk { () throws(DiskError) in
            if sync { try file.sync() }
            try file.close()
            try Disk.rename(path + ".part", to: path)
        }
    }

    /// Settles files with their bytes on the medium, in order. Returns the first failure.
    package static func settle(_ files: [UnsettledFile]) async -> ArchiveError? {
        guard !files.isEmpty else { return nil }
        return await withCheckedContinuation { done in
            threads.async {
                var failure: ArchiveError?
                for file in files where failure == nil { failure = file.settledElsewhere() }
                done.resume(returning: failure)
            }
        }
    }

    private func settledElsewhere() -> ArchiveError? {
        StageClock.$current.withValue(clock) {
            DiskGate.$current.withValue(gate) {
                do throws(ArchiveError) { try settle(sync: true) } catch { return error }
                return nil
            }
        }
    }
}
