package import Model

/// Tells where a connector's streams and an API's own description differ.
///
/// The document is the API's word, not the truth: live services send what no document lists. A difference is a reason to
/// look, in either direction.
package struct SchemaComparison {
    package struct Difference: Sendable, Equatable {
        package enum Kind: String, Sendable {
            case missingPath = "missing_path"
            case newPath = "new_path"
            case noSchema = "no_schema"
            case missingField = "missing_field"
            case newField = "new_field"
            case type
            case optional
            case newValue = "new_value"
            case missingValue = "missing_value"
        }

        package var kind: Kind
        /// Empty for a path that no stream reads.
        package var stream: String
        /// A path of the API, or a field from the row inwards.
        package var place: String
        package var detail: String

        package var json: JSONValue {
            [
                "kind": .string(kind.rawValue), "stream": stream.isEmpty ? .null : .string(stream),
                "place": .string(place), "detail": .string(detail),
            ]
        }
    }

    private let connector: Connector
    private let document: OpenAPIDocument
    private var found: [Difference] = []

    private init(_ connector: Connector, _ document: OpenAPIDocument) {
        self.connector = connector
        self.document = document
    }

    /// In the connector's order; paths that no stream reads come last.
    package static func differences(_ connector: Connector, _ document: OpenAPIDocument) -> [Difference] {
        var comparison = SchemaComparison(connector, document)
        for stream in connector.streams { comparison.compare(stream) }
        comparison.findNewPaths()
        return comparison.found
    }

    private mutating func note(_ kind: Difference.Kind, _ stream: StreamSpec, _ place: String, _ detail: String) {
        found.append(Difference(kind: kind, stream: stream.name, place: place, detail: detail))
    }

    private mutating func compare(_ stream: StreamSpec) {
        guard let schema = document.reply(to: stream.path) else {
            return note(.missingPath, stream, stream.path, "the document has no GET for it")
        }
        guard !schema.isNull else {
            return note(.noSchema, stream, stream.path, "the document does not say what a reply looks like")
        }
        var level = OpenAPISchema(document, [schema])
        var bucket: OpenAPISchema?
        for name in stream.rows.members {
            guard let items = level.member(name)?.items else {
                return note(.missingField, stream, name, "the rows' array is not in the document")
            }
            // Of two arrays on the way, the first one's elements are the buckets.
            if stream.rows.members.count > 1, bucket == nil { bucket = items }
            level = items
        }
        var known: [[String]] = stream.ignoredFields + stream.parents.map { [$0.parameter] }
        for column in stream.columns {
            switch column.origin {
            case .row:
                known += [column.path] + column.alternatives
                // An event's payload stands under the name of its type: any of the row's members.
                if column.path != ["{type}"] { compare(column, level, stream) }
            case .bucket: if let bucket { compare(column, bucket, stream) }
            case .parameter, .ours: break
            }
        }
        guard !stream.columns.contains(where: { $0.path == ["{type}"] }) else { return }
        findNewFields(level, known, [], stream)
    }

    private mutating func compare(_ column: Column, _ row: OpenAPISchema, _ stream: StreamSpec) {
        let place = column.path.joined(separator: ".")
        var schema = row
        var mayBeAbsent = false
        for key in column.path {
            guard let next = schema.member(key) else {
                // An object without described members may hold anything.
                if schema.members.isEmpty, schema.types.contains("object") { return }
                if column.alternatives.contains(where: { has(row, $0) }) { return }
                return note(.missingField, stream, place, "is a column, and the document does not have it")
            }
            mayBeAbsent = mayBeAbsent || !schema.requires(key) || next.mayBeNull
            schema = next
        }
        let allowed = SchemaComparison.types(column.kind)
        if !schema.types.isEmpty, let allowed, schema.types.isDisjoint(with: allowed) {
            let types = schema.types.sorted().joined(separator: ", ")
            note(.type, stream, place, "is \(column.kind.rawValue) here and \(types) in the document")
        }
        if mayBeAbsent, !column.nullable {
            note(.optional, stream, place, "is never null here and optional in the document")
        }
        guard !column.values.isEmpty, !schema.values.isEmpty, schema.isClosed else { return }
        for value in schema.values where !column.values.contains(value) {
            note(.newValue, stream, place, "has the value \(value) in the document, which is not listed here")
        }
        for value in column.values where !schema.values.contains(value) {
            note(.missingValue, stream, place, "lists the value \(value), which is not in the document")
        }
    }

    private func has(_ row: OpenAPISchema, _ path: [String]) -> Bool {
        var schema = row
        for key in path {
            guard let next = schema.member(key) else { return false }
            schema = next
        }
        return true
    }

    /// JSON types that a column can be read from; `nil`: any.
    private static func types(_ kind: Column.Kind) -> Set<String>? {
        switch kind {
        case .integer: ["integer", "number"]
        case .decimal: ["integer", "number", "string"]
        case .timestamp: ["integer", "number", "string"]
        case .string: ["string"]
        case .boolean: ["boolean"]
        case .json: nil
        }
    }

    private mutating func findNewFields(
        _ schema: OpenAPISchema,
        _ known: [[String]],
        _ before: [String],
        _ stream: StreamSpec
    ) {
        for name in schema.members {
            let path = before + [name]
            if known.contains(where: { path.starts(with: $0) && !$0.isEmpty }) { continue }
            if known.contains(where: { $0.starts(with: path) }) {
                if let inner = schema.member(name), path.count < 10 { findNewFields(inner, known, path, stream) }
                continue
            }
            let types = schema.member(name)?.types.sorted().joined(separator: ", ") ?? ""
            let detail = "is in the document\(types.isEmpty ? "" : " (\(types))") and has no column"
            note(.newField, stream, path.joined(separator: "."), detail)
        }
    }

    /// Readable lists below the connector's first path components that no stream reads.
    private mutating func findNewPaths() {
        let known = Set(connector.streams.map { OpenAPIDocument.plain($0.path) })
        let heads = Set(known.compactMap { $0.split(separator: "/").first })
        for path in document.readablePaths where !known.contains(path) {
            let parts = path.split(separator: "/")
            // One item is in its list already.
            guard let head = parts.first, heads.contains(head), parts.last != "{}" else { continue }
            let detail = "can be read, and no stream does"
            found.append(Difference(kind: .newPath, stream: "", place: path, detail: detail))
        }
    }
}
