import PageMemory
import TestKit

@testable import RecordScan

/// A report's stream: bounds from the bucket, counters before and behind what it is grouped by, an object, a list.
struct Report {
    static let names = ["project", "user", "batch", "note", "kind", "level", "tags"]
    let shape = PageShape(members: ["data", "results"])
    let scanner: PageScanner
    let encoder = LineEncoder(quotedTimes: true, null: "null", ending: "}\n")
    var run = RowRun()

    init(keys: [Int] = [0, 4]) {
        var columns: [(LineEncoder.Kind, Int, [String])] = [
            (.timestamp, 1, ["start"]), (.integer, 2, ["input"]), (.integer, 2, ["output"]),
            (.text, 2, ["owner", "id"]),
        ]
        columns += Report.names.map { ($0 == "batch" ? .boolean : $0 == "level" ? .integer : .text, 2, [$0]) }
        for (index, (kind, level, path)) in columns.enumerated() {
            let slot = shape.slot(level: level, path: path)
            let prefix = "\(index == 0 ? "{" : ",")\"\(path.joined(separator: "."))\":"
            encoder.addColumn(kind, level: level, slot: slot, prefix: Array(prefix.utf8))
        }
        shape.ignore(level: 2, path: ["object"])
        for key in keys { encoder.addKey(column: key) }
        encoder.setTime(column: 0, unit: .none)
        scanner = PageScanner(shape: shape)
    }

    /// What is told of a page: cells, unknown fields, the verdict; its rows go to the run.
    func read(_ buckets: [String], cells: Bool = true, maxRows: Int = 7) -> String {
        scanner.open(PageBytes(Array(#"{"data":[\#(buckets.joined(separator: ","))],"more":false}"#.utf8)))
        var told = ""
        while true {
            switch scanner.next(maxRows: maxRows) {
            case .malformed(let reason, _): return told + reason
            case .end: return told
            case .rows:
                if cells { for row in 0..<scanner.rowCount { told += cellsOf(row) } }
                encode()
            }
        }
    }

    private func cellsOf(_ row: Int) -> String {
        var told = ""
        for path in [["input"], ["output"], ["owner", "id"]] + Report.names.map({ [$0] }) {
            let cell = scanner.cell(row: row, slot: shape.slot(level: 2, path: path))
            told += "\(cell.kind) \(String(decoding: scanner.bytes(cell), as: UTF8.self));"
        }
        told += scanner.unknownFields(row: row).map { field in
            "\(field.key)=\(String(decoding: scanner.bytes(field.value), as: UTF8.self));"
        }.joined()
        return told + "\n"
    }

    private func encode() {
        var row = 0
        while true {
            switch encoder.encode(scanner, from: row, partition: 0, into: run) {
            case .done: return
            case .partition(let at, _): row = at
            case .unresolved(let at, let column, let cell):
                row = at
                let text = scanner.text(cell)
                // One value in the way of masking: it has no text of its own.
                let isMasked = text == Array("secret".utf8)
                encoder.put(
                    column: column,
                    cell: cell,
                    of: scanner,
                    text: isMasked ? nil : Array("\"".utf8) + text + Array("\"".utf8),
                    key: text
                )
            }
        }
    }

    /// The lines of all rows, in the archive's order.
    func lines() throws -> [String] {
        let merge = RunMerge(keep: .latest)
        merge.add(run, isOld: false)
        var lines: [String] = []
        while let row = try merge.next() { lines.append(String(decoding: row.line, as: UTF8.self)) }
        return lines
    }
}

/// Texts of a report's pages.
enum ReportPages {
    /// What a row says behind its numbers, in one of the ways in which APIs write.
    static func tail(_ generator: inout Seeded) -> String {
        func pick(_ choices: [String]) -> String { choices[Int(generator.next() % UInt64(choices.count))] }
        let project = "\"project\":\"proj_\(generator.next() % 40)_of_the_organization\""
        let user = pick([
            "\"user\":null", "\"user\":\"user-\(generator.next() % 30)-with-a-long-name\"", "\"user\" : \"secret\"",
        ])
        let batch = "\"batch\":" + pick(["true", "false", "null"])
        let note = "\"note\":" + pick(["\"\"", "\"caf\u{e9} \\u00e9\\n\"", "\"a \\\"quote\\\"\"", "\"}]}\""])
        var members = [project, user, batch, note, "\"kind\":\"standard\""]
        switch generator.next() % 12 {
        case 0: members.append("\"unheard_of\":{\"a\":[1,2]}")
        case 1: members.append("\"tags\":[\"x\",{\"y\":null}]")
        case 2: members.append("\"level\":\(generator.next() % 3)")
        case 3: members.append("\"object\":\"result\"")
        case 4: members.append("\"owner\":{\"id\":\"o\(generator.next() % 3)\"}")
        case 5: members.append("\"project\":\"proj_again\"")
        case 6: members.shuffle(using: &generator)
        case 7: members.append("\"kind\" :\t\"spaced\" ")
        case 8: members.append("\"input\":null")
        default: break
        }
        return members.joined(separator: ",") + "}"
    }

    static func bucket(_ number: Int, _ rows: [String]) -> String {
        "{\"start\":\(1_760_918_400 + number * 3600),\"results\":[\(rows.joined(separator: ","))]}"
    }
}
