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
        return hidden(text, from: start, wholeLine: wholeLine, &memory)
    }

    /// `cookie: …` and `set-cookie: …`, to the end of the line or string.
    static func findCookie(_ text: Span<UInt8>, at: Int, _ memory: inout ScanMemory) -> Finding? {
        guard stands(cookie, in: text, at: at, folding: true), let start = valueStart(text, after: at + cookie.count)
        else { return nil }
        return hidden(text, from: start, wholeLine: true, &memory)
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
        var last = end + 1
        while last < text.count, !endsValue(text[last]), text[last] != 0x23 { last += 1 }
        memory.steps += last - end
        return finding(text, end + 1, last)
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
            guard let start = valueStart(text, after: nameEnd), start >= memory.harmlessUntil else { return nil }
            var last = start
            while last < text.count, !endsValue(text[last]) { last += 1 }
            memory.steps += last - start
            let found = Letters.found(text, start..<last)
            let mixed = found.contains(.digit) && !found.intersection(.alphabetic).isEmpty
            // `api_keys: unchanged` speaks of many and holds none; one of them would have digits in it.
            let isPlural = nameEnd > at + word.count && text[nameEnd - 1] | 0x20 == 0x73
            if last - start >= keyword.least, mixed || keyword.takesAll && !isPlural && !isCode(text, start, last) {
                return finding(text, start, last)
            }
            if last - start > 64 { memory.harmlessUntil = last }
            return nil
        }
        return nil
    }

    /// `Environment.Get(…)`, `$KEY`, `${KEY}`: where a secret comes from, not the secret.
    private static func isCode(_ text: Span<UInt8>, _ from: Int, _ to: Int) -> Bool {
        if text[from] == 0x24 || text[from] == 0x28 || text[from] == 0x7B { return true }
        return (from..<to).contains { text[$0] == 0x28 }
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

    private static func endsValue(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x00...0x20, 0x22, 0x26, 0x27, 0x29, 0x2C, 0x3B, 0x3C, 0x3E, 0x5C, 0x5D, 0x60, 0x7D: true
        default: false
        }
    }

    private static func hidden(
        _ text: Span<UInt8>,
        from start: Int,
        wholeLine: Bool,
        _ memory: inout ScanMemory
    ) -> Finding? {
        var last = start
        while last < text.count {
            let byte = text[last]
            if wholeLine {
                if byte < 0x20 || byte == 0x22 && endsString(text, last) { break }
                if byte == 0x5C, last + 1 < text.count {
                    // An escaped line end ends the line; any other escape belongs to the value.
                    if text[last + 1] == 0x6E || text[last + 1] == 0x72 { break }
                    last += 1
                }
            } else if endsValue(byte) {
                break
            }
            last += 1
        }
        last = min(last, text.count)
        memory.steps += last - start
        return finding(text, start, last)
    }

    /// Whether a quote ends a JSON string rather than standing in a header: `"}`, `":`, `","`, but not `", realm`.
    private static func endsString(_ text: Span<UInt8>, _ quote: Int) -> Bool {
        var next = quote + 1
        guard next < text.count else { return true }
        if text[next] == 0x7D || text[next] == 0x5D || text[next] == 0x3A { return true }
        guard text[next] == 0x2C else { return false }
        let limit = min(next + 4, text.count)
        next += 1
        while next < limit, text[next] == 0x20 { next += 1 }
        return next < text.count && (text[next] == 0x22 || text[next] == 0x7B || text[next] == 0x5B)
    }

    /// A finding, unless there is nothing, or nothing any more, to hide.
    private static func finding(_ text: Span<UInt8>, _ from: Int, _ to: Int) -> Finding? {
        guard to > from else { return nil }
        if stands([0x65, 0x66, 0x31, 0x2E], in: text, at: from) { return nil }
        for index in from..<to where text[index] == 0xE2 && stands(Finding.ellipsis, in: text, at: index) { return nil }
        if text[from] == 0x5B || text[from] == 0x2A { return nil }
        return Finding(from: from, to: to, mask: .all)
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
