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
    private static let expiring = "admin_certificates_expiring"
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

    /// By how much more expire than at the end of the run before.
    func counters(expiring: [String: Int], before: [Measure]) -> [Measure] {
        expiring.map { stream, count in
            let label = Measure.Label("stream", stream)
            let known = before.first { $0.name == RunMeasures.expiring && $0.labels == [label] }.flatMap {
                Int($0.value)
            }
            return Measure("admin_certificate_expiring_total", [label], max(0, count - (known ?? 0)))
        }
    }

    /// - Parameter before: what is kept: the time of the last success stays when this run has none.
    func gauges(
        _ summary: RunSummary,
        _ manifest: Manifest?,
        expiring: [String: Int],
        before: [Measure]
    ) -> [Measure] {
        var all = last(exitCode: summary.exitCode, before: before)
        all.append(Measure("admin_run_duration_seconds", value: max(0, summary.milliseconds).millisecondsAsSeconds))
        all += summary.stages.map { stage, milliseconds in
            Measure(
                "admin_stage_duration_seconds",
                [.init("stage", stage)],
                value: max(0, milliseconds).millisecondsAsSeconds
            )
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
        all += expiring.map { Measure(RunMeasures.expiring, [.init("stream", $0.key)], $0.value) }
        return all + breaks(manifest)
    }

    /// Rows whose relations lead nowhere, as the generation's diagnostics say. A relation that could not be looked at is left out.
    private func breaks(_ manifest: Manifest?) -> [Measure] {
        (manifest?.diagnostics?.relations ?? []).filter { $0.skipped == nil }.map {
            Measure("admin_relationship_breaks", [.init("kind", $0.name)], $0.rows)
        }
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
}
