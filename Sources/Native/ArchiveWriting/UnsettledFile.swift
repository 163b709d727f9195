internal import Disk

/// A file whose bytes are complete but may not be on the medium, still under the name `<path>.part`.
package struct UnsettledFile: @unchecked Sendable {  // nobody writes to the file any more; one settles it
    private let file: DiskFile
    private let path: String

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

    /// Settles files with their bytes on the medium, in order, on a thread that only waits. Returns the first failure.
    package static func settle(_ files: [UnsettledFile]) async -> ArchiveError? {
        guard !files.isEmpty else { return nil }
        return await MediumThreads.run {
            for file in files {
                do throws(ArchiveError) { try file.settle(sync: true) } catch { return error }
            }
            return nil
        }
    }
}
