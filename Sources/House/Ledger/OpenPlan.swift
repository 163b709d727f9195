import GRDB
package import Model

/// A run's plan while it is unfinished. The next run finishes it, with the same `asOf`, before it plans
/// anything new.
package struct OpenPlan: Sendable, Equatable {
    /// The run that made it; a run that resumes has an id of its own.
    package var runID: String
    /// Hash of everything that decides what is asked: streams, windows, groupings, connector.
    package var fingerprint: String
    /// The "now" that the windows were cut at.
    package var asOf: Instant
    package var created: Instant

    package init(runID: String, fingerprint: String, asOf: Instant, created: Instant) {
        self.runID = runID
        self.fingerprint = fingerprint
        self.asOf = asOf
        self.created = created
    }
}

extension StateStore {
    /// The plan that was begun and neither finished nor discarded.
    package func openPlan() throws(Fault) -> OpenPlan? {
        try read { db in
            let row = try Row.fetchOne(db, sql: "SELECT * FROM plans WHERE pipeline = ?", arguments: [pipeline])
            guard let row else { return nil }
            return OpenPlan(
                runID: row["run_id"],
                fingerprint: row["fingerprint"],
                asOf: Instant(seconds: row["as_of"]),
                created: Instant(seconds: row["created"])
            )
        }
    }

    /// Notes a new plan. Throws when one is open: it has to be finished or discarded first.
    package func beginPlan(_ plan: OpenPlan, as claim: Claim) throws(Fault) {
        try write(as: claim) { db in
            let holder = try String.fetchOne(
                db,
                sql: "SELECT run_id FROM plans WHERE pipeline = ?",
                arguments: [pipeline]
            )
            if let holder {
                throw Fault(
                    .cannotWrite,
                    "the plan of run \(holder) is still unfinished",
                    at: [path],
                    mend: "run the pipeline again to finish it, or drop it: `cogni state reset` with its file"
                )
            }
            try db.execute(
                sql: """
                    INSERT INTO plans (pipeline, run_id, fingerprint, as_of, created)
                    VALUES (?, ?, ?, ?, ?)
                    """,
                arguments: [
                    pipeline, plan.runID, plan.fingerprint, plan.asOf.seconds, plan.created.seconds,
                ]
            )
        }
    }

    /// Ends the plan without a new generation: nothing had changed. Its slices are forgotten.
    package func finishPlan(as claim: Claim) throws(Fault) {
        try write(as: claim) { try dropPlan($0) }
    }

    /// Drops the plan and its slices; what they staged belongs to nobody now. Committed positions stay.
    package func discardPlan(as claim: Claim) throws(Fault) {
        try write(as: claim) { try dropPlan($0) }
    }

    func dropPlan(_ db: Database) throws {
        try db.execute(sql: "DELETE FROM plans WHERE pipeline = ?", arguments: [pipeline])
    }

    /// The JSON in a column that we wrote ourselves; anything else there is damage.
    func json(_ row: Row, _ column: String, of table: String) throws(Fault) -> JSONValue {
        let text: String? = row[column]
        guard let text, let value = try? JSONValue(parsing: text) else {
            throw StateFile(path: path, pipeline: pipeline).damaged(table, column)
        }
        return value
    }
}
