internal import Connector
internal import Ledger
internal import Load
internal import Model
internal import PipelineFile
internal import Reporting
internal import Telemetry
internal import Transform

/// What follows from a run's end: the history, the switch, the metrics, the events.
extension PipelineRun {
    func ending(
        of summary: RunSummary,
        _ results: [StreamResult],
        _ record: RunRecord,
        _ current: Generation?,
        _ store: StateStore
    ) throws(Fault) -> RunEnding {
        let verdict = RunVerdict(summary)
        let wall = doors.wall()
        let events = RunEvents(pipeline, clean: doors.clean)
        let failed = results.filter { $0.fault != nil }.map(\.name)
        let isFailure = summary.exitCode != 0 && summary.outcome != .interrupted && summary.outcome != .dryRun
        let runID = options.runID
        var ending = RunEnding(
            record: record,
            verdict: verdict,
            breaker: Breaker(pipeline.alerts),
            isProbe: options.isProbe,
            at: wall,
            events: isFailure
                ? events.failed(runID, summary.faults, generation: summary.generation, streams: failed, at: wall) : [],
            announce: { events.turned($0, runID: runID) }
        )
        guard summary.outcome != .dryRun else { return ending }
        let measures = RunMeasures(pipeline: pipeline, now: summary.started, wall: wall)
        let restated = Dictionary(
            summary.streams.map { ($0.name, $0.counters["restated_buckets", default: 0]) },
            uniquingKeysWith: { first, _ in first }
        )
        let drift = Dictionary(
            results.map { ($0.name, $0.drift.unknown.count + $0.drift.missing.count) },
            uniquingKeysWith: { first, _ in first }
        )
        let nearTheirEnd = current.map { expiring($0, summary.started) } ?? [:]
        let before = try store.measures().filter { !$0.isCounter }.map(\.measure)
        ending.counters = measures.counters(summary, drift: drift, restated: restated)
        ending.counters += measures.counters(expiring: nearTheirEnd, before: before)
        ending.gauges = measures.gauges(summary, current?.manifest, expiring: nearTheirEnd, before: before)
        return ending
    }

    /// That a number for the metrics could not be had is no reason to fail.
    private func expiring(_ generation: Generation, _ now: Instant) -> [String: Int] {
        do throws(Fault) {
            return try ExpiringRows(pipeline: pipeline, doors: doors, generation: generation).counts(at: now)
        } catch {
            doors.progress(.note("rows near their end could not be counted: \(error.what)"))
            return [:]
        }
    }
}

extension Breaker {
    init(_ alerts: Pipeline.Alerts) {
        let share = alerts.disableAtFailureShare.map { Share(percent: $0.percent, runs: $0.runs) }
        self.init(failuresInARow: alerts.disableAfterFailures, share: share)
    }
}

extension RunVerdict {
    init(_ summary: RunSummary) {
        if summary.outcome == .dryRun || summary.outcome == .interrupted {
            self = .uncounted
        } else {
            self = summary.exitCode == 0 ? .succeeded : RunVerdict(summary.faults)
        }
    }

    /// Our own lock and clock, a stop by hand and a mistake in the pipeline file say nothing about the source.
    init(_ faults: [Fault]) {
        let own: Set<Fault.Code> = [.locked, .disabled, .interrupted, .terminated, .badPlan]
        self = faults.allSatisfy { own.contains($0.code) || $0.place.contains("clock") } ? .uncounted : .failed
    }
}

extension RunRecord.Outcome {
    init(_ outcome: RunSummary.Outcome) {
        self =
            switch outcome {
            case .published: .published
            case .unchanged: .unchanged
            case .dryRun: .dryRun
            case .failed: .failed
            case .interrupted: .interrupted
            }
    }
}
