/// What all steps come to, for a state that is new: SQLite takes seven times as long to climb, as it reads all tables again for
/// every column that a step drops. A test climbs, and compares.
extension StateSchema {
    static let tables = """
        \(claims)

        CREATE TABLE plans (
            pipeline TEXT PRIMARY KEY, run_id TEXT NOT NULL, fingerprint TEXT NOT NULL,
            as_of INTEGER NOT NULL, created INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE cursors (
            pipeline TEXT NOT NULL REFERENCES plans(pipeline) ON DELETE CASCADE,
            stream TEXT NOT NULL, slice TEXT NOT NULL, next_page TEXT, version INTEGER NOT NULL,
            watermark INTEGER, walk INTEGER NOT NULL,
            window_from INTEGER, window_to INTEGER, pages INTEGER NOT NULL,
            counters_json TEXT NOT NULL, staged_json TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('open', 'done', 'failed')),
            PRIMARY KEY (pipeline, slice)
        ) STRICT, WITHOUT ROWID;

        \(history)

        CREATE TABLE flags (
            pipeline TEXT PRIMARY KEY, enabled INTEGER NOT NULL, reason TEXT NOT NULL,
            by TEXT NOT NULL, at INTEGER NOT NULL, consecutive_failures INTEGER NOT NULL,
            recent TEXT NOT NULL DEFAULT ''
        ) STRICT;

        \(telling)

        \(owners)

        \(rings)
        """

    // MARK: Tables that still are as a step made them
    // States were made with these texts, so none is ever edited. A step that changes a table gets a text of its own here, as the first
    // three have, and what the old one says stays with the steps.

    static let claims = """
        CREATE TABLE claims (
            pipeline TEXT PRIMARY KEY, number INTEGER NOT NULL, run_id TEXT NOT NULL
        ) STRICT;
        """

    static let history = """
        CREATE TABLE generations (
            pipeline TEXT PRIMARY KEY, generation INTEGER NOT NULL, manifest_sha256 TEXT NOT NULL,
            run_id TEXT NOT NULL, committed INTEGER NOT NULL, reason TEXT NOT NULL
        ) STRICT;

        CREATE TABLE watermarks (
            pipeline TEXT NOT NULL, stream TEXT NOT NULL, watermark INTEGER,
            coverage_from INTEGER, coverage_to INTEGER, group_by_json TEXT NOT NULL,
            bucket_width TEXT, generation INTEGER NOT NULL,
            PRIMARY KEY (pipeline, stream)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE runs (
            pipeline TEXT NOT NULL, run_id TEXT NOT NULL, started INTEGER NOT NULL, ended INTEGER,
            outcome TEXT NOT NULL, exit_code INTEGER, generation INTEGER, summary_json TEXT NOT NULL,
            PRIMARY KEY (pipeline, run_id)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX runs_by_start ON runs (pipeline, started, run_id);
        """

    static let telling = """
        CREATE TABLE outbox (
            pipeline TEXT NOT NULL, number INTEGER NOT NULL, id TEXT NOT NULL, type TEXT NOT NULL,
            body TEXT NOT NULL, created INTEGER NOT NULL, attempts INTEGER NOT NULL, next_attempt INTEGER,
            state TEXT NOT NULL CHECK (state IN ('waiting', 'sent', 'given_up')),
            last_attempt INTEGER, last_answer TEXT,
            PRIMARY KEY (pipeline, number), UNIQUE (pipeline, id)
        ) STRICT, WITHOUT ROWID;

        CREATE TABLE stopped_receivers (
            pipeline TEXT PRIMARY KEY, receiver TEXT NOT NULL, reason TEXT NOT NULL, at INTEGER NOT NULL
        ) STRICT;

        CREATE TABLE listeners (
            pipeline TEXT PRIMARY KEY, events_json TEXT NOT NULL, file TEXT NOT NULL
        ) STRICT;

        CREATE TABLE measures (
            pipeline TEXT NOT NULL, name TEXT NOT NULL, labels_json TEXT NOT NULL,
            is_counter INTEGER NOT NULL, value TEXT NOT NULL,
            PRIMARY KEY (pipeline, name, labels_json)
        ) STRICT, WITHOUT ROWID;
        """

    static let owners = """
        CREATE TABLE owners (
            pipeline TEXT PRIMARY KEY, source TEXT NOT NULL, file TEXT NOT NULL
        ) STRICT;
        """

    /// The newest generation of each key ring that a run has used, by the ring's first key.
    static let rings = """
        CREATE TABLE rings (
            pipeline TEXT NOT NULL, lineage TEXT NOT NULL, generation INTEGER NOT NULL,
            PRIMARY KEY (pipeline, lineage)
        ) STRICT, WITHOUT ROWID;
        """
}
