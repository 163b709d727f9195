internal import ArchiveWriting
internal import Disk
package import Model

/// How two manifests differ in what they hold: streams, partitions, rows, content.
///
/// Files are compared by the digests of their content, in order: another compressor is no difference, another cut of
/// the same rows into files is one. Coverage, watermark and staleness are notes, no difference in the data.
package struct ManifestDiff: Sendable, Equatable {
    package enum Kind: String, Sendable { case added, removed, changed }

    package struct Partition: Sendable, Equatable {
        package var value: String
        package var kind: Kind
        package var rowsBefore: Int
        package var rowsAfter: Int
    }

    package struct Stream: Sendable, Equatable {
        package var name: String
        package var kind: Kind
        package var rowsBefore: Int
        package var rowsAfter: Int
        package var partitions: [Partition]
        /// What the stream is, where it changed: `group_by`, `primary_key`, `schema`.
        package var definition: [String]
    }

    package var streams: [Stream] = []
    package var notes: [String] = []
    package var isSame: Bool { streams.isEmpty }

    package init(_ before: Manifest, _ after: Manifest) {
        if before.pipeline != after.pipeline { notes.append("pipeline \(before.pipeline) → \(after.pipeline)") }
        if before.keyIDs != after.keyIDs {
            notes.append("keys \(before.keyIDs.joined(separator: ", ")) → \(after.keyIDs.joined(separator: ", "))")
        }
        for name in Set(before.streams.map(\.name)).union(after.streams.map(\.name)).sorted(by: bytewise) {
            compare(name, before.stream(name), after.stream(name))
        }
    }

    private func gaps(_ stream: Manifest.Stream) -> String {
        let gaps = stream.coverage?.gaps ?? []
        return gaps.isEmpty ? "nothing" : gaps.map { "\($0.from.text)..\($0.to.text)" }.joined(separator: ", ")
    }

    private mutating func compare(_ name: String, _ before: Manifest.Stream?, _ after: Manifest.Stream?) {
        var definition: [String] = []
        if let before, let after {
            if before.mode != after.mode { definition.append("mode") }
            if before.primaryKey != after.primaryKey { definition.append("primary_key") }
            if before.bucketWidth != after.bucketWidth { definition.append("bucket_width") }
            if before.groupBy != after.groupBy { definition.append("group_by") }
            if let a = before.schemaSHA256, let b = after.schemaSHA256, a != b { definition.append("schema") }
            note(name, "watermark", before.watermark?.text, after.watermark?.text)
            note(name, "covered from", before.coverage?.from.text, after.coverage?.from.text)
            note(name, "covered to", before.coverage?.to.text, after.coverage?.to.text)
            note(name, "never read between:", gaps(before), gaps(after))
            note(name, "stale", before.isStale ? "yes" : "no", after.isStale ? "yes" : "no")
        }
        var partitions: [Partition] = []
        let values = Set((before?.partitions ?? []).map(\.value)).union((after?.partitions ?? []).map(\.value))
        for value in values.sorted(by: bytewise) {
            let old = before?.partition(value)
            let new = after?.partition(value)
            if old?.files.map(\.facts.contentSHA256) == new?.files.map(\.facts.contentSHA256) { continue }
            let kind: Kind = old == nil ? .added : new == nil ? .removed : .changed
            partitions.append(
                Partition(value: value, kind: kind, rowsBefore: old?.rows ?? 0, rowsAfter: new?.rows ?? 0)
            )
        }
        let kind: Kind = before == nil ? .added : after == nil ? .removed : .changed
        if kind == .changed, partitions.isEmpty, definition.isEmpty { return }
        streams.append(
            Stream(
                name: name,
                kind: kind,
                rowsBefore: before?.rows ?? 0,
                rowsAfter: after?.rows ?? 0,
                partitions: partitions,
                definition: definition
            )
        )
    }

    private mutating func note(_ stream: String, _ what: String, _ before: String?, _ after: String?) {
        if before != after { notes.append("\(stream): \(what) \(before ?? "unknown") → \(after ?? "unknown")") }
    }
}

extension ManifestDiff {
    /// For people: `+` came, `-` went, `~` changed, `·` a note.
    package var text: String {
        func sign(_ kind: Kind) -> String { kind == .added ? "+" : kind == .removed ? "-" : "~" }
        var lines: [String] = []
        for stream in streams {
            let change = stream.definition.isEmpty ? "" : "  (changed: \(stream.definition.joined(separator: ", ")))"
            lines.append(
                "\(sign(stream.kind)) \(stream.name)  rows \(stream.rowsBefore) → \(stream.rowsAfter)\(change)"
            )
            for part in stream.partitions {
                let name = part.value.isEmpty ? "(all)" : "dt=\(part.value)"
                lines.append("    \(sign(part.kind)) \(name)  rows \(part.rowsBefore) → \(part.rowsAfter)")
            }
        }
        if isSame { lines.append("same data") }
        return (lines + notes.map { "· \($0)" }).joined(separator: "\n")
    }

    /// For `--json`.
    package var json: JSONValue {
        [
            "same": .bool(isSame),
            "streams": .array(
                streams.map { stream in
                    [
                        "name": .string(stream.name), "change": .string(stream.kind.rawValue),
                        "rows_before": .integer(stream.rowsBefore), "rows_after": .integer(stream.rowsAfter),
                        "definition": .strings(stream.definition),
                        "partitions": .array(
                            stream.partitions.map { part in
                                [
                                    "partition": Manifest.Partition(value: part.value, files: []).name,
                                    "change": .string(part.kind.rawValue), "rows_before": .integer(part.rowsBefore),
                                    "rows_after": .integer(part.rowsAfter),
                                ]
                            }
                        ),
                    ]
                }
            ),
            "notes": .strings(notes),
        ]
    }
}

extension Manifest {
    /// The manifest that a command-line argument speaks of: a manifest file, a generation's folder, or an output (its
    /// current generation).
    package init(at path: String) throws(Fault) {
        let status = try onDisk { () throws(DiskError) in try Disk.target(path) }
        guard let status else {
            throw Fault(
                .badPlan,
                "there is nothing at `\(path)`",
                mend: "give a manifest, a generation or an output folder"
            )
        }
        if status.kind == .file {
            let bytes = try onDisk { () throws(DiskError) in try Disk.contents(path, limit: Generation.manifestLimit) }
            try self.init(parsing: bytes, path: path)
            return
        }
        let isGeneration = try onDisk { () throws(DiskError) in try Disk.exists(path + "/manifest.json") }
        if isGeneration {
            let inside = path + "/manifest.json"
            let bytes = try onDisk { () throws(DiskError) in try Disk.contents(inside, limit: Generation.manifestLimit)
            }
            try self.init(parsing: bytes, path: inside)
            return
        }
        guard let current = try OutputRoot(path).current() else {
            throw Fault(
                .badPlan,
                "`\(path)` has no generation",
                mend: "give a manifest, a generation or an output folder"
            )
        }
        self = current.manifest
    }
}
