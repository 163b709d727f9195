import GRDB
package import Model
import StateDisk

/// What a pipeline remembers between runs: committed positions, the unfinished plan, runs and the switch.
///
/// One SQLite file, `<output>/<pipeline>/state.sqlite`, mode 0600, `journal_mode=DELETE` and
/// `synchronous=EXTRA`: a call that has returned survives a power cut. One connection for the life of the
/// process; each call is one transaction, or part of one (``together(_:)``). Every error is a ``Fault`` that names the file; the code is
/// `.locked` when another process is writing, `.cannotWrite` otherwise. Holds no record and no secret.
package final class StateStore: Sendable {
    /// The pipeline whose rows all calls read and write.
    package let pipeline: String
    package let path: String
    /// The file was not there, or empty, before this opening. Where a published generation stands beside
    /// it, the state was lost: call ``rebuild(from:)`` with its manifest before planning anything.
    package let wasCreated: Bool
    /// The tables for events and measures are there. Reading adds none to a state that an older cogni wrote.
    let hasOperations: Bool
    private let queue: DatabaseQueue
    private let isReadOnly: Bool

    /// Opens the state for a run; creates it where there is none. A damaged, foreign or newer file is
    /// refused before anything is written to it.
    package static func open(_ path: String, pipeline: String) throws(Fault) -> StateStore {
        try open(path, pipeline: pipeline) { _ in }.store
    }

    /// As ``open(_:pipeline:)``, with the first calls in the transaction that makes the tables: all of it or, when one throws,
    /// a state as it was.
    package static func open<Value>(
        _ path: String,
        pipeline: String,
        first: (StateStore) throws(Fault) -> Value
    ) throws(Fault) -> (store: StateStore, value: Value) {
        let file = StateFile(path: path, pipeline: pipeline)
        let wasEmpty = try file.prepare()
        let (queue, version) = try file.connect(readOnly: false)
        let wasCreated = wasEmpty || version == 0
        let store = StateStore(file, wasCreated: wasCreated, hasOperations: true, queue: queue, isReadOnly: false)
        let value = try store.write { db in
            try StateSchema.migrate(db)
            return try first(store)
        }
        return (store, value)
    }

    /// Opens the state for looking only; `nil` where there is none, or where a crash cut its making off. The same
    /// refusals as ``open(_:pipeline:)``.
    package static func openToRead(_ path: String, pipeline: String) throws(Fault) -> StateStore? {
        let file = StateFile(path: path, pipeline: pipeline)
        guard try file.inspectWhileOthersWrite() == .ours else { return nil }
        let (queue, version) = try file.connect(readOnly: true)
        // Its first write was cut off, and SQLite has taken it back: there is a file, and no table in it.
        guard version > 0 else { return nil }
        let hasOperations = version >= StateSchema.firstWithOperations
        return StateStore(file, wasCreated: false, hasOperations: hasOperations, queue: queue, isReadOnly: true)
    }

    /// As ``open(_:pipeline:)``, but makes none: `nil` where there is none.
    package static func openExisting(_ path: String, pipeline: String) throws(Fault) -> StateStore? {
        guard let there = try openToRead(path, pipeline: pipeline) else { return nil }
        try there.close()
        return try open(path, pipeline: pipeline)
    }

    private init(_ file: StateFile, wasCreated: Bool, hasOperations: Bool, queue: DatabaseQueue, isReadOnly: Bool) {
        path = file.path
        pipeline = file.pipeline
        self.wasCreated = wasCreated
        self.hasOperations = hasOperations
        self.queue = queue
        self.isReadOnly = isReadOnly
    }

    /// Closes the connection; later calls throw.
    package func close() throws(Fault) {
        try translated { try queue.close() }
    }

    /// One transaction that only reads.
    func read<Value>(_ work: (Database) throws -> Value) throws(Fault) -> Value {
        try translated {
            try queue.unsafeReentrantRead { db in
                if db.isInsideTransaction { return try work(db) }
                return try db.readOnly { try StateStore.transaction(db, .deferred, work) }
            }
        }
    }

    /// One transaction: all of `work` or nothing.
    func write<Value>(_ work: (Database) throws -> Value) throws(Fault) -> Value {
        precondition(!isReadOnly, "the state was opened to read")
        return try translated {
            try queue.unsafeReentrantWrite { db in
                if db.isInsideTransaction { return try work(db) }
                return try StateStore.transaction(db, .immediate, work)
            }
        }
    }

    /// Several calls as one transaction, which is synced once and not for each: all of them or, when one throws, none.
    package func together<Value>(_ calls: () throws(Fault) -> Value) throws(Fault) -> Value {
        try write { _ in try calls() }
    }

    private static func transaction<Value>(
        _ db: Database,
        _ kind: Database.TransactionKind,
        _ work: (Database) throws -> Value
    ) throws -> Value {
        var value: Value?
        try db.inTransaction(kind) {
            value = try work(db)
            return .commit
        }
        guard let value else { preconditionFailure("a transaction has ended without its work") }
        return value
    }

    /// One transaction of the run that holds `claim`; refused when a later run has taken over.
    func write<Value>(as claim: Claim, _ work: (Database) throws -> Value) throws(Fault) -> Value {
        try write { db in
            try claim.check(db, in: self)
            return try work(db)
        }
    }

    private func translated<Value>(_ work: () throws -> Value) throws(Fault) -> Value {
        _ = StateDisk.takeFailure()
        do { return try work() } catch { throw StateFile(path: path, pipeline: pipeline).fault(error) }
    }
}
