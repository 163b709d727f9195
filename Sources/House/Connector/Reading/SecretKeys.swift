/// Tells from a key whether what stands behind it may be a secret that no excerpt may show.
enum SecretKeys {
    /// The keys that take a reference to a secret, however they are cased. Behind them a literal is a mistake wherever they stand.
    static func take(_ key: String) -> Bool { ["credential", "webhook_secret"].contains(key.lowercased()) }

    /// Whether a key that nobody reads was meant to hold a secret: by its words, or as a misspelling of one that does.
    static func tell(_ key: String, nearest: String? = nil) -> Bool {
        let key = key.lowercased()
        return words.contains { key.contains($0) } || nearest.map(take) == true
    }

    private static let words = ["credential", "secret", "token", "key", "pass", "pwd", "auth", "bearer"]

    /// `${NAME}` and `${file:/path}` say where a secret is, and are what should stand there. With a default
    /// the secret itself may be in it.
    static func isReference(_ text: String) -> Bool {
        guard text.hasPrefix("${"), text.hasSuffix("}") else { return false }
        let inside = text.dropFirst(2).dropLast()
        if inside.hasPrefix("file:") { return !inside.contains("}") }
        return inside.allSatisfy { $0 == "_" || $0.isASCII && ($0.isLetter || $0.isNumber) }
    }
}
