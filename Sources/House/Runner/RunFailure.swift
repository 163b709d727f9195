internal import Ledger
internal import Load
package import Model
package import PipelineFile
package import Telemetry

/// A run that ended before it had a result: no key, a key ring that does not open, a state that can't be written.
package struct RunFailure: Sendable {
    let pipeline: Pipeline
    let options: RunOptions
    let clean: @Sendable (JSONValue) -> JSONValue
    let wall: Instant

    /// - Parameter wall: the clock's time.
    package init(
        pipeline: Pipeline,
        options: RunOptions,
        clean: @escaping @Sendable (JSONValue) -> JSONValue,
        wall: Instant
    ) {
        self.pipeline = pipeline
        self.options = options
        self.clean = clean
        self.wall = wall
    }

    /// Puts it on record: history, switch, metrics, events. Returns what the run log says of it.
    ///
    /// Not for a held lock or a switch that is off: then there was no run. Where no state is yet, none is made.
    package func record(_ fault: Fault) throws(Fault) -> LogEntry? {
        guard fault.code != .locked, fault.code != .disabled, !options.dryRun else { return nil }
        let root = OutputRoot(options.output)
        // Behind a link stands what is not ours; the fault says so itself.
        do throws(Fault) { try root.refuseLinks() } catch { return nil }
        guard try StateStore.openToRead(root.statePath, pipeline: pipeline.name) != nil else { return nil }
        let store = try StateStore.open(root.statePath, pipeline: pipeline.name)
        defer { try? store.close() }
        let isStopped = fault.code == .interrupted || fault.code == .terminated
        let events = RunEvents(pipeline, clean: clean)
        let runID = options.runID
        let generation = (try? root.currentNumber()).flatMap(\.self)
        let told: JSONValue = [
            "format": "cogni-run/1", "run_id": .string(runID), "outcome": isStopped ? "interrupted" : "failed",
            "exit_code": .integer(fault.code.exitCode), "streams": [], "faults": [fault.logged],
        ]
        let measures = RunMeasures(pipeline: pipeline, now: options.now, wall: wall)
        try store.endRun(
            RunEnding(
                record: RunRecord(
                    runID: runID,
                    started: options.now,
                    ended: options.now,
                    outcome: isStopped ? .interrupted : .failed,
                    exitCode: fault.code.exitCode,
                    generation: generation,
                    summary: clean(told)
                ),
                verdict: RunVerdict([fault]),
                breaker: Breaker(pipeline.alerts),
                isProbe: options.isProbe,
                at: wall,
                events: isStopped ? [] : events.failed(runID, [fault], generation: generation, streams: [], at: wall),
                counters: RunMeasures.run(
                    outcome: isStopped ? "interrupted" : "failed",
                    failure: isStopped ? nil : fault.code
                ),
                gauges: measures.gauges(
                    exitCode: fault.code.exitCode,
                    before: try store.measures().filter { !$0.isCounter }.map(\.measure)
                ),
                announce: { events.turned($0, runID: runID) }
            )
        )
        return .ended(told, [fault])
    }
}
