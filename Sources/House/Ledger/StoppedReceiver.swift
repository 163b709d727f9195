import GRDB
package import Model

/// A receiver that said it wants no more events (410). Nothing is sent to it until its address changes or someone resumes it.
package struct StoppedReceiver: Sendable, Equatable {
    /// A digest of its address, which is a secret itself.
    package var receiver: String
    package var reason: String
    package var at: Instant

    package init(receiver: String, reason: String, at: Instant) {
        self.receiver = receiver
        self.reason = reason
        self.at = at
    }
}

extension StateStore {
    package func stoppedReceiver() throws(Fault) -> StoppedReceiver? {
        try read { db in
            guard hasOperations else { return nil }
            let sql = "SELECT * FROM stopped_receivers WHERE pipeline = ?"
            return try Row.fetchOne(db, sql: sql, arguments: [pipeline]).map {
                StoppedReceiver(receiver: $0["receiver"], reason: $0["reason"], at: Instant(seconds: $0["at"]))
            }
        }
    }

    /// `nil`: events go out again.
    package func setStoppedReceiver(_ stopped: StoppedReceiver?) throws(Fault) {
        try write { db in
            try db.execute(sql: "DELETE FROM stopped_receivers WHERE pipeline = ?", arguments: [pipeline])
            guard let stopped else { return }
            try db.execute(
                sql: "INSERT INTO stopped_receivers (pipeline, receiver, reason, at) VALUES (?, ?, ?, ?)",
                arguments: [pipeline, stopped.receiver, stopped.reason, stopped.at.seconds]
            )
        }
    }
}
