internal import RecordScan

/// Our own secrets in text that was escaped once more than the text around it, by whatever serializer: looked for in copies of the stretches around
/// escapes, so that text without any costs nothing.
extension KnownValues {
    /// Escapes of one character take no more bytes than this, also within two other texts.
    private static let mostEscaped = 12
    private static let mostAtOnce = 1 << 16
    /// What escapes themselves are made of.
    private static let signs: Set<UInt8> = [0x25, 0x26, 0x5C, 0x23, 0x3B]

    /// The first three bytes of all escapes that may stand in one of our secrets.
    var escapes: Set<[UInt8]> {
        guard !isEmpty else { return [] }
        var all: Set<[UInt8]> = [Array("&am".utf8), Array("&#x".utf8), Array("&#X".utf8), Array("&#0".utf8)]
        for byte in letters.union(KnownValues.signs) where byte >= 0x20 && byte < 0x80 {
            let upper = String(byte, radix: 16, uppercase: true)
            for digits in [upper, upper.lowercased()] { all.insert(Array("%\(digits)".utf8)) }
            all.insert(Array("\\x\(upper)".utf8.prefix(3)))
            all.insert(Array("&#\(byte)".utf8.prefix(3)))
        }
        all.insert(Array("\\u0".utf8))
        if letters.contains(0x22) || letters.contains(0x27) || letters.contains(0x3C) || letters.contains(0x3E) {
            all.formUnion(["&lt", "&gt", "&qu", "&ap"].map { Array($0.utf8) })
        }
        return all
    }

    /// Whether an escape that may be part of one of our secrets stands at `at`.
    func isEscape(_ text: Span<UInt8>, at: Int) -> Bool { escape(text, at) != nil }

    private func escape(_ text: Span<UInt8>, _ at: Int) -> Int? {
        guard let (byte, count) = Escape.read(text, at), count > 2,
            letters.contains(byte) || KnownValues.signs.contains(byte)
        else { return nil }
        return count
    }

    /// What stands around the escape at `start`, and from where on other escapes are to be looked at.
    ///
    /// - Parameter scan: for ``beginnings``; without it each byte is looked at.
    func findEscaped(_ text: Span<UInt8>, at start: Int, scan: TriggerScan? = nil, _ memory: inout ScanMemory)
        -> (findings: [Finding], next: Int)
    {
        // No secret is longer than this before its first escape, between two, and behind its last.
        let overlap = KnownValues.mostEscaped * longest
        let limit = start + max(KnownValues.mostAtOnce, 4 * overlap)
        var end = start
        var last = start
        while end < text.count, end - last <= longest, end < limit {
            if let count = escape(text, end) {
                end += count
                last = end
            } else {
                end += 1
            }
        }
        let isCut = end < text.count && end - last <= longest
        let copy = UnescapedCopy(text, max(0, start - longest)..<end)
        memory.steps += copy.places.count
        return (copy.isChanged ? findings(copy, scan) : [], isCut ? end - overlap : end)
    }

    private func findings(_ copy: UnescapedCopy, _ scan: TriggerScan?) -> [Finding] {
        let plain = copy.bytes.span
        var found: [Finding] = []
        var at = 0
        while at < plain.count {
            if let scan {
                guard let next = scan.next(copy.bytes, count: plain.count, from: at) else { break }
                at = next
            }
            let finding = find(plain, at: at)
            // What has no escape in it is found in the text itself, also where it begins before this stretch.
            if let finding, copy.places[finding.to] - copy.places[at] > finding.to - at {
                found.append(Finding(from: copy.places[at], to: copy.places[finding.to], mask: finding.mask))
            }
            at = finding?.to ?? at + 1
        }
        return found
    }
}

extension Sanitizer {
    /// The text without our own secrets that are escaped in it. `nil` when there are none.
    func withoutEscapedKnown(_ text: [UInt8], _ memory: inout ScanMemory) -> [UInt8]? {
        guard !known.isEmpty else { return nil }
        let span = text.span
        var masked: [UInt8] = []
        var copied = 0
        var at = 0
        while at < span.count {
            guard known.isEscape(span, at: at) else {
                at += 1
                continue
            }
            let (findings, next) = known.findEscaped(span, at: at, &memory)
            for finding in findings where finding.from >= copied {
                masked += text[copied..<finding.from]
                finding.write(span, into: &masked)
                copied = finding.to
            }
            at = max(next, at + 1)
        }
        return copied == 0 ? nil : masked + text[copied...]
    }
}
