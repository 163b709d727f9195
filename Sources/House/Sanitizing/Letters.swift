/// Sets of ASCII bytes, as bits of a table with one entry a byte: a run of a set costs one look-up each.
struct Letters: OptionSet, Sendable {
    let rawValue: UInt8

    static let digit = Letters(rawValue: 1)
    static let upper = Letters(rawValue: 2)
    static let lower = Letters(rawValue: 4)
    static let dash = Letters(rawValue: 8)
    static let underscore = Letters(rawValue: 16)
    /// `+` and `/`
    static let plus = Letters(rawValue: 32)
    static let equals = Letters(rawValue: 64)
    static let dot = Letters(rawValue: 128)

    static let alphabetic: Letters = [.upper, .lower]
    static let alphanumeric: Letters = [.digit, .upper, .lower]
    /// What keys are mostly made of: letters, digits, `_` and `-`.
    static let key: Letters = [.alphanumeric, .dash, .underscore]
    static let base64: Letters = [.alphanumeric, .plus, .equals]
    /// The `token68` of HTTP's credentials, without its rare `~`.
    static let token: Letters = [.key, .plus, .equals, .dot]

    private static let table: [UInt8] = (0..<256).map { code in
        switch UInt8(code) {
        case 0x30...0x39: Letters.digit.rawValue
        case 0x41...0x5A: Letters.upper.rawValue
        case 0x61...0x7A: Letters.lower.rawValue
        case 0x2D: Letters.dash.rawValue
        case 0x5F: Letters.underscore.rawValue
        case 0x2B, 0x2F: Letters.plus.rawValue
        case 0x3D: Letters.equals.rawValue
        case 0x2E: Letters.dot.rawValue
        default: 0
        }
    }

    func contains(_ byte: UInt8) -> Bool { Letters.table[Int(byte)] & rawValue != 0 }

    /// Where the run of this set that begins at `start` ends, looking at no more than `most` bytes.
    func end(_ text: Span<UInt8>, from start: Int, most: Int = .max) -> Int {
        let table = Letters.table
        var at = start
        let limit = text.count - start > most ? start + most : text.count
        while at < limit, table[Int(text[at])] & rawValue != 0 { at += 1 }
        return at
    }

    /// Every set that a byte of the range belongs to.
    static func found(_ text: Span<UInt8>, _ range: Range<Int>) -> Letters {
        let table = Letters.table
        var all: UInt8 = 0
        for index in range { all |= table[Int(text[index])] }
        return Letters(rawValue: all)
    }
}

/// Whether `word` stands at `at`; letters of `word` must be lower-case when `folding`.
func stands(_ word: [UInt8], in text: Span<UInt8>, at: Int, folding: Bool = false) -> Bool {
    guard at >= 0, text.count - at >= word.count else { return false }
    for index in word.indices {
        var byte = text[at + index]
        if folding, byte >= 0x41, byte <= 0x5A { byte |= 0x20 }
        if byte != word[index] { return false }
    }
    return true
}
