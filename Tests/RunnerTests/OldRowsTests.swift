import Foundation
import Model
import Testing
import Transform

@testable import Runner

/// Rows of archives are read back whole or not at all.
@Suite struct OldRowsTests {
    private func rows(of text: String) throws -> [String] {
        let path = FileManager.default.temporaryDirectory.path + "/old-\(UUID().uuidString).csv"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let columns = [Column("id", path: ["id"], kind: .string, nullable: false)]
        let reader = ArchiveLine(format: .csv, columns: columns, primaryKey: ["id"], timeColumn: nil)
        var found: [String] = []
        try OldRows(reader: reader, paths: [path]).forEach { line in
            found.append(String(decoding: line, as: UTF8.self))
        }
        return found
    }

    @Test func aCellWithLineBreaksIsOneRow() throws {
        #expect(try rows(of: "id\na\n\"b\n\"\"c\"\"\"\nd\n") == ["a\n", "\"b\n\"\"c\"\"\"\n", "d\n"])
    }

    @Test func aQuoteThatIsNeverClosedIsAFaultThatNamesTheFile() throws {
        let fault = #expect(throws: Fault.self) { try rows(of: "id\na\n\"b\nc\n") }
        #expect(fault?.what == "an archive of the current generation ends inside a quoted cell")
        #expect(fault?.place.first?.hasSuffix(".csv") == true)
    }
}
