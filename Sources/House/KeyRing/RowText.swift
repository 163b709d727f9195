internal import Model

/// Finds a row's columns in its text, as spans, so that what is not touched is copied as it stands.
enum JSONColumns {
    /// The members of the outermost object whose values are strings: name, and the string's inside. Members whose
    /// values are objects or arrays count with the whole of them, so that tokens within can be counted.
    static func strings(_ row: [UInt8]) -> [(name: String, value: Range<Int>)] {
        var columns: [(name: String, value: Range<Int>)] = []
        var at = 0
        var depth = 0
        var name: String?
        var nested = 0
        while at < row.count {
            switch row[at] {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                if depth == 2 { nested = at }
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 2, let column = name {
                    columns.append((column, nested + 1..<at))
                    name = nil
                }
                depth -= 1
            case UInt8(ascii: ","): if depth == 1 { name = nil }
            case UInt8(ascii: "\""):
                let start = at + 1
                at = start
                while at < row.count, row[at] != UInt8(ascii: "\"") { at += row[at] == UInt8(ascii: "\\") ? 2 : 1 }
                let inside = start..<min(at, row.count)
                guard depth == 1 else { break }
                if let column = name {
                    columns.append((column, inside))
                    name = nil
                } else {
                    name = text(of: Array(row[inside]))
                }
            default: break
            }
            at += 1
        }
        return columns
    }

    private static func text(of inside: [UInt8]) -> String {
        let quoted = [UInt8(ascii: "\"")] + inside + [UInt8(ascii: "\"")]
        return (try? JSONValue(parsing: quoted))?.text ?? String(decoding: inside, as: UTF8.self)
    }
}

/// CSV as RFC 4180 has it: commas, quotes doubled inside quotes.
enum CSVCells {
    /// The cells' spans, quotes included.
    static func split(_ row: [UInt8]) -> [Range<Int>] {
        var cells: [Range<Int>] = []
        var start = 0
        var quoted = false
        for (index, byte) in row.enumerated() {
            if byte == 0x22 { quoted.toggle() }
            if byte == 0x2C, !quoted {
                cells.append(start..<index)
                start = index + 1
            }
        }
        cells.append(start..<row.count)
        return cells
    }

    /// A cell's text without its quotes.
    static func text(_ cell: ArraySlice<UInt8>) -> [UInt8] {
        guard cell.count >= 2, cell.first == 0x22, cell.last == 0x22 else { return Array(cell) }
        var text: [UInt8] = []
        var skip = false
        for byte in cell.dropFirst().dropLast() {
            if byte == 0x22, !skip {
                skip = true
                continue
            }
            skip = false
            text.append(byte)
        }
        return text
    }

    /// Quoted where it must be; empty text is `""`, since a bare empty cell is null.
    static func write(_ text: [UInt8], into out: inout [UInt8]) {
        let isPlain = !text.isEmpty && !text.contains { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }
        if isPlain {
            out.append(contentsOf: text)
            return
        }
        out.append(0x22)
        for byte in text { out.append(contentsOf: byte == 0x22 ? [0x22, 0x22] : [byte]) }
        out.append(0x22)
    }
}
