import Model
import PageMemory
import TestKit
import Testing

@testable import RecordScan

/// Sorted, and of each key the last.
private func expected(_ rows: [Row]) -> (lines: [String], identical: Int, conflicts: Int) {
    let sorted = rows.enumerated().sorted {
        let (one, other) = ($0.element.key, $1.element.key)
        if one == other { return $0.offset < $1.offset }
        return one.lexicographicallyPrecedes(other) { $0.lexicographicallyPrecedes($1) }
    }.map(\.element)
    var lines: [String] = []
    var (identical, conflicts) = (0, 0)
    var last: [[UInt8]]?
    for row in sorted {
        if row.key == last {
            if row.line == lines.last { identical += 1 } else { conflicts += 1 }
            lines[lines.count - 1] = row.line
        } else {
            lines.append(row.line)
        }
        last = row.key
    }
    return (lines, identical, conflicts)
}

@Suite struct WaitingRowsTests {
    /// Each step of the sort takes some of the stack, for eight bytes of a key.
    @Test func keysThatShareAMillionBytesAreSortedOnASmallStack() throws {
        let run = RowRun()
        let shared = [UInt8](repeating: 97, count: 1 << 20)
        for number in 0..<40 {
            run.append(
                key: shared + Array("\((number * 17) % 40 + 100)".utf8),
                time: 0,
                line: Array("\((number * 17) % 40)\n".utf8)
            )
        }
        run.append(key: [98], time: 0, line: Array("last\n".utf8))
        let merge = RunMerge(keep: .latest)
        merge.add(run, isOld: false)
        var lines: [String] = []
        while let row = try merge.next() { lines.append(String(decoding: row.line, as: UTF8.self)) }
        #expect(lines == (0..<40).map { "\($0)\n" } + ["last\n"])
    }

    @Test(arguments: [3, 40, 400])
    func rowsInWordsBecomeTheLinesOfAReadableTwin(distinct: Int) throws {
        var generator = Seeded(UInt64(distinct) &* 977)
        print("seed \(distinct * 977)")
        let rows = (0..<5000).map { _ in Row.random(&generator, distinct: distinct) }
        let toy = Toy()
        for start in stride(from: 0, to: rows.count, by: 700) {
            toy.add(rows[start..<min(start + 700, rows.count)].map(\.page))
        }
        let merge = RunMerge(keep: .latest)
        merge.add(toy.run)
        let twin = expected(rows)
        #expect(try toy.blocks(merge, size: 4096) == twin.lines)
        #expect(merge.counts.identical == twin.identical)
        #expect(merge.counts.conflicts == twin.conflicts)
        // Row by row, as snapshots take them, it is the same.
        let again = RunMerge(keep: .latest)
        again.add(toy.run)
        #expect(try toy.lines(again) == twin.lines)
    }

    /// Texts that alone are more than a vocabulary takes: the row has them all the same, and the next one begins anew.
    @Test func aRowOfHugeTextsComesToAnEnd() throws {
        let huge = String(repeating: "h", count: 9 << 20)
        let rows = (0..<3).map { (number: Int) in
            Row(time: 1_760_918_400, first: huge + "\(number)", second: "s\(number)", count: number, flag: true)
        }
        let toy = Toy()
        #expect(toy.add(rows.map(\.page), most: 20) <= 9)
        let merge = RunMerge(keep: .latest)
        merge.add(toy.run)
        #expect(try toy.lines(merge) == rows.map(\.line))
    }

    /// More distinct values than a vocabulary holds: the rows stand in several, and come out as one sequence.
    @Test func rowsOfManyVocabulariesAreOneSequence() throws {
        let rows = (0..<70_000).map { number in
            Row(time: 1_760_918_400, first: "id\((number * 7919) % 70_000)", second: nil, count: number, flag: nil)
        }
        let toy = Toy()
        for start in stride(from: 0, to: rows.count, by: 5000) { toy.add(rows[start..<start + 5000].map(\.page)) }
        let merge = RunMerge(keep: .latest)
        merge.add(toy.run)
        #expect(try toy.blocks(merge, size: 65_536) == expected(rows).lines)
    }

    /// What a broken page had added is taken back, also when it had begun a new vocabulary.
    @Test func truncatingLeavesTheRowsBefore() throws {
        let rows = (0..<40_000).map { (number: Int) in
            Row(time: 1_760_918_400, first: "id\(number)", second: nil, count: number, flag: nil)
        }
        for kept in [0, 1, 700, 32_766, 32_767, 32_768, 39_999] {
            let toy = Toy()
            toy.add(rows.map(\.page))
            toy.run.truncate(kept)
            #expect(toy.run.count == kept)
            toy.add(rows[kept...].prefix(10).map(\.page))
            let merge = RunMerge(keep: .first)
            merge.add(toy.run)
            let twin = expected(Array(rows[..<kept] + rows[kept...].prefix(10)))
            #expect(try toy.blocks(merge, size: 65_536) == twin.lines)
        }
    }

    /// More patterns of nulls than there are templates.
    @Test func anyPatternOfNullsIsWritten() throws {
        let shape = PageShape(members: ["data"])
        let encoder = LineEncoder(quotedTimes: false, null: "", ending: "\n")
        for column in 0..<12 {
            let slot = shape.slot(level: shape.rowLevel, path: ["c\(column)"])
            let prefix = Array(column == 0 ? "".utf8 : ",".utf8)
            encoder.addColumn(.integer, level: shape.rowLevel, slot: slot, prefix: prefix)
        }
        encoder.addKey(column: 0)
        let scanner = PageScanner(shape: shape)
        let run = RowRun()
        var rows: [String] = []
        var lines: [String] = []
        for number in 0..<2048 {
            let values = (1..<12).map { number >> ($0 - 1) & 1 == 1 ? "\(number)" : nil }
            let members = values.enumerated().compactMap { index, value in value.map { #""c\#(index + 1)":\#($0)"# } }
            rows.append("{" + ([#""c0":\#(10_000 + number)"#] + members).joined(separator: ",") + "}")
            lines.append((["\(10_000 + number)"] + values.map { $0 ?? "" }).joined(separator: ","))
        }
        scanner.open(PageBytes(Array(#"{"data":[\#(rows.joined(separator: ","))]}"#.utf8)))
        while case .rows = scanner.next() {
            #expect(encoder.encode(scanner, from: 0, partition: 0, into: run) == .done)
        }
        let merge = RunMerge(keep: .latest)
        merge.add(run)
        var room = [UInt8](repeating: 0, count: 1 << 20)
        let filled = try merge.nextBlock(into: &room)
        #expect(String(decoding: room.prefix(filled), as: UTF8.self) == lines.map { $0 + "\n" }.joined())
    }

    @Test func aValueIsAskedForOnce() {
        let toy = Toy()
        let row = Row(time: 1_760_918_400, first: "p", second: "q", count: 1, flag: true)
        #expect(toy.add([row.page]) == 2)
        #expect(toy.add([row.page, row.page]) == 0)
    }

    /// A tenth of the lines: what the memory limit counts on.
    @Test func waitingRowsAreSmallerThanTheirLines() {
        var generator = Seeded(5)
        let toy = Toy()
        let rows = (0..<20_000).map { _ in Row.random(&generator, distinct: 50) }
        toy.add(rows.map(\.page))
        #expect(toy.run.byteCount < 20_000 * 120 + (4 << 20))
    }

    private func totals() -> LineTotals {
        LineTotals(
            columns: [("t", false), ("d", false), ("e", false), ("n", true), ("b", false)],
            isCSV: false,
            isStrict: true
        )
    }

    /// Sums, nulls and distinct values of rows are those of the lines that were made of them; also in the second file, and
    /// where a vocabulary has come to an end.
    @Test func totalsOfRowsAreTotalsOfLines() throws {
        var generator = Seeded(99)
        let (ofRows, ofLines) = (totals(), totals())
        for both in [ofRows, ofLines] {
            #expect(both.collect(1, until: 2) == 0)
            #expect(both.collect(3, until: nil) == 1)
            #expect(both.collect(4, until: 3) == 2)
        }
        for distinct in [20, 2000] {
            let toy = Toy()
            toy.add((0..<3000).map { _ in Row.random(&generator, distinct: distinct).page })
            let merge = RunMerge(keep: .latest)
            merge.add(toy.run)
            for both in [ofRows, ofLines] { both.restart() }
            var room = [UInt8](repeating: 0, count: 8192)
            while true {
                let filled = try merge.nextBlock(into: &room)
                if filled == 0 { break }
                // Without the lines: only the rows can tell.
                #expect(ofRows.take([], count: filled, of: merge) == filled)
                #expect(ofLines.take(room, count: filled) == filled)
            }
            for column in 0..<5 {
                #expect(ofRows.nulls(column) == ofLines.nulls(column))
                #expect(ofRows.sum(column) == ofLines.sum(column))
            }
            #expect(ofRows.sum(3) != nil)
            for set in 0..<3 {
                #expect(!ofLines.values(set).isEmpty)
                #expect(ofRows.values(set) == ofLines.values(set))
            }
        }
    }

    @Test(
        arguments: [
            (.sealed, "ef1.token", true), (.sealed, "clear", false), (.masked, "sk-\u{2026}9", true),
            (.masked, "sk-9", false), (.dropped, "x", false), (.sealed, nil, true), (.dropped, nil, true),
        ] as [(LineTotals.Protection, String?, Bool)]
    )
    func rowsShowWhatTheirLinesShow(_ protection: LineTotals.Protection, _ text: String?, isFine: Bool) throws {
        let toy = Toy()
        func row(_ time: Int) -> String { Row(time: time, first: "p", second: text, count: 1, flag: nil).page }
        toy.add((0..<5).map { row(1_760_918_400 + $0) })
        let merge = RunMerge(keep: .latest)
        merge.add(toy.run)
        var room = [UInt8](repeating: 0, count: 8192)
        let filled = try merge.nextBlock(into: &room)
        let (ofRows, ofLines) = (totals(), totals())
        for both in [ofRows, ofLines] { both.protect(2, protection) }
        #expect(ofRows.take([], count: filled, of: merge) == (isFine ? filled : nil))
        #expect(ofLines.take(room, count: filled) == (isFine ? filled : nil))
        for both in [ofRows, ofLines] { #expect(both.bareColumn == (isFine ? nil : 2)) }
    }
}
