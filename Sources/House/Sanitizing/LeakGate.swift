internal import RecordScan

/// The last look at bytes that are about to be published: whether a secret is in them, whatever was done to them before.
///
/// Sees finished lines, so it does not depend on which step should have masked what. Cheap enough to look at everything: a vectorized
/// scan for three-byte beginnings, and the sanitizer's own matchers where one stands. Shared freely between tasks.
package struct LeakGate: Sendable {
    package struct Hit: Sendable, Equatable {
        /// Where the secret begins in the bytes looked at.
        package var offset: Int
        /// Its class, or the name of a secret that this process holds. Never the value.
        package var kind: String
    }

    private let sanitizer: Sanitizer
    private let rules: UInt64
    private let scan: TriggerScan
    /// A scan of its own, since beginnings that share one blur each other. What is ours is then looked for in copies without the escapes.
    private let escapes: TriggerScan
    private let own: TriggerScan

    /// - Parameter patterns: Whether other people's secrets are looked for too, by their shape; otherwise only our own.
    init(_ sanitizer: Sanitizer, patterns: Bool) {
        self.sanitizer = sanitizer
        rules = patterns ? Rule.forData : 0
        escapes = TriggerScan(sanitizer.known.escapes)
        own = TriggerScan(sanitizer.known.beginnings)
        var beginnings = sanitizer.known.beginnings
        for rule in Rule.allCases where rules & rule.bit != 0 { beginnings.formUnion(rule.beginnings) }
        scan = TriggerScan(beginnings)
    }

    /// The first secret among the first `count` bytes, which are whole lines.
    package func firstHit(_ bytes: [UInt8], count: Int) -> Hit? {
        var memory = ScanMemory()
        return firstHit(bytes, count: count, &memory)
    }

    func firstHit(_ bytes: [UInt8], count: Int, _ memory: inout ScanMemory) -> Hit? {
        let text = bytes.span.extracting(first: min(count, bytes.count))
        var (at, escapesFrom) = (0, 0)
        while let found = scan.next(orOf: escapes, bytes, count: count, from: at) {
            at = found + 1
            if let own = sanitizer.known.find(text, at: found), case .label(let name) = own.mask {
                return Hit(offset: found, kind: name)
            }
            if let (finding, rule) = sanitizer.rule(at: found, text, among: rules, &memory) {
                return Hit(offset: finding.from, kind: "\(rule)")
            }
            guard found >= escapesFrom, sanitizer.known.isEscape(text, at: found) else { continue }
            let (findings, next) = sanitizer.known.findEscaped(text, at: found, scan: own, &memory)
            if let first = findings.first, case .label(let name) = first.mask {
                return Hit(offset: first.from, kind: name)
            }
            escapesFrom = next
        }
        return nil
    }
}

extension Sanitizer {
    package func gate(patterns: Bool) -> LeakGate { LeakGate(self, patterns: patterns) }

    /// What a rule whose trigger stands at `at` finds there.
    func rule(at: Int, _ text: Span<UInt8>, among rules: UInt64, _ memory: inout ScanMemory) -> (Finding, Rule)? {
        var hits = triggers.first[Int(text[at])] & triggers.second[Int(text[at + 1])] & rules
        hits &= triggers.third[Int(text[at + 2])]
        while hits != 0 {
            let bit = hits.trailingZeroBitCount
            hits &= hits - 1
            guard let rule = Rule(rawValue: bit), let finding = find(rule.bit, text, at, &memory),
                finding.to > finding.from
            else { continue }
            return (finding, rule)
        }
        return nil
    }
}
