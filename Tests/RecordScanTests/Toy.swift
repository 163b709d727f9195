import Model
import PageMemory
import TestKit
import Testing

@testable import RecordScan

/// Rows of a toy stream: two dimensions, a time and a counter, encoded and merged.
struct Toy {
    let shape = PageShape(members: ["data"])
    let scanner: PageScanner
    let encoder = LineEncoder(quotedTimes: true, null: "null", ending: "}\n")
    let run = RowRun()

    init(keyed: Int = 3) {
        let row = shape.rowLevel
        let columns: [(String, LineEncoder.Kind)] = [
            ("t", .timestamp), ("d", .text), ("e", .text), ("n", .integer), ("b", .boolean),
        ]
        for (index, (name, kind)) in columns.enumerated() {
            let slot = shape.slot(level: row, path: [name])
            encoder.addColumn(kind, level: row, slot: slot, prefix: Array("\(index == 0 ? "{" : ",")\"\(name)\":".utf8))
        }
        for column in 0..<keyed { encoder.addKey(column: column) }
        // A scanner is made for a shape that knows all its fields.
        scanner = PageScanner(shape: shape)
    }

    /// Adds a page's rows, and says how many values had to be resolved; gives up after `most`.
    @discardableResult func add(_ rows: [String], most: Int = .max) -> Int {
        scanner.open(PageBytes(Array(#"{"data":[\#(rows.joined(separator: ","))]}"#.utf8)))
        var resolved = 0
        while case .rows = scanner.next() {
            var row = 0
            scan: while true {
                switch encoder.encode(scanner, from: row, partition: 0, into: run) {
                case .done: break scan
                case .partition(let at, _): row = at
                case .unresolved(let at, let column, let cell):
                    row = at
                    resolved += 1
                    if resolved > most { return resolved }
                    let text = scanner.text(cell)
                    let isNumber = cell.kind == .integer || cell.kind == .number
                    let written = isNumber ? text : Array("\"".utf8) + text + Array("\"".utf8)
                    encoder.put(column: column, cell: cell, of: scanner, text: written, key: text)
                }
            }
        }
        return resolved
    }

    var totals: LineTotals {
        let totals = LineTotals(
            columns: [("t", false), ("d", false), ("e", false), ("n", true), ("b", false)],
            isCSV: false,
            isStrict: true
        )
        #expect(totals.findRepeats())
        return totals
    }

    func lines(_ merge: RunMerge) throws -> [String] {
        var lines: [String] = []
        while let row = try merge.next() { lines.append(String(decoding: row.line, as: UTF8.self)) }
        return lines
    }

    func blocks(_ merge: RunMerge, size: Int) throws -> [String] {
        var text: [UInt8] = []
        var room = [UInt8](repeating: 0, count: size)
        while true {
            let filled = try merge.nextBlock(into: &room)
            if filled == 0 { break }
            text += room.prefix(filled)
        }
        return text.split(separator: 10).map { String(decoding: $0, as: UTF8.self) + "\n" }
    }
}

/// A row as page text, and as the line that must come of it.
struct Row {
    var time: Int, first: String?, second: String?, count: Int?, flag: Bool?
    var page: String {
        var members = [#""t":\#(time)"#]
        if let first { members.append(#""d":"\#(first)""#) }
        members.append(second.map { #""e":"\#($0)""# } ?? #""e":null"#)
        if let count { members.append(#""n":\#(count)"#) }
        if let flag { members.append(#""b":\#(flag)"#) }
        return "{" + members.joined(separator: ",") + "}"
    }
    var line: String {
        func quoted(_ text: String?) -> String { text.map { "\"\($0)\"" } ?? "null" }
        let number = count.map { String($0) } ?? "null"
        let boolean = flag.map { $0 ? "true" : "false" } ?? "null"
        let start = #"{"t":"\#(Instant(seconds: Int64(time)).text)","d":\#(quoted(first)),"e":\#(quoted(second)),"#
        return start + #""n":\#(number),"b":\#(boolean)}"# + "\n"
    }
    /// Null before everything, then by bytes: what the archive promises.
    var key: [[UInt8]] { [Array(Instant(seconds: Int64(time)).text.utf8), order(first), order(second)] }
    private func order(_ text: String?) -> [UInt8] { text.map { [1] + Array($0.utf8) } ?? [0] }
}

extension Row {
    static func random(_ generator: inout Seeded, distinct: Int) -> Row {
        func name(_ prefix: String) -> String? {
            let number = Int(generator.next() % UInt64(distinct + 1))
            return number == distinct ? nil : prefix + String(repeating: "z", count: number % 50) + String(number)
        }
        return Row(
            time: 1_760_918_400 + Int(generator.next() % 5) * 3600,
            first: name("p"),
            second: name("q"),
            count: generator.next() % 4 == 0 ? nil : Int(generator.next() % 1_000_000),
            flag: generator.next() % 3 == 0 ? nil : generator.next() % 2 == 0
        )
    }
}
