import GRDB
package import Model

/// How far one slice of the open plan has come. Written after every page, so that a crash costs one page.
package struct SliceProgress: Sendable, Equatable {
    package enum State: String, Sendable, CaseIterable { case open, done, failed }

    /// Hash of what the slice asks for; a slice of another query has another id.
    package var id: String
    package var stream: String
    /// Index into the stream's walks.
    package var walk: Int
    /// The parents' ids that fill the path: `{"project_id": "proj_1"}`.
    package var parameters: JSONValue
    /// Half-open window; both `nil` where the stream has none.
    package var from: Instant?
    package var to: Instant?
    package var pages = 0
    /// Where the next page starts; `nil` before the first page and after the last.
    package var nextPage: String?
    /// Every cursor followed so far, in order; only ever appended to within one walk.
    package var seenCursors: [String] = []
    /// Newest time seen, for logs.
    package var watermark: Instant?
    package var counters: JSONValue = [:]
    /// Names of the sorted runs in staging that hold the rows so far.
    package var staged: [String] = []
    package var state = State.open
    package var lastRequestID: String?

    package init(
        id: String,
        stream: String,
        walk: Int = 0,
        parameters: JSONValue = [:],
        from: Instant? = nil,
        to: Instant? = nil
    ) {
        self.id = id
        self.stream = stream
        self.walk = walk
        self.parameters = parameters
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
        let kept = try keptCursorCount(db, progress)
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO cursors (pipeline, stream, slice, next_page, version, watermark, walk, parameters_json,
                    window_from, window_to, pages, seen_count, counters_json, staged_json, state, last_request_id)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (pipeline, slice) DO UPDATE SET
                    next_page = excluded.next_page, version = excluded.version, watermark = excluded.watermark,
                    pages = excluded.pages, seen_count = excluded.seen_count,
                    counters_json = excluded.counters_json, staged_json = excluded.staged_json,
                    state = excluded.state, last_request_id = excluded.last_request_id
                """
        )
        try statement.execute(arguments: [
            pipeline, progress.stream, progress.id, progress.nextPage, StateStore.cursorVersion,
            progress.watermark?.seconds, progress.walk, progress.parameters.canonicalText, progress.from?.seconds,
            progress.to?.seconds, progress.pages, progress.seenCursors.count, progress.counters.canonicalText,
            JSONValue.strings(progress.staged).canonicalText, progress.state.rawValue, progress.lastRequestID,
        ])
        let insert = try db.cachedStatement(
            sql: "INSERT INTO seen_cursors (pipeline, slice, position, cursor) VALUES (?, ?, ?, ?)"
        )
        for position in kept..<progress.seenCursors.count {
            try insert.execute(arguments: [pipeline, progress.id, position, progress.seenCursors[position]])
        }
    }

    /// How many of the slice's cursors are stored already. A walk that was begun again has other
    /// cursors; its old ones are deleted.
    private func keptCursorCount(_ db: Database, _ progress: SliceProgress) throws -> Int {
        let query = try db.cachedStatement(
            sql: """
                SELECT position, cursor FROM seen_cursors WHERE pipeline = ? AND slice = ?
                ORDER BY position DESC LIMIT 1
                """
        )
        guard let last = try Row.fetchOne(query, arguments: [pipeline, progress.id]) else { return 0 }
        let position: Int = last["position"]
        let cursor: String = last["cursor"]
        if position < progress.seenCursors.count, progress.seenCursors[position] == cursor { return position + 1 }
        try db.execute(
            sql: "DELETE FROM seen_cursors WHERE pipeline = ? AND slice = ?",
            arguments: [pipeline, progress.id]
        )
        return 0
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
            var seen: [String: [String]] = [:]
            let cursors = try Row.fetchCursor(
                db,
                sql: "SELECT slice, cursor FROM seen_cursors WHERE pipeline = ? ORDER BY slice, position",
                arguments: [pipeline]
            )
            while let row = try cursors.next() { seen[row["slice"], default: []].append(row["cursor"]) }
            let rows = try Row.fetchAll(
                db,
                sql: "SELECT * FROM cursors WHERE pipeline = ? ORDER BY stream, slice",
                arguments: [pipeline]
            )
            return try rows.map { try progress($0, seen: seen[$0["slice"]] ?? []) }
        }
    }

    private func progress(_ row: Row, seen: [String]) throws(Fault) -> SliceProgress {
        let file = StateFile(path: path, pipeline: pipeline)
        guard row["version"] == StateStore.cursorVersion else { throw file.damaged("cursors", "version") }
        guard row["seen_count"] == seen.count else { throw file.damaged("cursors", "seen_count") }
        guard let state = SliceProgress.State(rawValue: row["state"]) else { throw file.damaged("cursors", "state") }
        var progress = SliceProgress(
            id: row["slice"],
            stream: row["stream"],
            walk: row["walk"],
            parameters: try json(row, "parameters_json", of: "cursors"),
            from: (row["window_from"] as Int64?).map(Instant.init(seconds:)),
            to: (row["window_to"] as Int64?).map(Instant.init(seconds:))
        )
        progress.pages = row["pages"]
        progress.nextPage = row["next_page"]
        progress.seenCursors = seen
        progress.watermark = (row["watermark"] as Int64?).map(Instant.init(seconds:))
        progress.counters = try json(row, "counters_json", of: "cursors")
        progress.staged = try json(row, "staged_json", of: "cursors").elements?.compactMap(\.text) ?? []
        progress.state = state
        progress.lastRequestID = row["last_request_id"]
        return progress
    }
}
