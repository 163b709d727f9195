/// Tells text that looks like a credential, so that none is kept in a file and none is repeated in a message.
///
/// Deliberately coarse: a pipeline file holds names, paths and dates, and nothing of those has one of these
/// shapes. Shape source: the vendors' published prefixes.
package enum SecretShapes {
    package struct Match: Sendable, Equatable {
        /// Offsets in Unicode scalars.
        package var range: Range<Int>
        /// `an OpenAI or similar API key`
        package var kind: String
    }

    private static let prefixes: [(text: String, tail: Int, kind: String)] = [
        ("github_pat_", 20, "a GitHub token"), ("whsec_", 16, "a webhook secret"), ("whsk_", 16, "a webhook secret"),
        ("sk_live_", 16, "a payment key"), ("sk_test_", 16, "a payment key"), ("rk_live_", 16, "a payment key"),
        ("sk-", 16, "an API key"), ("sess-", 32, "a session key"), ("glpat-", 16, "a GitLab token"),
        ("ghp_", 20, "a GitHub token"), ("gho_", 20, "a GitHub token"), ("ghu_", 20, "a GitHub token"),
        ("ghs_", 20, "a GitHub token"), ("ghr_", 20, "a GitHub token"), ("xoxb-", 10, "a Slack token"),
        ("xoxp-", 10, "a Slack token"), ("xoxa-", 10, "a Slack token"), ("xapp-", 10, "a Slack token"),
        ("hf_", 30, "a Hugging Face token"), ("npm_", 30, "an npm token"), ("pypi-", 30, "a PyPI token"),
        ("gsk_", 20, "an API key"), ("xai-", 20, "an API key"), ("AIza", 30, "a Google API key"),
        ("AKIA", 16, "an AWS key"), ("ASIA", 16, "an AWS key"), ("age-secret-key-1", 30, "an age key"),
        ("AGE-SECRET-KEY-1", 30, "an age key"), ("GOCSPX-", 16, "a Google secret"),
    ]

    /// What looks like a secret in one line or value, from left to right, without overlaps.
    package static func matches(in text: String) -> [Match] {
        let bytes = Array(text.utf8)
        // Nearly every line of every file holds nothing that a secret begins with.
        guard bytes.count >= 12, mayHold(bytes) else { return [] }
        let scalars = Array(text.unicodeScalars)
        var found: [Match] = []
        var at = 0
        while at < scalars.count {
            if let match = match(in: scalars, at: at) {
                found.append(match)
                at = match.range.upperBound
            } else {
                at += 1
            }
        }
        return found
    }

    /// What secrets begin with, by first byte; and which two bytes that may be, since half of all letters begin one.
    private static let beginnings: (mayBegin: [Bool], all: [[[UInt8]]]) = {
        var all = [[[UInt8]]](repeating: [], count: 256)
        var mayBegin = [Bool](repeating: false, count: 64 * 64)
        for text in prefixes.map(\.text) + ["eyJ", "-----BEGIN ", "://"] {
            let bytes = Array(text.utf8)
            all[Int(bytes[0])].append(bytes)
            mayBegin[pair(bytes[0], bytes[1])] = true
        }
        return (mayBegin, all)
    }()

    /// Two bytes as an index, by their low bits.
    private static func pair(_ first: UInt8, _ second: UInt8) -> Int { Int(first & 63) << 6 | Int(second & 63) }

    private static func mayHold(_ bytes: [UInt8]) -> Bool { nextBeginning(in: bytes.span, from: 0) != nil }

    /// Where something stands that secrets begin with.
    private static func nextBeginning(in bytes: Span<UInt8>, from start: Int) -> Int? {
        let table = beginnings
        let mayBegin = table.mayBegin.span
        for at in start..<max(start, bytes.count - 1) where mayBegin[pair(bytes[at], bytes[at + 1])] {
            let begins = table.all[Int(bytes[at])].contains { beginning in
                at + beginning.count <= bytes.count
                    && beginning.indices.allSatisfy { bytes[at + $0] == beginning[$0] }
            }
            if begins { return at }
        }
        return nil
    }

    /// The numbers of the lines that may hold a secret: in all others ``matches(in:)`` finds nothing, nor in parts of them.
    static func suspects(in source: SourceLines) -> [Int] {
        var numbers: [Int] = []
        var line = 0
        var from = 0
        while let at = nextBeginning(in: source.bytes.span, from: from) {
            while source.ranges[line].upperBound <= at { line += 1 }
            numbers.append(line + 1)
            from = source.ranges[line].upperBound
        }
        return numbers
    }

    package static func isSecret(_ text: String) -> Bool { !matches(in: text).isEmpty }

    /// Stars where a secret stands; as long as before, so that columns stay right.
    package static func starred(_ text: String) -> String {
        let found = matches(in: text)
        guard !found.isEmpty else { return text }
        var scalars = Array(text.unicodeScalars)
        for match in found { for index in match.range { scalars[index] = "*" } }
        return String(String.UnicodeScalarView(scalars))
    }

    private static func match(in scalars: [Unicode.Scalar], at start: Int) -> Match? {
        switch scalars[start] {
        case "e": jwt(in: scalars, at: start)
        case "-": privateKey(in: scalars, at: start)
        case ":": password(in: scalars, at: start)
        case "s", "g", "w", "x", "h", "n", "p", "A", "a", "G": key(in: scalars, at: start)
        default: nil
        }
    }

    private static func isToken(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case "a"..."z", "A"..."Z", "0"..."9", "_", "-": true
        default: false
        }
    }

    private static func begins(_ scalars: [Unicode.Scalar], at start: Int, with text: String) -> Bool {
        let wanted = text.unicodeScalars
        guard start + wanted.count <= scalars.count else { return false }
        return scalars[start..<start + wanted.count].elementsEqual(wanted)
    }

    private static func endOfRun(_ scalars: [Unicode.Scalar], from start: Int) -> Int {
        scalars[start...].firstIndex { !isToken($0) } ?? scalars.count
    }

    private static func key(in scalars: [Unicode.Scalar], at start: Int) -> Match? {
        guard start == 0 || !isToken(scalars[start - 1]) else { return nil }
        for prefix in prefixes where begins(scalars, at: start, with: prefix.text) {
            let end = endOfRun(scalars, from: start)
            if end - start >= prefix.text.unicodeScalars.count + prefix.tail {
                return Match(range: start..<end, kind: prefix.kind)
            }
        }
        return nil
    }

    private static func jwt(in scalars: [Unicode.Scalar], at start: Int) -> Match? {
        guard begins(scalars, at: start, with: "eyJ"), start == 0 || !isToken(scalars[start - 1]) else { return nil }
        let first = endOfRun(scalars, from: start)
        guard first < scalars.count, scalars[first] == "." else { return nil }
        let second = endOfRun(scalars, from: first + 1)
        guard second < scalars.count, scalars[second] == ".", second - first > 8 else { return nil }
        return Match(range: start..<endOfRun(scalars, from: second + 1), kind: "a signed token")
    }

    private static func privateKey(in scalars: [Unicode.Scalar], at start: Int) -> Match? {
        guard begins(scalars, at: start, with: "-----BEGIN ") else { return nil }
        let line = String(String.UnicodeScalarView(scalars[start...].prefix(60)))
        return line.contains("PRIVATE KEY") ? Match(range: start..<scalars.count, kind: "a private key") : nil
    }

    /// `https://user:password@host`
    private static func password(in scalars: [Unicode.Scalar], at start: Int) -> Match? {
        guard begins(scalars, at: start, with: "://") else { return nil }
        let authority = scalars[(start + 3)...].prefix {
            $0 != "/" && $0 != " " && $0 != "\"" && $0 != "'" && $0 != "?"
        }
        guard let at = authority.lastIndex(of: "@"), let colon = authority.firstIndex(of: ":"), colon < at,
            at > colon + 1,
            !begins(scalars, at: colon + 1, with: "${")
        else { return nil }
        return Match(range: start + 3..<at, kind: "a password in a URL")
    }
}
