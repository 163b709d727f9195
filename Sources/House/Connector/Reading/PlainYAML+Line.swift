/// What stands on one line: scalars, keys, flow collections.
extension PlainYAML {
    // MARK: Scalars

    mutating func scalar(inFlow: Bool) throws(Unusual) -> YAMLNode {
        try count()
        switch sign() {
        case Sign.quote, Sign.apostrophe: return try quoted()
        case let first where Sign.beginsValue(first): return try plain(inFlow: inFlow)
        default: throw Unusual()
        }
    }

    private mutating func quoted() throws(Unusual) -> YAMLNode {
        let start = at
        let quote = sign()
        var place = place
        at += 1
        while at < end, bytes[at] != quote, bytes[at] != Sign.escape { at += 1 }
        // Two apostrophes in a row are one that was written.
        guard sign() == quote, sign(1) != quote else { throw Unusual() }
        let text = String(decoding: bytes[(start + 1)..<at], as: UTF8.self)
        at += 1
        place.length = at - start
        guard !isSecret(text) else { throw Unusual() }
        return YAMLNode(content: .text(text, isPlain: false), place: place)
    }

    private mutating func plain(inFlow: Bool) throws(Unusual) -> YAMLNode {
        let start = at
        var place = place
        try skipPlain(inFlow: inFlow)
        let text = String(decoding: bytes[start..<at], as: UTF8.self)
        place.length = at - start
        guard !isSecret(text) else { throw Unusual() }
        return YAMLNode(content: .text(text, isPlain: true), place: place)
    }

    /// Goes behind the last sign of a plain scalar; what follows may be spaces and a comment.
    mutating func skipPlain(inFlow: Bool) throws(Unusual) {
        var last = at
        scan: while at < end {
            switch bytes[at] {
            case Sign.space:
                at += 1
                continue scan
            case Sign.comment where at > last: break scan
            case Sign.colon where sign(1) == Sign.space || sign(1) == Sign.newline: break scan
            case Sign.colon where inFlow && !Sign.beginsValue(sign(1)): throw Unusual()
            case Sign.comma where inFlow, Sign.closeMap where inFlow, Sign.closeList where inFlow: break scan
            case Sign.openMap where inFlow, Sign.openList where inFlow, Sign.question where inFlow: throw Unusual()
            case Sign.dollar: try skipReference()
            default: at += 1
            }
            last = at
        }
        at = last
    }

    /// Signs between the braces of `${NAME}` mean nothing to YAML.
    private mutating func skipReference() throws(Unusual) {
        guard sign(1) == Sign.openMap else {
            at += sign(1) == Sign.dollar ? 2 : 1
            return
        }
        at += 2
        let start = at
        while at < end, bytes[at] != Sign.closeMap {
            switch bytes[at] {
            case Sign.quote, Sign.apostrophe, Sign.escape, Sign.openMap: throw Unusual()
            default: at += 1
            }
        }
        guard at < end, at > start, at - start < 4096 else { throw Unusual() }
        at += 1
    }

    // MARK: Keys

    /// A key with its colon.
    mutating func key(behind entries: [YAMLNode.Entry]) throws(Unusual) -> YAMLNode.Entry {
        guard sign() == Sign.quote || Sign.beginsKey(sign()) else { throw Unusual() }
        let start = at
        let node = try scalar(inFlow: true)
        guard case .text(let name, _) = node.content, sign() == Sign.colon,
            sign(1) == Sign.space || sign(1) == Sign.newline,
            at - start <= 128, !entries.contains(where: { $0.key == name })
        else { throw Unusual() }
        at += 1
        return YAMLNode.Entry(key: name, keyPlace: node.place, value: node)
    }

    /// A key's value takes its place, unless it may be a secret.
    func add(_ key: YAMLNode.Entry, _ value: YAMLNode, to entries: inout [YAMLNode.Entry]) throws(Unusual) {
        if SecretKeys.take(key.key) {
            guard case .text(let text, _) = value.content, SecretKeys.isReference(text) else { throw Unusual() }
        }
        entries.append(YAMLNode.Entry(key: key.key, keyPlace: key.keyPlace, value: value))
    }

    // MARK: Flow collections

    mutating func flowMapping() throws(Unusual) -> YAMLNode {
        let place = place
        var entries: [YAMLNode.Entry] = []
        try enter()
        at += 1
        skipSpaces()
        if sign() != Sign.closeMap {
            while true {
                let key = try key(behind: entries)
                skipSpaces()
                let value = try flowValue()
                try add(key, value, to: &entries)
                if try !goesOn(until: Sign.closeMap) { break }
            }
        }
        at += 1
        leave()
        return YAMLNode(content: .map(entries), place: place)
    }

    mutating func flowList() throws(Unusual) -> YAMLNode {
        let place = place
        var elements: [YAMLNode] = []
        try enter()
        at += 1
        skipSpaces()
        if sign() != Sign.closeList {
            repeat { elements.append(try flowValue()) } while try goesOn(until: Sign.closeList)
        }
        at += 1
        leave()
        return YAMLNode(content: .list(elements), place: place)
    }

    /// Behind a comma there is more; anything but a comma and the end is not read here.
    private mutating func goesOn(until close: UInt8) throws(Unusual) -> Bool {
        skipSpaces()
        if sign() == close { return false }
        guard sign() == Sign.comma else { throw Unusual() }
        at += 1
        skipSpaces()
        return true
    }

    private mutating func flowValue() throws(Unusual) -> YAMLNode {
        switch sign() {
        case Sign.openMap: try flowMapping()
        case Sign.openList: try flowList()
        default: try scalar(inFlow: true)
        }
    }
}
