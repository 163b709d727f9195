import GRDB
package import Model

/// Something that happened and that the receiver is to be told. Its body never changes; the time of sending is a header.
package struct OutboxEvent: Sendable, Equatable {
    /// Stable over all attempts, so that a receiver can tell a repeat. Letters, digits and `_`.
    package var id: String
    /// `run.failed`
    package var type: String
    package var body: String
    package var created: Instant

    package init(id: String, type: String, body: String, created: Instant) {
        self.id = id
        self.type = type
        self.body = body
        self.created = created
    }
}

/// An event and how its sending went so far.
package struct OutboxEntry: Sendable, Equatable {
    package enum State: String, Sendable, CaseIterable {
        case waiting, sent
        /// No attempt is left.
        case givenUp = "given_up"
    }

    package var event: OutboxEvent
    package var state: State
    /// Begun, also those whose end nobody saw.
    package var attempts: Int
    package var nextAttempt: Instant?
    package var lastAttempt: Instant?
    /// A status, or why there was none. Never what the receiver wrote.
    package var lastAnswer: String?
}

/// The outbox: events are put in within the transaction of what they tell, and leave once a receiver has taken them.
///
/// So an event is sent at least once, and never for what did not happen. A sender that dies between the receiver's answer
/// and its mark sends the event again, under the same id.
extension StateStore {
    /// Sent events and those given up are kept so long.
    private static let keptFor: Int64 = 30 * 86_400

    /// An event whose id is there already is left out: the same thing was found out twice.
    func enqueue(_ events: [OutboxEvent], _ db: Database) throws {
        for event in events {
            try db.execute(
                sql: """
                    INSERT OR IGNORE INTO outbox (pipeline, number, id, type, body, created, attempts, next_attempt, state)
                    SELECT ?1, COALESCE(MAX(number), 0) + 1, ?2, ?3, ?4, ?5, 0, ?5, 'waiting' FROM outbox WHERE pipeline = ?1
                    """,
                arguments: [pipeline, event.id, event.type, event.body, event.created.seconds]
            )
        }
    }

    package func enqueue(_ events: [OutboxEvent]) throws(Fault) { try write { try enqueue(events, $0) } }

    /// Takes the oldest event that is due, and holds it back from other senders until `lease`.
    /// - Parameter after: only events behind this number; `nil` begins at the oldest.
    /// - Parameter isForced: also events whose next attempt lies later.
    package func takeEvent(
        after number: Int?,
        at now: Instant,
        lease: Instant,
        isForced: Bool
    ) throws(Fault) -> (number: Int, entry: OutboxEntry)? {
        try write { db in
            let row = try Row.fetchOne(
                db,
                sql: """
                    SELECT * FROM outbox WHERE pipeline = ? AND state = 'waiting' AND number > ?
                        AND (? OR next_attempt <= ?) ORDER BY number LIMIT 1
                    """,
                arguments: [pipeline, number ?? 0, isForced, now.seconds]
            )
            guard let row else { return nil }
            let number: Int = row["number"]
            try db.execute(
                sql: """
                    UPDATE outbox SET attempts = attempts + 1, next_attempt = ?, last_attempt = ?
                    WHERE pipeline = ? AND number = ?
                    """,
                arguments: [lease.seconds, now.seconds, pipeline, number]
            )
            var entry = try entry(row)
            entry.attempts += 1
            return (number, entry)
        }
    }

    package func markSent(_ number: Int, answer: String) throws(Fault) {
        try mark(number, .sent, next: nil, answer: answer)
    }

    /// - Parameter next: `nil`: no attempt is left.
    package func markFailed(_ number: Int, answer: String, next: Instant?) throws(Fault) {
        try mark(number, next == nil ? .givenUp : .waiting, next: next, answer: answer)
    }

    private func mark(_ number: Int, _ state: OutboxEntry.State, next: Instant?, answer: String) throws(Fault) {
        try write { db in
            try db.execute(
                sql: """
                    UPDATE outbox SET state = ?, next_attempt = ?, last_answer = ?
                    WHERE pipeline = ? AND number = ? AND state = 'waiting'
                    """,
                arguments: [state.rawValue, next?.seconds, answer, pipeline, number]
            )
        }
    }

    /// All that are kept, oldest first.
    package func outbox() throws(Fault) -> [OutboxEntry] {
        try read { db in
            guard hasOperations else { return [] }
            let sql = "SELECT * FROM outbox WHERE pipeline = ? ORDER BY number"
            return try Row.fetchAll(db, sql: sql, arguments: [pipeline]).map { try entry($0) }
        }
    }

    package func dropOldEvents(at now: Instant) throws(Fault) {
        try write { db in
            try db.execute(
                sql: "DELETE FROM outbox WHERE pipeline = ? AND state <> 'waiting' AND created < ?",
                arguments: [pipeline, now.seconds - StateStore.keptFor]
            )
        }
    }

    private func entry(_ row: Row) throws -> OutboxEntry {
        guard let state = OutboxEntry.State(rawValue: row["state"]) else {
            throw StateFile(path: path, pipeline: pipeline).damaged("outbox", "state")
        }
        return OutboxEntry(
            event: OutboxEvent(
                id: row["id"],
                type: row["type"],
                body: row["body"],
                created: Instant(seconds: row["created"])
            ),
            state: state,
            attempts: row["attempts"],
            nextAttempt: (row["next_attempt"] as Int64?).map(Instant.init(seconds:)),
            lastAttempt: (row["last_attempt"] as Int64?).map(Instant.init(seconds:)),
            lastAnswer: row["last_answer"]
        )
    }
}
