import Model
import TestKit
import Testing

@testable import Sanitizing

private let sanitizer = Sanitizer(knownValues: [Secret("AAAAAAAAAAAAAAAAAAAAAAAA", name: "KEY")])

@Test(arguments: [
    "sk-", "sk-admin-", "sk-sk-abc", "eyJ.", "eyJaaaaaaaaaa.", "ey=ey=", "eyJhbGciOiJI.b", "-----BEGIN ",
    "-----BEGIN PRIVATE KEY-----",
    "-----END", "://", "://a:b", "https://a:b@", "Bearer ", "bearer+", "bearer:", "xoxb-", "SG.",
    "hooks.slack.com/services/", "glpat-",
    "token=", "token=token=", "secret: ", "password=", "authorization: ", "cookie: ", "&token=", "?a=", "a@", "a@b.",
    "@",
    "AKIA", "%41", "%2", "%2541", "%25", "\\u0041", "&#65;", "&amp;", "&#", "\\\\", "\\x41", "\\u000a", "\\",
    "\u{1B}[31m", "\"", "\" ", "AAAA", "…", "ef1.s.", " ", "x",
])
func workIsLinearInTheLengthOfTheText(unit: String) {
    expectLinear(Array(String(repeating: unit, count: 60_000 / unit.utf8.count).utf8))
}

/// Pieces that wake a rule, that end or hide what it looks at, and that nobody looks for, in every order: what makes each of many walks long and
/// fruitless is mostly a thing that stands once, at the far end.
@Test func noBeginningRepeatedBeforeAnyEndMakesWorkMoreThanLinear() {
    let beginnings =
        Rule.allCases.flatMap(\.triggers) + [
            "sk-admin-", "-----BEGIN PRIVATE KEY-----", "://a:", "https://a:b@", "bearer ", "authorization:",
            "authorization: digest ", "cookie:",
            "password=", "secret=", "api_key:", "?token=", "&key=", "%20token=",
        ]
    let middles = [
        "", "*", "[", "ef1.", "\\", "\\\\", "\"", "\",", "1", "x", ",", "(", " ", "…", "1,", "aaaaaaaaaaaaaaaaaaaaaaaa",
        ".", "=", "#",
    ]
    let ends = ["", "…", "@", "-----END", "\"", "1", ")"]
    var random = Seeded(1)
    func one(_ texts: [String]) -> String { texts[Int(random.next() % UInt64(texts.count))] }
    for beginning in beginnings {
        for middle in middles {
            let end = one(ends)
            let unit = beginning + middle
            expectLinear(
                Array((String(repeating: unit, count: 4_000 / unit.utf8.count) + end).utf8),
                "\(unit) … \(end)"
            )
        }
        // Once, and then much of what follows.
        for _ in 0..<4 {
            let (first, second) = (one(middles), one(middles))
            let text =
                beginning + String(repeating: first, count: 700) + one(middles) + String(repeating: second, count: 700)
                + one(ends)
            expectLinear(Array(text.utf8), "\(beginning) \(first) \(second)")
        }
    }
}

/// Where one text's values end says nothing of another's: what stands in percent-encoding is looked at as a text of its own.
@Test func whatWasLearntOfATextIsForgottenBeforeItsDecodedWords() {
    let harmless = "secret=" + String(repeating: "z", count: 200)
    let value = "abc123def456ghi789"
    let cleaned = sanitizer.clean("\(harmless) secret%3D\(value)")
    #expect(!cleaned.contains(value))
}

/// A password may be any word: that a secret of that name would need digits does not hide it from being looked for.
@Test func aPasswordBehindAnAssignmentThatIsNoSecretIsFound() {
    let cleaned = sanitizer.clean("secret=" + String(repeating: "z", count: 80) + "/password=correcthorsebattery")
    #expect(!cleaned.contains("correcthorse"))
}

private func expectLinear(_ text: [UInt8], _ what: String = "") {
    var memory = ScanMemory()
    _ = sanitizer.clean(text, keepsLines: false, &memory)
    #expect(memory.steps <= 40 * text.count + 2_000, "\(what)")
    var field = ScanMemory()
    _ = sanitizer.scan(text.span, rules: Rule.forData, known: nil, &field)
    #expect(field.steps <= 10 * text.count + 2_000, "\(what)")
}

@Test func anyBytesAreCleanedToTheSameTextTwice() {
    for seed in UInt64(1)...300 {
        var random = Seeded(seed)
        let pieces = [
            "sk-", "admin-", "eyJ", ".", "://", ":", "@", "/", "Bearer ", "-----BEGIN PRIVATE KEY-----", "-----END",
            "\\n", "%41", "…", "\\u0041", "\\u002d", "%2D", "&#45;", "&amp;", "\\\"", "AAAAAAAAAAAA",
            "AAAAAAAAAAAAAAAAAAAAAAA",
            "token=", "\"", "ghp_", "AKIA", "=", "&", "?", " ", "a1B2c3D4e5F6g7H8i9J0", "ef1.s.bjugbow2rs.", "whsec_",
            "cookie:", "'", ",",
        ]
        var bytes: [UInt8] = []
        for _ in 0..<(random.next() % 30) {
            if random.next() % 5 == 0 {
                bytes.append(UInt8(truncatingIfNeeded: random.next()))
            } else {
                bytes.append(contentsOf: pieces[Int(random.next() % UInt64(pieces.count))].utf8)
            }
        }
        if let masked = sanitizer.maskField(bytes) {
            #expect(sanitizer.maskField(masked) == nil, "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
        }
        let cleaned = sanitizer.clean(bytes)
        #expect(sanitizer.clean(cleaned) == cleaned, "seed \(seed): \(String(decoding: bytes, as: UTF8.self))")
    }
}

@Test func invalidUTF8NeitherCrashesNorSwitchesTheSanitizerOff() {
    let key = Array(("gh" + "p_abcdefghijklmnopqrstuvwxyz0123456789").utf8)
    for byte in UInt8.min...UInt8.max where byte >= 0x80 {
        let cleaned = sanitizer.clean([byte] + key + [byte, 0xC3])
        #expect(cleaned.contains("ghp_…6789"))
    }
}

@Test func aLogLineStaysOneLineAndShowsNoTricks() {
    let cleaned = sanitizer.clean("a\r\nb\u{1B}[2Jc\u{2028}d\u{202E}e\u{7F}f\tg\u{85}")
    #expect(cleaned == "a\\r\\nb\\u001b[2Jc\\u2028d\\u202ee\\u007ff\\tg\\u0085")
    #expect(sanitizer.clean("what\n  where: x\ty\r", keepsLines: true) == "what\n  where: x\ty\\r")
}

@Test func cleanedJSONIsStillJSON() throws {
    for seed in UInt64(1)...50 {
        var random = Seeded(seed)
        let kind = Samples.classes[Int(random.next() % UInt64(Samples.classes.count))]
        let sample = kind.make(&random).whole
        let line = JSONValue.object([
            .init("message", .string("x \(sample)\n\u{1B}\u{2028} y")), .init("authorization", .string(sample)),
            .init("n", 7),
        ]).compact
        let cleaned = sanitizer.clean(line)
        let parsed = try JSONValue(parsing: cleaned)
        #expect(parsed["n"]?.integer == 7, "\(kind), seed \(seed)")
    }
}
