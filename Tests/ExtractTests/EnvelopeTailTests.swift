import Testing

@testable import Extract

private func tail(_ text: String) -> EnvelopeTail? {
    EnvelopeTail(Array(text.utf8), cursorPath: ["next_page"], morePath: ["has_more"])
}

@Suite struct EnvelopeTailTests {
    @Test(arguments: [
        #"…"results":[]}],"has_more":true,"next_page":"page_2"}"#,
        #"{"data":[{"x":[1]}] , "has_more" : true , "next_page" : "page_2" }  "#,
        #"],"next_page":"page\u005f2","has_more":true,"object":"page"}"#,
    ])
    func theMembersBehindTheRowsAreRead(text: String) {
        #expect(tail(text)?.cursor == "page_2")
        #expect(tail(text)?.hasMore == true)
    }

    @Test func nestedMembersAreReadAlongTheirPaths() {
        let end = Array(#"],"paging":{"next":"page_2","meta":{"more":true}}}"#.utf8)
        let tail = EnvelopeTail(end, cursorPath: ["paging", "next"], morePath: ["paging", "meta", "more"])
        #expect(tail?.cursor == "page_2")
        #expect(tail?.hasMore == true)
        #expect(EnvelopeTail(end, cursorPath: ["next"], morePath: ["more"]) == nil)
    }

    @Test(arguments: [
        "", "{}", #"{"data":[]}"#, #"],"has_more":false,"next_page":null}"#, #"],"next_page":""}"#,
        #"],"next_page":7}"#,
        #"],"meta":{"list":[1],"next_page":"other"}}"#, #"],"next_page":"page_2""#, #"],"next_page":"a]b"}"#,
        #"] x,"next_page":"page_2"}"#,
    ])
    func whatIsNoPlainEndSaysNothing(text: String) { #expect(tail(text) == nil) }
}
