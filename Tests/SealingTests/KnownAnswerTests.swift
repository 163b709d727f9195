import Foundation
import Model
import Testing

@testable import Sealing

/// The known answers of `Fixtures/vectors/field_token_v1.json`, made by another implementation.
struct KnownAnswers {
    let document: JSONValue
    let key: DataKey
    let otherKey: DataKey

    init() throws {
        document = try json(at: repository.appending(path: "Fixtures/vectors/field_token_v1.json"))
        key = try DataKey(try keyBytes(bytes(hex: document["dek_hex"]?.text ?? "")))
        otherKey = try DataKey(try keyBytes(bytes(hex: document["dek2_hex"]?.text ?? "")))
    }

    func answers(_ name: String) -> [JSONValue] { document[name]?.elements ?? [] }

    /// Opens as a reader would: the token names algorithm and key, tenant and domain come from us.
    func open(_ answer: JSONValue) throws -> (kind: FieldToken.Kind, value: [UInt8]) {
        let token = try FieldToken(answer["token"]?.text ?? "")
        guard let key = [key, otherKey].first(where: { $0.kid == token.keyID }) else { throw SealingError.cannotOpen }
        let sealer = try TokenSealer(
            token.algorithm,
            key: key,
            tenant: answer["tenant"]?.text ?? "",
            domain: answer["domain"]?.text ?? ""
        )
        return try sealer.open(token, binding: bytes(hex: answer["binding_hex"]?.text ?? ""))
    }
}

@Test func keysAreNamedByWhatTheyCommitTo() throws {
    let known = try KnownAnswers()
    #expect(known.key.kid == "bjugbow2rs")
    #expect(known.otherKey.kid == "63xad3vmf3")
    #expect(known.key.commit == bytes(hex: known.document["commit_hex"]?.text ?? ""))
}

@Test func everyValidAnswerIsSealedToTheSameTokenAndOpens() throws {
    let known = try KnownAnswers()
    #expect(known.answers("valid").count == 13)
    for answer in known.answers("valid") {
        let letter = Array((answer["alg"]?.text ?? "").utf8)
        let algorithm = try #require(FieldToken.Algorithm(rawValue: letter[0]))
        let kind = try #require(FieldToken.Kind(rawValue: Array((answer["type"]?.text ?? "").utf8)[0]))
        let tenant = answer["tenant"]?.text ?? ""
        let domain = answer["domain"]?.text ?? ""
        let value = bytes(hex: answer["value_hex"]?.text ?? "")
        let binding = bytes(hex: answer["binding_hex"]?.text ?? "")
        let nonce = bytes(hex: answer["nonce_hex"]?.text ?? "")
        let expected = answer["token"]?.text ?? ""

        let subkey = try known.key.subkey(algorithm, tenant: tenant, domain: domain)
        #expect(array(subkey) == bytes(hex: answer["subkey_hex"]?.text ?? ""))
        let associated = known.key.associated(algorithm, tenant: tenant, domain: domain, binding: binding)
        #expect(associated == bytes(hex: answer["aad_hex"]?.text ?? ""))

        let sealer = try TokenSealer(algorithm, key: known.key, tenant: tenant, domain: domain)
        // Twice, since a context that was used before must not show in the second token.
        for _ in 1...2 {
            var token: [UInt8] = []
            try sealer.seal(kind, value.span, binding: binding, nonce: nonce.isEmpty ? nil : nonce, into: &token)
            #expect(String(decoding: token, as: UTF8.self) == expected)
        }
        if algorithm == .pseudonym {
            #expect(throws: SealingError.oneWay) { try known.open(answer) }
            #expect(try sealer.matches(try FieldToken(expected), kind, value))
            #expect(try !sealer.matches(try FieldToken(expected), kind, value + [0]))
        } else {
            let opened = try known.open(answer)
            #expect(opened.kind == kind && opened.value == value)
        }
    }
}

@Test func noInvalidAnswerOpens() throws {
    let known = try KnownAnswers()
    #expect(known.answers("invalid").count == 23)
    for answer in known.answers("invalid") {
        #expect(throws: SealingError.self, "\(answer["why"]?.text ?? "")") { try known.open(answer) }
    }
}
