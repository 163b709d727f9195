import Model
import Testing

@Suite struct ExactDecimalTests {
    @Test(arguments: [
        ("0", "0"), ("-0", "0"), ("1.10", "1.1"), ("-12.500", "-12.5"), ("1e-7", "0.0000001"), ("2.5E3", "2500"),
        ("0.06", "0.06"), ("9007199254740993.5", "9007199254740993.5"), ("100", "100"),
        ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
    ])
    func textComesBackInPlainNotation(given: String, expected: String) {
        #expect(ExactDecimal(given)?.text == expected)
    }

    @Test(arguments: ["", "-", ".5", "5.", "1,5", "0x1", "NaN", "1e", "1e999", "1 ", String(repeating: "9", count: 60)])
    func whatIsNoDecimalOrTooLongIsNone(given: String) { #expect(ExactDecimal(given) == nil) }

    @Test func tenthsAddUpExactly() {
        let tenth = ExactDecimal("0.1")!
        let sum = (0..<10).reduce(ExactDecimal.zero) { sum, _ in sum.adding(tenth)! }
        #expect(sum == ExactDecimal(1))
        #expect(sum.subtracting(ExactDecimal("1.000000000000000000001")!)?.text == "-0.000000000000000000001")
    }

    @Test func orderIsThatOfTheNumbers() {
        let texts = [
            "-10", "-9.99", "-0.001", "0", "0.0009", "0.001", "1", "1.5", "1000000000000000000000000000000000001",
        ]
        let numbers = texts.map { ExactDecimal($0)! }
        #expect(numbers.shuffled().sorted() == numbers)
        #expect(ExactDecimal("1e-30")! < ExactDecimal("1e30")!)
    }

    @Test func whatDoesNotFitIsNoneInsteadOfRounded() {
        let large = ExactDecimal(String(repeating: "9", count: 38))!
        #expect(large.adding(ExactDecimal("1e-30")!) == nil)
        #expect(large.multiplied(by: large) == nil)
    }
}
