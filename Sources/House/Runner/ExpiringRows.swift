internal import Connector
internal import Load
internal import Model
internal import PipelineFile
internal import Transform

/// Counts rows whose validity ends soon, by the column that the connector names for it.
struct ExpiringRows {
    let pipeline: Pipeline
    let doors: RunDoors
    let generation: Generation

    private static let usualSpan = TimeSpan(seconds: 30 * 86_400)

    /// By stream. Rows that are gone do not count; streams whose column is sealed or left out are not there.
    func counts(at now: Instant) throws(Fault) -> [String: Int] {
        let limit = now + (pipeline.alerts.certificateExpiry ?? ExpiringRows.usualSpan).seconds
        let rules = FieldRules(pipeline: pipeline, doors: doors)
        var counts: [String: Int] = [:]
        for plan in pipeline.streams {
            let spec = plan.spec
            guard let name = spec.expiryColumn, let column = spec.column(name),
                !rules.isSealed(stream: spec.name, column: column),
                let stream = generation.manifest.stream(spec.name)
            else { continue }
            counts[spec.name] = try count(spec, stream, name, before: limit)
        }
        return counts
    }

    private func count(
        _ spec: StreamSpec,
        _ stream: Manifest.Stream,
        _ column: String,
        before limit: Instant
    ) throws(Fault) -> Int {
        let columns = spec.archiveColumns
        let reader = ArchiveLine(
            format: stream.format == .csv ? .csv : .ndjson,
            guardsFormulas: pipeline.load.guardFormulas,
            columns: columns,
            primaryKey: stream.primaryKey,
            timeColumn: nil
        )
        guard let at = columns.firstIndex(where: { $0.name == column }) else { return 0 }
        let gone = columns.firstIndex { $0.name == "deleted_at" && $0.origin == .ours }
        var count = 0
        for partition in stream.partitions {
            let rows = OldRows(reader: reader, paths: partition.files.map { generation.path + "/" + $0.path })
            try rows.forEach { line throws(Fault) in
                guard let cells = reader.cells(line) else { throw rows.foreign }
                if let gone, !reader.isNull(cells[gone]) { return }
                guard let text = reader.jsonValue(cells[at], .timestamp).text,
                    let end = Instant.withFraction(text)?.instant
                else { return }
                if end <= limit { count += 1 }
            }
        }
        return count
    }
}
