internal import Model

/// The two archive formats, and how a finished value is written in each.
package struct CellText: Sendable {
    package enum Format: Sendable { case ndjson, csv }
    package let format: Format
    /// CSV only: cells that a spreadsheet would run as a formula get a leading apostrophe.
    package let guardsFormulas: Bool

    package init(format: Format, guardsFormulas: Bool) {
        self.format = format
        self.guardsFormulas = guardsFormulas
    }

    /// A value before it is written.
    package enum Value: Equatable, Sendable {
        case null
        /// UTF-8 text.
        case text([UInt8])
        /// A number's or a boolean's own text, written bare.
        case bare([UInt8])
        /// Canonical JSON of an object or array.
        case json([UInt8])
    }

    /// How null is written.
    package var null: String { format == .ndjson ? "null" : "" }

    /// The cell as it stands in the line; `nil` is null.
    package func write(_ value: Value) -> [UInt8]? {
        switch (value, format) {
        case (.null, _): return nil
        case (.bare(let text), _): return text
        case (.json(let text), .ndjson): return text
        case (.json(let text), .csv): return quotedIfNeeded(text)
        case (.text(let text), .ndjson):
            var out: [UInt8] = [UInt8(ascii: "\"")]
            out.reserveCapacity(text.count + 2)
            JSONValue.escape(text, into: &out)
            out.append(UInt8(ascii: "\""))
            return out
        case (.text(let text), .csv):
            return quotedIfNeeded(guardsFormulas ? FormulaGuard.guarded(text) : text)
        }
    }

    /// What the sort key holds for the value: the text of the NDJSON form without quotes, in both formats, so that both
    /// have the same order of rows.
    package func key(_ value: Value) -> [UInt8] {
        switch value {
        case .null: return []
        case .bare(let text), .json(let text): return text
        case .text(let text):
            guard text.contains(where: { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }) else { return text }
            var out: [UInt8] = []
            JSONValue.escape(text, into: &out)
            return out
        }
    }

    /// RFC 4180: quoted when it holds a comma, a quote or a line break, and when it is empty, since a bare empty
    /// cell is null. Edge spaces are quoted too, because some readers trim them.
    private func quotedIfNeeded(_ text: [UInt8]) -> [UInt8] {
        let needs =
            text.isEmpty || text.first == 32 || text.last == 32
            || text.contains { $0 == UInt8(ascii: ",") || $0 == UInt8(ascii: "\"") || $0 == 10 || $0 == 13 }
        guard needs else { return text }
        var out: [UInt8] = [UInt8(ascii: "\"")]
        for byte in text {
            if byte == UInt8(ascii: "\"") { out.append(byte) }
            out.append(byte)
        }
        out.append(UInt8(ascii: "\""))
        return out
    }
}
