import GRDB
import Testing

@testable import Ledger

@Suite struct SchemaTests {
    /// A state that has come all the way and a new one must not differ in anything that a statement could meet.
    @Test func aNewStateHasTheTablesThatAllStepsLeadTo() throws {
        let climbed = try DatabaseQueue()
        let new = try DatabaseQueue()
        try climbed.write { try StateSchema.climb($0, from: 0) }
        try new.write { try StateSchema.migrate($0) }
        #expect(try new.read(texts) == climbed.read(texts))
        #expect(try new.read { try Int.fetchOne($0, sql: "PRAGMA user_version") } == StateSchema.version)
    }

    /// What made each table and index, with the spaces that are only of its layout taken out.
    private func texts(_ db: Database) throws -> [String] {
        let rows = try Row.fetchAll(db, sql: "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name")
        return rows.map { row in
            let sql = (row["sql"] as String? ?? "").filter { !$0.isWhitespace }
            return "\(row["type"] as String) \(row["name"] as String) \(row["tbl_name"] as String) \(sql)"
        }
    }
}
