import GRDB
package import Model

/// A generation that has become the current one, and the positions in its manifest.
package struct GenerationCommit: Sendable, Equatable {
    package enum Reason: String, Sendable, CaseIterable {
        /// A run moved forward.
        case run
        /// A run began streams anew; positions may be earlier than before.
        case fullRefresh = "full_refresh"
        case rollback
        /// Read back from a manifest.
        case rebuild

        var mayGoBackward: Bool { self != .run }
    }

    package var generation: Int
    /// Lower-case hex of the manifest's bytes.
    package var manifestSHA256: String
    package var runID: String
    package var committed: Instant
    package var reason: Reason
    /// All streams of the manifest, also those the run did not touch.
    package var watermarks: [Watermark]

    package init(
        generation: Int,
        manifestSHA256: String,
        runID: String,
        committed: Instant,
        reason: Reason = .run,
        watermarks: [Watermark]
    ) {
        self.generation = generation
        self.manifestSHA256 = manifestSHA256
        self.runID = runID
        self.committed = committed
        self.reason = reason
        self.watermarks = watermarks
    }
}

extension StateStore {
    /// What the state believes to be current; compare with `_SUCCESS` to find a crash between the two.
    package func committedGeneration() throws(Fault) -> GenerationCommit? {
        try read { db in
            let row = try Row.fetchOne(db, sql: "SELECT * FROM generations WHERE pipeline = ?", arguments: [pipeline])
            guard let row else { return nil }
            guard let reason = GenerationCommit.Reason(rawValue: row["reason"]) else {
                throw StateFile(path: path, pipeline: pipeline).damaged("generations", "reason")
            }
            return GenerationCommit(
                generation: row["generation"],
                manifestSHA256: row["manifest_sha256"],
                runID: row["run_id"],
                committed: Instant(seconds: row["committed"]),
                reason: reason,
                watermarks: try fetchWatermarks(db)
            )
        }
    }

    /// Follows a generation that is durable and current: its positions replace the committed ones, the
    /// plan ends and its slices go, all in one transaction. Call it after the symlink swap.
    ///
    /// A run's positions never go backward; `.badReply` when they would, and nothing is changed.
    /// - Parameter events: what is to be told of it: sent if and only if this is on record.
    package func commitGeneration(
        _ commit: GenerationCommit,
        as claim: Claim,
        events: [OutboxEvent] = []
    ) throws(Fault) {
        try write(as: claim) { db in
            if !commit.reason.mayGoBackward { try refuseStepsBack(db, commit) }
            try store(commit, db)
            try enqueue(events, db)
        }
    }

    /// Takes the positions of a manifest over, whatever was there before. For `state rebuild`, and for
    /// the run that finds a newer generation on disk than the state knows (a crash right after the swap).
    package func rebuild(from commit: GenerationCommit, events: [OutboxEvent] = []) throws(Fault) {
        try write { db in
            // A run that is still alive somewhere must not write over what the manifest says.
            try db.execute(
                sql: "UPDATE claims SET number = number + 1, run_id = ? WHERE pipeline = ?",
                arguments: [commit.runID, pipeline]
            )
            try store(commit, db)
            try enqueue(events, db)
        }
    }

    private func store(_ commit: GenerationCommit, _ db: Database) throws {
        try replaceWatermarks(db, with: commit.watermarks)
        try dropPlan(db)
        try db.execute(
            sql: """
                INSERT INTO generations (pipeline, generation, manifest_sha256, run_id, committed, reason)
                VALUES (?, ?, ?, ?, ?, ?)
                ON CONFLICT (pipeline) DO UPDATE SET generation = excluded.generation,
                    manifest_sha256 = excluded.manifest_sha256, run_id = excluded.run_id,
                    committed = excluded.committed, reason = excluded.reason
                """,
            arguments: [
                pipeline, commit.generation, commit.manifestSHA256, commit.runID, commit.committed.seconds,
                commit.reason.rawValue,
            ]
        )
    }

    private func refuseStepsBack(_ db: Database, _ commit: GenerationCommit) throws {
        let before = Dictionary(uniqueKeysWithValues: try fetchWatermarks(db).map { ($0.stream, $0) })
        for mark in commit.watermarks {
            guard let old = before[mark.stream], old.asksTheSame(as: mark), let reached = old.watermark else {
                continue
            }
            if let new = mark.watermark, new >= reached { continue }
            throw Fault(
                .badReply,
                "the cursor would go back from \(reached.text) to \(mark.watermark?.text ?? "nothing")",
                at: ["stream \(mark.stream)", "generation \(commit.generation)"],
                mend: "run the pipeline's file once with `--full-refresh --streams \(mark.stream)`"
            )
        }
    }
}
