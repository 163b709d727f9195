/// Escapes that stand for one character of ASCII: `\u002D`, `\x2D`, `%2D`, `&#45;`, `&#x2D;`, `&amp;`, `\/`.
///
/// Serializers escape punctuation that could end a script, a tag or an address, and some escape far more than they must. Backslashes may
/// stand in any number, since each text that holds the text doubles them.
enum Escape {
    /// More in a row than three texts inside of each other make of one.
    private static let mostBackslashes = 8
    private static let entities: [(name: [UInt8], byte: UInt8)] = [
        ("amp;", 0x26), ("lt;", 0x3C), ("gt;", 0x3E), ("quot;", 0x22), ("apos;", 0x27),
    ].map { (Array($0.0.utf8), $0.1) }

    /// What the escape at `at` stands for, and how many bytes it takes. `nil`: none stands there.
    static func read(_ text: Span<UInt8>, _ at: Int) -> (byte: UInt8, count: Int)? {
        switch text[at] {
        case 0x25: hex(text, at + 1, digits: 2).map { ($0, 3) }
        case 0x5C: backslash(text, at)
        case 0x26: entity(text, at)
        default: nil
        }
    }

    private static func backslash(_ text: Span<UInt8>, _ at: Int) -> (byte: UInt8, count: Int)? {
        var next = at + 1
        while next < text.count, next - at < mostBackslashes, text[next] == 0x5C { next += 1 }
        guard next < text.count else { return nil }
        switch text[next] {
        case 0x75: return ascii(text, next + 1, digits: 4).map { ($0, next + 5 - at) }
        case 0x78: return ascii(text, next + 1, digits: 2).map { ($0, next + 3 - at) }
        case 0x22, 0x27, 0x2F: return (text[next], next + 1 - at)
        default: return nil
        }
    }

    private static func entity(_ text: Span<UInt8>, _ at: Int) -> (byte: UInt8, count: Int)? {
        for (name, byte) in entities where stands(name, in: text, at: at + 1) { return (byte, name.count + 1) }
        guard at + 2 < text.count, text[at + 1] == 0x23 else { return nil }
        let isHex = text[at + 2] | 0x20 == 0x78
        var next = at + (isHex ? 3 : 2)
        let first = next
        var value = 0
        while next < text.count, next - first < 7, let digit = digit(text[next]), isHex || digit < 10 {
            value = value * (isHex ? 16 : 10) + Int(digit)
            next += 1
        }
        guard next > first, value < 0x80 else { return nil }
        if next < text.count, text[next] == 0x3B { next += 1 }
        return (UInt8(value), next - at)
    }

    private static func ascii(_ text: Span<UInt8>, _ at: Int, digits: Int) -> UInt8? {
        if digits == 4 { guard at + 4 <= text.count, text[at] == 0x30, text[at + 1] == 0x30 else { return nil } }
        return hex(text, at + digits - 2, digits: 2).flatMap { $0 < 0x80 ? $0 : nil }
    }

    private static func hex(_ text: Span<UInt8>, _ at: Int, digits: Int) -> UInt8? {
        guard at + digits <= text.count, let high = digit(text[at]), let low = digit(text[at + 1]) else { return nil }
        return high << 4 | low
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}

/// A stretch of text as it was before it was escaped, also more than once (`%252D`, `&amp;#45;`), and where each of its bytes came from.
struct UnescapedCopy {
    private static let depth = 3
    private(set) var bytes: [UInt8]
    /// Where each byte begins in the text, and behind them where the last one ends.
    private(set) var places: [Int]
    private(set) var isChanged = false

    init(_ text: Span<UInt8>, _ range: Range<Int>) {
        bytes = range.map { text[$0] }
        places = Array(range.lowerBound...range.upperBound)
        for _ in 0..<UnescapedCopy.depth {
            guard resolve() else { break }
            isChanged = true
        }
    }

    private mutating func resolve() -> Bool {
        let escaped = bytes
        let text = escaped.span
        var plain: [UInt8] = []
        var origins: [Int] = []
        var at = 0
        while at < text.count {
            let (byte, count) = Escape.read(text, at) ?? (text[at], 1)
            plain.append(byte)
            origins.append(places[at])
            at += count
        }
        guard plain.count < escaped.count else { return false }
        origins.append(places[escaped.count])
        (bytes, places) = (plain, origins)
        return true
    }
}
