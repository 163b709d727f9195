internal import ArchiveWriting
internal import Disk
package import Model

/// Re-reads what was published and tells every way in which it is not what the manifest says.
///
/// Never follows a link, never reads more of a file than the manifest allows, and needs no lock.
package struct Verifier {
    let root: OutputRoot
    private(set) var report = Report()

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

    mutating func find(_ generation: Int, _ path: String, _ problem: Finding.Problem, _ detail: String) {
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
}
