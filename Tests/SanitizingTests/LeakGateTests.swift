import Model
import TestKit
import Testing

@testable import Sanitizing

private let value = "correct/horse+battery\"staple?9"
private let sanitizer = Sanitizer(knownValues: [Secret(value, name: "OUR_KEY")])

/// A line of NDJSON with the text in its second column.
private func line(_ text: String) -> [UInt8] {
    Array("{\"id\":\"proj_abc123\",\"name\":\"\(text)\",\"created_at\":\"2025-11-03T00:00:00Z\",\"n\":12345}\n".utf8)
}

@Test(arguments: Samples.classes)
func everyClassInEveryWrappingIsHeldBack(kind: Samples.Class) {
    let gate = sanitizer.gate(patterns: true)
    for seed in UInt64(1)...20 {
        var random = Seeded(seed)
        let sample = kind.make(&random)
        for (name, wrap) in Samples.wrappings {
            let text = line(Samples.json(wrap(sample.whole)))
            // Also at every place of a vector, and at its end.
            let padding = line(String(repeating: "x", count: Int(seed)))
            #expect(gate.firstHit(padding + text, count: padding.count + text.count) != nil, "\(kind) \(name) \(seed)")
            #expect(gate.firstHit(padding + text, count: padding.count) == nil, "\(kind) \(name) \(seed)")
        }
    }
}

@Test func ourOwnSecretsAreHeldBackInEveryFormAlsoWhenPatternsAreOff() {
    for patterns in [true, false] {
        let gate = sanitizer.gate(patterns: patterns)
        for form in Encodings.all(of: Array(value.utf8)) {
            let bytes = line("a") + Array("x ".utf8) + form + line("b")
            #expect(gate.firstHit(bytes, count: bytes.count)?.kind == "OUR_KEY")
        }
    }
    let key = line("sk-" + "admin-abcdefghijklmnopqrstuvwxyz")
    #expect(sanitizer.gate(patterns: false).firstHit(key, count: key.count) == nil)
}

/// What the masks left is let through, and whatever the gate finds a mask would have changed.
@Test func theGateFindsWhatTheMasksFindAndNothingElse() {
    let gate = Sanitizer().gate(patterns: true)
    let plain = Sanitizer()
    for seed in UInt64(1)...3000 {
        var random = Seeded(seed)
        let pieces = [
            "sk-", "admin-", "eyJ", ".", "://", ":", "@", "/", "Bearer ", "-----BEGIN PRIVATE KEY-----", "ghp_", "AKIA",
            "=", " ", "a1B2c3D4e5F6g7H8i9J0", "ef1.s.bjugbow2rs.", "whsec_", "hf_", "xoxb-", "\",\"", "\n", "…",
        ]
        var bytes: [UInt8] = []
        for _ in 0..<(random.next() % 60) { bytes += pieces[Int(random.next() % UInt64(pieces.count))].utf8 }
        let masked = plain.maskField(bytes)
        #expect((gate.firstHit(bytes, count: bytes.count) != nil) == (masked != nil), "seed \(seed)")
        if let masked { #expect(gate.firstHit(masked, count: masked.count) == nil, "seed \(seed)") }
    }
}

@Test(arguments: [
    "sk-", "eyJ.", "eyJaaaaaaaaaa.", "-----BEGIN ", "-----BEGIN PRIVATE KEY-----", "://", "://a:b", "Bearer ", "xoxb-",
    "AKIA", "AAAA", "x", "\\u002f", "%2F", "&#47;", "%252F", "\\", "&amp;", "%25",
    "\\u002f" + String(repeating: "y", count: 29),
])
func theLastLookIsLinearInTheLengthOfTheText(unit: String) {
    let gate = sanitizer.gate(patterns: true)
    let text = Array(String(repeating: unit, count: 60_000 / unit.utf8.count).utf8)
    var memory = ScanMemory()
    _ = gate.firstHit(text, count: text.count, &memory)
    #expect(memory.steps <= 10 * text.count)
}
