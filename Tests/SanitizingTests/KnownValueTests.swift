import Foundation
import Model
import Testing

@testable import Sanitizing

private let value = "correct/horse+battery\"staple?9"
private let sanitizer = Sanitizer(knownValues: [Secret(value, name: "OUR_KEY"), Secret("short", name: "TINY")])

/// The value as other programs write it.
private func forms() -> [(name: String, text: String)] {
    let bytes = Array(value.utf8)
    var all = [
        ("raw", value), ("json", Samples.json(value)), ("json twice", Samples.json(Samples.json(value))),
        ("percent", Samples.percent(value)), ("percent lower", Samples.percent(value).replacing("%2F", with: "%2f")),
        ("hex", bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()),
        ("HEX", bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16, uppercase: true) }.joined()),
        ("every byte", bytes.map { "%" + String($0, radix: 16) }.joined()),
    ]
    for prefix in ["", "u", "us", "use", "user:"] {
        for suffix in ["", "x", "xy", "xyz"] {
            let base64 = Data((prefix + value + suffix).utf8).base64EncodedString()
            all.append(("base64 \(prefix)|\(suffix)", base64))
            let url = base64.replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
            all.append(("base64url \(prefix)|\(suffix)", url))
        }
    }
    return all.map { (name: $0.0, text: $0.1) }
}

@Test func ourOwnSecretsAreFoundInEveryEncoding() {
    for (name, text) in forms() {
        let cleaned = sanitizer.clean("before \(text) after")
        #expect(cleaned.contains("[OUR_KEY]") || cleaned.contains("[encoded]"), "\(name): \(cleaned)")
        // At most the few characters that neighbours have a share in may be left.
        #expect(cleaned.utf8.count <= "before [OUR_KEY] after".utf8.count + 14, "\(name): \(cleaned)")
        #expect(sanitizer.clean(cleaned) == cleaned, "\(name)")
    }
}

@Test func aSecretTooShortToLookForIsReportedByName() {
    #expect(sanitizer.tooShort == ["TINY"])
    #expect(sanitizer.clean("a short text") == "a short text")
}

@Test func recordingsLoseOurSecretsAndKeepEveryOtherByte() {
    let body = Array("{\"a\":\"".utf8) + [0xFF, 0x0A, 0x1B] + Array("\(Samples.json(value))\"}".utf8)
    #expect(sanitizer.mask(body) == Array("{\"a\":\"".utf8) + [0xFF, 0x0A, 0x1B] + Array("[OUR_KEY]\"}".utf8))
}

@Test func dataIsNotChangedByWhatTheProcessHappensToHold() {
    #expect(sanitizer.maskField(Array(value.utf8)) == nil)
}

@Test func peopleAreHiddenInLogsUnlessAskedOtherwise() {
    #expect(sanitizer.clean("for alice.b@mail.example.com.") == "for [email].")
    #expect(Sanitizer(hidesPeople: false).clean("for a@example.com") == "for a@example.com")
    #expect(sanitizer.clean("npm i @scope/pkg@1.2.3 a@b") == "npm i @scope/pkg@1.2.3 a@b")
}
