import GRDB
package import Model

/// The right of one run to write this pipeline's progress and positions: a fencing number.
///
/// The lock on the output folder keeps two runs apart; the claim is for the run that lost its lock
/// without noticing (a stopped machine, a lock on a network disk): once a later run has claimed, every
/// write of the earlier one is refused.
package struct Claim: Sendable, Equatable {
    package let runID: String
    package let number: Int

    func check(_ db: Database, in store: StateStore) throws {
        let statement = try db.cachedStatement(sql: "SELECT number, run_id FROM claims WHERE pipeline = ?")
        let row = try Row.fetchOne(statement, arguments: [store.pipeline])
        let holder: Int? = row?["number"]
        if holder == number { return }
        throw Fault(
            .locked,
            "\(store.path) was taken over by run \(row?["run_id"] as String? ?? "unknown")",
            at: ["run \(runID)"],
            mend: "let that run finish; nothing of this one was published"
        )
    }
}

extension StateStore {
    /// Throws when a later run has taken over.
    package func check(_ claim: Claim) throws(Fault) { try read { try claim.check($0, in: self) } }

    /// Takes the pipeline over for `runID`. Runs still noted as running are the ones that crashed; they
    /// are marked `abandoned`.
    package func claim(runID: String) throws(Fault) -> Claim {
        try write { db in
            try db.execute(
                sql: """
                    INSERT INTO claims (pipeline, number, run_id) VALUES (?, 1, ?)
                    ON CONFLICT (pipeline) DO UPDATE SET number = number + 1, run_id = excluded.run_id
                    """,
                arguments: [pipeline, runID]
            )
            try db.execute(
                sql: "UPDATE runs SET outcome = ? WHERE pipeline = ? AND outcome = ? AND run_id <> ?",
                arguments: [
                    RunRecord.Outcome.abandoned.rawValue, pipeline, RunRecord.Outcome.running.rawValue, runID,
                ]
            )
            let number = try Int.fetchOne(
                db,
                sql: "SELECT number FROM claims WHERE pipeline = ?",
                arguments: [pipeline]
            )
            return Claim(runID: runID, number: number ?? 0)
        }
    }
}
