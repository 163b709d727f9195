import PageMemory
import TestKit
import Testing

@testable import RecordScan

/// Rows that begin as the one before, but for their numbers, are compared and not scanned: nobody may see the difference.
@Suite struct HeadsTests {
    /// What a row says up to its tail: mostly what the one before says, with other numbers.
    private static func head(_ usual: String, _ generator: inout Seeded) -> String {
        func number() -> String {
            switch generator.next() % 60 {
            case 0: "-\(generator.next() % 900)"
            case 1: "\(generator.next() % 90).50"
            case 2: "1e\(generator.next() % 3)"
            case 3: String(repeating: "9", count: Int(generator.next() % 60) + 1)
            case 4: "0"
            case 5: "\"\(generator.next() % 900)\""
            case 6: "null"
            case 7: "\(generator.next() % 90) "
            default: "\(generator.next() % 90_000)"
            }
        }
        let kept = usual.split(separator: "#", omittingEmptySubsequences: false).reduce(into: "") { text, part in
            text += text.isEmpty ? String(part) : number() + part
        }
        switch generator.next() % 40 {
        case 0: return kept.replacing("result", with: "rebate")
        case 1: return kept.replacing(",", with: " ,\n")
        case 2: return kept + ",\"unheard_of\":\(generator.next() % 9)"
        case 3: return kept + ",\"output\":\(generator.next() % 9)"
        case 4: return ""
        default: return kept
        }
    }

    @Test func rowsThatBeginAlikeAreReadAsIfEachStoodAlone() throws {
        let seed: UInt64 = 20_261_127
        print("seed \(seed)")
        var generator = Seeded(seed)
        let usual = [
            "\"object\":\"result\",\"input\":#,\"output\":#", "\"input\":#,\"owner\":{\"id\":\"o1\"},\"output\":#",
            "\"kind\":\"standard\",\"output\": #,\"object\":\"result\",\"input\":#", "\"input\":#",
            "\"level\":#,\"user\":null,\"output\":#",
        ]
        for round in 0..<40 {
            let keys = round % 2 == 0 ? [0, 4] : [0, 9, 4]
            let tails = (0..<12).map { _ in ReportPages.tail(&generator) }
            let heads = usual.shuffled(using: &generator)
            let buckets = (0..<12).map { number in
                tails.map { tail in
                    let head = Self.head(heads[number / 6], &generator)
                    return "{\(head)\(head.isEmpty ? "" : ",")\(tail)"
                }
            }
            var whole = Report(keys: keys)
            let told = whole.read(buckets.enumerated().map { ReportPages.bucket($0, $1) })
            if !heads[0].contains("owner") { #expect(whole.scanner.repeatedHeadCount > 20) }
            let alone = Report(keys: keys)
            var expected = ""
            for (number, rows) in buckets.enumerated() {
                for row in rows {
                    // A scanner that has seen one row only, and so can't expect anything.
                    var fresh = Report(keys: keys)
                    fresh.run = alone.run
                    expected += fresh.read([ReportPages.bucket(number, [row])])
                }
            }
            #expect(told == expected)
            #expect(try whole.lines() == alone.lines())
            whole.run = RowRun()
        }
    }

    /// The bytes that a head was learned from are another page's by then; what differs from them in one place is no head.
    @Test func aByteThatDiffersInAHeadIsSeen() {
        let tail = "\"project\":\"proj_1_of_the_organization\",\"user\":\"user-1-with-a-long-name\",\"kind\":\"x\"}"
        let row = "{\"object\":\"result\",\"input\":17,\"output\":3,\(tail)"
        let first = ReportPages.bucket(0, [row, row])
        for offset in 0..<(row.utf8.count - tail.utf8.count) {
            for byte in "\"0,}x: -".utf8 {
                var changed = Array(row.utf8)
                changed[offset] = byte
                let second = ReportPages.bucket(1, [String(decoding: changed, as: UTF8.self)])
                let report = Report()
                let fresh = Report()
                _ = report.read([first], cells: false)
                #expect(report.read([second]) == fresh.read([second]), "byte \(offset)")
            }
        }
    }
}
