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
