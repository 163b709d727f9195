import Model

/// JSON Schemas (draft 2020-12) for editors: completion, hover texts and red lines while typing.
///
/// They know the shapes; ``PipelineReader`` and ``ConnectorReader`` know the rest and stay the judges.
package enum JSONSchemas {
    static let draft: JSONValue = "https://json-schema.org/draft/2020-12/schema"

    // MARK: Building blocks

    /// A mapping with these members and no others. Nothing written counts as an empty one.
    static func object(_ members: [(String, JSONValue)], required: [String] = [], about: String? = nil) -> JSONValue {
        var made: [JSONValue.Member] = [.init("type", required.isEmpty ? ["object", "null"] : "object")]
        if let about { made.append(.init("description", .string(about))) }
        made.append(.init("properties", .object(members.map { .init($0.0, $0.1) })))
        if !required.isEmpty { made.append(.init("required", .strings(required))) }
        made.append(.init("additionalProperties", false))
        return .object(made)
    }

    static func described(_ schema: JSONValue, _ about: String) -> JSONValue {
        guard case .object(let members) = schema, !about.isEmpty else { return schema }
        return .object([.init("description", .string(about))] + members)
    }

    static func list(of items: JSONValue) -> JSONValue { ["type": "array", "items": items] }
    static func words(_ values: [String]) -> JSONValue { ["enum": .strings(values)] }
    static func words<Word: CaseIterable & RawRepresentable>(_: Word.Type) -> JSONValue where Word.RawValue == String {
        words(Word.allCases.map(\.rawValue))
    }

    static let text: JSONValue = ["type": "string", "minLength": 1]
    static let flag: JSONValue = ["type": "boolean"]
    static func whole(_ minimum: Int, _ maximum: Int? = nil) -> JSONValue {
        maximum.map { ["type": "integer", "minimum": .integer(minimum), "maximum": .integer($0)] }
            ?? ["type": "integer", "minimum": .integer(minimum)]
    }

    static let span: JSONValue = ["type": "string", "pattern": "^[0-9]+[smhdw]$"]
    static let size: JSONValue = ["type": ["string", "integer"], "pattern": "^[0-9.]+ ?[A-Za-z]*$"]
    static let instant: JSONValue = [
        "type": ["string", "integer"], "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ].*)?$|^[0-9]{1,12}$",
    ]

    /// The same, or a variable in its place.
    static func orVariable(_ schema: JSONValue) -> JSONValue {
        ["anyOf": [schema, ["type": "string", "pattern": "\\$\\{[^}]+\\}"]]]
    }
}
