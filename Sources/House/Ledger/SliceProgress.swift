import GRDB
package import Model

/// How far one slice of the open plan has come. Written after every page, so that a crash costs one page.
package struct SliceProgress: Sendable, Equatable {
    package enum State: String, Sendable, CaseIterable { case open, done }

    /// Hash of what the slice asks for; a slice of another query has another id.
    package var id: String
    package var stream: String
    /// Index into the stream's walks.
    package var walk: Int
    /// Half-open window; both `nil` where the stream has none.
    package var from: Instant?
    package var to: Instant?
    package var pages = 0
    /// Where the next page starts; `nil` before the first page and after the last.
    package var nextPage: String?
    /// Newest time seen, for logs.
    package var watermark: Instant?
    package var counters: JSONValue = [:]
    /// Names of the sorted runs in staging that hold the rows so far.
    package var staged: [String] = []
    package var state = State.open

    package init(
        id: String,
        stream: String,
        walk: Int = 0,
        from: Instant? = nil,
        to: Instant? = nil
    ) {
        self.id = id
        self.stream = stream
        self.walk = walk
        self.from = from
        self.to = to
    }
}

extension StateStore {
    /// Form of a row in `cursors`. A row of another form is refused, not guessed at.
    private static let cursorVersion = 1

    /// Makes the slice's progress durable. Throws when no plan is open.
    package func saveProgress(_ progress: SliceProgress, as claim: Claim) throws(Fault) {
        try saveProgress([progress], as: claim)
    }

    /// Makes all of them durable, or none: one transaction, however many walks a checkpoint covers.
    package func saveProgress(_ slices: [SliceProgress], as claim: Claim) throws(Fault) {
        try write(as: claim) { db in for slice in slices { try save(slice, in: db) } }
    }

    private func save(_ progress: SliceProgress, in db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO cursors (pipeline, stream, slice, next_page, version, watermark, walk,
                    window_from, window_to, pages, counters_json, staged_json, state)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (pipeline, slice) DO UPDATE SET
                    next_page = excluded.next_page, version = excluded.version, watermark = excluded.watermark,
                    pages = excluded.pages, counters_json = excluded.counters_json,
                    staged_json = excluded.staged_json, state = excluded.state
                """
        )
        try statement.execute(arguments: [
            pipeline, progress.stream, progress.id, progress.nextPage, StateStore.cursorVersion,
            progress.watermark?.seconds, progress.walk, progress.from?.seconds, progress.to?.seconds, progress.pages,
            progress.counters.canonicalText, JSONValue.strings(progress.staged).canonicalText, progress.state.rawValue,
        ])
    }

    /// Forgets a stream's progress: its rows in staging can't be gone on from, so what was walked must be walked again.
    package func forgetSlices(of stream: String, as claim: Claim) throws(Fault) {
        try write(as: claim) { db in
            try db.execute(
                sql: "DELETE FROM cursors WHERE pipeline = ? AND stream = ?",
                arguments: [pipeline, stream]
            )
        }
    }

    /// All slices of the open plan that were saved, by stream and id.
    package func slices() throws(Fault) -> [SliceProgress] {
        try read { db in
            let rows = try Row.fetchAll(
                db,
                sql: "SELECT * FROM cursors WHERE pipeline = ? ORDER BY stream, slice",
                arguments: [pipeline]
            )
            return try rows.map { try progress($0) }
        }
    }

    private func progress(_ row: Row) throws(Fault) -> SliceProgress {
        let file = StateFile(path: path, pipeline: pipeline)
        guard row["version"] == StateStore.cursorVersion else { throw file.damaged("cursors", "version") }
        guard let state = SliceProgress.State(rawValue: row["state"]) else { throw file.damaged("cursors", "state") }
        var progress = SliceProgress(
            id: row["slice"],
            stream: row["stream"],
            walk: row["walk"],
            from: (row["window_from"] as Int64?).map(Instant.init(seconds:)),
            to: (row["window_to"] as Int64?).map(Instant.init(seconds:))
        )
        progress.pages = row["pages"]
        progress.nextPage = row["next_page"]
        progress.watermark = (row["watermark"] as Int64?).map(Instant.init(seconds:))
        progress.counters = try json(row, "counters_json", of: "cursors")
        progress.staged = try json(row, "staged_json", of: "cursors").elements?.compactMap(\.text) ?? []
        progress.state = state
        return progress
    }
}
