import GRDB
package import Model

/// Who is told of this pipeline's events, as its last run knew it: for commands that are given the output only.
package struct Listener: Sendable, Equatable {
    /// `generation.rolled_back`
    package var events: [String]
    /// The pipeline file's absolute path.
    package var file: String

    package init(events: [String], file: String) {
        self.events = events
        self.file = file
    }
}

extension StateStore {
    package func listener() throws(Fault) -> Listener? {
        try read { db in
            guard hasOperations else { return nil }
            let sql = "SELECT * FROM listeners WHERE pipeline = ?"
            guard let row = try Row.fetchOne(db, sql: sql, arguments: [pipeline]) else { return nil }
            let events = try json(row, "events_json", of: "listeners").elements ?? []
            return Listener(events: events.compactMap(\.text), file: row["file"])
        }
    }

    /// `nil`: nobody is told of anything.
    package func setListener(_ listener: Listener?) throws(Fault) {
        guard try self.listener() != listener else { return }
        try write { db in
            try db.execute(sql: "DELETE FROM listeners WHERE pipeline = ?", arguments: [pipeline])
            guard let listener else { return }
            try db.execute(
                sql: "INSERT INTO listeners (pipeline, events_json, file) VALUES (?, ?, ?)",
                arguments: [pipeline, JSONValue.strings(listener.events).canonicalText, listener.file]
            )
        }
    }
}
