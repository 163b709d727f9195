import Model

/// One schema of an OpenAPI document with its alternatives taken together: what a value there may look like.
struct OpenAPISchema {
    let document: OpenAPIDocument
    /// The schema itself and everything that `allOf`, `oneOf` and `anyOf` name, references followed.
    private let variants: [JSONValue]

    init(_ document: OpenAPIDocument, _ schemas: [JSONValue]) {
        self.document = document
        var all: [JSONValue] = []
        for schema in schemas { OpenAPISchema.collect(document, schema, into: &all, depth: 0) }
        variants = all
    }

    private static func collect(
        _ document: OpenAPIDocument,
        _ schema: JSONValue,
        into all: inout [JSONValue],
        depth: Int
    ) {
        guard depth < 20, all.count < 2_000 else { return }
        let schema = document.resolved(schema)
        all.append(schema)
        for word in ["allOf", "oneOf", "anyOf"] {
            for inner in schema[word]?.elements ?? [] { collect(document, inner, into: &all, depth: depth + 1) }
        }
    }

    /// Names of members in the order in which they are first described.
    var members: [String] {
        var seen: Set<String> = []
        return variants.flatMap { $0["properties"]?.members ?? [] }.map(\.key).filter { seen.insert($0).inserted }
    }

    func member(_ name: String) -> OpenAPISchema? {
        let found = variants.compactMap { $0["properties"]?[name] }
        return found.isEmpty ? nil : OpenAPISchema(document, found)
    }

    /// What the elements of an array look like.
    var items: OpenAPISchema? {
        let found = variants.compactMap { $0["items"] }
        return found.isEmpty ? nil : OpenAPISchema(document, found)
    }

    /// `integer`, `string`, …, without `null`; empty: the document does not say.
    var types: Set<String> {
        var types: Set<String> = []
        for variant in variants {
            if let type = variant["type"]?.text { types.insert(type) }
            for type in variant["type"]?.elements ?? [] { if let type = type.text { types.insert(type) } }
        }
        return types.subtracting(["null"])
    }

    var mayBeNull: Bool {
        variants.contains { variant in
            variant["nullable"]?.boolean == true || variant["type"]?.text == "null"
                || variant["type"]?.elements?.contains { $0.text == "null" || $0.isNull } == true
        }
    }

    /// Whether a member is always there. With alternatives it must be required by all that have it.
    func requires(_ name: String) -> Bool {
        let holders = variants.filter { $0["properties"]?[name] != nil }
        let naming = variants.filter { $0["required"]?.elements?.contains { $0.text == name } == true }
        return !naming.isEmpty
            && holders.allSatisfy { holder in
                holder["required"]?.elements?.contains { $0.text == name } == true
                    || naming.contains { $0["properties"] == nil }
            }
    }

    /// The texts that are listed; empty: any.
    var values: [String] {
        var seen: Set<String> = []
        return variants.flatMap { ($0["enum"]?.elements ?? []) + [$0["const"]].compactMap(\.self) }.compactMap(\.text)
            .filter { seen.insert($0).inserted }
    }

    /// Whether every alternative lists its texts: one that is any string makes the list mean nothing.
    var isClosed: Bool {
        let texts = variants.filter { $0["type"]?.text == "string" }
        return texts.allSatisfy { $0["enum"] != nil || $0["const"] != nil }
    }
}
