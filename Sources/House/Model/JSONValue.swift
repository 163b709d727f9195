/// A JSON value that keeps what doubles would lose: numbers stay their literal text.
///
/// For control files, error envelopes and the few columns that hold whole objects; never for rows on
/// the hot path. Members keep the order of the text; of a repeated key the last one counts.
package indirect enum JSONValue: Sendable, Equatable {
    case null
    case bool(Bool)
    /// The number's literal text, valid by RFC 8259.
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    package struct Member: Sendable, Equatable {
        package var key: String
        package var value: JSONValue
        package init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    package static func integer(_ value: some BinaryInteger) -> JSONValue { .number(String(value)) }
    package static func strings(_ values: [String]) -> JSONValue { .array(values.map { .string($0) }) }
    /// `nil` becomes `null`.
    package static func optional(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }

    package subscript(_ key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.key == key }?.value
    }

    package var text: String? { if case .string(let text) = self { text } else { nil } }
    package var isNull: Bool { self == .null }
    package var boolean: Bool? { if case .bool(let value) = self { value } else { nil } }
    package var integer: Int? { if case .number(let text) = self { Int(text) } else { nil } }
    package var elements: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }
    /// The value that keys lead to, from this one inwards.
    package func member(_ path: [String]) -> JSONValue? { path.reduce(Optional(self)) { value, key in value?[key] } }

    /// The same object with another value where keys lead to; what stands in their way or is missing becomes an object.
    package func setting(_ path: [String], _ value: JSONValue) -> JSONValue {
        guard let key = path.first else { return value }
        var members = self.members ?? []
        let place = members.firstIndex { $0.key == key }
        let inner = place.map { members[$0].value } ?? .object([])
        let set = inner.setting(Array(path.dropFirst()), value)
        if let place { members[place].value = set } else { members.append(.init(key, set)) }
        return .object(members)
    }

    package var members: [Member]? { if case .object(let members) = self { members } else { nil } }
}

extension JSONValue: ExpressibleByDictionaryLiteral, ExpressibleByStringLiteral, ExpressibleByArrayLiteral,
    ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral, ExpressibleByNilLiteral
{
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(elements.map { Member($0.0, $0.1) })
    }
    package init(stringLiteral value: String) { self = .string(value) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(integerLiteral value: Int) { self = .number(String(value)) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(nilLiteral: ()) { self = .null }
}
