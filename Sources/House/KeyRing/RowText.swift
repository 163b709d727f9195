internal import Model

/// Finds a row's columns in its text, as spans, so that what is not touched is copied as it stands.
enum JSONColumns {
    /// A member of the outermost object: a string with the span between its quotes, or an object or array with all of it.
    struct Member {
        var name: String
        var value: Range<Int>
        var isNested = false
    }

    static func members(_ row: [UInt8]) -> [Member] {
        var columns: [Member] = []
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
                    columns.append(Member(name: column, value: nested..<at + 1, isNested: true))
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
                    columns.append(Member(name: column, value: inside))
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

    static func text(of inside: [UInt8]) -> String {
        let quoted = [UInt8(ascii: "\"")] + inside + [UInt8(ascii: "\"")]
        return (try? JSONValue(parsing: quoted))?.text ?? String(decoding: inside, as: UTF8.self)
    }
}

/// Finds the strings inside of a JSON value, each with the way to it.
struct JSONStrings {
    private let text: [UInt8]
    private var at: Int
    private var path: [String] = []
    private(set) var found: [(path: [String], inside: Range<Int>)] = []
    private static let deepest = 200

    /// - Parameter span: of a well-formed value; of what is none, whatever can be told is.
    init(_ text: [UInt8], in span: Range<Int>) {
        self.text = text
        at = span.lowerBound
        value(until: span.upperBound)
    }

    private mutating func value(until end: Int) {
        // Nobody's data is so deep; a file that someone made to break this is not looked into further.
        guard path.count < JSONStrings.deepest else {
            at = end
            return
        }
        while at < end {
            switch text[at] {
            case UInt8(ascii: "{"): return object(until: end)
            case UInt8(ascii: "["):
                at += 1
                path.append("[]")
                defer { path.removeLast() }
                while at < end, text[at] != UInt8(ascii: "]") {
                    let before = at
                    value(until: end)
                    if at < end, text[at] == UInt8(ascii: ",") || at == before { at += 1 }
                }
                at += 1
                return
            case UInt8(ascii: "\""):
                found.append((path, string(until: end)))
                return
            case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"): return
            default: at += 1
            }
        }
    }

    private mutating func object(until end: Int) {
        at += 1
        while at < end, text[at] != UInt8(ascii: "}") {
            guard text[at] == UInt8(ascii: "\"") else {
                at += 1
                continue
            }
            path.append(JSONColumns.text(of: Array(text[string(until: end)])))
            if at < end, text[at] == UInt8(ascii: ":") { at += 1 }
            value(until: end)
            path.removeLast()
        }
        at += 1
    }

    /// The span between the quotes; goes on behind the second.
    private mutating func string(until end: Int) -> Range<Int> {
        let start = at + 1
        at = start
        while at < end, text[at] != UInt8(ascii: "\"") { at += text[at] == UInt8(ascii: "\\") ? 2 : 1 }
        let inside = start..<min(at, end)
        at += 1
        return inside
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
