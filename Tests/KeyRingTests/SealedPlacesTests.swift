import Foundation
import Model
import Sealing
import Testing

@testable import KeyRing

private let ring = {
    let path = repository.appending(path: "Fixtures/keys/example.keyring.json").path()
    return Result { try KeyRing.load(path, environment: [:]) }
}()

private func token(_ value: String, domain: String, kind: FieldToken.Kind = .string) throws -> String {
    try TokenSealer(.deterministic, key: try ring.get().activeKey(), tenant: "org", domain: domain)
        .seal(kind, Array(value.utf8))
}

private func opened(_ text: String, _ places: SealedPlaces, _ format: Decryptor.Format = .ndjson) throws -> (
    text: String, opened: Int, left: Int
) {
    var decryptor = Decryptor(try ring.get(), tenant: "org", places: places, format: format)
    var out: [UInt8] = []
    try decryptor.feed(Array(text.utf8), into: &out)
    try decryptor.finish(into: &out)
    return (String(decoding: out, as: UTF8.self), decryptor.opened, decryptor.left)
}

private let places = SealedPlaces([
    "actor.user.email": "email", "actor.list.[].id": "user", "actor.by.*": "person", "actor.all": "all",
])

@Test func tokensInsideOfAJSONColumnAreOpenedWhereTheyAreSealedAndTheRestStaysByteForByte() throws {
    let clear =
        #"{"n":1.50,"actor":{"all":[1,{"x":null}],"by":{"a\"b":"Ä\n"},"list":[{"id":"u1"},{"id":null}],"user":{"email":"a@b.c"}},"z":[]}"#
    let sealed =
        clear
        .replacing("\"a@b.c\"", with: "\"\(try token("a@b.c", domain: "email"))\"")
        .replacing("\"u1\"", with: "\"\(try token("u1", domain: "user"))\"")
        .replacing("\"Ä\\n\"", with: "\"\(try token("Ä\n", domain: "person"))\"")
        .replacing("[1,{\"x\":null}]", with: "\"\(try token("[1,{\"x\":null}]", domain: "all", kind: .json))\"")
    let done = try opened(sealed + "\n", places)
    #expect(done.text == clear + "\n")
    #expect(done.opened == 4 && done.left == 0)
}

@Test func theSameInACSVCell() throws {
    let sealed = #"{"user":{"email":"\#(try token("a,\"b\"", domain: "email"))"}}"#.replacing("\"", with: "\"\"")
    let done = try opened("id,actor\n1,\"\(sealed)\"\n2,\n", places, .csv)
    #expect(done.text == "id,actor\n1,\"{\"\"user\"\":{\"\"email\"\":\"\"a,\\\"\"b\\\"\"\"\"}}\"\n2,\n")
    #expect(done.opened == 1)
}

@Test func aTokenThatSomeoneWroteElsewhereStaysAndOneThatDoesNotOpenWhereItShouldIsRefused() throws {
    let elsewhere = #"{"actor":{"note":"\#(try token("x", domain: "email"))"}}"# + "\n"
    let done = try opened(elsewhere, places)
    #expect(done.text == elsewhere && done.left == 1)
    let moved = #"{"actor":{"user":{"email":"\#(try token("x", domain: "user"))"}}}"#
    #expect(throws: Fault.self) { try opened(moved + "\n", places) }
}

@Test(arguments: [
    "[}", "[[}]", "{]", "{\"a\":]}", "[\"", "{\"a", "{\"a\":\"\\", "[,,]", "[1 2]", "{{}}", "[\"a\"\"b\"]",
    String(repeating: "[", count: 100_000), String(repeating: "{\"a\":", count: 100_000),
])
func textThatIsNoJSONIsCopiedAsItStands(text: String) throws {
    let row = #"{"actor":\#(text),"z":1}"#
    #expect(try opened(row, places).text == row)
    let bytes = Array(text.utf8)
    #expect(JSONStrings(bytes, in: 0..<bytes.count).found.count < 3)
}

@Test func aFileThatIsCutInsideOfATokenStopsNothing() throws {
    let places = SealedPlaces(["email": "email", "actor.user.email": "email"])
    let sealed = try token("e", domain: "email")
    #expect(try opened(#"{"email":"\#(sealed)"#, places).text == #"{"email":"e""#)
    #expect(try opened(#"{"actor":{"user":{"email":"\#(sealed)"}"#, places).left <= 1)
}

@Test func whatAKeyMeansMayDependOnTheRowSoEachOfItsDomainsIsTried() throws {
    let several = SealedPlaces(["p.id": "user", "p.*": "project"])
    let row = #"{"p":{"id":"\#(try token("a", domain: "project"))"}}"# + "\n"
    #expect(try opened(row, several).text == #"{"p":{"id":"a"}}"# + "\n")
}

@Test func rowsBeforeAndAfterAChangeAreOpenedAsRowsOfTheStream() throws {
    let places = SealedPlaces(["email": "email", "actor.id": "user"], rows: .changes)
    let row =
        #"{"email":"\#(try token("e", domain: "email"))","after":{"email":"\#(try token("f", domain: "email"))","actor":{"id":"\#(try token("u", domain: "user"))"}},"before":null}"#
    #expect(
        try opened(row + "\n", places).text == #"{"email":"e","after":{"email":"f","actor":{"id":"u"}},"before":null}"#
            + "\n"
    )
}

@Test func restatedValuesAreOpenedAsTheColumnThatTheirRowNamesAndStayText() throws {
    let places = SealedPlaces(["count": "n", "email": "email"], rows: .restatements)
    let old = try token("12", domain: "n", kind: .number)
    let row = #"{"measure":"count","old_value":"\#(old)","new_value":null}"# + "\n"
    #expect(try opened(row, places).text == #"{"measure":"count","old_value":"12","new_value":null}"# + "\n")
    let csv = "measure,old_value,new_value\ncount,\(old),\nother,\(old),7\n"
    let done = try opened(csv, places, .csv)
    #expect(done.text == "measure,old_value,new_value\ncount,12,\nother,\(old),7\n")
    #expect(done.opened == 1 && done.left == 1)
}
