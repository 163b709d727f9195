package import Model

/// Structured events: every text of a JSON value is cleaned on its own, so that the result stays JSON of the same shape.
///
/// The one door for whatever leaves the process as JSON: results, run files, logs, metrics' labels, webhook bodies. What stands
/// under a name that only secrets have is hidden whole, whatever it looks like.
extension Sanitizer {
    package func clean(_ json: JSONValue) -> JSONValue {
        switch json {
        case .string(let text): .string(clean(text, keepsLines: true))
        case .array(let elements): .array(elements.map { clean($0) })
        case .object(let members): .object(members.map(member))
        case .null, .bool, .number: json
        }
    }

    /// One event as one line: cleaned, canonical, with its line feed. Nothing in it can begin another line.
    package func line(_ json: JSONValue) -> [UInt8] { clean(json).canonical + [10] }

    private func member(_ member: JSONValue.Member) -> JSONValue.Member {
        let name = clean(member.key)
        guard Sanitizer.isSecretName(member.key), case .string(let text) = member.value, !text.isEmpty else {
            return JSONValue.Member(name, clean(member.value))
        }
        let cleaned = clean(text, keepsLines: true)
        // What is a mask or a name in brackets already says enough.
        let isMasked = cleaned.contains("…") || cleaned.hasPrefix("[") || cleaned.contains("***")
        return JSONValue.Member(name, .string(isMasked ? cleaned : "…"))
    }

    private static let secretNames: Set<String> = [
        "password", "passwd", "secret", "clientsecret", "apikey", "accesstoken", "refreshtoken", "idtoken",
        "authorization",
        "proxyauthorization", "cookie", "setcookie", "privatekey", "secretaccesskey", "sessiontoken", "webhooksecret",
    ]

    /// `api_key`, `apiKey`, `API-Key`: the same name.
    static func isSecretName(_ name: String) -> Bool {
        guard name.utf8.count <= 32 else { return false }
        return secretNames.contains(String(name.lowercased().filter { $0 != "_" && $0 != "-" && $0 != " " }))
    }
}
