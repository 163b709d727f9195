/// Secrets that only their surroundings give away: headers, query parameters, assignments. For logs and
/// errors, where hiding too much costs nothing.
enum LogSecrets {
    private static let authorization = Array("authorization".utf8)
    private static let cookie = Array("cookie".utf8)
    private static let schemes = ["basic", "bearer", "token", "apikey", "negotiate", "digest", "aws4-hmac-sha256"]
        .map { Array($0.utf8) }

    /// `authorization: <scheme> <credential>`, in a header, JSON or code; the scheme stays.
    static func findAuthorization(_ text: Span<UInt8>, at: Int, _ memory: inout ScanMemory) -> Finding? {
        guard stands(authorization, in: text, at: at, folding: true),
            var start = valueStart(text, after: at + authorization.count)
        else { return nil }
        var wholeLine = false
        for (index, scheme) in schemes.enumerated() where stands(scheme, in: text, at: start, folding: true) {
            var next = start + scheme.count
            let gap = next
            while next < text.count, text[next] == 0x20 { next += 1 }
            guard next > gap else { continue }
            start = next
            wholeLine = index >= schemes.count - 2
            break
        }
        return hidden(wholeLine ? .line : .plain, text, from: start, &memory)
    }

    /// `cookie: …` and `set-cookie: …`, to the end of the line or string.
    static func findCookie(_ text: Span<UInt8>, at: Int, _ memory: inout ScanMemory) -> Finding? {
        guard stands(cookie, in: text, at: at, folding: true), let start = valueStart(text, after: at + cookie.count)
        else { return nil }
        return hidden(.line, text, from: start, &memory)
    }

    private static let parameters: Set<[UInt8]> = Set(
        [
            "api_key", "apikey", "api-key", "key", "token", "access_token", "refresh_token", "id_token", "auth_token",
            "sig", "signature", "secret", "client_secret", "password", "passwd", "code", "auth", "x-amz-signature",
            "x-amz-credential", "x-amz-security-token", "x-goog-signature",
        ].map { Array($0.utf8) }
    )

    /// `?token=…` and `&token=…`; never `page`, `after` or `next_page`.
    static func findParameter(_ text: Span<UInt8>, at: Int, _ memory: inout ScanMemory) -> Finding? {
        let end = Letters.key.end(text, from: at + 1, most: 32)
        memory.steps += end - at
        guard end > at + 1, end < text.count, text[end] == 0x3D else { return nil }
        var name: [UInt8] = []
        for index in at + 1..<end {
            name.append(Letters.upper.contains(text[index]) ? text[index] | 0x20 : text[index])
        }
        guard parameters.contains(name) else { return nil }
        return hidden(.parameter, text, from: end + 1, &memory)
    }

    /// A keyword, how it may go on, and when the value is worth hiding.
    struct Keyword: Sendable {
        var words: [[UInt8]]
        var least: Int
        /// Whether any value will do; otherwise it has both letters and digits, as counts and words have not.
        var takesAll: Bool

        init(_ words: [String], least: Int, takesAll: Bool) {
            self.words = words.map { Array($0.utf8) }
            self.least = least
            self.takesAll = takesAll
        }

        static let all: [Rule: Keyword] = [
            .password: Keyword(["password", "passwd"], least: 6, takesAll: true),
            .secret: Keyword(["secret"], least: 12, takesAll: false),
            .token: Keyword(["token"], least: 12, takesAll: false),
            .apiKey: Keyword(["api_key", "api-key", "apikey", "api key"], least: 8, takesAll: true),
            .accessKey: Keyword(["access_key", "access-key", "accesskey"], least: 12, takesAll: false),
            .privateKey: Keyword(["private_key", "private-key", "privatekey"], least: 12, takesAll: false),
            .credential: Keyword(["credential"], least: 12, takesAll: false),
        ]
    }

    /// What a name may end with when it names no secret but something about one: `api_key_id`, `token_count`.
    private static let harmlessTails = ["id", "ids", "name", "count", "type", "limit", "limits", "url", "at", "by"]
        .map { Array($0.utf8) }

    /// `api_key = "…"`, `secret: …`, `TOKEN=>…`.
    static func findAssignment(_ keyword: Keyword, _ text: Span<UInt8>, at: Int, _ memory: inout ScanMemory) -> Finding?
    {
        for word in keyword.words where stands(word, in: text, at: at, folding: true) {
            let nameEnd = Letters.key.end(text, from: at + word.count, most: 40)
            memory.steps += nameEnd - at
            for tail in harmlessTails where nameEnd - tail.count >= at + word.count {
                if stands(tail, in: text, at: nameEnd - tail.count, folding: true) { return nil }
            }
            guard let start = valueStart(text, after: nameEnd), !isHidden(text, start) else { return nil }
            let value = memory.value(.plain, text, from: start)
            // `api_keys: unchanged` speaks of many and holds none; one of them would have digits in it.
            let isPlural = nameEnd > at + word.count && text[nameEnd - 1] | 0x20 == 0x73
            guard value.to - start >= keyword.least,
                value.isMixed(from: start) || keyword.takesAll && !isPlural && !isCode(text, start, value)
            else { return nil }
            return finding(value, from: start)
        }
        return nil
    }

    /// `Environment.Get(…)`, `$KEY`, `${KEY}`: where a secret comes from, not the secret.
    private static func isCode(_ text: Span<UInt8>, _ start: Int, _ value: Value) -> Bool {
        text[start] == 0x24 || text[start] == 0x7B || value.lastParenthesis >= start
    }

    /// Behind `:`, `=` or `=>` and the quotes and spaces around it, or `nil` when no value follows.
    private static func valueStart(_ text: Span<UInt8>, after name: Int) -> Int? {
        var index = name
        func skip(_ set: [UInt8]) {
            let limit = min(index + 6, text.count)
            while index < limit, set.contains(text[index]) { index += 1 }
        }
        skip([0x5C, 0x22, 0x27, 0x20])
        guard index < text.count, text[index] == 0x3A || text[index] == 0x3D else { return nil }
        index += 1
        if index < text.count, text[index] == 0x3E { index += 1 }
        skip([0x5C, 0x22, 0x27, 0x20, 0x5B])
        return index < text.count ? index : nil
    }

    private static func hidden(_ kind: Value.Kind, _ text: Span<UInt8>, from start: Int, _ memory: inout ScanMemory)
        -> Finding?
    {
        var start = start
        // Behind a backslash, these are escaped by it: no beginning of a value, and a walk from here would pair backslashes otherwise than one
        // that came by.
        while kind == .line, start < text.count, text[start - 1] == 0x5C, text[start] == 0x5C || text[start] == 0x22 {
            start += 1
        }
        guard !isHidden(text, start) else { return nil }
        return finding(memory.value(kind, text, from: start), from: start)
    }

    /// Whether what begins here says that it is hidden: a field token, `[NAME]`, `***`. Asked before it is walked over.
    private static func isHidden(_ text: Span<UInt8>, _ start: Int) -> Bool {
        guard start < text.count else { return true }
        return text[start] == 0x5B || text[start] == 0x2A || stands([0x65, 0x66, 0x31, 0x2E], in: text, at: start)
    }

    /// A finding, unless there is nothing, or nothing any more, to hide.
    private static func finding(_ value: Value, from start: Int) -> Finding? {
        guard value.to > start, value.lastEllipsis < start else { return nil }
        return Finding(from: start, to: value.to, mask: .all)
    }

    /// An e-mail address around the `@` at `at`, whole.
    static func findEmail(_ text: Span<UInt8>, at: Int, _ memory: inout ScanMemory) -> Finding? {
        let local: Letters = [.key, .dot, .plus]
        var from = at
        while from > 0, at - from < 64, local.contains(text[from - 1]), text[from - 1] != 0x2F { from -= 1 }
        let domain: Letters = [.alphanumeric, .dash, .dot]
        var to = domain.end(text, from: at + 1, most: 253)
        memory.steps += to - from
        while to > at, text[to - 1] == 0x2E { to -= 1 }
        guard from < at, let dot = (at + 1..<max(to, at + 1)).last(where: { text[$0] == 0x2E }), to - dot > 2,
            Letters.found(text, dot + 1..<to).isSubset(of: .alphabetic)
        else { return nil }
        return Finding(from: from, to: to, mask: .label("email"))
    }
}
