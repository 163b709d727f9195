internal import ArchiveWriting
internal import Disk
internal import Model

/// How generations follow one another.
extension Verifier {
    func success(_ number: Int) -> SuccessRecord? {
        success(bytes: number).flatMap { SuccessRecord(parsing: $0) }
    }

    private func success(bytes number: Int) -> [UInt8]? {
        let file = try? DiskFile.read("_SUCCESS", beneath: root.generationPath(number))
        return try? file?.readAll(limit: 1 << 20)
    }

    /// A log's entries; `nil` when it is there and can't be read, which is told.
    private mutating func entries<E>(_ path: String, _ read: (OutputRoot) throws(Fault) -> [E]) -> [E]? {
        do throws(Fault) { return try read(root) } catch {
            findUnreadable(0, String(path.dropFirst(root.path.utf8.count + 1)), error.what)
            return nil
        }
    }

    /// Of every generation's manifest. One that is missing or can't be read leaves a hole in the chain, also where its
    /// generation's files are not asked for.
    private mutating func manifestDigests(_ all: [Int]) -> [Int: String] {
        var digests: [Int: String] = [:]
        for number in all {
            do throws(DiskError) {
                let file = try DiskFile.read("manifest.json", beneath: root.generationPath(number))
                digests[number] = SHA256.hex(of: try file.readAll(limit: Generation.manifestLimit))
            } catch {
                findUnreadable(number, "manifest.json", "\(error)", error.isMissing ? .missing : .unreadable)
            }
        }
        return digests
    }

    /// Every generation's `_SUCCESS` names its own manifest and that of the one before; a generation that is gone must
    /// have been dropped by `vacuum`.
    mutating func verifyChain(_ all: [Int]) {
        let present = Set(all)
        let vacuumed = entries(root.vacuumLogPath, Vacuum.gone)
        let dropped = vacuumed.map { Set($0.map(\.generation)) }
        let rollbacks = entries(root.rollbackLogPath, Rollback.log)
        var told: Set<Int> = []
        var digests = manifestDigests(all)
        for entry in vacuumed ?? [] where digests[entry.generation] == nil && !entry.manifestSHA256.isEmpty {
            digests[entry.generation] = entry.manifestSHA256
        }
        for number in all {
            guard let record = success(number) else {
                find(number, "_SUCCESS", .chain, "is missing or unreadable")
                continue
            }
            if success(bytes: number) != record.json.canonical {
                find(number, "_SUCCESS", .chain, "is not in canonical form")
            }
            if record.generation != number {
                find(number, "_SUCCESS", .chain, "speaks of generation \(record.generation)")
            }
            if let digest = digests[number], digest != record.manifestSHA256 {
                find(number, "manifest.json", .chain, "is not the manifest that _SUCCESS names")
            }
            // A number is never left out: what the number before is not followed by, a rollback must have left.
            let before = record.previous ?? 0
            if before < number - 1, number > (all.first ?? 1) || before > 0,
                let rollbacks, !rollbacks.contains(where: { $0.to == before })
            {
                find(number, "_SUCCESS", .chain, "does not follow generation \(number - 1), and no rollback says why")
            }
            guard let previous = record.previous else { continue }
            guard previous < number, present.contains(previous) || dropped?.contains(previous) ?? true else {
                told.insert(previous)
                find(number, "_SUCCESS", .chain, "follows generation \(previous), which is gone without a trace")
                continue
            }
            if let digest = digests[previous], digest != record.previousManifestSHA256 {
                find(number, "_SUCCESS", .chain, "follows another manifest of generation \(previous) than is there")
            }
        }
        // What nothing follows is missed by nobody: numbers between others, and what a rollback left above `current`.
        let span = Set((all.first ?? 1)...(all.last ?? 1))
        // Without the log of what was dropped, nothing can be said of what is not there.
        guard let dropped else { return }
        let known = span.union((rollbacks ?? []).flatMap { [$0.from, $0.to] })
        for number in known.subtracting(present).subtracting(dropped).subtracting(told).sorted() {
            find(0, "generations/" + OutputRoot.name(of: number), .chain, "is gone without a trace")
        }
    }
}
