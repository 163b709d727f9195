/// A text in lines as YAML counts them. A line becomes a string when somebody wants to show it.
struct SourceLines {
    let text: String
    let bytes: [UInt8]
    /// Where each line's bytes are, without what ends it.
    let ranges: [Range<Int>]
    /// Bytes and scalars are the same then.
    let isASCII: Bool

    init(_ text: String = "") {
        self.text = text
        let bytes = Array(text.utf8)
        self.bytes = bytes
        let span = bytes.span
        var ranges: [Range<Int>] = []
        var seen: UInt8 = 0
        var start = 0
        var at = 0
        while at < span.count {
            let byte = span[at]
            seen |= byte
            // Nearly every byte is neither an end of a line nor the first byte of one.
            if byte >= 0x20, byte != 0xC2, byte != 0xE2 {
                at += 1
                continue
            }
            let width = SourceLines.widthOfEnd(span, at)
            if width > 0 {
                ranges.append(start..<at)
                start = at + width
            }
            at += max(1, width)
        }
        ranges.append(start..<span.count)
        self.ranges = ranges
        isASCII = seen < 0x80
    }

    /// How many bytes end a line here: `\n`, `\r`, `\r\n`, U+0085, U+2028, U+2029; none is 0.
    private static func widthOfEnd(_ bytes: Span<UInt8>, _ at: Int) -> Int {
        func next(_ offset: Int) -> UInt8 { at + offset < bytes.count ? bytes[at + offset] : 0 }
        switch bytes[at] {
        case 0x0A: return 1
        case 0x0D: return next(1) == 0x0A ? 2 : 1
        case 0xC2: return next(1) == 0x85 ? 2 : 0
        case 0xE2: return next(1) == 0x80 && (next(2) == 0xA8 || next(2) == 0xA9) ? 3 : 0
        default: return 0
        }
    }

    var count: Int { ranges.count }

    /// A line by its number, which counts from 1; empty where there is none.
    func line(_ number: Int) -> String {
        ranges.indices.contains(number - 1) ? String(decoding: bytes[ranges[number - 1]], as: UTF8.self) : ""
    }
}

/// A text by its scalars, which columns count: only what a place must be changed in needs them.
struct SourceScalars {
    let scalars: [Unicode.Scalar]
    /// Offsets of the lines' first scalars.
    let starts: [Int]

    init(_ source: SourceLines) {
        if source.isASCII {
            scalars = source.bytes.map { Unicode.Scalar($0) }
            starts = source.ranges.map(\.lowerBound)
            return
        }
        scalars = Array(source.text.unicodeScalars)
        var starts: [Int] = []
        var offset = 0
        var at = 0
        for range in source.ranges {
            // A byte that goes on with a scalar begins with the bits 10.
            offset += source.bytes[at..<range.lowerBound].count { $0 & 0xC0 != 0x80 }
            at = range.lowerBound
            starts.append(offset)
        }
        self.starts = starts
    }

    func offset(line: Int, column: Int) -> Int? {
        guard starts.indices.contains(line - 1) else { return nil }
        let offset = starts[line - 1] + column - 1
        return offset < scalars.count ? offset : nil
    }
}
