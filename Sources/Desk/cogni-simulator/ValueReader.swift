/// Reads one JSON document, strictly (RFC 8259); for scenario files and for what is posted to `/_simulator`.
struct ValueReader {
    struct Mistake: Error, Equatable, CustomStringConvertible {
        var offset: Int
        var expected: String
        var description: String { "byte \(offset): expected \(expected)" }
    }

    private let bytes: [UInt8]
    private var position = 0

    static func read(_ bytes: [UInt8]) throws(Mistake) -> Value {
        var reader = ValueReader(bytes: bytes)
        let value = try reader.value(depth: 0)
        reader.skipBlanks()
        guard reader.position == bytes.count else { throw reader.mistake("the end") }
        return value
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }

    private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

    private func mistake(_ expected: String) -> Mistake {
        Mistake(offset: position, expected: expected)
    }

    private mutating func skipBlanks() {
        while let byte = next, byte == 32 || (9...10).contains(byte) || byte == 13 { position += 1 }
    }

    private mutating func take(_ byte: Character) throws(Mistake) {
        skipBlanks()
        guard next == byte.asciiValue else { throw mistake("\(byte)") }
        position += 1
    }

    /// Whether `byte` stands next; taken when it does.
    private mutating func takes(_ byte: Character) -> Bool {
        skipBlanks()
        guard next == byte.asciiValue else { return false }
        position += 1
        return true
    }

    private mutating func value(depth: Int) throws(Mistake) -> Value {
        guard depth < 64 else { throw mistake("at most 64 levels") }
        skipBlanks()
        switch next {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: return try number()
        }
    }

    private mutating func word(_ word: String, _ value: Value) throws(Mistake) -> Value {
        guard bytes[position...].starts(with: word.utf8) else { throw mistake(word) }
        position += word.utf8.count
        return value
    }

    private mutating func object(depth: Int) throws(Mistake) -> Value {
        try take("{")
        var members: [Value.Member] = []
        if takes("}") { return .object([]) }
        repeat {
            skipBlanks()
            let name = try string()
            try take(":")
            members.append(Value.Member(name: name, value: try value(depth: depth + 1)))
        } while takes(",")
        try take("}")
        return .object(members)
    }

    private mutating func array(depth: Int) throws(Mistake) -> Value {
        try take("[")
        var elements: [Value] = []
        if takes("]") { return .array([]) }
        repeat { elements.append(try value(depth: depth + 1)) } while takes(",")
        try take("]")
        return .array(elements)
    }

    private mutating func number() throws(Mistake) -> Value {
        let start = position
        while let byte = next, "+-.0123456789eE".utf8.contains(byte) { position += 1 }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        if let whole = Int(text) { return .integer(whole) }
        guard Double(text) != nil else {
            position = start
            throw mistake("a value")
        }
        return .raw(text)
    }

    private mutating func string() throws(Mistake) -> String {
        guard next == UInt8(ascii: "\"") else { throw mistake("a string") }
        position += 1
        var units: [UInt8] = []
        while let byte = next {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(decoding: units, as: UTF8.self)
            case UInt8(ascii: "\\"): try escape(into: &units)
            case 0..<0x20: throw mistake("no control character")
            default: units.append(byte)
            }
        }
        throw mistake("the end of the string")
    }

    private mutating func escape(into units: inout [UInt8]) throws(Mistake) {
        guard let letter = next else { throw mistake("an escape") }
        position += 1
        switch letter {
        case UInt8(ascii: "b"): units.append(8)
        case UInt8(ascii: "f"): units.append(12)
        case UInt8(ascii: "n"): units.append(10)
        case UInt8(ascii: "r"): units.append(13)
        case UInt8(ascii: "t"): units.append(9)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): units.append(letter)
        case UInt8(ascii: "u"):
            var codes = [try fourDigits()]
            if (0xD800..<0xDC00).contains(codes[0]), bytes[position...].starts(with: "\\u".utf8) {
                position += 2
                codes.append(try fourDigits())
            }
            units.append(contentsOf: String(decoding: codes, as: UTF16.self).utf8)
        default: throw mistake("a known escape")
        }
    }

    private mutating func fourDigits() throws(Mistake) -> UInt16 {
        let digits = bytes[position...].prefix(4)
        guard digits.count == 4, let code = UInt16(String(decoding: digits, as: UTF8.self), radix: 16) else {
            throw mistake("four hexadecimal digits")
        }
        position += 4
        return code
    }
}
