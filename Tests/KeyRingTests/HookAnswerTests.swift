import Model
import Sealing
import Testing

@testable import KeyRing

@Suite struct HookAnswerTests {
    private func bytes(_ text: String) throws -> KeyBytes {
        let bytes = Array(text.utf8)
        return try KeyBytes(copying: bytes.span)
    }

    private func text(_ key: KeyBytes?) -> String? { key.map { String(decoding: $0.array, as: UTF8.self) } }

    @Test(arguments: [
        #"{"ok":true,"data":"QUJD"}"#, " {\n \"data\" : \"QUJD\" , \"ok\" : true }\n",
        #"{"more":{"data":"no","list":[1,{"ok":false},"}"]},"ok":true,"n":-1.5e3,"z":null,"data":"QUJD"}"#,
        #"{"ok":true,"data":"QUJ\u0044"}"#, #"{"ok":true,"data":"no","data":"QUJD"}"#,
    ])
    func theDataIsFoundInAnyJSONObject(answer: String) throws {
        let found = try #require(try HookAnswer(try bytes(answer)))
        #expect(found.isGood == true)
        #expect(text(found.data) == "QUJD")
    }

    @Test func escapesOfTheWorldsEncodersAreUndone() throws {
        let found = try #require(
            try HookAnswer(try bytes(#"{"ok":false,"error":"a\/b\"c\\d\n\u002B\u20ac","data":"\/+=="}"#))
        )
        #expect(found.isGood == false)
        #expect(text(found.error) == "a/b\"c\\d\n+?")
        #expect(text(found.data) == "/+==")
    }

    @Test(arguments: [
        "", "{", "{}x", #"{"ok":true,"data":"QUJD""#, #"{"ok":true,"data":"QUJD"#, #"{"ok" true}"#, #"{"ok":}"#, "[]",
        "text",
        #"{"data":"QUJD\"#, #"{"ok":true,}"#, #"{"a":[1,2}"#, "{\"data\":\"a\nb\"}",
    ])
    func whatIsNoObjectIsNoAnswer(answer: String) throws { #expect(try HookAnswer(try bytes(answer)) == nil) }

    @Test(arguments: [#"{}"#, #"{"ok":"true"}"#, #"{"ok":1,"data":5}"#, #"{"ok":null,"data":{"data":"x"}}"#])
    func membersOfOtherTypesAreNotThere(answer: String) throws {
        let found = try #require(try HookAnswer(try bytes(answer)))
        #expect(found.isGood == nil)
        #expect(text(found.data) == nil)
    }

    @Test func aKeysTextIsThatOfTheSameBytes() throws {
        for count in 0...40 {
            let plain = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ 77) }
            let key = try KeyBytes(copying: plain.span)
            for alphabet in [Base64.standard, .url] {
                let encoded = alphabet.text(plain)
                #expect(text(try alphabet.keyText(of: key)) == encoded)
                let letters = Array(encoded.utf8)
                #expect(try alphabet.decodeKey(letters.span)?.array == plain)
            }
        }
    }

    @Test(arguments: ["A", "AB=", "Zh==", "Zg=", "Zg", "Z g=", "Zg==\n", "====", "Zg==Zg==", "Zm9="])
    func aKeysTextIsReadAsStrictlyAsAnyOther(encoded: String) throws {
        let letters = Array(encoded.utf8)
        #expect(try Base64.standard.decodeKey(letters.span) == nil)
        #expect(Base64.standard.decode(encoded) == nil)
    }
}
