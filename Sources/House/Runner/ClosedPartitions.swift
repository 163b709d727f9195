internal import ArchiveWriting
internal import Disk
internal import Load
internal import Model
internal import RecordScan

/// Partitions that were closed while their walk went on, as the ledger remembers them.
enum ClosedPartitions {
    static func json(_ closed: [Int: StreamClosing.Closed]) -> JSONValue {
        .array(
            closed.sorted { $0.key < $1.key }.map { number, one in
                [
                    "number": .integer(number), "name": .string(one.name),
                    "identical": .integer(one.counts.identical), "conflicts": .integer(one.counts.conflicts),
                    "fresh": .integer(one.counts.fresh),
                    "files": .array(
                        one.files.map { file in
                            .object(
                                [
                                    .init("name", .string(String(file.path.split(separator: "/").last ?? ""))),
                                    .init("rows", .integer(file.rows)),
                                    .init("bytes", .integer(file.facts.bytes)),
                                    .init("sha256", .string(file.facts.sha256)),
                                    .init("content_bytes", .integer(file.facts.contentBytes)),
                                    .init("content_sha256", .string(file.facts.contentSHA256)),
                                    .init("min", .integer(Int(file.min?.seconds ?? 0))),
                                    .init("max", .integer(Int(file.max?.seconds ?? 0))),
                                ] + (file.totals?.members ?? [])
                            )
                        }
                    ),
                ]
            }
        )
    }

    /// `nil` when a file is missing or has another size: then the stream is walked anew.
    static func read(_ value: JSONValue?, stream: String, folder: String) -> [Int: StreamClosing.Closed]? {
        var closed: [Int: StreamClosing.Closed] = [:]
        for entry in value?.elements ?? [] {
            guard let number = entry["number"]?.integer, let name = entry["name"]?.text,
                let files = entry["files"]?.elements
            else { return nil }
            var one = StreamClosing.Closed(name: name)
            one.counts.identical = entry["identical"]?.integer ?? 0
            one.counts.conflicts = entry["conflicts"]?.integer ?? 0
            one.counts.fresh = entry["fresh"]?.integer ?? 0
            for file in files {
                guard let staged = staged(file, stream: stream, partition: name, folder: folder) else { return nil }
                one.files.append(staged)
            }
            closed[number] = one
        }
        return closed
    }

    private static func staged(_ file: JSONValue, stream: String, partition: String, folder: String) -> StagedFile? {
        guard let name = file["name"]?.text, let bytes = file["bytes"]?.integer, let rows = file["rows"]?.integer,
            let sha256 = file["sha256"]?.text, let contentBytes = file["content_bytes"]?.integer,
            let contentSHA256 = file["content_sha256"]?.text, let min = file["min"]?.integer,
            let max = file["max"]?.integer, let totals = ColumnTotals(file)
        else { return nil }
        let path = folder + "/" + name
        let status = (try? Disk.status(path)) ?? nil
        guard let status, status.kind == .file, status.size == bytes else { return nil }
        return StagedFile(
            path: path,
            stream: stream,
            partition: partition,
            rows: rows,
            facts: FileFacts(bytes: bytes, sha256: sha256, contentBytes: contentBytes, contentSHA256: contentSHA256),
            min: Instant(seconds: Int64(min)),
            max: Instant(seconds: Int64(max)),
            isSynced: true,
            totals: totals
        )
    }
}
