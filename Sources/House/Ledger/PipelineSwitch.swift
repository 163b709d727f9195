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

    package init(enabled: Bool, reason: String, by: String, at: Instant, consecutiveFailures: Int = 0) {
        self.enabled = enabled
        self.reason = reason
        self.by = by
        self.at = at
        self.consecutiveFailures = consecutiveFailures
    }
}

extension StateStore {
    /// `nil`: nobody has touched it and no run has ended; it is on.
    package func flag() throws(Fault) -> PipelineSwitch? { try read { try fetchFlag($0) } }

    package func setFlag(_ flag: PipelineSwitch) throws(Fault) { try write { try storeFlag(flag, $0) } }

    /// Counts a run that failed. With the `limit`-th in a row the switch goes off, and stays off until a
    /// person sets it. Do not call it for what is no fault of the source: locks, our clock, signals.
    @discardableResult
    package func countFailure(limit: Int?, at now: Instant) throws(Fault) -> PipelineSwitch {
        try write { db in
            var flag = try fetchFlag(db) ?? PipelineSwitch(enabled: true, reason: "", by: "cogni", at: now)
            flag.consecutiveFailures += 1
            if let limit, flag.enabled, flag.consecutiveFailures >= limit {
                flag.enabled = false
                flag.reason = "\(flag.consecutiveFailures) failures in a row"
                flag.by = "cogni"
                flag.at = now
            }
            try storeFlag(flag, db)
            return flag
        }
    }

    /// A run that did not fail ends the row of failures; it does not switch anything on.
    package func countSuccess() throws(Fault) {
        try write { db in
            try db.execute(sql: "UPDATE flags SET consecutive_failures = 0 WHERE pipeline = ?", arguments: [pipeline])
        }
    }

    private func fetchFlag(_ db: Database) throws -> PipelineSwitch? {
        try Row.fetchOne(db, sql: "SELECT * FROM flags WHERE pipeline = ?", arguments: [pipeline]).map { row in
            PipelineSwitch(
                enabled: row["enabled"],
                reason: row["reason"],
                by: row["by"],
                at: Instant(seconds: row["at"]),
                consecutiveFailures: row["consecutive_failures"]
            )
        }
    }

    private func storeFlag(_ flag: PipelineSwitch, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT OR REPLACE INTO flags (pipeline, enabled, reason, by, at, consecutive_failures)
                VALUES (?, ?, ?, ?, ?, ?)
                """,
            arguments: [pipeline, flag.enabled, flag.reason, flag.by, flag.at.seconds, flag.consecutiveFailures]
        )
    }
}
