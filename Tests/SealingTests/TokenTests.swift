import Testing

@testable import Sealing

private func key(_ seed: UInt8 = 7) throws -> DataKey {
    try DataKey(try keyBytes((0..<32).map { UInt8($0) &+ seed }))
}

@Test(arguments: FieldToken.Algorithm.allCases, FieldToken.Kind.allCases)
func everyLengthSealsAndOpensAgain(algorithm: FieldToken.Algorithm, kind: FieldToken.Kind) throws {
    let sealer = try TokenSealer(algorithm, key: try key(), tenant: "org", domain: "user.id")
    for count in Array(0...70) + [511, 512, 513, 5000] {
        let value = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let token = try FieldToken(try sealer.seal(kind, value))
        if algorithm == .pseudonym {
            #expect(try sealer.matches(token, kind, value))
        } else {
            let opened = try sealer.open(token)
            #expect(opened.kind == kind && opened.value == value)
        }
    }
}

@Test func anyChangedCharacterOfATokenIsRefused() throws {
    for algorithm in [FieldToken.Algorithm.deterministic, .randomized] {
        let sealer = try TokenSealer(algorithm, key: try key(), tenant: "org", domain: "user.id")
        let token = Array(try sealer.seal(.string, Array("user-abc".utf8)).utf8)
        for index in token.indices {
            var changed = token
            changed[index] = token[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            let text = String(decoding: changed, as: UTF8.self)
            #expect(throws: SealingError.self, "\(algorithm) \(index)") {
                try sealer.open(try FieldToken(text))
            }
        }
    }
}

@Test func randomizedTokensOfOneValueDiffer() throws {
    let sealer = try TokenSealer(.randomized, key: try key(), tenant: "org", domain: "user.id")
    let tokens = try (0..<500).map { _ in try sealer.seal(.string, Array("same".utf8)) }
    #expect(Set(tokens).count == tokens.count)
    #expect(sealer.sealedCount == 500)
}

@Test func typesOfEqualTextHaveDifferentTokens() throws {
    let sealer = try TokenSealer(.deterministic, key: try key(), tenant: "org", domain: "n")
    let tokens = try FieldToken.Kind.allCases.map { try sealer.seal($0, Array("1".utf8)) }
    #expect(Set(tokens).count == tokens.count)
}

@Test(arguments: [
    "", "ef1.", "ef1.s.aaaaaaaaaa", "ef1.G.bjugbow2rs.skGCS97eDTd5YILzyvtNRho",
    "ef1.h.bjugbow2rs.9ZHjmyPbjOXz_UWNO2qF88b5qQ",
])
func whatIsNotATokenIsRefusedByTheReader(text: String) {
    #expect(throws: SealingError.self) { try FieldToken(text) }
}

@Test func tokensAreAppendedAfterWhatIsThere() throws {
    let sealer = try TokenSealer(.deterministic, key: try key(), tenant: "org", domain: "n")
    var out = Array("before,".utf8)
    let value = Array("x".utf8)
    try sealer.seal(.string, value.span, into: &out)
    #expect(String(decoding: out, as: UTF8.self) == "before," + (try sealer.seal(.string, value)))
}

@Test func aKeyOfAnotherLengthIsRefused() throws {
    let short = try keyBytes([UInt8](repeating: 1, count: 31))
    #expect(throws: SealingError.wrongKeyLength(count: 31, needed: 32)) { try DataKey(short) }
    #expect(throws: SealingError.wrongKeyLength(count: 31, needed: 32)) { try GaloisCipher(key: short) }
    #expect(throws: SealingError.wrongKeyLength(count: 31, needed: 64)) {
        try SyntheticIVCipher(key: short, associated: [])
    }
}

@Test func keysPrintNothingOfThemselves() throws {
    let key = try key(0x41)
    var dumped = ""
    dump(key, to: &dumped)
    dump(key.bytes, to: &dumped)
    let printed = "\(key) \(key.bytes) \(String(reflecting: key)) \(dumped)"
    #expect(!printed.contains("65") && !printed.contains("ABCD") && !printed.contains("4142"))
    #expect("\(key.bytes)" == "‹key, 32 bytes›")
}
