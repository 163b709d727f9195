package import Model
internal import RecordScan

/// Reads lines of archives that an earlier run wrote: their cells, sort key and time.
///
/// The inverse of ``RowEncoder`` for our own files only: it expects the columns in their order and the
/// spelling that we write, and says so when a file was edited by someone else.
package struct ArchiveLine: Sendable {
    package let format: CellText.Format
    package let columns: [Column]
    /// Whether CSV cells may have an apostrophe before them that is not theirs.
    private let guardsFormulas: Bool
    private let key: [Int]
    private let timeColumn: Int?
    private let prefixes: [[UInt8]]

    package init(
        format: CellText.Format,
        guardsFormulas: Bool = false,
        columns: [Column],
        primaryKey: [String],
        timeColumn: String?
    ) {
        self.format = format
        self.guardsFormulas = guardsFormulas && format == .csv
        self.columns = columns
        key = primaryKey.compactMap { name in columns.firstIndex { $0.name == name } }
        self.timeColumn = timeColumn.flatMap { name in columns.firstIndex { $0.name == name } }
        prefixes = columns.enumerated().map { index, column in
            guard format == .ndjson else { return index == 0 ? [] : [UInt8(ascii: ",")] }
            var prefix: [UInt8] = [UInt8(ascii: index == 0 ? "{" : ",")]
            JSONValue.quote(column.name, into: &prefix)
            prefix.append(UInt8(ascii: ":"))
            return prefix
        }
    }

    /// The header line of a CSV file, with its line feed; empty for NDJSON.
    package var header: [UInt8] {
        guard format == .csv else { return [] }
        return Array(columns.map(\.name).joined(separator: ",").utf8) + [10]
    }

    /// The line's cells as they are written, in the columns' order; `nil` when the line is not one of ours.
    /// - Parameter line: with or without its line feed.
    package func cells(_ line: [UInt8]) -> [ArraySlice<UInt8>]? {
        var cells: [ArraySlice<UInt8>] = []
        cells.reserveCapacity(columns.count)
        var at = 0
        for prefix in prefixes {
            guard line[at...].starts(with: prefix) else { return nil }
            at += prefix.count
            guard let end = format == .ndjson ? ArchiveLine.jsonEnd(line, at) : ArchiveLine.csvEnd(line, at) else {
                return nil
            }
            cells.append(line[at..<end])
            at = end
        }
        if format == .ndjson {
            guard at < line.count, line[at] == UInt8(ascii: "}") else { return nil }
            at += 1
        }
        return at == line.count || (at + 1 == line.count && line[at] == 10) ? cells : nil
    }

    /// Puts cells together again, with the line feed.
    package func line(_ cells: [ArraySlice<UInt8>]) -> [UInt8] {
        var out: [UInt8] = []
        for (prefix, cell) in zip(prefixes, cells) {
            out += prefix
            out += cell
        }
        if format == .ndjson { out.append(UInt8(ascii: "}")) }
        out.append(10)
        return out
    }

    /// What the row sorts by.
    package func sortKey(_ cells: [ArraySlice<UInt8>]) -> [UInt8] {
        var out: [UInt8] = []
        for index in key { SortKey.append(keyText(cells[index], columns[index].kind), to: &out) }
        return out
    }

    /// Unix seconds of the time column; 0 without one, `nil` when it can't be read.
    package func time(_ cells: [ArraySlice<UInt8>]) -> Int64? {
        guard let timeColumn else { return 0 }
        guard let text = keyText(cells[timeColumn], .timestamp) else { return nil }
        return Instant.withFraction(String(decoding: text, as: UTF8.self))?.instant.seconds
    }

    /// Whether the cell is null.
    package func isNull(_ cell: ArraySlice<UInt8>) -> Bool {
        format == .ndjson ? cell.elementsEqual("null".utf8) : cell.isEmpty
    }

    /// The sort key's text: the NDJSON form without quotes; `nil` is null.
    private func keyText(_ cell: ArraySlice<UInt8>, _ kind: Column.Kind) -> [UInt8]? {
        if isNull(cell) { return nil }
        if format == .ndjson {
            return cell.first == UInt8(ascii: "\"") && kind != .json ? Array(cell.dropFirst().dropLast()) : Array(cell)
        }
        let plain = plain(cell)
        guard kind == .string || kind == .timestamp || kind == .decimal else { return plain }
        var out: [UInt8] = []
        JSONValue.escape(plain, into: &out)
        return out
    }

    /// A cell's value as JSON, for the rows of `…_changes`.
    package func jsonValue(_ cell: ArraySlice<UInt8>, _ kind: Column.Kind) -> JSONValue {
        if isNull(cell) { return .null }
        if format == .ndjson { return (try? JSONValue(parsing: Array(cell))) ?? .null }
        let plain = plain(cell)
        switch kind {
        case .json, .integer, .boolean:
            return (try? JSONValue(parsing: plain)) ?? .string(String(decoding: plain, as: UTF8.self))
        case .string, .timestamp, .decimal: return .string(String(decoding: plain, as: UTF8.self))
        }
    }

    /// A CSV cell's own text.
    private func plain(_ cell: ArraySlice<UInt8>) -> [UInt8] {
        let text = ArchiveLine.unquoted(cell)
        return guardsFormulas ? FormulaGuard.unguarded(text) : text
    }

    private static func unquoted(_ cell: ArraySlice<UInt8>) -> [UInt8] {
        guard cell.first == UInt8(ascii: "\"") else { return Array(cell) }
        var out: [UInt8] = []
        var at = cell.startIndex + 1
        while at < cell.endIndex - 1 {
            out.append(cell[at])
            at += cell[at] == UInt8(ascii: "\"") ? 2 : 1
        }
        return out
    }

    private static func csvEnd(_ line: [UInt8], _ start: Int) -> Int? {
        var at = start
        guard at < line.count, line[at] == UInt8(ascii: "\"") else {
            while at < line.count, line[at] != UInt8(ascii: ","), line[at] != 10 { at += 1 }
            return at
        }
        at += 1
        while at < line.count {
            if line[at] == UInt8(ascii: "\"") {
                guard at + 1 < line.count, line[at + 1] == UInt8(ascii: "\"") else { return at + 1 }
                at += 1
            }
            at += 1
        }
        return nil
    }

    /// One past the end of the JSON value at `start`, in text that we wrote and that therefore is well-formed.
    private static func jsonEnd(_ line: [UInt8], _ start: Int) -> Int? {
        var at = start
        var depth = 0
        while at < line.count {
            switch line[at] {
            case UInt8(ascii: "\""):
                at += 1
                while at < line.count, line[at] != UInt8(ascii: "\"") { at += line[at] == UInt8(ascii: "\\") ? 2 : 1 }
                at += 1
                if depth == 0 { return at <= line.count ? at : nil }
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                at += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return at }
                depth -= 1
                at += 1
                if depth == 0 { return at }
            case UInt8(ascii: ","):
                if depth == 0 { return at }
                at += 1
            default: at += 1
            }
        }
        return nil
    }
}
