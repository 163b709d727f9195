/// RFC 8288's `Link` header, as far as paging needs it.
package enum LinkHeader {
    /// The target of the first link whose `rel` holds `next`; `nil` when there is none or the header is malformed.
    package static func next(in header: String) -> String? {
        var rest = Substring(header)
        while let open = rest.firstIndex(of: "<"), let close = rest[open...].firstIndex(of: ">") {
            // Only commas and blanks may stand before a link; anything else means that we lost the thread.
            guard rest[..<open].allSatisfy({ $0 == "," || $0.isWhitespace }) else { return nil }
            let target = String(rest[rest.index(after: open)..<close])
            rest = rest[rest.index(after: close)...]
            let parameters = takeParameters(&rest)
            let relations = parameters.first { $0.name == "rel" }?.value.lowercased().split { $0.isWhitespace } ?? []
            // A link with an anchor speaks about another page than this one.
            if relations.contains("next"), !parameters.contains(where: { $0.name == "anchor" }) {
                return target.isEmpty ? nil : target
            }
        }
        return nil
    }

    private static func takeParameters(_ rest: inout Substring) -> [(name: String, value: String)] {
        var parameters: [(name: String, value: String)] = []
        while true {
            rest = rest.drop { $0.isWhitespace }
            guard rest.first == ";" else { return parameters }
            rest = rest.dropFirst().drop { $0.isWhitespace }
            let name = rest.prefix { !"=;,".contains($0) && !$0.isWhitespace }
            rest = rest.dropFirst(name.count).drop { $0.isWhitespace }
            var value = ""
            if rest.first == "=" {
                rest = rest.dropFirst().drop { $0.isWhitespace }
                value = rest.first == "\"" ? takeQuoted(&rest) : takeWord(&rest)
            }
            parameters.append((name.lowercased(), value))
        }
    }

    private static func takeWord(_ rest: inout Substring) -> String {
        let word = rest.prefix { !";,".contains($0) && !$0.isWhitespace }
        rest = rest.dropFirst(word.count)
        return String(word)
    }

    private static func takeQuoted(_ rest: inout Substring) -> String {
        var value = ""
        rest = rest.dropFirst()
        while let character = rest.popFirst() {
            if character == "\"" { break }
            if character == "\\", let escaped = rest.popFirst() {
                value.append(escaped)
            } else {
                value.append(character)
            }
        }
        return value
    }
}
