import Model
import Testing

@Suite struct JSONTests {
    @Test func numbersKeepTheirText() throws {
        let value = try JSONValue(parsing: #"{"b":9007199254740993,"a":[1e-05,0.8958740000000000]}"#)
        #expect(value.canonicalText == #"{"a":[1e-05,0.8958740000000000],"b":9007199254740993}"#)
    }

    @Test(arguments: ["", "[1,]", "{\"a\" 1}", "01", "1.", "\"\u{01}\"", "[1] 2", "\"\\x\"", "nul", "[", "-"])
    func brokenTextIsRefused(text: String) {
        #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
    }

    @Test(arguments: [
        "", "plain", "\u{00}\u{1f}\t\n\"\\", "é/\u{2028}\u{1F600}", String(repeating: "long ", count: 99) + "\\",
    ])
    func everyTextComesBackAsItWas(text: String) throws {
        #expect(try JSONValue(parsing: JSONValue.string(text).canonical) == .string(text))
        #expect(JSONValue.string("\u{00}\u{0f}\u{1f}").canonicalText == #""\u0000\u000f\u001f""#)
    }

    @Test func membersAreSortedAndTheLastOfEqualOnesCounts() {
        let value: JSONValue = .object([.init("b", 1), .init("a", 2), .init("b", 3), .init("", 4)])
        #expect(value.canonicalText == #"{"":4,"a":2,"b":3}"#)
        let twice: JSONValue = .object([.init("a", 1), .init("a", 2)])
        #expect(twice.canonicalText == #"{"a":2}"#)
        // By UTF-16 code units, as RFC 8785 has it: the surrogates of U+1F600 come before U+FB33.
        let wide: JSONValue = .object([.init("\u{FB33}", 1), .init("\u{1F600}", 2), .init("é", 3)])
        #expect(wide.canonicalText == "{\"é\":3,\"\u{1F600}\":2,\"\u{FB33}\":1}")
    }

    @Test(arguments: [0, 1, 3])
    func anObjectWrittenElementByElementIsTheSame(count: Int) {
        let elements = (0..<count).map { JSONValue.object([.init("n", .integer($0)), .init("a", "x\n")]) }
        for key in ["a", "m", "z"] {
            let members: [JSONValue.Member] = [.init("y", 1), .init("b", ["d": 2, "c": 3]), .init("l", nil)]
            let whole: JSONValue = .object(members + [.init(key, .array(elements))])
            #expect(JSONValue.canonical(members, key, elements.lazy.map { $0 }) == whole.canonical)
        }
    }
}

@Suite struct InstantTests {
    @Test(arguments: [
        ("1970-01-01T00:00:00Z", 0), ("2000-02-29T12:00:00Z", 951_825_600), ("2038-01-19T03:14:08Z", 2_147_483_648),
        ("1969-12-31T23:59:59Z", -1), ("9999-12-31T23:59:59Z", 253_402_300_799),
    ])
    func textAndSecondsAgree(text: String, seconds: Int64) {
        #expect(Instant(seconds: seconds).text == text)
        #expect(Instant(text: text)?.seconds == seconds)
    }
}
