import TestKit

extension Seeded {
    mutating func text(_ letters: String, _ count: Int) -> String {
        let letters = Array(letters)
        return String((0..<count).map { _ in letters[Int(next() % UInt64(letters.count))] })
    }
}

/// Made-up secrets. Prefixes and bodies stand apart, so that no scanner takes this file for a leak.
enum Samples {
    static let digits = "0123456789"
    static let upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    static let lower = "abcdefghijklmnopqrstuvwxyz"
    static let alphanumeric = digits + upper + lower
    static let key = alphanumeric + "-_"
    static let base64 = alphanumeric + "+/"

    struct Class: Sendable, CustomStringConvertible {
        var description: String
        /// The secret as a whole, and the part of it that must not be seen.
        var make: @Sendable (inout Seeded) -> (whole: String, secret: String)

        init(_ name: String, _ make: @escaping @Sendable (inout Seeded) -> (whole: String, secret: String)) {
            description = name
            self.make = make
        }

        init(_ name: String, _ prefix: String, _ letters: String, _ count: Int) {
            self.init(name) { seed in
                let body = seed.text(letters, count - 2) + (letters.contains("x") ? "7x" : "7X")
                return (prefix + body, String(body.prefix(count - 5).dropFirst(4)))
            }
        }
    }

    static let classes = [
        Class("openai admin", "sk-" + "admin-", alphanumeric, 58),
        Class("openai legacy") { seed in
            let head = seed.text(alphanumeric, 20)
            let tail = seed.text(alphanumeric, 20)
            return ("sk-" + head + "T3Blbk" + "FJ" + tail, String(tail.dropLast(4)))
        },
        Class("sk generic", "sk-", Samples.lower + Samples.digits, 32),
        Class("anthropic", "sk-" + "ant-api03-", key, 93),
        Class("aws key id", "AK" + "IA", upper + digits, 16),
        Class("github", "gh" + "p_", alphanumeric, 36),
        Class("slack", "xo" + "xb-", digits + "-" + Samples.lower, 50),
        Class("google", "AI" + "za", key, 35),
        Class("huggingface", "h" + "f_", upper + lower, 34),
        Class("webhook", "wh" + "sec_", base64, 43),
        Class("jwt") { seed in
            let signature = seed.text(key, 42) + "x"
            let head = "ey" + "JhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
            return (
                head + ".ey" + "JzdWIiOiI" + seed.text(alphanumeric, 30) + "." + signature, String(signature.prefix(30))
            )
        },
        Class("pem") { seed in
            let body = seed.text(base64, 64)
            let kind = "PRIVATE " + "KEY-----"
            return ("-----BEGIN \(kind)\n\(body)\n\(seed.text(base64, 40))\n-----END \(kind)", body)
        },
        Class("bearer") { seed in
            let token = seed.text(alphanumeric, 30) + "7x"
            return ("Bea" + "rer " + token, String(token.dropFirst(4).prefix(20)))
        },
    ]

    /// What may stand around a secret in a log or a value; each takes it and gives the whole text.
    static let wrappings: [(name: String, wrap: @Sendable (String) -> String)] = [
        ("bare", { $0 }),
        ("sentence", { "the key \($0) was refused" }),
        ("json", { "{\"key\":\"\(json($0))\",\"n\":1}" }),
        ("json in json", { "{\"body\":\"{\\\"key\\\":\\\"\(json(json($0)))\\\"}\"}" }),
        ("csv", { "1,\"\($0)\",2" }),
        ("escaped line feed", { "line\\n\($0)\\nline" }),
        ("unicode escape", { "line\\u000a\($0)\\u000a" }),
        ("angle brackets", { "<value>\($0)</value>" }),
        ("code quotes", { "`\($0)`" }),
        ("parentheses", { "error (\($0))" }),
        ("environment", { "KEY=\($0)\n" }),
        ("colour", { "\u{1B}[31m\($0)\u{1B}[0m" }),
        ("url", { "https://host.example/path?x=1&q=\($0)#end" }),
    ]

    static func json(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }

    static func percent(_ text: String) -> String {
        text.utf8.map { byte in
            let isPlain = alphanumeric.utf8.contains(byte) || "-._~".utf8.contains(byte)
            return isPlain
                ? String(UnicodeScalar(byte)) : "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
        }.joined()
    }
}
