package import Model

/// Looks whether the values inside of a `json` column that were to be sealed, masked or dropped are so. The inverse of ``InnerRules``,
/// on finished text, so that it trusts nothing that was done before.
package struct InnerLook: Sendable {
    private let places: [(path: [String], types: [String], protection: Protection)]

    /// How a protected value has to look; null is always well.
    package enum Protection: Sendable {
        case sealed, masked, dropped

        package func isMet(by value: JSONValue) -> Bool {
            switch (self, value) {
            case (_, .null): true
            case (.sealed, .string(let text)): text.hasPrefix("ef1.")
            case (.masked, .string(let text)): text.contains("…")
            default: false
            }
        }
    }

    /// What a row's own `type` says of the meaning of its payload's keys.
    package enum RowType: Sendable, Equatable {
        /// Rules for some types hold too.
        case none
        case known(String)
        /// Protected itself: rules for some types can't be looked at.
        case hidden
    }

    /// `nil` when nothing inside of the column is protected.
    package init?(stream: String, column: Column, rules: FieldRules) {
        places = column.inner.compactMap { inner in
            if let rule = rules.rule(stream: stream, inner: inner) {
                return (inner.path, inner.types, rule == .mask ? .masked : .dropped)
            }
            if rules.isSealed(stream: stream, inner: inner) { return (inner.path, inner.types, .sealed) }
            return inner.sensitivity == .pem ? (inner.path, inner.types, .dropped) : nil
        }
        if places.isEmpty { return nil }
    }

    /// The path of the first value that shows what it should not.
    package func bare(_ value: JSONValue, type: RowType) -> String? {
        let valid = places.filter { place in
            switch type {
            case .none: true
            case .known(let name): place.types.isEmpty || place.types.contains(name)
            case .hidden: place.types.isEmpty
            }
        }
        return bare(value, valid.map { ($0.path[...], $0.protection) })?.joined(separator: ".")
    }

    private func bare(_ value: JSONValue, _ pending: [(path: ArraySlice<String>, protection: Protection)]) -> [String]?
    {
        if let (_, protection) = pending.first(where: \.path.isEmpty) { return protection.isMet(by: value) ? nil : [] }
        guard !pending.isEmpty else { return nil }
        func below(_ name: String, _ value: JSONValue, _ matches: (String) -> Bool) -> [String]? {
            let deeper = pending.filter { $0.path.first.map(matches) ?? false }.map {
                ($0.path.dropFirst(), $0.protection)
            }
            return bare(value, deeper).map { [name] + $0 }
        }
        switch value {
        case .array(let elements): return elements.lazy.compactMap { below("[]", $0) { $0 == "[]" } }.first
        case .object(let members):
            // The name of a map's key may be a person's word: the place says `*`.
            for member in members {
                if let found = below(member.key, member.value, { $0 == member.key }) { return found }
                if let found = below("*", member.value, { $0 == "*" }) { return found }
            }
            return nil
        default: return nil
        }
    }
}
