import Testing

@testable import Sealing

@Test func sha256GivesThePublishedDigestsHoweverTheBytesCome() {
    #expect(SHA256Stream.hex(of: []) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    #expect(SHA256Stream.hex(of: Array("abc".utf8)) == abc)
    let stream = SHA256Stream()
    for _ in 1...2 {
        for byte in "abc".utf8 { stream.update([byte]) }
        #expect(stream.count == 3)
        #expect(stream.finishHex() == abc)
    }
}

@Test(arguments: [Base64.standard, .url])
func base64ReturnsEveryLength(alphabet: Base64) {
    for count in 0...40 {
        let value = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 97 &+ 200) }
        #expect(alphabet.decode(alphabet.text(value)) == value)
    }
}

@Test func base64WritesTheTextsOfTheRFC() {
    let pairs = ["": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg==", "fooba": "Zm9vYmE="]
    for (plain, text) in pairs { #expect(Base64.standard.text(Array(plain.utf8)) == text) }
    #expect(Base64.url.text([0xFB, 0xFF]) == "-_8")
}

@Test(arguments: ["A", "AB=", "Zh==", "Zg=", "Zg", "Z g=", "Zg==\n", "====", "Zg==Zg=="])
func base64RefusesWhatItWouldNotWrite(text: String) {
    #expect(Base64.standard.decode(text) == nil)
}

@Test func comparisonSeesEveryByteAndTheLength() {
    let a = [UInt8](1...32)
    #expect(KeyBytes.matches(a, a))
    for index in a.indices {
        var b = a
        b[index] ^= 1
        #expect(!KeyBytes.matches(a, b))
    }
    #expect(!KeyBytes.matches(a, Array(a.dropLast())))
}

@Test func randomBytesDoNotRepeat() throws {
    let draws = try (0..<100).map { _ in try randomBytes(16) }
    #expect(Set(draws).count == 100)
    let keys = try (0..<20).map { _ in array(try KeyBytes(randomCount: 32)) }
    #expect(Set(keys).count == 20)
}
