import Testing

@testable import Reporting

@Suite struct PhraseTests {
    @Test(arguments: [
        (0, "0"), (999, "999"), (1000, "1,000"), (-1_234_567, "-1,234,567"),
        (9_007_199_254_740_993, "9,007,199,254,740,993"),
    ])
    func countsHaveThousandsSeparators(number: Int, text: String) { #expect(Phrase.count(number) == text) }

    @Test(arguments: [
        (0, "0.0s"), (449, "0.4s"), (450, "0.5s"), (59_949, "59.9s"), (59_950, "1m00s"), (125_000, "2m05s"),
        (3_599_499, "59m59s"), (3_720_000, "1h02m"), (273_600_000, "3d04h"), (-5, "0.0s"),
    ])
    func timesReadLikeTimes(milliseconds: Int, text: String) {
        #expect(Phrase.time(milliseconds: milliseconds) == text)
    }

    @Test func oneIsNotPlural() {
        #expect(Phrase.count(1, "row") == "1 row")
        #expect(Phrase.count(0, "row") == "0 rows")
    }

    @Test func whatATerminalWouldObeyIsMadeHarmless() {
        #expect(Phrase.printable("a\u{1B}[2Jb\u{9B}c\u{202E}d\ne\tf") == "a?[2Jb?c?d e?f")
        #expect(Phrase.printable("é 👩‍👩‍👧 עברית") == "é 👩‍👩‍👧 עברית")
    }
}
