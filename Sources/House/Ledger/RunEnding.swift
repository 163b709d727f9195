import GRDB
package import Model

/// How a run ended, and all that follows from it. One transaction: the events are told, the numbers count and the switch
/// turns if and only if the run's end is on record.
package struct RunEnding: Sendable {
    package var record: RunRecord
    package var verdict: RunVerdict
    package var breaker: Breaker
    /// The run was let through a switch that was off, to see whether it can go on again.
    package var isProbe: Bool
    /// The clock's time; the record's is what the run took for now.
    package var at: Instant
    package var events: [OutboxEvent]
    /// Added to what is kept.
    package var counters: [Measure]
    /// In the place of all that are kept. `nil`: they stay, but for those that tell of the switch.
    package var gauges: [Measure]?
    /// What to tell when the switch turns by itself.
    package var announce: @Sendable (PipelineSwitch) -> [OutboxEvent]

    package init(
        record: RunRecord,
        verdict: RunVerdict,
        breaker: Breaker = Breaker(),
        isProbe: Bool = false,
        at: Instant,
        events: [OutboxEvent] = [],
        counters: [Measure] = [],
        gauges: [Measure]? = nil,
        announce: @escaping @Sendable (PipelineSwitch) -> [OutboxEvent] = { _ in [] }
    ) {
        self.record = record
        self.verdict = verdict
        self.breaker = breaker
        self.isProbe = isProbe
        self.at = at
        self.events = events
        self.counters = counters
        self.gauges = gauges
        self.announce = announce
    }
}

extension StateStore {
    /// Puts a run's end on record. Returns the switch when this turned it.
    @discardableResult
    package func endRun(_ ending: RunEnding) throws(Fault) -> PipelineSwitch? {
        try write { db in
            try store(ending.record, db)
            try enqueue(ending.events, db)
            try count(ending.counters, db)
            if let gauges = ending.gauges { try replaceGauges(gauges, db) }
            return try turn(ending, db)
        }
    }

    private func turn(_ ending: RunEnding, _ db: Database) throws -> PipelineSwitch? {
        guard ending.verdict != .uncounted else { return nil }
        var flag =
            try fetchFlag(db) ?? PipelineSwitch(enabled: true, reason: "", by: PipelineSwitch.itself, at: ending.at)
        flag.note(ending.verdict)
        var turned: PipelineSwitch?
        if flag.enabled, ending.verdict == .failed, let reason = ending.breaker.reason(flag) {
            flag.enabled = false
            flag.reason = reason
            flag.by = PipelineSwitch.itself
            flag.at = ending.at
            turned = flag
        } else if flag.isTripped, ending.isProbe, ending.verdict == .succeeded {
            // Not when a person has switched it off meanwhile.
            flag = PipelineSwitch(
                enabled: true,
                reason: "the probe \(ending.record.runID) succeeded",
                by: PipelineSwitch.itself,
                at: ending.at
            )
            turned = flag
        }
        try storeFlag(flag, db)
        if let turned { try enqueue(ending.announce(turned), db) }
        return turned
    }
}
