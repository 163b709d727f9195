/// Secrets that are known by their form rather than by a vendor's prefix: JWTs, private keys, bearer
/// tokens, and passwords in URLs.
enum TextSecrets {
    /// Base64 of `{"` and of `{`, line feed, space.
    private static let compact = Array("eyJ".utf8)
    private static let spaced = Array("ewog".utf8)

    /// Three or more base64url parts joined by dots, of which the first decodes to JSON: it begins with `eyJ` or
    /// `ewog`, or with `ey` and is followed by a second such part. Two parts are no credential, one is a page cursor.
    static func findJWT(_ text: Span<UInt8>, at: Int, _ memory: inout ScanMemory) -> Finding? {
        guard isLeftEdge(text, at), !followsTokenHead(text, at) else { return nil }
        let first = partEnd(text, from: at)
        memory.steps += first - at
        guard first - at >= 10, first < text.count, text[first] == 0x2E else { return nil }
        let second = partEnd(text, from: first + 1)
        memory.steps += second - first
        guard second - first > 2, second < text.count, text[second] == 0x2E else { return nil }
        let isJSON = stands(compact, in: text, at: at) || stands(spaced, in: text, at: at)
        let secondIsJSON = text[first + 1] == 0x65 && text[first + 2] == 0x79
        guard isJSON || first - at >= 17 && secondIsJSON else { return nil }
        // The rest: the signature, which `alg: none` leaves empty, and the further parts of an encrypted token.
        let rest: Letters = [.key, .equals, .dot]
        let end = rest.end(text, from: second + 1)
        memory.steps += end - second
        return Finding(from: at, to: trimDots(text, from: second + 1, to: end))
    }

    /// Padding is not allowed, but seen.
    private static func partEnd(_ text: Span<UInt8>, from start: Int) -> Int {
        Letters.equals.end(text, from: Letters.key.end(text, from: start), most: 2)
    }

    /// A full stop after the token belongs to the sentence.
    private static func trimDots(_ text: Span<UInt8>, from: Int, to: Int) -> Int {
        var end = to
        while end > from, text[end - 1] == 0x2E { end -= 1 }
        return end
    }

    private static let begin = Array("-----BEGIN".utf8)
    private static let privateKey = Array("PRIVATE KEY".utf8)
    private static let end = Array("-----END".utf8)

    /// A private key from BEGIN to END, or as far as the text goes: a text that was cut must not leak. In JSON
    /// it goes no further than the string that it stands in. Certificates and public keys are data.
    static func findPEM(_ text: Span<UInt8>, at: Int, _ memory: inout ScanMemory) -> Finding? {
        guard stands(begin, in: text, at: at) else { return nil }
        let header = min(at + 64, text.count)
        var index = at + begin.count
        while index < header, !stands(privateKey, in: text, at: index) {
            if text[index] == 0x2D || text[index] == 0x0A { return nil }
            index += 1
        }
        guard index < header else { return nil }
        index += privateKey.count
        var quote: Int?
        while index < text.count {
            memory.steps += 1
            if text[index] == 0x2D, stands(end, in: text, at: index) {
                return Finding(from: at, to: tail(text, from: index + end.count))
            }
            if quote == nil, text[index] == 0x22, closesString(text, index) {
                quote = index
                if memory.hasNoKeyEnd { break }
            }
            index += 1
        }
        // Where many keys begin and none ends, each would be looked through to the end of the text.
        memory.hasNoKeyEnd = true
        var last = quote ?? text.count
        if quote != nil, last > at, text[last - 1] == 0x5C { last -= 1 }
        return Finding(from: at, to: last)
    }

    /// Behind the five dashes that close the END line, or as many of them as are there.
    private static func tail(_ text: Span<UInt8>, from start: Int) -> Int {
        var index = start
        let limit = min(start + 40, text.count)
        while index < limit, Letters.upper.contains(text[index]) || text[index] == 0x20 { index += 1 }
        return Letters.dash.end(text, from: index, most: 5)
    }

    private static func closesString(_ text: Span<UInt8>, _ quote: Int) -> Bool {
        var next = quote + 1
        while next < text.count, text[next] == 0x20 { next += 1 }
        return next < text.count && [0x2C, 0x7D, 0x5D, 0x3A].contains(text[next])
    }

    private static let bearer = Array("bearer".utf8)

    /// `Bearer`, spaces, and at least 16 characters that no word has together. The scheme stays.
    static func findBearer(_ text: Span<UInt8>, at: Int, _ memory: inout ScanMemory) -> Finding? {
        guard stands(bearer, in: text, at: at, folding: true), isLeftEdge(text, at) else { return nil }
        var start = at + bearer.count
        let gapEnd = min(start + 8, text.count)
        while start < gapEnd, text[start] == 0x20 || text[start] == 0x09 || text[start] == 0x2B || text[start] == 0x3A {
            start += 1
        }
        if stands([0x25, 0x32, 0x30], in: text, at: start) { start += 3 }
        guard start > at + bearer.count else { return nil }
        let end = Letters.token.end(text, from: start)
        memory.steps += end - start
        let count = end - start
        let found = Letters.found(text, start..<end)
        let mixed = found.contains(.upper) && found.contains(.lower)
        guard count >= 16, found.contains(.digit) || count >= 30 && mixed || count >= 40 else { return nil }
        return Finding(from: start, to: trimDots(text, from: start, to: end))
    }

    /// The password of `scheme://user:password@host`. Ends at the authority's end, so `://` repeated stays cheap.
    static func findUserinfo(_ text: Span<UInt8>, from start: Int, _ memory: inout ScanMemory) -> Finding? {
        var index = start
        var colon: Int?
        var at: Int?
        /// All that followed the colon so far are digits.
        var isPort = false
        scan: while index < text.count {
            switch text[index] {
            case 0x00...0x20, 0x22, 0x2F, 0x3C, 0x3E, 0x3F, 0x23, 0x60: break scan
            case 0x5C:
                guard index + 1 < text.count, text[index + 1] != 0x2F else { break scan }
                index += 1
            case 0x3A where colon == nil:
                colon = index
                isPort = true
            case 0x27, 0x2C:
                // `https://host:8080,…`: what follows the colon is a port, and the list goes on.
                if isPort { break scan }
            case 0x40 where colon != nil: at = index
            default: break
            }
            if colon != index, !Letters.digit.contains(text[index]) { isPort = false }
            index += 1
        }
        memory.steps += max(index - start, 1)
        guard let colon, let at, at > colon + 1 else { return nil }
        let password = text.extracting(colon + 1..<at)
        if password.count == Finding.ellipsis.count, stands(Finding.ellipsis, in: password, at: 0) { return nil }
        if password[0] == 0x2A, password[password.count - 1] == 0x2A { return nil }
        // `[NAME]`: a known value that has been replaced already.
        if password[0] == 0x5B, password[password.count - 1] == 0x5D { return nil }
        return Finding(from: colon + 1, to: at, mask: .all)
    }
}
