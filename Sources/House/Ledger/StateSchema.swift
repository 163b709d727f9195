import GRDB

/// The steps that led to the tables of `state.sqlite`. Steps are only ever added; a new state is made with what they come to.
///
/// Times are Unix seconds. Columns named `*_json` hold canonical JSON. Every table begins with the
/// pipeline's name, so that a shared database can hold several one day.
enum StateSchema {
    static var version: Int { steps.count }
    static let firstWithOperations = 2

    /// Runs the missing steps and writes the new `user_version`, all inside the caller's transaction.
    static func migrate(_ db: Database) throws {
        let present = try Int.fetchOne(db, sql: "PRAGMA user_version") ?? 0
        guard present < version else { return }
        if present == 0 { try db.execute(sql: tables) } else { try climb(db, from: present) }
        try db.execute(sql: "PRAGMA application_id = \(StateFile.applicationID)")
        try db.execute(sql: "PRAGMA user_version = \(version)")
    }

    static func climb(_ db: Database, from present: Int) throws {
        for step in steps[present...] { try db.execute(sql: step) }
    }

    private static let steps = [first, operations, owners, rings, unused]

    /// What no run ever filled. Whether a cursor was seen before is for the walk to know, which keeps that with its place.
    private static let unused = """
        DROP TABLE seen_cursors;
        ALTER TABLE cursors DROP COLUMN seen_count;
        ALTER TABLE cursors DROP COLUMN parameters_json;
        ALTER TABLE cursors DROP COLUMN last_request_id;
        ALTER TABLE plans DROP COLUMN details_json;
        """

    private static let first = """
        \(claims)

        CREATE TABLE plans (
            pipeline TEXT PRIMARY KEY, run_id TEXT NOT NULL, fingerprint TEXT NOT NULL,
            as_of INTEGER NOT NULL, created INTEGER NOT NULL, details_json TEXT NOT NULL
        ) STRICT;

        CREATE TABLE cursors (
            pipeline TEXT NOT NULL REFERENCES plans(pipeline) ON DELETE CASCADE,
            stream TEXT NOT NULL, slice TEXT NOT NULL, next_page TEXT, version INTEGER NOT NULL,
            watermark INTEGER, walk INTEGER NOT NULL, parameters_json TEXT NOT NULL,
            window_from INTEGER, window_to INTEGER, pages INTEGER NOT NULL,
            seen_count INTEGER NOT NULL, counters_json TEXT NOT NULL, staged_json TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('open', 'done', 'failed')), last_request_id TEXT,
            PRIMARY KEY (pipeline, slice)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE seen_cursors (
            pipeline TEXT NOT NULL, slice TEXT NOT NULL, position INTEGER NOT NULL, cursor TEXT NOT NULL,
            PRIMARY KEY (pipeline, slice, position),
            FOREIGN KEY (pipeline, slice) REFERENCES cursors(pipeline, slice) ON DELETE CASCADE
        ) STRICT, WITHOUT ROWID;

        \(history)

        CREATE TABLE flags (
            pipeline TEXT PRIMARY KEY, enabled INTEGER NOT NULL, reason TEXT NOT NULL,
            by TEXT NOT NULL, at INTEGER NOT NULL, consecutive_failures INTEGER NOT NULL
        ) STRICT;
        """

    /// Events that wait for their receiver, what the metrics say, and the last runs' outcomes.
    private static let operations = """
        \(telling)

        ALTER TABLE flags ADD COLUMN recent TEXT NOT NULL DEFAULT '';
        """
}
