internal import ArchiveWriting
internal import Connector
internal import Ledger
internal import Load
internal import Model
internal import PipelineFile
internal import Reporting

/// A run's numbers for the metrics: what is added to the counters, and how things stand now.
struct RunMeasures {
    let pipeline: Pipeline
    let now: Instant
    let wall: Instant

    private static let lastSuccess = "admin_last_success_timestamp_seconds"
    /// Every class a run may fail with, so that each counter is there, at zero, before it is needed.
    private static let classes: [Fault.Code] = [
        .badPlan, .denied, .unreachable, .badReply, .cannotWrite, .cannotSeal,
    ]

    func counters(_ summary: RunSummary, drift: [String: Int], restated: [String: Int]) -> [Measure] {
        let failure = summary.outcome == .interrupted || summary.exitCode == 0 ? nil : summary.faults.first?.code
        var all = RunMeasures.run(outcome: summary.outcome.rawValue, failure: failure)
        for stream in summary.streams {
            let label = Measure.Label("stream", stream.name)
            let hasFailed = stream.status == .failed || stream.status == .stale
            all += [
                Measure("admin_stream_failures_total", [label], hasFailed && failure != nil ? 1 : 0),
                Measure("admin_pages_total", [label], stream.pages),
                Measure("admin_requests_total", [label], stream.requests),
                Measure("admin_retries_total", [label], stream.retries),
                Measure("admin_rows_fetched_total", [label], stream.tally.fetched),
                Measure("admin_rows_written_total", [label], stream.tally.kept),
                Measure("admin_rows_duplicate_total", [label], stream.tally.duplicates),
                Measure("admin_drift_fields_total", [label], drift[stream.name, default: 0]),
                Measure("admin_restated_buckets_total", [label], restated[stream.name, default: 0]),
            ]
            all += stream.tally.dropped.map { reason, count in
                Measure("admin_rows_dropped_total", [label, .init("reason", reason)], count)
            }
        }
        return all
    }

    static func run(outcome: String, failure: Fault.Code?) -> [Measure] {
        let failures = classes.map { code in
            Measure("admin_sync_failures_total", [.init("class", code.rawValue)], code == failure ? 1 : 0)
        }
        return failures + [Measure("admin_sync_runs_total", [.init("outcome", outcome)], 1)]
    }

    /// - Parameter before: what is kept; the parts that this run says nothing about stay.
    func gauges(
        _ summary: RunSummary,
        _ manifest: Manifest?,
        expiring: [String: Int],
        before: [Measure]
    ) -> [Measure] {
        var all = last(exitCode: summary.exitCode, before: before)
        all.append(Measure("admin_run_duration_seconds", value: RunMeasures.seconds(summary.milliseconds)))
        all += summary.stages.map { stage, milliseconds in
            Measure("admin_stage_duration_seconds", [.init("stage", stage)], value: RunMeasures.seconds(milliseconds))
        }
        if let generation = summary.generation { all.append(Measure("admin_generation", generation)) }
        for stream in manifest?.streams ?? [] where pipeline.streams.contains(where: { $0.spec.name == stream.name }) {
            let label = Measure.Label("stream", stream.name)
            let files = stream.partitions.flatMap(\.files)
            all += [
                Measure("admin_archive_rows", [label], stream.rows),
                Measure("admin_archive_files", [label], files.count),
                Measure("admin_archive_bytes", [label], files.reduce(0) { $0 + $1.facts.bytes }),
                Measure("admin_stream_stale", [label], stream.isStale ? 1 : 0),
            ]
            guard let cursor = stream.watermark else { continue }
            all.append(Measure("admin_cursor_timestamp_seconds", [label], cursor.seconds))
            all.append(Measure("admin_cursor_drift_seconds", [label], max(0, now.seconds - cursor.seconds)))
        }
        all += expiring.map { Measure("admin_certificate_expiring_total", [.init("stream", $0.key)], $0.value) }
        return all + breaks(summary, before)
    }

    /// Counts of the colleagues who look at relations, by kind: `relationship_breaks.unknown_project`.
    private func breaks(_ summary: RunSummary, _ before: [Measure]) -> [Measure] {
        let name = "admin_relationship_breaks"
        var counts: [String: Int] = [:]
        for stream in summary.streams {
            for (key, count) in stream.counters where key.hasPrefix("relationship_breaks.") {
                counts[String(key.dropFirst(20)), default: 0] += count
            }
        }
        if counts.isEmpty { return before.filter { $0.name == name } }
        return counts.map { Measure(name, [.init("kind", $0.key)], $0.value) }
    }

    /// The measures of a run that did not get far enough to have numbers of its own.
    func gauges(exitCode: Int32, before: [Measure]) -> [Measure] {
        let mine = last(exitCode: exitCode, before: before)
        return mine + before.filter { old in !mine.contains { $0.name == old.name } }
    }

    private func last(exitCode: Int32, before: [Measure]) -> [Measure] {
        var all = [
            Measure("admin_last_run_timestamp_seconds", wall.seconds), Measure("admin_last_exit_code", exitCode),
        ]
        if exitCode == 0 {
            all.append(Measure(RunMeasures.lastSuccess, wall.seconds))
        } else {
            all += before.filter { $0.name == RunMeasures.lastSuccess }
        }
        return all
    }

    /// Milliseconds as seconds: `12.345`.
    private static func seconds(_ milliseconds: Int) -> String {
        let rest = String(max(0, milliseconds) % 1000)
        return "\(max(0, milliseconds) / 1000).\(String(repeating: "0", count: 3 - rest.count))\(rest)"
    }
}

/// Partitions of reports that had been read to their end before and have other content now.
enum RestatedPartitions {
    static func count(_ old: Manifest.Stream?, _ new: Manifest.Stream?, _ naming: PartitionNaming) -> Int {
        guard let old, let new, old.mode == "report", let reached = old.watermark else { return 0 }
        let now = Dictionary(new.partitions.map { ($0.value, $0.files) }, uniquingKeysWith: { first, _ in first })
        return old.partitions.count { partition in
            guard let span = naming.span(partition.value), span.end <= reached else { return false }
            return partition.files.map(\.facts.contentSHA256)
                != now[partition.value, default: []].map(\.facts.contentSHA256)
        }
    }
}
