internal import ArchiveWriting
internal import Connector
internal import Disk
internal import Load
internal import Model
internal import PipelineFile
internal import RecordScan
internal import Transform

/// Looks at what a new generation's streams say of each other, by the connector's relations.
///
/// Works on distinct values, which the files of this run already counted while they were written. A partition that stays
/// as it was keeps its findings of the generation before, less what has been listed since: lists keep removed rows, so
/// that a value once listed stays listed. Where a list did lose values, everything is read again. The findings are thereby
/// a function of the generation's rows alone. Sealed ids are compared as tokens; nothing is opened.
struct RelationCheck {
    let pipeline: Pipeline
    let rules: FieldRules
    /// With all its streams.
    let publication: Publication
    let current: Generation?

    struct Finding: Sendable {
        var relation: String
        var place: Relation.Place
        var partition: String
        var value: String
        var rows: Int

        var json: JSONValue {
            [
                "relation": .string(relation), "stream": .string(place.stream), "column": .string(place.column),
                "partition": partition.isEmpty ? .null : .string(partition), "value": .string(value),
                "rows": .integer(rows),
            ]
        }
    }

    struct Outcome: Sendable {
        var relations: [Manifest.Diagnostics.Relation] = []
        var findings: [Finding] = []

        /// The bytes of `diagnostics/relations.ndjson`.
        var bytes: [UInt8] { findings.flatMap { $0.json.canonical + [10] } }
    }

    /// The relations that have anything to do with this pipeline, in the connector's order.
    func outcome() throws(Fault) -> Outcome {
        var outcome = Outcome()
        let earlier = try earlierFindings()
        for relation in pipeline.connector.relations {
            let rows = relation.rows.filter { publication.manifest.stream($0.stream) != nil }
            guard !rows.isEmpty else { continue }
            let rule = Self.rule(relation)
            if let reason = obstacle(relation, rows) {
                outcome.relations.append(.init(name: relation.name, rule: rule, skipped: reason))
                continue
            }
            do throws(Fault) {
                guard let found = try findings(relation, rows, rule: rule, earlier: earlier) else {
                    let reason = "a file was written under another schema or format"
                    outcome.relations.append(.init(name: relation.name, rule: rule, skipped: reason))
                    continue
                }
                outcome.findings += found
                outcome.relations.append(
                    .init(
                        name: relation.name,
                        rule: rule,
                        findings: Set(found.map(\.value)).count,
                        rows: found.reduce(0) { $0 + $1.rows }
                    )
                )
            } catch {
                throw error.within("relation \(relation.name)")
            }
        }
        outcome.findings.sort { one, other in
            let left = [one.relation, one.place.stream, one.place.column, one.partition, one.value]
            let right = [other.relation, other.place.stream, other.place.column, other.partition, other.value]
            for (a, b) in zip(left, right) where a != b { return a.utf8.lexicographicallyPrecedes(b.utf8) }
            return false
        }
        return outcome
    }

    /// Findings of the generation before count only for the same rule.
    private static func rule(_ relation: Relation) -> String {
        let value: JSONValue = [
            "name": .string(relation.name), "find": .string(relation.find.rawValue),
            "rows": .strings(relation.rows.map(\.text)), "listed": .strings(relation.listed.map(\.text)),
            "living": .bool(relation.mustLive),
        ]
        return String(Digest.hex(value.canonicalText).prefix(16))
    }

    // MARK: What keeps a relation from being looked at

    private func obstacle(_ relation: Relation, _ rows: [Relation.Place]) -> String? {
        for place in relation.listed {
            guard let stream = publication.manifest.stream(place.stream) else {
                return "\(place.stream) is not in this pipeline"
            }
            if stream.isStale { return "\(place.stream) is stale" }
        }
        guard relation.find == .unlisted else { return nil }
        let places = rows + relation.listed
        if let hidden = places.first(where: { rules.rules["\($0.text)"] != nil || rules.rules[$0.column] != nil }) {
            return "\(hidden.text) is masked or dropped"
        }
        let sealed = places.filter { place in
            guard let column = pipeline.connector.stream(place.stream)?.column(place.column) else { return false }
            return rules.isSealed(stream: place.stream, column: column)
        }
        if let first = sealed.first {
            if rules.mode == .randomized { return "\(first.text) is encrypted at random" }
            if sealed.count < places.count {
                return "\(first.text) is encrypted and others it is compared with are not"
            }
            let domains = Set(
                places.map { place in
                    pipeline.connector.stream(place.stream)?.column(place.column)
                        .map { FieldRules.domain(stream: place.stream, column: $0) } ?? ""
                }
            )
            if domains.count > 1 { return "its columns are encrypted under different domains" }
        }
        return nil
    }

    // MARK: Findings

    private typealias Earlier = [String: [String: [Finding]]]

    /// `nil`: a file can't be read by the schema of today.
    private func findings(
        _ relation: Relation,
        _ rows: [Relation.Place],
        rule: String,
        earlier: Earlier
    ) throws(Fault) -> [Finding]? {
        var listed: Set<String> = []
        for place in relation.listed {
            guard let stream = publication.manifest.stream(place.stream) else { continue }
            guard let values = try values(of: place, in: stream) else { return nil }
            listed.formUnion(Self.names(values, relation.mustLive))
        }
        let carried = try canCarry(relation, rule, listed: listed) ? earlier[relation.name] ?? [:] : nil
        var found: [Finding] = []
        for place in rows {
            guard let stream = publication.manifest.stream(place.stream) else { continue }
            let isSnapshot = pipeline.connector.stream(place.stream)?.mode == .snapshot
            let before = current?.manifest.stream(place.stream)
            for partition in stream.partitions {
                if let carried, !isSnapshot, let same = before?.partition(partition.value),
                    same.files.map(\.path) == partition.files.map(\.path)
                {
                    found += (carried[place.text] ?? [])
                        .filter { $0.partition == partition.value && !listed.contains($0.value) }
                    continue
                }
                var counts: [String: Int] = [:]
                for file in partition.files {
                    guard let values = try values(of: place, in: file) else { return nil }
                    for value in values {
                        switch relation.find {
                        case .unlisted:
                            let rows = isSnapshot ? value.living : value.rows
                            if rows > 0, !listed.contains(value.text) { counts[value.text, default: 0] += rows }
                        case .ended:
                            if value.living == 0 { counts[value.text, default: 0] += value.rows }
                        }
                    }
                }
                found += counts.map {
                    Finding(
                        relation: relation.name,
                        place: place,
                        partition: partition.value,
                        value: $0.key,
                        rows: $0.value
                    )
                }
            }
        }
        return found
    }

    private static func names(_ values: [DistinctValue], _ mustLive: Bool) -> Set<String> {
        Set(values.filter { !mustLive || $0.living > 0 }.map(\.text))
    }

    /// Whether findings of unchanged partitions still hold: the rule is the same, and no list has lost a value.
    private func canCarry(_ relation: Relation, _ rule: String, listed: Set<String>) throws(Fault) -> Bool {
        guard let current, relation.find == .unlisted, !relation.mustLive,
            let known = current.manifest.diagnostics?.relations.first(where: { $0.name == relation.name }),
            known.rule == rule, known.skipped == nil
        else { return false }
        for place in relation.listed {
            guard let before = current.manifest.stream(place.stream) else { return false }
            let after = publication.manifest.stream(place.stream)
            if after?.partitions.flatMap(\.files).map(\.path) == before.partitions.flatMap(\.files).map(\.path) {
                continue
            }
            for partition in before.partitions {
                for file in partition.files {
                    guard let reading = reading(place) else { continue }
                    let path = current.path + "/" + file.path
                    guard let values = try reading.values(in: path, codec: nil) else { return false }
                    if values.contains(where: { !listed.contains($0.text) }) { return false }
                }
            }
        }
        return true
    }

    // MARK: Values

    private func values(of place: Relation.Place, in stream: Manifest.Stream) throws(Fault) -> [DistinctValue]? {
        var all: [DistinctValue] = []
        for partition in stream.partitions {
            for file in partition.files {
                guard let values = try values(of: place, in: file) else { return nil }
                all += values
            }
        }
        return all
    }

    private func values(of place: Relation.Place, in file: Manifest.File) throws(Fault) -> [DistinctValue]? {
        guard let reading = reading(place) else { return [] }
        if let staged = publication.stagedFile(file.path) {
            return try reading.values(of: staged, codec: pipeline.load.codec)
        }
        guard let current else { return [] }
        return try reading.values(in: current.path + "/" + file.path, codec: nil)
    }

    private func reading(_ place: Relation.Place) -> ColumnReading? {
        pipeline.connector.stream(place.stream).map { spec in
            ColumnReading(
                columns: spec.archiveColumns,
                column: place.column,
                format: pipeline.load.format,
                guardsFormulas: pipeline.load.guardFormulas
            )
        }
    }

    // MARK: The generation before

    private func earlierFindings() throws(Fault) -> Earlier {
        guard let current, current.manifest.diagnostics?.sha256 != nil else { return [:] }
        let bytes = try onDisk { () throws(DiskError) in
            try Disk.contents(current.path + "/" + Manifest.Diagnostics.path, limit: 1 << 30)
        }
        var found: Earlier = [:]
        for line in bytes.split(separator: 10) {
            guard let value = try? JSONValue(parsing: Array(line)), let relation = value["relation"]?.text,
                let stream = value["stream"]?.text, let column = value["column"]?.text,
                let text = value["value"]?.text, let rows = value["rows"]?.integer
            else { continue }
            let place = Relation.Place(stream: stream, column: column)
            found[relation, default: [:]][place.text, default: []].append(
                Finding(
                    relation: relation,
                    place: place,
                    partition: value["partition"]?.text ?? "",
                    value: text,
                    rows: rows
                )
            )
        }
        return found
    }
}

extension RelationCheck.Outcome {
    /// What is more than the pipeline file allows.
    func faults(_ limits: Pipeline.DiagnosticLimits, output: String) -> [Fault] {
        let mend =
            "look at \(output)/current/\(Manifest.Diagnostics.path); raise `max_findings` in the pipeline file if that is right"
        var faults: [Fault] = []
        for relation in relations {
            guard let most = limits.byRelation[relation.name], relation.findings > most else { continue }
            faults.append(
                Fault(
                    .badReply,
                    "the relation \(relation.name) has \(relation.findings) findings, and `max_findings` is \(most)",
                    at: ["diagnostics"],
                    mend: mend
                )
            )
        }
        let all = relations.reduce(0) { $0 + $1.findings }
        if let most = limits.total, all > most {
            let what = "the relations between streams have \(all) findings, and `max_findings` is \(most)"
            faults.append(Fault(.badReply, what, at: ["diagnostics"], mend: mend))
        }
        return faults
    }
}
