internal import ArchiveWriting
internal import Disk
package import Model

/// Re-reads what was published and tells every way in which it is not what the manifest says.
///
/// Never follows a link, never reads more of a file than the manifest allows, and needs no lock.
package struct Verifier {
    package struct Finding: Sendable, Equatable {
        package enum Problem: String, Sendable {
            case missing, extra, bytes, sha256, content, rows, totals, unreadable, link, manifest, sums, chain, current
        }
        package var generation: Int
        /// Relative to the generation's folder; empty when the generation as a whole is meant.
        package var path: String
        package var problem: Problem
        package var detail: String
    }

    /// What was looked at, and what was found. An empty list of findings is the good answer.
    package struct Report: Sendable, Equatable {
        package var generations: [Int] = []
        package var files = 0
        package var bytes = 0
        package var rows = 0
        package var findings: [Finding] = []

        package var isGood: Bool { findings.isEmpty }
    }

    private let root: OutputRoot
    private var report = Report()

    package init(_ root: OutputRoot) { self.root = root }

    /// Which generations' files are read; the chain is checked over all of them either way.
    /// `chain`: no files at all.
    package enum Scope: Sendable { case current, one(Int), all, chain }

    /// Throws only when there is nothing to verify at all.
    package mutating func verify(_ scope: Scope = .current) throws(Fault) -> Report {
        report = Report()
        let all = try root.generations()
        guard !all.isEmpty else {
            throw Fault(
                .cannotWrite,
                "`\(root.path)` has no generations",
                mend: "give the folder that holds `current`, for example `output/openai-admin`"
            )
        }
        var chosen: [Int]
        switch scope {
        case .all: chosen = all
        case .chain: chosen = []
        case .one(let number): chosen = [number]
        case .current:
            do throws(Fault) { chosen = [try root.currentNumber() ?? all[all.count - 1]] } catch {
                chosen = [all[all.count - 1]]
            }
        }
        do throws(Fault) { _ = try root.currentNumber() } catch { find(0, "", .current, error.what) }
        verifyFolder()
        for number in chosen { verify(generation: number) }
        verifyChain(all)
        return report
    }

    private mutating func find(_ generation: Int, _ path: String, _ problem: Finding.Problem, _ detail: String) {
        report.findings.append(Finding(generation: generation, path: path, problem: problem, detail: detail))
    }

    /// Beside generations, only what a run or `vacuum` is at may stand, and its name begins with a dot.
    private mutating func verifyFolder() {
        do throws(DiskError) {
            for name in try Disk.list(root.generationsPath) where !name.hasPrefix(".") {
                let isFolder = try Disk.status(root.generationsPath + "/" + name)?.kind == .folder
                if OutputRoot.number(name) == nil || !isFolder {
                    find(0, "generations/" + name, .extra, "is no generation")
                }
            }
        } catch {
            find(0, "generations", .unreadable, "\(error)")
        }
    }

    private mutating func verify(generation number: Int) {
        report.generations.append(number)
        let generation: Generation
        do throws(Fault) { generation = try root.generation(number) } catch {
            return find(number, "manifest.json", .manifest, error.what)
        }
        if generation.manifest.bytes != generation.manifestBytes {
            find(number, "manifest.json", .manifest, "is not in canonical form")
        }
        for stream in generation.manifest.streams {
            let schema = small(generation, stream.schema)
            for partition in stream.partitions {
                for file in partition.files { verify(file, schema, in: generation) }
            }
        }
        verifyNames(generation)
        verifySums(generation)
    }

    /// Reads one data file to its end.
    /// - Parameter schema: the bytes of its stream's schema, where they can be read.
    private mutating func verify(_ file: Manifest.File, _ schema: [UInt8]?, in generation: Generation) {
        report.files += 1
        let number = generation.number
        var rows = RowCounter(RowFormat(path: file.path))
        var totals =
            file.totals == nil
            ? nil : schema.flatMap { TotalsCheck(schema: $0, format: RowFormat(path: file.path)) }
        if file.totals != nil, schema != nil, totals == nil {
            find(number, file.path, .totals, "can't be added up: its stream's schema is no Table Schema")
        }
        let facts: FileFacts
        do throws(ArchiveError) {
            let reader = try ArchiveReader(
                file.path,
                beneath: generation.path,
                maximum: file.facts.contentBytes,
                hashing: true
            )
            while try reader.nextBlock({ (block: Span<UInt8>) -> Void in
                rows.take(block)
                totals?.take(block)
            }) != nil {}
            if !reader.endsWithNewline { find(number, file.path, .content, "does not end with a line feed") }
            facts = reader.facts()
        } catch {
            if case .disk(let error) = error, error.isMissing { return find(number, file.path, .missing, "is missing") }
            if case .disk(let error) = error, error.isLoop {
                return find(number, file.path, .link, "is a symbolic link")
            }
            return find(number, file.path, .unreadable, "\(error)")
        }
        report.bytes += facts.bytes
        report.rows += rows.rows
        if facts.bytes != file.facts.bytes {
            find(number, file.path, .bytes, "has \(facts.bytes) bytes, the manifest says \(file.facts.bytes)")
        }
        if facts.sha256 != file.facts.sha256 {
            find(number, file.path, .sha256, "has SHA-256 \(facts.sha256), the manifest says \(file.facts.sha256)")
        }
        if facts.contentBytes != file.facts.contentBytes || facts.contentSHA256 != file.facts.contentSHA256 {
            find(number, file.path, .content, "holds \(facts.contentBytes) bytes with SHA-256 \(facts.contentSHA256)")
        }
        if rows.isCut { find(number, file.path, .content, "ends inside a quoted cell") }
        if rows.rows != file.rows {
            find(number, file.path, .rows, "has \(rows.rows) rows, the manifest says \(file.rows)")
        }
        if let totals, let said = file.totals { compare(totals, with: said, file.path, number) }
    }

    private mutating func compare(_ check: TotalsCheck, with said: ColumnTotals, _ path: String, _ number: Int) {
        if check.isForeign { return find(number, path, .totals, "holds a line that is not of the stream's schema") }
        let found = check.result
        let nulls = Set(found.nulls.keys).union(said.nulls.keys).filter { found.nulls[$0] != said.nulls[$0] }
        let sums = Set(found.sums.keys).union(said.sums.keys).filter { found.sums[$0] != said.sums[$0] }
        for name in nulls.sorted(by: bytewise) {
            let counts = "\(found.nulls[name] ?? 0) nulls in `\(name)`, the manifest says \(said.nulls[name] ?? 0)"
            find(number, path, .totals, "has \(counts)")
        }
        for name in sums.sorted(by: bytewise) {
            let counts = "\(found.sums[name] ?? "nothing"), the manifest says \(said.sums[name] ?? "nothing")"
            find(number, path, .totals, "adds up `\(name)` to \(counts)")
        }
    }

    /// Everything in the folder must be named by somebody, and be a plain file or folder.
    private mutating func verifyNames(_ generation: Generation) {
        var expected = Set(generation.manifest.files.map(\.path))
        expected.formUnion(generation.manifest.streams.map(\.schema))
        expected.formUnion(["manifest.json", "SHA256SUMS", "changes.json", "_SUCCESS"])
        if !generation.manifest.files.isEmpty { expected.insert("datapackage.json") }
        if generation.manifest.diagnostics?.sha256 != nil { expected.insert(Manifest.Diagnostics.path) }
        if let record = success(generation.number), let bundle = record.bundle { expected.insert(bundle.path) }
        var folders: Set<String> = []
        for path in expected {
            var folder = Disk.parent(path)
            while folder != "." {
                folders.insert(folder)
                folder = Disk.parent(folder)
            }
        }
        let data = Set(generation.manifest.files.map(\.path))
        do throws(DiskError) {
            var found: Set<String> = []
            for entry in try Disk.walk(generation.path) {
                switch entry.status.kind {
                case .folder:
                    if !folders.contains(entry.path) {
                        find(generation.number, entry.path, .extra, "is not in the manifest")
                    }
                case .file:
                    found.insert(entry.path)
                    if !expected.contains(entry.path) {
                        find(generation.number, entry.path, .extra, "is not in the manifest")
                    }
                case .link, .other:
                    found.insert(entry.path)
                    // Data files that are links have been told of when they could not be read.
                    if !data.contains(entry.path) { find(generation.number, entry.path, .link, "is not a plain file") }
                }
            }
            for path in expected.subtracting(found).subtracting(data).sorted(by: bytewise) {
                find(generation.number, path, .missing, "is missing")
            }
        } catch {
            find(generation.number, "", .unreadable, "\(error)")
        }
    }

    /// `SHA256SUMS` must name what is there, with the digests of the manifest and of the small files themselves.
    private mutating func verifySums(_ generation: Generation) {
        let number = generation.number
        guard let bytes = small(generation, "SHA256SUMS") else { return }
        if let record = success(number) {
            if SHA256.hex(of: bytes) != record.sumsSHA256 {
                find(number, "SHA256SUMS", .sums, "is not what _SUCCESS says")
            }
            if let bundle = record.bundle { verify(bundle, in: generation) }
        }
        var sums: [String: String] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            guard line.utf8.count > 66, line.dropFirst(64).hasPrefix("  ") else {
                find(number, "SHA256SUMS", .sums, "has a line that is no digest and path")
                continue
            }
            sums[String(line.dropFirst(66))] = String(line.prefix(64))
        }
        for file in generation.manifest.files where sums.removeValue(forKey: file.path) != file.facts.sha256 {
            find(number, "SHA256SUMS", .sums, "has another digest for `\(file.path)` than the manifest, or none")
        }
        var names = generation.manifest.streams.map(\.schema) + ["changes.json", "manifest.json"]
        if !generation.manifest.files.isEmpty { names.append("datapackage.json") }
        let findings = generation.manifest.diagnostics?.sha256
        if findings != nil { names.append(Manifest.Diagnostics.path) }
        for name in names {
            guard let listed = sums.removeValue(forKey: name) else {
                find(number, "SHA256SUMS", .sums, "does not list `\(name)`")
                continue
            }
            guard let bytes = small(generation, name) else { continue }
            let digest = SHA256.hex(of: bytes)
            if digest != listed { find(number, name, .sha256, "is not what SHA256SUMS says") }
            if name == Manifest.Diagnostics.path, digest != findings {
                find(number, name, .sha256, "is not what the manifest says")
            }
        }
        for stream in generation.manifest.streams {
            guard let wanted = stream.schemaSHA256, let bytes = small(generation, stream.schema) else { continue }
            if SHA256.hex(of: bytes) != wanted { find(number, stream.schema, .sha256, "is not what the manifest says") }
        }
        for name in sums.keys.sorted(by: bytewise) {
            find(number, "SHA256SUMS", .sums, "lists `\(name)`, which is not ours")
        }
    }

    private mutating func verify(_ bundle: SuccessRecord.Bundle, in generation: Generation) {
        do throws(ArchiveError) {
            let facts = try ArchiveReader.facts(
                of: generation.path + "/" + bundle.path,
                codec: Codec.none,
                maximum: bundle.bytes
            )
            if facts.bytes != bundle.bytes || facts.sha256 != bundle.sha256 {
                find(generation.number, bundle.path, .sha256, "is not what _SUCCESS says")
            }
        } catch {
            find(generation.number, bundle.path, .unreadable, "\(error)")
        }
    }

    /// A control file's bytes; `nil` when it is missing, which the look at the names tells, and when it can't be read,
    /// which is told here: what nobody could look at is not good.
    private mutating func small(_ generation: Generation, _ name: String) -> [UInt8]? {
        do throws(DiskError) {
            return try DiskFile.read(name, beneath: generation.path).readAll(limit: Generation.manifestLimit)
        } catch {
            if !error.isMissing { findUnreadable(generation.number, name, "\(error)") }
            return nil
        }
    }

    /// Some files are looked at more than once; one that can't be read is told of once.
    private mutating func findUnreadable(
        _ number: Int,
        _ path: String,
        _ detail: String,
        _ problem: Finding.Problem = .unreadable
    ) {
        let isTold = report.findings.contains {
            $0.generation == number && $0.path == path && [.manifest, problem].contains($0.problem)
        }
        if !isTold { find(number, path, problem, detail) }
    }

    private func success(_ number: Int) -> SuccessRecord? {
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
    private mutating func verifyChain(_ all: [Int]) {
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

extension Verifier.Report {
    /// For `--json`.
    package var json: JSONValue {
        [
            "ok": .bool(isGood), "generations": .array(generations.map { .integer($0) }), "files": .integer(files),
            "bytes": .integer(bytes), "rows": .integer(rows),
            "findings": .array(
                findings.map {
                    [
                        "generation": .integer($0.generation), "path": .string($0.path),
                        "problem": .string($0.problem.rawValue), "detail": .string($0.detail),
                    ]
                }
            ),
        ]
    }

    /// One line a finding, and a last one that sums up.
    package var text: String {
        let lines = findings.map { finding in
            let place = finding.generation == 0 ? "output" : "generation \(finding.generation)"
            return
                "\(finding.problem.rawValue): \(place): \(finding.path.isEmpty ? "" : "\(finding.path) ")\(finding.detail)"
        }
        let sum = "\(files) files, \(rows) rows, \(ByteSize(bytes: bytes).text): "
        return
            (lines + [
                sum
                    + (isGood
                        ? "all as the manifest says" : "\(findings.count) finding\(findings.count == 1 ? "" : "s")")
            ]).joined(
                separator: "\n"
            )
    }
}
