package import Model

/// A stream's columns as a Table Schema 2.0 (`schemas/<stream>.json`), true for its files as they are stored.
///
/// `columns` are those of the file: a column that is written as a token or a mask is a `string` there, whatever it was
/// in the API, and one that has a null in any row is `nullable`, whatever the API promises. Decimals are numbers that stand in JSON strings, which readers of Table Schema accept.
package struct TableSchema: Sendable {
    package var columns: [Column]
    package var primaryKey: [String]
    package var format: RowFormat

    package init(columns: [Column], primaryKey: [String], format: RowFormat) {
        self.columns = columns
        self.primaryKey = primaryKey
        self.format = format
    }

    package var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("$schema", "https://datapackage.org/profiles/2.0/tableschema.json"),
            .init("fields", .array(columns.map(field))),
            // In JSON only null is missing, an empty text is a text. CSV's bare empty cell is null; readers of Table
            // Schema don't see the quotes that make `""` an empty text.
            .init("missingValues", format == .ndjson ? [] : [""]),
        ]
        if !primaryKey.isEmpty {
            // Null is a value in our keys (an ungrouped dimension), but not in Table Schema's primary keys.
            let nullable = columns.contains { $0.nullable && primaryKey.contains($0.name) }
            members.append(
                nullable
                    ? .init("uniqueKeys", .array([.strings(primaryKey)])) : .init("primaryKey", .strings(primaryKey))
            )
        }
        return .object(members)
    }

    private func field(_ column: Column) -> JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(column.name)), .init("type", .string(type(column.kind))),
        ]
        if !column.description.isEmpty { members.append(.init("description", .string(column.description))) }
        // A quoted empty cell would count as missing in CSV.
        let canBeRequired = format == .ndjson || column.kind != .string
        if !column.nullable, canBeRequired { members.append(.init("constraints", ["required": true])) }
        return .object(members)
    }

    private func type(_ kind: Column.Kind) -> String {
        switch kind {
        case .integer: "integer"
        case .decimal: "number"
        case .timestamp: "datetime"
        case .string: "string"
        case .boolean: "boolean"
        case .json: "any"
        }
    }
}
