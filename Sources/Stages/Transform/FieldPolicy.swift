package import Model
package import Sealing

/// What is done to the values of one column before they are written.
package enum FieldPolicy {
    case keep
    /// Replaced by its first and last four characters, or by `…` when that would show most of it.
    case mask
    /// Written as null.
    case drop
    case seal(TokenSealer)

    /// The value behind `mask`.
    package static func masked(_ text: [UInt8]) -> [UInt8] {
        let characters = Array(String(decoding: text, as: UTF8.self))
        guard characters.count >= 16 else { return Array("…".utf8) }
        return Array((String(characters.prefix(4)) + "…" + String(characters.suffix(4))).utf8)
    }
}

/// The rules of one pipeline, applied to the columns of its streams.
package struct FieldRules: Sendable {
    package enum Mode: String, Sendable { case deterministic, randomized, pseudonym }
    package enum UnknownFields: String, Sendable { case numbers, keep, drop, fail }
    package enum NewValues: String, Sendable { case keep, drop, fail }
    package enum MissingFields: String, Sendable { case keep, drop, fail }
    package enum Rule: String, Sendable { case mask, drop }

    package var rules: [String: Rule] = [:]
    package var unknownFields = UnknownFields.numbers
    /// For texts that are not among a column's listed values.
    package var newValues = NewValues.keep
    /// For columns that are never null by the schema.
    package var missingFields = MissingFields.keep
    /// As written in the pipeline file: `email`, `costs.line_item`, `domain:user`.
    package var sealedFields: [String] = []
    package var mode = Mode.deterministic
    package var key: DataKey?
    /// The organization, or the pipeline's name.
    package var tenant = ""
    /// Masks secret-looking text inside a value; `nil` when there is none.
    package var maskSecrets: @Sendable ([UInt8]) -> [UInt8]?

    package init(maskSecrets: @escaping @Sendable ([UInt8]) -> [UInt8]?) { self.maskSecrets = maskSecrets }

    /// The domain that a column's tokens are bound to.
    package static func domain(stream: String, column: Column) -> String { column.domain ?? "\(stream).\(column.name)" }

    package func isSealed(stream: String, column: Column) -> Bool {
        isSealed(stream: stream, name: column.name, domain: column.domain)
    }

    private func isSealed(stream: String, name: String, domain: String?) -> Bool {
        sealedFields.contains { field in
            field == name || field == "\(stream).\(name)" || domain.map { field == "domain:\($0)" } ?? false
        }
    }

    /// A value inside a `json` column: sealed by its domain, or by the name of its last key.
    package func isSealed(stream: String, inner: Column.Inner) -> Bool {
        isSealed(stream: stream, name: inner.path.last ?? "", domain: inner.domain)
    }

    package func policy(stream: String, column: Column) throws(SealingError) -> FieldPolicy {
        if let rule = rules["\(stream).\(column.name)"] ?? rules[column.name] { return rule == .mask ? .mask : .drop }
        guard isSealed(stream: stream, column: column), column.origin != .ours else { return .keep }
        return .seal(try sealer(domain: FieldRules.domain(stream: stream, column: column)))
    }

    func rule(stream: String, inner: Column.Inner) -> Rule? {
        guard let name = inner.path.last else { return nil }
        return rules["\(stream).\(name)"] ?? rules[name]
    }

    func sealer(domain: String) throws(SealingError) -> TokenSealer {
        guard let key else { preconditionFailure("fields are to be sealed and no key was given") }
        let algorithm: FieldToken.Algorithm =
            switch mode {
            case .deterministic: .deterministic
            case .randomized: .randomized
            case .pseudonym: .pseudonym
            }
        return try TokenSealer(algorithm, key: key, tenant: tenant, domain: domain)
    }
}
