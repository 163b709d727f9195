/// A stretch of text that must not be shown, and what stands there instead.
struct Finding: Sendable, Equatable {
    enum Mask: Sendable, Equatable {
        /// First 4…last 4; only `…` for what is so short that this would show half of it.
        case ends
        /// `…`: passwords and whatever else people think up themselves.
        case all
        /// `[NAME]`
        case label(String)
    }

    var from: Int
    var to: Int
    var mask: Mask = .ends

    /// U+2026. With it, a masked text is no secret of any class, so masking twice changes nothing.
    static let ellipsis = Array("…".utf8)
    /// Below this, eight visible characters would be too many.
    static let leastForEnds = 20

    /// Appends the replacement: no quote, comma, backslash or line end, so it fits where the secret stood.
    func write(_ text: Span<UInt8>, into out: inout [UInt8]) {
        switch mask {
        case .ends where to - from >= Finding.leastForEnds:
            for index in from..<from + 4 { out.append(text[index]) }
            out.append(contentsOf: Finding.ellipsis)
            for index in to - 4..<to { out.append(text[index]) }
        case .ends, .all: out.append(contentsOf: Finding.ellipsis)
        case .label(let name):
            out.append(UInt8(ascii: "["))
            out.append(contentsOf: name.utf8.lazy.map { Letters.key.contains($0) ? $0 : UInt8(ascii: "_") })
            out.append(UInt8(ascii: "]"))
        }
    }
}

/// Whether a key may begin at `at`: the byte before is no part of a word, or it is the end of an escape,
/// as in `\nsk-…`, `\u000ask-…`, `%22sk-…` or a terminal's colour.
func isLeftEdge(_ text: Span<UInt8>, _ at: Int) -> Bool {
    guard at > 0, Letters.key.contains(text[at - 1]) else { return true }
    func isHex(_ index: Int) -> Bool {
        let byte = text[index]
        return byte >= 0x30 && byte <= 0x39 || byte >= 0x41 && byte <= 0x46 || byte >= 0x61 && byte <= 0x66
    }
    if at >= 2, text[at - 2] == 0x5C {
        return [0x6E, 0x72, 0x74, 0x62, 0x66, 0x76, 0x30].contains(text[at - 1])
    }
    if at >= 3, text[at - 3] == 0x25, isHex(at - 2), isHex(at - 1) { return true }
    if at >= 4, text[at - 4] == 0x5C, text[at - 3] == 0x78, isHex(at - 2), isHex(at - 1) { return true }
    if at >= 6, text[at - 6] == 0x5C, text[at - 5] == 0x75, (2...5).allSatisfy({ isHex(at - $0 + 1) }) { return true }
    if at >= 2, text[at - 1] == 0x6D {  // the m of ESC [ 3 1 m, whatever a filter before us has made of ESC
        var back = at - 2
        while back > 0, at - back < 12, text[back] == 0x3B || Letters.digit.contains(text[back]) { back -= 1 }
        return text[back] == 0x5B
    }
    return false
}

/// Whether what begins at `at` is the payload of a field token, `ef1.s.bjugbow2rs.`: sealed already.
func followsTokenHead(_ text: Span<UInt8>, _ at: Int) -> Bool {
    at >= 17 && text[at - 1] == 0x2E && text[at - 12] == 0x2E && text[at - 14] == 0x2E
        && text[at - 17] == 0x65 && text[at - 16] == 0x66 && text[at - 15] == 0x31
}
