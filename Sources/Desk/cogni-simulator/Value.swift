/// A JSON value whose objects keep their order, so that replies have the same bytes each time.
indirect enum Value: Sendable, Equatable {
    case null
    case bool(Bool)
    case integer(Int)
    /// JSON text that is written as it stands: decimals in a chosen notation, and what no Swift string can hold.
    case raw(String)
    case string(String)
    case array([Value])
    case object([Member])

    struct Member: Sendable, Equatable {
        var name: String
        var value: Value
    }

    /// `nil` becomes `null`.
    static func optional(_ text: String?) -> Value { text.map(Value.string) ?? .null }
    static func optional(_ number: Int?) -> Value { number.map(Value.integer) ?? .null }

    subscript(name: String) -> Value? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.name == name }?.value
    }

    var text: String? { if case .string(let text) = self { text } else { nil } }
    var whole: Int? { if case .integer(let whole) = self { whole } else { nil } }
    var truth: Bool? { if case .bool(let truth) = self { truth } else { nil } }
    var list: [Value]? { if case .array(let list) = self { list } else { nil } }
    var members: [Member]? { if case .object(let members) = self { members } else { nil } }

    /// A number, whole or not.
    var real: Double? {
        switch self {
        case .integer(let whole): Double(whole)
        case .raw(let text): Double(text)
        default: nil
        }
    }

    var json: [UInt8] {
        var bytes: [UInt8] = []
        bytes.appendJSON(self)
        return bytes
    }
}

extension Value: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByNilLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    init(stringLiteral value: String) { self = .string(value) }
    init(integerLiteral value: Int) { self = .integer(value) }
    init(booleanLiteral value: Bool) { self = .bool(value) }
    init(nilLiteral: ()) { self = .null }
    init(arrayLiteral elements: Value...) { self = .array(elements) }
    init(dictionaryLiteral elements: (String, Value)...) {
        self = .object(elements.map { Member(name: $0.0, value: $0.1) })
    }
}

// Writing.
extension [UInt8] {
    mutating func appendJSON(_ value: Value) {
        switch value {
        case .null: append(contentsOf: "null".utf8)
        case .bool(let truth): append(contentsOf: (truth ? "true" : "false").utf8)
        case .integer(let whole): appendDigits(whole)
        case .raw(let text): append(contentsOf: text.utf8)
        case .string(let text): appendQuoted(text)
        case .array(let elements):
            append(UInt8(ascii: "["))
            for (position, element) in elements.enumerated() {
                if position > 0 { append(UInt8(ascii: ",")) }
                appendJSON(element)
            }
            append(UInt8(ascii: "]"))
        case .object(let members):
            append(UInt8(ascii: "{"))
            for (position, member) in members.enumerated() {
                if position > 0 { append(UInt8(ascii: ",")) }
                appendQuoted(member.name)
                append(UInt8(ascii: ":"))
                appendJSON(member.value)
            }
            append(UInt8(ascii: "}"))
        }
    }

    /// The shortest escapes of RFC 8259; everything above U+001F other than `"` and `\` stands as it is.
    mutating func appendQuoted(_ text: String) {
        append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                append(UInt8(ascii: "\\"))
                append(byte)
            case 0..<0x20:
                append(contentsOf: "\\u00".utf8)
                append(contentsOf: "0123456789abcdef".utf8.dropFirst(Int(byte >> 4)).prefix(1))
                append(contentsOf: "0123456789abcdef".utf8.dropFirst(Int(byte & 15)).prefix(1))
            default: append(byte)
            }
        }
        append(UInt8(ascii: "\""))
    }

    /// Decimal digits without a `String` in between: reports are mostly numbers.
    mutating func appendDigits(_ number: Int) {
        if number < 0 { append(UInt8(ascii: "-")) }
        var rest = number.magnitude
        if rest < 10 {
            append(UInt8(truncatingIfNeeded: rest) &+ 48)
            return
        }
        let start = count
        while rest > 0 {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            append(UInt8(truncatingIfNeeded: digit) &+ 48)
            rest = quotient
        }
        self[start...].reverse()
    }
}
