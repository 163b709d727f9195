import Foundation
import Model
import Sealing
import Testing

@testable import KeyRing

private let ring = {
    let path = repository.appending(path: "Fixtures/keys/example.keyring.json").path()
    return Result { try KeyRing.load(path, environment: [:]) }
}()

private func token(
    _ kind: FieldToken.Kind,
    _ value: String,
    domain: String,
    by algorithm: FieldToken.Algorithm = .deterministic
) throws -> String {
    try TokenSealer(algorithm, key: try ring.get().activeKey(), tenant: "org", domain: domain)
        .seal(kind, Array(value.utf8))
}

private func opened(
    _ text: String,
    _ format: Decryptor.Format,
    piece: Int = 7,
    guardsFormulas: Bool = false
) throws -> (text: String, decryptor: Decryptor) {
    var decryptor = Decryptor(
        try ring.get(),
        tenant: "org",
        places: SealedPlaces(["user_id": "user", "email": "email", "n": "n", "extra": "extra"]),
        format: format,
        guardsFormulas: guardsFormulas
    )
    var out: [UInt8] = []
    let bytes = Array(text.utf8)
    for start in stride(from: 0, to: bytes.count, by: piece) {
        try decryptor.feed(Array(bytes[start..<min(start + piece, bytes.count)]), into: &out)
    }
    try decryptor.finish(into: &out)
    return (String(decoding: out, as: UTF8.self), decryptor)
}

@Test(arguments: [1, 7, 100_000])
func ndjsonComesBackAsItWasBeforeSealing(piece: Int) throws {
    let rows = """
        {"id":1,"user_id":"user-\\"ä\\n","email":null,"n":12345678901234567890,"extra":{"a":[1,"x"]},"ok":true}
        {"id":2,"user_id":"","email":"a@example.com","n":-0.50,"extra":{},"ok":false}

        """
    let sealed =
        rows
        .replacing("\"user-\\\"ä\\n\"", with: "\"\(try token(.string, "user-\"ä\n", domain: "user"))\"")
        .replacing("\"user_id\":\"\"", with: "\"user_id\":\"\(try token(.string, "", domain: "user"))\"")
        .replacing(
            "\"a@example.com\"",
            with: "\"\(try token(.string, "a@example.com", domain: "email", by: .randomized))\""
        )
        .replacing("12345678901234567890", with: "\"\(try token(.number, "12345678901234567890", domain: "n"))\"")
        .replacing("{\"a\":[1,\"x\"]}", with: "\"\(try token(.json, "{\"a\":[1,\"x\"]}", domain: "extra"))\"")
    let (text, decryptor) = try opened(sealed, .ndjson, piece: piece)
    #expect(text == rows)
    #expect(decryptor.opened == 5 && decryptor.left == 0 && decryptor.rows == 2)
}

@Test func openedTextsAreGuardedWhereAskedAndNumbersAreNot() throws {
    let formula = try token(.string, "=HYPERLINK(\"x\",\"y\")", domain: "user")
    let plus = try token(.string, "'+1", domain: "email")
    let number = try token(.number, "-5", domain: "n")
    let sealed =
        "id,user_id,email,n\n'=1,\(formula),\(plus),\(number)\n2,\(try token(.string, "ann", domain: "user")),,\n"
    let guarded = "id,user_id,email,n\n'=1,\"'=HYPERLINK(\"\"x\"\",\"\"y\"\")\",''+1,-5\n2,ann,,\n"
    #expect(try opened(sealed, .csv, guardsFormulas: true).text == guarded)
    #expect(try opened(sealed, .csv).text == guarded.replacing("'=H", with: "=H").replacing("''+", with: "'+"))
}

@Test(arguments: [1, 7, 100_000])
func csvComesBackAsItWasBeforeSealing(piece: Int) throws {
    let rows = "id,user_id,email,n\n1,\"user,\"\"x\"\"\nline\",,5\n2,\"\",a@example.com,\n"
    let sealed =
        rows
        .replacing("\"user,\"\"x\"\"\nline\"", with: try token(.string, "user,\"x\"\nline", domain: "user"))
        .replacing("2,\"\"", with: "2,\"\(try token(.string, "", domain: "user"))\"")
        .replacing("a@example.com", with: try token(.string, "a@example.com", domain: "email"))
        .replacing(",5\n", with: ",\(try token(.number, "5", domain: "n"))\n")
    let (text, decryptor) = try opened(sealed, .csv, piece: piece)
    #expect(text == rows)
    #expect(decryptor.opened == 4 && decryptor.rows == 2)
}

@Test func whatCannotBeOpenedByRightStaysAndIsCounted() throws {
    let row = try """
    {"user_id":"\(token(.string, "u", domain: "user", by: .pseudonym))","other":"\(token(.string, "x", domain: "other"))",\
    "extra":{"id":"\(token(.string, "x", domain: "user"))"},"email":"see \(token(.string, "x", domain: "email"))!"}
    """
    let (text, decryptor) = try opened(row, .ndjson)
    #expect(text == row)
    #expect(decryptor.opened == 0 && decryptor.left == 4)
}

@Test func aTokenOfAnotherFieldFailsWithRowColumnAndKeyAndNothingElse() throws {
    let good = try token(.string, "u", domain: "user")
    let moved = try token(.string, "secret-person", domain: "email")
    let refused = fault { _ = try opened("{\"user_id\":\"\(good)\"}\n{\"user_id\":\"\(moved)\"}\n", .ndjson) }
    #expect(refused?.code == .cannotSeal)
    #expect(refused?.what == "a token can't be opened")
    #expect(refused?.place == ["row 2", "column user_id", "key bjugbow2rs"])
    var changed = Array(good.utf8)
    changed[20] ^= 1
    var opener = TokenOpener(try ring.get(), tenant: "org")
    let other = fault { _ = try opener.open(changed, domain: "user") }
    #expect(other?.what == refused?.what && other?.mend == refused?.mend)
    #expect(fault { _ = try opener.open(Array("no token".utf8), domain: "user") }?.what == refused?.what)
}

@Test func aKeyThatTheRingHasNotIsNamedAndTellsNothingElse() throws {
    let foreign = "{\"user_id\":\"ef1.s.63xad3vmf3.UOZQ-_zKUTPOFWZnscWS9ck74tQM9befzA\"}"
    let refused = fault { _ = try opened(foreign, .ndjson) }
    #expect(refused?.what == "a token can't be opened")
    #expect(refused?.place == ["row 1", "column user_id", "key 63xad3vmf3"])
}
