import Model
import Testing

@testable import Sanitizing

/// One secret with a long run of letters and digits, one of which none is long enough to be known alone, one in base64.
private let secrets = [
    "sk-" + "admin-Zq9xW3eR5tY7uI1oP2aS4dF6gH8jK0lZ", "5f0e9d1c-77aa-4b3c-9e21-0a1b2c3d4e5f",
    "Zm9vYmFyLWJhei1xdXgtMTIz+4NQ==",
]
private let sanitizer = Sanitizer(knownValues: secrets.map { Secret($0, name: "OUR_KEY") })

/// How serializers, templates and gateways write one character.
private let escapes: [(name: String, write: @Sendable (UInt8) -> String)] = [
    ("JSON", { "\\u00" + hex($0).uppercased() }), ("JSON, small", { "\\u00" + hex($0) }),
    ("script", { "\\x" + hex($0) }),
    ("JSON in JSON", { "\\\\u00" + hex($0) }), ("JSON in JSON in JSON", { "\\\\\\\\u00" + hex($0) }),
    ("HTML", { "&#\($0);" }),
    ("HTML, hexadecimal", { "&#x" + hex($0) + ";" }), ("HTML in HTML", { "&amp;#\($0);" }),
    ("address", { "%" + hex($0).uppercased() }),
    ("address in address", { "%25" + hex($0) }), ("JSON in address", { "%5Cu00" + hex($0) }),
]

private func hex(_ byte: UInt8) -> String { String(byte, radix: 16) }

private func isPunctuation(_ byte: UInt8) -> Bool { !Letters.alphanumeric.contains(byte) }

/// The secret with some of its characters escaped, in all the ways.
private func texts(of secret: String, where isEscaped: @Sendable (Int, UInt8) -> Bool) -> [(name: String, text: String)]
{
    escapes.map { name, write in
        let pieces = secret.utf8.enumerated().map { isEscaped($0, $1) ? write($1) : String(UnicodeScalar($1)) }
        return (name, pieces.joined())
    }
}

private func assertHidden(_ secret: String, _ name: String, _ text: String) {
    let cleaned = sanitizer.clean("before {\"k\":\"\(text)\"} after")
    let tail = String(secret.suffix(12))
    #expect(cleaned.hasPrefix("before {\"k\":\"[") && cleaned.hasSuffix("]\"} after"), "\(name): \(cleaned)")
    #expect(!cleaned.contains(tail), "\(name): \(cleaned)")
    #expect(sanitizer.clean(cleaned) == cleaned, "\(name): \(cleaned)")
    let masked = String(decoding: sanitizer.mask(Array("{\"k\":\"\(text)\",\"n\":\"\\u002d\"}".utf8)), as: UTF8.self)
    #expect(masked == "{\"k\":\"[OUR_KEY]\",\"n\":\"\\u002d\"}", "\(name)")
    for patterns in [true, false] {
        let line = Array("{\"id\":\"proj_1\",\"name\":\"x \(text)\",\"n\":1}\n".utf8)
        let hit = sanitizer.gate(patterns: patterns).firstHit(line, count: line.count)
        #expect(hit?.kind == "OUR_KEY", "\(name)")
        #expect(hit.map { line[..<$0.offset].count { $0 == 0x2C } } == 1, "\(name): in its own column")
    }
}

@Test func ourOwnSecretsAreFoundWhicheverWayTheirPunctuationIsEscaped() {
    for secret in secrets {
        for (name, text) in texts(of: secret, where: { isPunctuation($1) }) {
            assertHidden(secret, name, text)
        }
    }
}

@Test func alsoWhenLettersAreEscaped() {
    for secret in secrets {
        for (name, text) in texts(of: secret, where: { place, _ in place % 3 == 0 }) {
            assertHidden(secret, name, text)
        }
        for (name, text) in texts(of: secret, where: { _, _ in true }) { assertHidden(secret, name, text) }
    }
}

/// An encoding that nobody thought of leaves letters and digits alone.
@Test func aLongRunOfLettersAndDigitsIsKnownAlone() {
    let text = secrets[0].replacing("-", with: "=2D")
    #expect(sanitizer.clean(text) == "sk=2Dadmin=2D[OUR_KEY]")
    let line = Array(text.utf8)
    #expect(sanitizer.gate(patterns: false).firstHit(line, count: line.count)?.kind == "OUR_KEY")
}

@Test(arguments: [
    "https://hooks.internationalwidgets.example/services/4Xb-99", "correct-horsebatterystaple-9",
    "id:1764979200000000000/q",
    "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.x9-y8_z7-w6",
])
func wordsNamesAndNumbersOfASecretAreNotTakenForIt(secret: String) {
    #expect(Encodings.runs(of: Array(secret.utf8)).isEmpty)
}

@Test func othersTokensWithTheBeginningOfOursAreHiddenWhole() {
    let head = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"
    let ours = Sanitizer(knownValues: [Secret("\(head).eyJzdWIiOiJ1cyJ9.AbCdEf-GhIjKl-012345", name: "OUR_KEY")])
    let signature = "Zx9Yw8Vu7Ts6Rq5Po4Nm3Lk2"
    #expect(!ours.clean("got \(head).eyJzdWIiOiJ0aGVtIn0.\(signature)").contains(signature.dropLast(4)))
}

@Test func escapesOfOtherThingsAreLeftAsTheyAre() {
    let text = "a%20b%2Fc &amp; \\u00e4 \\u002d &#45; 100% \\/ \\x41"
    #expect(sanitizer.clean(text) == text)
    #expect(String(decoding: sanitizer.mask(Array(text.utf8)), as: UTF8.self) == text)
    #expect(sanitizer.gate(patterns: true).firstHit(Array(text.utf8), count: text.utf8.count) == nil)
}

/// A secret is found in whichever of the stretches it stands into which a long escaped text is cut.
@Test func noPlaceOfALongEscapedTextHidesASecret() {
    let escaped = texts(of: secrets[1], where: { isPunctuation($1) })[0].text
    let gate = sanitizer.gate(patterns: false)
    for before in stride(from: 65_000, to: 65_700, by: 53) {
        let line = Array(
            (String(repeating: "\\u002d", count: before / 6) + String(repeating: "x", count: before % 6) + escaped
                + " end").utf8
        )
        #expect(gate.firstHit(line, count: line.count)?.kind == "OUR_KEY", "\(before)")
    }
}

@Test func othersKeysWithEscapedPunctuationAreHiddenInTextForPeople() {
    let key = "sk-" + "ant-api03-Zq9xW3eR5tY7uI1oP2aS4dF6gH8jK0lZ"
    for (name, text) in texts(of: key, where: { isPunctuation($1) }) {
        let cleaned = Sanitizer().clean("{\"k\":\"\(text)\",\"q\":\"{\\\"k\\\":\\\"\(text)\\\"}\"}")
        #expect(cleaned == "{\"k\":\"[encoded]\",\"q\":\"{\\\"k\\\":\\\"[encoded]\\\"}\"}", "\(name)")
    }
}
