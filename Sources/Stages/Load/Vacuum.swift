internal import ArchiveWriting
internal import Disk
package import Model

/// Drops old generations.
///
/// Kept are the newest `keep` by number, the current one, and always the newest of all, so that no number ever comes
/// to mean another generation. What goes is written to `vacuum_log.ndjson` first: the chain of the others must be able
/// to tell a dropped generation from a lost one. A full disk needs another order: see ``OutputRoot/withdraw(_:)``.
package struct Vacuum: Sendable, Equatable {
    package struct Entry: Sendable, Equatable {
        package var generation: Int
        package var manifestSHA256: String
        /// Relative to the root: `generations/000003`.
        package var path: String
        /// Of files that no kept generation shares.
        package var bytes: Int
    }

    /// What goes, oldest first.
    package var dropped: [Entry]
    package var kept: [Int]

    /// What ``perform(_:keep:at:)`` would do now, exactly. Writes nothing.
    package static func plan(_ root: OutputRoot, keep: Int) throws(Fault) -> Vacuum {
        guard keep >= 1 else {
            throw Fault(.badPlan, "`--keep \(keep)` would leave no generation", mend: "keep at least 1")
        }
        let all = try root.generations()
        guard let current = try root.currentNumber() else { return Vacuum(dropped: [], kept: all) }
        let kept = Set(all.suffix(keep)).union([current])
        guard all.contains(where: { !kept.contains($0) }) else { return Vacuum(dropped: [], kept: kept.sorted()) }
        return try onDisk { () throws(DiskError) in
            var shared: Set<UInt64> = []
            for number in kept { for file in try files(root, number) { shared.insert(file.inode) } }
            var entries: [Entry] = []
            for number in all where !kept.contains(number) {
                var bytes = 0
                for file in try files(root, number) where shared.insert(file.inode).inserted { bytes += file.size }
                let digest = try digest(root.generationPath(number))
                let path = "generations/" + OutputRoot.name(of: number)
                entries.append(Entry(generation: number, manifestSHA256: digest, path: path, bytes: bytes))
            }
            return Vacuum(dropped: entries, kept: kept.sorted())
        }
    }

    /// Drops them. Needs the lock; cut off in the middle, the next ``OutputRoot/recover()`` or vacuum finishes.
    package static func perform(_ root: OutputRoot, keep: Int, at now: Instant) throws(Fault) -> Vacuum {
        let vacuum = try plan(root, keep: keep)
        /// Out of sight, and without a line: the disk had no room for one.
        var untold = try root.untold()
        for entry in untold { try root.emptyUntold(entry.generation) }
        let isIdle = vacuum.dropped.isEmpty && untold.isEmpty
        let lines = isIdle ? [] : try log(root)
        let told = Set(lines.map { "\($0.generation) \($0.manifestSHA256)" })
        // The manifest goes last, so where it has gone the line is there.
        for entry in untold
        where lines.contains(where: {
            $0.generation == entry.generation && ["", $0.manifestSHA256].contains(entry.manifestSHA256)
        }) {
            try root.removeUntold(entry.generation)
            untold.removeAll { $0 == entry }
        }
        var failure = try tell(&untold, root, at: now)
        for entry in vacuum.dropped {
            if failure == nil {
                do throws(DiskError) {
                    // A vacuum that was cut off may have told of it already; the log need not hold it twice.
                    if told.contains("\(entry.generation) \(entry.manifestSHA256)") {
                        try Disk.syncFolder(root.path)
                    } else {
                        try tell(entry, root, at: now)
                    }
                } catch {
                    guard isWithoutRoom(error, root) else { throw Fault(error) }
                    failure = error
                }
            }
            if failure == nil {
                try root.removeGeneration(entry.generation)
                continue
            }
            try root.withdraw(entry.generation)
            untold.append(entry)
            failure = try tell(&untold, root, at: now)
        }
        if let failure { throw Fault(failure) }
        return vacuum
    }

    /// Tells of what is out of sight, oldest first, and removes what is left of it.
    /// - Returns: why lines are missing: there is still no room for them.
    private static func tell(_ untold: inout [Entry], _ root: OutputRoot, at now: Instant) throws(Fault) -> DiskError? {
        while let entry = untold.first {
            do throws(DiskError) { try tell(entry, root, at: now) } catch {
                guard isWithoutRoom(error, root) else { throw Fault(error) }
                return error
            }
            try root.removeUntold(entry.generation)
            untold.removeFirst()
        }
        return nil
    }

    /// The disk is full and the line is not in the log. Once the log that holds it is being given its name it may be there, and
    /// telling again could put it there twice: that failure is the operator's to see, and the next vacuum finds what stands.
    private static func isWithoutRoom(_ error: DiskError, _ root: OutputRoot) -> Bool {
        error.cause == .full && error.path == Disk.replacement(of: root.vacuumLogPath)
    }

    private static func tell(_ entry: Entry, _ root: OutputRoot, at now: Instant) throws(DiskError) {
        let line: JSONValue = [
            "at": .string(now.text), "generation": .integer(entry.generation),
            "manifest_sha256": .string(entry.manifestSHA256),
        ]
        try Disk.appendLine(root.vacuumLogPath, line.canonical)
    }

    /// The generations that were dropped: those that the log names, and those whose line the disk had no room for.
    static func gone(_ root: OutputRoot) throws(Fault) -> [Entry] { try log(root) + root.untold() }

    static func log(_ root: OutputRoot) throws(Fault) -> [Entry] {
        try Rollback.lines(root.vacuumLogPath).compactMap { value in
            guard let number = value["generation"]?.integer, let digest = value["manifest_sha256"]?.text else {
                return nil
            }
            let path = "generations/" + OutputRoot.name(of: number)
            return Entry(generation: number, manifestSHA256: digest, path: path, bytes: 0)
        }
    }

    /// A manifest that can't be read now may be read by the next run; only one that is not there has no digest.
    static func digest(_ generation: String) throws(DiskError) -> String {
        let manifest = generation + "/manifest.json"
        guard try Disk.status(manifest)?.kind == .file else { return "" }
        return SHA256.hex(of: try Disk.contents(manifest, limit: Generation.manifestLimit))
    }

    private static func files(_ root: OutputRoot, _ number: Int) throws(DiskError) -> [FileStatus] {
        try Disk.walk(root.generationPath(number)).map(\.status).filter { $0.kind == .file }
    }

    /// For `--json`.
    package var json: JSONValue {
        [
            "dropped": .array(dropped.map { ["path": .string($0.path), "bytes": .integer($0.bytes)] }),
            "kept": .array(kept.map { .integer($0) }),
        ]
    }
}
