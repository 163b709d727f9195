import GRDB
package import Model

/// Whether the pipeline may run, and who said so. `enabled: false` in the pipeline file stands above it.
package struct PipelineSwitch: Sendable, Equatable {
    package var enabled: Bool
    package var reason: String
    /// A person, or `cogni` when the pipeline switched itself off.
    package var by: String
    package var at: Instant
    /// Runs that failed since the last one that did not.
    package var consecutiveFailures: Int
    /// The last runs that count, oldest first: `.` one that succeeded, `x` one that failed. Begins anew with each turn.
    package var recent: String

    /// The name that the pipeline itself turns its switch under.
    package static let itself = "cogni"

    package init(
        enabled: Bool,
        reason: String,
        by: String,
        at: Instant,
        consecutiveFailures: Int = 0,
        recent: String = ""
    ) {
        self.enabled = enabled
        self.reason = reason
        self.by = by
        self.at = at
        self.consecutiveFailures = consecutiveFailures
        self.recent = recent
    }

    /// Off, and not by a person's hand: a probe may switch it on again.
    package var isTripped: Bool { !enabled && by == PipelineSwitch.itself }

    /// Counts one more run that ended.
    mutating func note(_ verdict: RunVerdict) {
        guard verdict != .uncounted else { return }
        consecutiveFailures = verdict == .failed ? consecutiveFailures + 1 : 0
        recent = String((recent + (verdict == .failed ? "x" : ".")).suffix(Breaker.longestWindow))
    }
}

extension StateStore {
    /// `nil`: nobody has touched it and no run has ended; it is on.
    package func flag() throws(Fault) -> PipelineSwitch? { try read { try fetchFlag($0) } }

    /// Turns the switch; what is to be told of it is told if and only if it was turned.
    package func setFlag(_ flag: PipelineSwitch, events: [OutboxEvent] = []) throws(Fault) {
        try write { db in
            try storeFlag(flag, db)
            try enqueue(events, db)
        }
    }

    func fetchFlag(_ db: Database) throws -> PipelineSwitch? {
        try Row.fetchOne(db, sql: "SELECT * FROM flags WHERE pipeline = ?", arguments: [pipeline]).map { row in
            PipelineSwitch(
                enabled: row["enabled"],
                reason: row["reason"],
                by: row["by"],
                at: Instant(seconds: row["at"]),
                consecutiveFailures: row["consecutive_failures"],
                // A state that an older cogni wrote has none, and reading does not change it.
                recent: row["recent"] as String? ?? ""
            )
        }
    }

    func storeFlag(_ flag: PipelineSwitch, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT OR REPLACE INTO flags (pipeline, enabled, reason, by, at, consecutive_failures, recent)
                VALUES (?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                pipeline, flag.enabled, flag.reason, flag.by, flag.at.seconds, flag.consecutiveFailures, flag.recent,
            ]
        )
    }
}
