internal import Disk
package import Model

/// What a crash can leave behind, and its removal before the next run.
extension OutputRoot {
    static let buildingPrefix = ".building-"
    static let vacuumPrefix = ".vacuum-"

    /// Removes half-built and half-removed generations, and one that was renamed into place but never became current:
    /// the run that made it did not commit, and will make the same again under the same number.
    ///
    /// Needs the lock. Staging is the runner's and stays.
    /// - Returns: what was removed, relative to the root.
    package func recover() throws(Fault) -> [String] {
        var removed: [String] = []
        try onDisk { () throws(DiskError) in
            if try Disk.exists(temporaryLinkPath) {
                try Disk.remove(temporaryLinkPath)
                removed.append(".current.new")
            }
            guard try Disk.exists(generationsPath) else { return }
            for name in try Disk.list(generationsPath)
            where name.hasPrefix(OutputRoot.buildingPrefix) || name.hasPrefix(OutputRoot.vacuumPrefix) {
                try Disk.removeTree(generationsPath + "/" + name)
                removed.append("generations/" + name)
            }
        }
        if let orphan = try uncommitted() {
            try removeGeneration(orphan)
            removed.append("generations/" + OutputRoot.name(of: orphan))
        }
        return removed
    }

    /// The newest generation, when its publication was cut off between the rename and the swap of `current`.
    ///
    /// A generation above `current` may also be one that a rollback left; the rollback's log, written before its swap,
    /// names those. Without the log, only a direct successor of the current one is taken for an orphan.
    func uncommitted() throws(Fault) -> Int? {
        let isLinked = try onDisk { () throws(DiskError) in try Disk.exists(currentPath) }
        let current = isLinked ? try currentNumber() : nil
        guard let newest = try generations().last, newest > current ?? 0 else { return nil }
        for entry in try Rollback.log(self) where entry.from >= newest || entry.to >= newest { return nil }
        let bytes = try? Disk.contents(generationPath(newest) + "/_SUCCESS", limit: 1 << 20)
        guard let record = bytes.flatMap({ SuccessRecord(parsing: $0) }) else { return nil }
        return record.previous == current ? newest : nil
    }

    /// Takes a generation out of sight in one step, then deletes it.
    func removeGeneration(_ number: Int) throws(Fault) {
        try refuseLinkedGenerations()
        let hidden = generationsPath + "/" + OutputRoot.vacuumPrefix + OutputRoot.name(of: number)
        try onDisk { () throws(DiskError) in
            try Disk.removeTree(hidden)
            try Disk.rename(generationPath(number), to: hidden)
            try Disk.syncFolder(generationsPath)
            try Disk.removeTree(hidden)
            try Disk.syncFolder(generationsPath)
        }
    }

    func refuseLinkedGenerations() throws(Fault) {
        let kind = try onDisk { () throws(DiskError) in try Disk.status(generationsPath)?.kind }
        guard kind == .folder else {
            throw Fault(
                .cannotWrite,
                "`\(generationsPath)` is a link: what it leads to is not ours to delete",
                mend: "put a folder of that name in its place"
            )
        }
    }
}
