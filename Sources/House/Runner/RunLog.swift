internal import Extract
package import Model
internal import Telemetry
internal import Transform

/// What the run log says of a run, its streams and its pages. Cleaned on its way out; ids that the archive seals are left out
/// of places already.
extension LogEntry {
    static func started(_ options: RunOptions, _ pipeline: String, generation: Int?) -> LogEntry {
        LogEntry(
            "run.started",
            .info,
            [
                .init("pipeline", .string(pipeline)), .init("now", .string(options.now.text)),
                .init("generation", generation.map { .integer($0) } ?? .null),
                .init("streams", options.streams.map { .strings($0.sorted()) } ?? "all"),
                .init("full_refresh", .bool(options.fullRefresh)), .init("dry_run", .bool(options.dryRun)),
                .init("probe", .bool(options.isProbe)),
            ]
        )
    }

    /// One page that was kept. Which of them are written is the log's to decide.
    static func page(_ stream: String, _ number: Int, at place: [String], _ rows: Int, _ attempts: Attempts) -> LogEntry
    {
        let waited = attempts.waited.components
        return LogEntry(
            "page",
            attempts.retries > 0 ? .warning : .debug,
            stream: stream,
            [
                .init("page", .integer(number)), .init("where", .strings(place)), .init("rows", .integer(rows)),
                .init("request_id", .optional(attempts.requestID)), .init("retries", .integer(attempts.retries)),
                .init("waited_ms", .integer(waited.seconds * 1000 + waited.attoseconds / 1_000_000_000_000_000)),
            ]
        )
    }

    static func ended(_ result: StreamResult, before: Instant?) -> LogEntry {
        let tally = result.tally
        var members: [JSONValue.Member] = [
            .init("status", result.fault == nil ? "ok" : "failed"),
            .init("fetched", .integer(tally.fetched)), .init("written", .integer(tally.kept)),
            .init("duplicates", .integer(tally.duplicates)),
            .init(
                "dropped",
                .object(tally.dropped.sorted { $0.key < $1.key }.map { .init($0.key, .integer($0.value)) })
            ),
            .init("pages", .integer(result.pages)), .init("requests", .integer(result.requests)),
            .init("retries", .integer(result.retries)), .init("milliseconds", .integer(result.milliseconds)),
            .init("window", .optional(result.window?.text)), .init("group_by", .strings(result.groupBy)),
            .init(
                "cursor",
                [
                    "before": .optional(before?.text),
                    "after": .optional((result.fault == nil ? result.watermark : before)?.text),
                ]
            ),
            .init("restated", ["replaced": .integer(result.replaced), "changed": .integer(result.changed)]),
            .init("drift", result.drift.json), .init("request_ids", .strings(result.requestIDs)),
            .init("notes", .strings(result.notes)),
        ]
        if let fault = result.fault { members.append(.init("fault", fault.logged)) }
        return LogEntry("stream.ended", result.fault == nil ? .info : .error, stream: result.name, members)
    }

    static func ended(_ summary: JSONValue, _ faults: [Fault]) -> LogEntry {
        let kept = ["outcome", "exit_code", "generation", "seconds", "totals"]
        return LogEntry(
            "run.ended",
            faults.isEmpty ? .info : .error,
            (summary.members ?? []).filter { kept.contains($0.key) } + [.init("faults", .array(faults.map(\.logged)))]
        )
    }
}

extension Fault {
    package var logged: JSONValue {
        [
            "class": .string(code.rawValue), "what": .string(what), "where": .strings(place), "mend": .string(mend),
        ]
    }
}
