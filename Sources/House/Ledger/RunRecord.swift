import GRDB
package import Model

/// One run in the history.
package struct RunRecord: Sendable, Equatable {
    package enum Outcome: String, Sendable, CaseIterable {
        case running
        /// A new generation; streams that failed keep their last files in it.
        case published
        /// The manifest would have been the same.
        case unchanged
        /// Nothing was published.
        case failed
        /// A signal; the plan is open.
        case interrupted
        /// Found still `running` by a later run: it crashed.
        case abandoned
        case rolledBack = "rolled_back"
        case dryRun = "dry_run"
    }

    package var runID: String
    package var started: Instant
    package var ended: Instant?
    package var outcome: Outcome
    package var exitCode: Int32?
    package var generation: Int?
    package var summary: JSONValue

    package init(
        runID: String,
        started: Instant,
        ended: Instant? = nil,
        outcome: Outcome = .running,
        exitCode: Int32? = nil,
        generation: Int? = nil,
        summary: JSONValue = [:]
    ) {
        self.runID = runID
        self.started = started
        self.ended = ended
        self.outcome = outcome
        self.exitCode = exitCode
        self.generation = generation
        self.summary = summary
    }
}

extension StateStore {
    /// How many runs the history keeps; older ones are still in `runs/<run-id>.json`.
    private static let historyLength = 1000

    /// Notes a run, or what has become of it since. Needs no claim: history is never wrong to write.
    /// - Parameter events: what is to be told of it.
    package func recordRun(_ run: RunRecord, events: [OutboxEvent] = []) throws(Fault) {
        try write { db in
            try store(run, db)
            try enqueue(events, db)
        }
    }

    func store(_ run: RunRecord, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT OR REPLACE INTO runs (pipeline, run_id, started, ended, outcome, exit_code, generation, summary_json)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """,
            arguments: [
                pipeline, run.runID, run.started.seconds, run.ended?.seconds, run.outcome.rawValue, run.exitCode,
                run.generation, run.summary.canonicalText,
            ]
        )
        try db.execute(
            sql: """
                DELETE FROM runs WHERE pipeline = ?1 AND run_id NOT IN (
                    SELECT run_id FROM runs WHERE pipeline = ?1 ORDER BY started DESC, run_id DESC LIMIT ?2)
                """,
            arguments: [pipeline, StateStore.historyLength]
        )
    }

    /// The latest runs, newest first.
    package func runs(limit: Int = 20) throws(Fault) -> [RunRecord] {
        try read { db in
            let sql = "SELECT * FROM runs WHERE pipeline = ? ORDER BY started DESC, run_id DESC LIMIT ?"
            return try Row.fetchAll(db, sql: sql, arguments: [pipeline, limit]).map { row in
                guard let outcome = RunRecord.Outcome(rawValue: row["outcome"]) else {
                    throw StateFile(path: path, pipeline: pipeline).damaged("runs", "outcome")
                }
                return RunRecord(
                    runID: row["run_id"],
                    started: Instant(seconds: row["started"]),
                    ended: (row["ended"] as Int64?).map(Instant.init(seconds:)),
                    outcome: outcome,
                    exitCode: row["exit_code"],
                    generation: row["generation"],
                    summary: try json(row, "summary_json", of: "runs")
                )
            }
        }
    }
}
