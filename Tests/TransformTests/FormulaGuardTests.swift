import Model
import RecordScan
import Testing

@testable import Transform

/// What a spreadsheet would run is guarded in the file and itself again when it is read back.
@Suite struct FormulaGuardTests {
    static let texts = [
        "=1+1", "+49", "-x", "-3.25", "@home", "\t=x", "'=x", "''=x", "'plain", "'-3.25", " =x", "\"=x", "plain", "",
        "'",
        "=a,\"b\"\n",
    ]

    @Test(arguments: texts) func whatIsGuardedIsReadBackAsItWas(text: String) throws {
        let written = CellText(format: .csv, guardsFormulas: true)
        let value = CellText.Value.text(Array(text.utf8))
        let cell = try #require(written.write(value))
        let columns = [Column("id", path: ["id"], kind: .string, nullable: true)]
        let reader = ArchiveLine(
            format: .csv,
            guardsFormulas: true,
            columns: columns,
            primaryKey: ["id"],
            timeColumn: nil
        )
        let cells = try #require(reader.cells(cell + [10]))
        var key: [UInt8] = []
        SortKey.append(written.key(value), to: &key)
        #expect(reader.sortKey(cells) == key)
        #expect(reader.jsonValue(cells[0], .string) == .string(text))
    }

    @Test func whatBeginsLikeAFormulaIsGuardedAndNothingElse() throws {
        let written = CellText(format: .csv, guardsFormulas: true)
        let guarded = Self.texts.filter { written.write(.text(Array($0.utf8)))?.contains(UInt8(ascii: "'")) == true }
        #expect(guarded == Self.texts.filter { !["-3.25", "plain", ""].contains($0) })
    }
}
