import Testing

@testable import cogni_simulator

struct PageTokenTests {
    @Test(arguments: [0, 1, 1500])
    func `A token is read back as it was written, and needs escaping`(padding: Int) {
        let token = PageToken(position: 1_763_078_400, query: .max, repeats: 3, padding: padding)
        #expect(PageToken(token.text) == token)
        #expect(token.text.hasPrefix("page_"))
    }

    @Test func `The old form without page_ is read as well`() {
        var token = PageToken(position: 1_763_078_400, query: 7)
        token.isBare = true
        #expect(!token.text.hasPrefix("page_"))
        #expect(PageToken(token.text) == token)
    }

    @Test func `An ordinary token has the published example's length and its equals sign`() {
        let text = PageToken(position: 1, query: 2).text
        #expect(text.count == "page_AAAAAGdGxdEiJdKOAAAAAGcqsYA=".count)
        #expect(text.hasSuffix("="))
    }

    @Test(arguments: ["", "page_", "page_AAAA", "page_????", "AAAAAGdG", "page_A=AA"])
    func `What was never a token is refused`(text: String) {
        #expect(PageToken(text) == nil)
    }

    @Test func `Base64 is that of RFC 4648`() {
        for (plain, encoded) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            #expect(Base64.encode(Array(plain.utf8)) == encoded)
            #expect(Base64.decode(encoded) == Array(plain.utf8))
        }
        #expect(Base64.encode([0xFB, 0xFF, 0xFE]) == "+//+")
    }
}
