import TestKit
import Testing

@testable import Sanitizing

private let sanitizer = Sanitizer()

@Test(arguments: Samples.classes)
func noClassOfSecretSurvivesAnyWrapping(kind: Samples.Class) {
    for seed in UInt64(1)...20 {
        var random = Seeded(seed)
        let sample = kind.make(&random)
        for (name, wrap) in Samples.wrappings {
            let text = wrap(sample.whole)
            let cleaned = sanitizer.clean(text)
            #expect(!cleaned.contains(sample.secret), "\(kind), \(name), seed \(seed)")
            #expect(sanitizer.clean(cleaned) == cleaned, "\(kind), \(name), seed \(seed): not the same twice")
            guard let masked = sanitizer.maskField(Array(text.utf8)) else {
                Issue.record("\(kind), \(name), seed \(seed): not masked in data")
                continue
            }
            #expect(!String(decoding: masked, as: UTF8.self).contains(sample.secret), "\(kind), \(name), seed \(seed)")
            #expect(sanitizer.maskField(masked) == nil, "\(kind), \(name), seed \(seed): masked twice")
        }
    }
}

@Test(arguments: Samples.classes)
func noClassOfSecretSurvivesPercentEncoding(kind: Samples.Class) {
    for seed in UInt64(1)...20 {
        var random = Seeded(seed)
        let sample = kind.make(&random)
        let cleaned = sanitizer.clean("GET /x?q=" + Samples.percent(sample.whole) + " failed")
        #expect(!cleaned.contains(Samples.percent(sample.secret)), "\(kind), seed \(seed)")
        #expect(!cleaned.contains(sample.secret), "\(kind), seed \(seed)")
    }
}

/// Filters on the way replace a terminal's escape, or drop it.
@Test(arguments: Samples.classes, ["", "\u{FFFD}", "?", "\\u001b", "^[", " "])
func noClassOfSecretSurvivesAColourThatLostItsEscape(kind: Samples.Class, escape: String) {
    for seed in UInt64(1)...20 {
        var random = Seeded(seed)
        let sample = kind.make(&random)
        for colour in ["[31m", "[1;38;5;4m", "[m"] {
            let text = escape + colour + sample.whole + escape + "[0m"
            #expect(!sanitizer.clean(text).contains(sample.secret), "\(kind), \(escape)\(colour), seed \(seed)")
        }
    }
}

@Test func keysShowTheirFirstAndLastFourCharacters() {
    let key = "sk-" + "admin-" + String(repeating: "Ab3", count: 10) + "wxyz"
    #expect(sanitizer.maskField(Array(key.utf8)).map { String(decoding: $0, as: UTF8.self) } == "sk-a…wxyz")
    #expect(sanitizer.clean("got \(key)!") == "got sk-a…wxyz!")
}

@Test(arguments: [
    ("postgres://user:hunter2@db.example/x", "postgres://user:…@db.example/x"),
    ("redis://:p%40ss@host", "redis://:…@host"),
    ("https:\\/\\/u:pw@h\\/x", "https:\\/\\/u:…@h\\/x"),
    ("a https://me:x@y@host/ b", "a https://me:…@host/ b"),
    ("Bearer " + "abcdefghij1234567", "Bearer …"),
    ("bearer " + "abcdefghij1234567890", "bearer abcd…7890"),
    ("see hooks.slack.com/services/T0000AAAA/B0000BBBB/abcdefghijklmnop", "see hook…mnop"),
])
func maskedTextsHaveThisForm(text: String, expected: String) {
    #expect(sanitizer.maskField(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) } == expected)
}

@Test func aPrivateKeyThatWasCutDoesNotShow() {
    let cut = "x -----BEGIN RSA PRIVATE " + "KEY-----\\nMIIEvQIBADANBgkq"
    #expect(!sanitizer.clean(cut).contains("MIIE"))
    let inJSON = "{\"error\":\"\(cut)\",\"stream\":\"users\"}"
    let cleaned = sanitizer.clean(inJSON)
    #expect(!cleaned.contains("MIIE"))
    #expect(cleaned.hasSuffix("\",\"stream\":\"users\"}"))
}

@Test func severalSecretsInOneTextAreAllMasked() {
    var random = Seeded(4)
    let samples = Samples.classes.map { $0.make(&random) }
    let cleaned = sanitizer.clean(samples.map(\.whole).joined(separator: " "))
    for sample in samples { #expect(!cleaned.contains(sample.secret)) }
}
