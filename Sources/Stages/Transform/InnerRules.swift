internal import Model
internal import Sealing

/// Care for values inside a `json` column: sealed, masked or dropped by where they stand, and searched for
/// secrets wherever they stand.
struct InnerRules {
    private enum Action {
        case drop
        case mask
        case seal(TokenSealer)
    }

    private let actions: [(path: [String], types: [String], action: Action)]
    private let maskSecrets: @Sendable ([UInt8]) -> [UInt8]?

    init(stream: String, column: Column, rules: FieldRules) throws(SealingError) {
        var actions: [(path: [String], types: [String], action: Action)] = []
        for inner in column.inner {
            if let rule = rules.rule(stream: stream, inner: inner) {
                actions.append((inner.path, inner.types, rule == .drop ? .drop : .mask))
            } else if rules.isSealed(stream: stream, inner: inner) {
                let domain = inner.domain ?? "\(stream).\(column.name).\(inner.path.joined(separator: "."))"
                actions.append((inner.path, inner.types, .seal(try rules.sealer(domain: domain))))
            } else if inner.sensitivity == .pem {
                // A private key or certificate body has no use in an archive of who did what.
                actions.append((inner.path, inner.types, .drop))
            }
        }
        self.actions = actions
        maskSecrets = rules.maskSecrets
    }

    /// - Parameter type: the row's own `type`, which decides what the keys of its payload mean; `nil` where rows have none.
    func applied(to value: JSONValue, type: String? = nil) -> JSONValue {
        let valid = actions.filter { $0.types.isEmpty || (type.map($0.types.contains) ?? true) }
        return walk(value, valid.map { ($0.path[...], $0.action) })
    }

    private func walk(_ value: JSONValue, _ pending: [(path: ArraySlice<String>, action: Action)]) -> JSONValue {
        for (path, action) in pending where path.isEmpty {
            switch (action, value) {
            case (_, .null): return .null
            case (.drop, _): return .null
            case (.mask, .string(let text)):
                return .string(String(decoding: FieldPolicy.masked(Array(text.utf8)), as: UTF8.self))
            case (.mask, _): return "…"
            case (.seal(let sealer), .string(let text)):
                let bytes = Array(text.utf8)
                return sealed(sealer, .string, maskSecrets(bytes) ?? bytes)
            case (.seal(let sealer), _): return sealed(sealer, .json, value.canonical)
            }
        }
        switch value {
        case .string(let text):
            guard let masked = maskSecrets(Array(text.utf8)) else { return value }
            return .string(String(decoding: masked, as: UTF8.self))
        case .array(let elements):
            let deeper = pending.filter { $0.path.first == "[]" }.map { ($0.path.dropFirst(), $0.action) }
            return .array(elements.map { walk($0, deeper) })
        case .object(let members):
            return .object(
                members.map { member in
                    let deeper = pending.filter { $0.path.first == member.key || $0.path.first == "*" }
                    // Names are people's words too, in maps.
                    let name = maskSecrets(Array(member.key.utf8)).map { String(decoding: $0, as: UTF8.self) }
                    return JSONValue.Member(
                        name ?? member.key,
                        walk(member.value, deeper.map { ($0.path.dropFirst(), $0.action) })
                    )
                }
            )
        default: return value
        }
    }

    /// A value that can't be sealed is dropped: better a hole than the clear text.
    private func sealed(_ sealer: TokenSealer, _ kind: FieldToken.Kind, _ bytes: [UInt8]) -> JSONValue {
        guard let token = try? sealer.seal(kind, bytes) else { return .null }
        return .string(token)
    }
}
