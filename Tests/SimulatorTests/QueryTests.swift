import Testing

@testable import cogni_simulator

struct QueryTests {
    @Test func `Arrays are the same with brackets and without`() throws {
        let bracketed = try #require(Query("group_by[]=model&group_by%5B%5D=batch&limit=3"))
        let repeated = try #require(Query("group_by=model&group_by=batch&limit=3"))
        #expect(bracketed.all("group_by") == ["model", "batch"])
        #expect(bracketed == repeated)
    }

    @Test func `Nested parameters keep their brackets`() throws {
        let query = try #require(Query("effective_at%5Bgte%5D=12"))
        #expect(query["effective_at[gte]"] == "12")
    }

    @Test func `A bare plus is a space, so unescaped tokens break here as they do elsewhere`() throws {
        #expect(try #require(Query("page=a+b%2Bc"))["page"] == "a b+c")
    }

    @Test(arguments: ["a=%", "a=%4", "a=%zz", "a=%ff", "%c3=1"])
    func `Broken escapes are refused`(text: String) {
        #expect(Query(text) == nil)
    }

    @Test func `The identity has every field but the cursors, in any order`() throws {
        let identity = try #require(Query("a=1&b=2&page=x")).identity
        #expect(try #require(Query("b=2&a=1&after=y")).identity == identity)
        #expect(try #require(Query("b=2&a=1&limit=1")).identity != identity)
        // Not only the letters in a row: where one field ends matters.
        #expect(try #require(Query("a=1b&=2")).identity != identity)
    }
}
