/// What one scan remembers between its matchers, to stay linear: nothing is walked twice that could be long.
struct ScanMemory: Sendable {
    /// Bytes that matchers walked over; tests hold it against the length of the text.
    var steps = 0
    /// No END of a private key stands behind the place where one was looked for last.
    var hasNoKeyEnd = false
    private var values: (plain: Value?, parameter: Value?, line: Value?)

    /// Before another text: what was learnt speaks of places in the one before.
    mutating func begin() {
        hasNoKeyEnd = false
        values = (nil, nil, nil)
    }

    /// The value that begins at `start`. An earlier one that reaches beyond it has the same end, and says all that must be known.
    mutating func value(_ kind: Value.Kind, _ text: Span<UInt8>, from start: Int) -> Value {
        let place = ScanMemory.place(kind)
        if let known = values[keyPath: place], known.from <= start, start < known.to { return known }
        let value = Value(kind, text, from: start)
        steps += value.to - value.from
        values[keyPath: place] = value
        return value
    }

    private typealias Values = (plain: Value?, parameter: Value?, line: Value?)

    private static func place(_ kind: Value.Kind) -> WritableKeyPath<Values, Value?> {
        switch kind {
        case .plain: \.plain
        case .parameter: \.parameter
        case .line: \.line
        }
    }
}

/// What follows `password=` or `cookie:`: how far it goes, and where the last of each thing stands that decides whether it is a secret. So every
/// end of it is judged without walking over it again.
struct Value: Sendable {
    enum Kind: Sendable {
        /// To the next space, quote or bracket.
        case plain
        /// The same, or to the `#` of an address.
        case parameter
        /// To the end of the line, or of the JSON string that it stands in.
        case line
    }

    let from: Int
    let to: Int
    private(set) var lastDigit = -1
    private(set) var lastLetter = -1
    private(set) var lastParenthesis = -1
    private(set) var lastEllipsis = -1

    init(_ kind: Kind, _ text: Span<UInt8>, from start: Int) {
        from = start
        var index = start
        walk: while index < text.count {
            switch kind {
            case .plain: if Value.isEnd(text[index]) { break walk }
            case .parameter: if Value.isEnd(text[index]) || text[index] == 0x23 { break walk }
            case .line:
                if text[index] < 0x20 || text[index] == 0x22 && Value.endsString(text, index) { break walk }
                if text[index] == 0x5C, index + 1 < text.count {
                    // An escaped line end ends the line; any other escape belongs to the value.
                    if text[index + 1] == 0x6E || text[index + 1] == 0x72 { break walk }
                    index += 1
                }
            }
            index += 1
        }
        to = min(index, text.count)
        for index in from..<to {
            let byte = text[index]
            if Letters.digit.contains(byte) {
                lastDigit = index
            } else if Letters.alphabetic.contains(byte) {
                lastLetter = index
            } else if byte == 0x28 {
                lastParenthesis = index
            } else if byte == 0xE2, stands(Finding.ellipsis, in: text, at: index) {
                lastEllipsis = index
            }
        }
    }

    /// Whether what begins at `start` has both letters and digits, as counts and words have not.
    func isMixed(from start: Int) -> Bool { lastDigit >= start && lastLetter >= start }

    private static func isEnd(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x00...0x20, 0x22, 0x26, 0x27, 0x29, 0x2C, 0x3B, 0x3C, 0x3E, 0x5C, 0x5D, 0x60, 0x7D: true
        default: false
        }
    }

    /// Whether a quote ends a JSON string rather than standing in a header: `"}`, `":`, `","`, but not `", realm`.
    private static func endsString(_ text: Span<UInt8>, _ quote: Int) -> Bool {
        var next = quote + 1
        guard next < text.count else { return true }
        if text[next] == 0x7D || text[next] == 0x5D || text[next] == 0x3A { return true }
        guard text[next] == 0x2C else { return false }
        let limit = min(next + 4, text.count)
        next += 1
        while next < limit, text[next] == 0x20 { next += 1 }
        return next < text.count && (text[next] == 0x22 || text[next] == 0x7B || text[next] == 0x5B)
    }
}
