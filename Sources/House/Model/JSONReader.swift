/// Why a text is not JSON, and where.
package struct JSONError: Error, Sendable, Equatable, CustomStringConvertible {
    package let reason: String
    /// Offset of the offending byte.
    package let offset: Int
    package var description: String { "\(reason) at byte \(offset)" }
}

/// Reads strict RFC 8259 JSON: one value, UTF-8, no byte order mark, at most 512 levels deep.
///
/// Lone surrogate escapes become U+FFFD, since a `String` can't hold them. The readable twin of the C
/// scanner: tests hold the two against each other.
extension JSONValue {
    package init(parsing bytes: [UInt8]) throws(JSONError) {
        var reader = JSONReader(bytes: bytes)
        self = try reader.document()
    }

    package init(parsing text: String) throws(JSONError) { try self.init(parsing: Array(text.utf8)) }
}

private struct JSONReader {
    let bytes: [UInt8]
    var at = 0

    init(bytes: [UInt8]) { self.bytes = bytes }

    mutating func document() throws(JSONError) -> JSONValue {
        skipSpace()
        let value = try value(depth: 0)
        skipSpace()
        guard at == bytes.count else { throw fail("text after the end of the value") }
        return value
    }

    private func fail(_ reason: String) -> JSONError { JSONError(reason: reason, offset: at) }

    private var current: UInt8? { at < bytes.count ? bytes[at] : nil }

    private mutating func skipSpace() {
        while let byte = current, byte == 32 || byte == 10 || byte == 13 || byte == 9 { at += 1 }
    }

    private mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= 512 else { throw fail("more than 512 levels deep") }
        switch current {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        case .none: throw fail("the text ends where a value should be")
        default: return .number(try number())
        }
    }

    private mutating func word(_ text: String, _ value: JSONValue) throws(JSONError) -> JSONValue {
        guard bytes[at...].starts(with: text.utf8) else { throw fail("not a value") }
        at += text.utf8.count
        return value
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        at += 1
        var members: [JSONValue.Member] = []
        skipSpace()
        if current == UInt8(ascii: "}") {
            at += 1
            return .object([])
        }
        while true {
            skipSpace()
            guard current == UInt8(ascii: "\"") else { throw fail("a key must be a string") }
            let key = try string()
            skipSpace()
            guard current == UInt8(ascii: ":") else { throw fail("a colon is missing after a key") }
            at += 1
            skipSpace()
            members.append(JSONValue.Member(key, try value(depth: depth + 1)))
            skipSpace()
            if current == UInt8(ascii: ",") {
                at += 1
                continue
            }
            guard current == UInt8(ascii: "}") else { throw fail("an object is not closed") }
            at += 1
            return .object(members)
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        at += 1
        var elements: [JSONValue] = []
        skipSpace()
        if current == UInt8(ascii: "]") {
            at += 1
            return .array([])
        }
        while true {
            skipSpace()
            elements.append(try value(depth: depth + 1))
            skipSpace()
            if current == UInt8(ascii: ",") {
                at += 1
                continue
            }
            guard current == UInt8(ascii: "]") else { throw fail("an array is not closed") }
            at += 1
            return .array(elements)
        }
    }

    private mutating func number() throws(JSONError) -> String {
        let start = at
        func isDigit(_ byte: UInt8?) -> Bool { byte.map { $0 >= 48 && $0 <= 57 } ?? false }
        if current == UInt8(ascii: "-") { at += 1 }
        guard isDigit(current) else { throw fail("not a value") }
        if current == UInt8(ascii: "0") { at += 1 } else { while isDigit(current) { at += 1 } }
        if current == UInt8(ascii: ".") {
            at += 1
            guard isDigit(current) else { throw fail("a digit is missing after the point") }
            while isDigit(current) { at += 1 }
        }
        if current == UInt8(ascii: "e") || current == UInt8(ascii: "E") {
            at += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { at += 1 }
            guard isDigit(current) else { throw fail("a digit is missing in the exponent") }
            while isDigit(current) { at += 1 }
        }
        return String(decoding: bytes[start..<at], as: UTF8.self)
    }

    private mutating func string() throws(JSONError) -> String {
        at += 1
        // Most strings are plain: found by looking, read at once.
        let end = bytes[at...].firstIndex { $0 == 0x22 || $0 == 0x5C || $0 < 0x20 } ?? bytes.endIndex
        var text = bytes[at..<end]
        at = end
        while true {
            guard let byte = current else { throw fail("a string is not closed") }
            if byte == UInt8(ascii: "\"") { break }
            if byte < 0x20 { throw fail("a control character in a string") }
            if byte == UInt8(ascii: "\\") {
                try escape(into: &text)
            } else {
                text.append(byte)
                at += 1
            }
        }
        at += 1
        guard let string = String(validating: text, as: UTF8.self) else { throw fail("a string is not UTF-8") }
        return string
    }

    private mutating func escape(into text: inout ArraySlice<UInt8>) throws(JSONError) {
        at += 1
        let simple: [UInt8: UInt8] = [
            0x22: 0x22, 0x5C: 0x5C, 0x2F: 0x2F, 0x62: 8, 0x66: 12, 0x6E: 10, 0x72: 13, 0x74: 9,
        ]
        guard let letter = current else { throw fail("a string is not closed") }
        if let byte = simple[letter] {
            text.append(byte)
            at += 1
            return
        }
        guard letter == UInt8(ascii: "u") else { throw fail("not an escape") }
        at += 1
        var code = UInt32(try hex4())
        if code >= 0xD800, code < 0xDC00, at + 1 < bytes.count, bytes[at] == 0x5C, bytes[at + 1] == 0x75 {
            let mark = at
            at += 2
            let low = UInt32(try hex4())
            if low >= 0xDC00, low < 0xE000 {
                code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00)
            } else {
                at = mark
            }
        }
        let scalar = Unicode.Scalar(code) ?? "\u{FFFD}"
        text.append(contentsOf: String(Character(scalar)).utf8)
    }

    private mutating func hex4() throws(JSONError) -> UInt16 {
        guard at + 4 <= bytes.count else { throw fail("a \\u escape needs four hex digits") }
        var value: UInt16 = 0
        for byte in bytes[at..<at + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
                throw fail("a \\u escape needs four hex digits")
            }
            value = value << 4 | UInt16(digit)
        }
        at += 4
        return value
    }
}
