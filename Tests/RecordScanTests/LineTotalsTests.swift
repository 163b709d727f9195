import RecordScan
import TestKit
import Testing

/// Sums of schoolbook arithmetic on digits, for the kernel to agree with.
private struct Digits {
    /// In units of 10^-40, base 10, the lowest first; two sides so that nothing is ever subtracted until the end.
    private var plus: [Int] = [0]
    private var minus: [Int] = [0]
    private static let scale = 40

    mutating func add(_ text: String) {
        let isNegative = text.first == "-"
        let parts = text.drop { $0 == "-" }.split(separator: ".", omittingEmptySubsequences: false)
        let fraction = parts.count == 2 ? String(parts[1]) : ""
        let digits = String(parts[0]) + fraction + String(repeating: "0", count: Self.scale - fraction.count)
        let values = digits.reversed().map { $0.wholeNumberValue! }
        if isNegative { Self.add(values, to: &minus) } else { Self.add(values, to: &plus) }
    }

    private static func add(_ values: [Int], to sum: inout [Int]) {
        var carry = 0
        var at = 0
        while at < values.count || carry > 0 {
            if at == sum.count { sum.append(0) }
            let total = sum[at] + (at < values.count ? values[at] : 0) + carry
            sum[at] = total % 10
            carry = total / 10
            at += 1
        }
    }

    var text: String {
        let width = max(plus.count, minus.count, Self.scale + 1)
        var (a, b) = (plus, minus)
        a += Array(repeating: 0, count: width - a.count)
        b += Array(repeating: 0, count: width - b.count)
        let isNegative = a.reversed().lexicographicallyPrecedes(b.reversed())
        if isNegative { (a, b) = (b, a) }
        var borrow = 0
        for at in 0..<width {
            var left = a[at] - b[at] - borrow
            borrow = left < 0 ? 1 : 0
            if left < 0 { left += 10 }
            a[at] = left
        }
        let all = a.reversed().map(String.init).joined()
        let whole = all.dropLast(Self.scale).drop { $0 == "0" }
        var fraction = all.suffix(Self.scale)
        while fraction.last == "0" { fraction.removeLast() }
        let number = (whole.isEmpty ? "0" : String(whole)) + (fraction.isEmpty ? "" : "." + fraction)
        return isNegative && number != "0" ? "-" + number : number
    }
}

@Suite struct LineTotalsTests {
    private func totals(_ isCSV: Bool) -> LineTotals {
        LineTotals(columns: [("amount", true), ("name", false)], isCSV: isCSV, isStrict: true)
    }

    /// Also in pieces, as files are read.
    private func take(_ text: String, _ totals: LineTotals, pieces: Int) -> Bool {
        var pending: [UInt8] = []
        for byte in text.utf8 {
            pending.append(byte)
            guard pending.count >= pieces else { continue }
            guard let taken = totals.take(pending, count: pending.count) else { return false }
            pending.removeSubrange(..<taken)
        }
        return totals.take(pending, count: pending.count) == pending.count
    }

    @Test(arguments: [false, true])
    func sumsOfRandomNumbersAreExact(isCSV: Bool) {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = Seeded(seed)
        for round in 0..<60 {
            var text = ""
            var expected = Digits()
            var nulls = 0
            var values = 0
            var names: [String: Int] = [:]
            for _ in 0..<Int.random(in: 0...80, using: &random) {
                var cell = isCSV ? "" : "null"
                if Int.random(in: 0..<8, using: &random) == 0 {
                    nulls += 1
                } else {
                    let long = round % 3 == 0
                    let whole = (0..<Int.random(in: 1...(long ? 45 : 12), using: &random)).map { _ in
                        String(Int.random(in: 0...9, using: &random))
                    }
                    var number = (Bool.random(using: &random) ? "-" : "") + whole.joined()
                    if Bool.random(using: &random) {
                        let digits = (0..<Int.random(in: 1...(long ? 30 : 6), using: &random)).map { _ in
                            String(Int.random(in: 0...9, using: &random))
                        }
                        number += "." + digits.joined()
                    }
                    expected.add(number)
                    values += 1
                    cell = Bool.random(using: &random) ? "\"\(number)\"" : number
                }
                let name = ["a", "b\"\"", "", "c,d\ne"].randomElement(using: &random)!
                if isCSV {
                    text += "\(cell),\"\(name)\"\n"
                } else {
                    let escaped = name.replacing("\"\"", with: "\\\"").replacing("\n", with: "\\n")
                    text += "{\"amount\":\(cell),\"name\":\"\(escaped)\"}\n"
                }
                names[name, default: 0] += 1
            }
            let totals = totals(isCSV)
            let set = totals.collect(1, until: nil)
            let pieces = Int.random(in: 1...200, using: &random)
            #expect(take(text, totals, pieces: pieces), "seed \(seed), round \(round)")
            #expect(totals.nulls(0) == nulls, "seed \(seed), round \(round)")
            #expect(totals.sum(0) == (values == 0 ? nil : expected.text), "seed \(seed), round \(round)")
            #expect(totals.values(set).map(\.rows).sorted() == names.values.sorted(), "seed \(seed), round \(round)")
        }
    }

    @Test(arguments: [
        "{\"amount\":1,\"nome\":\"x\"}\n", "{\"amount\":1}\n", "{\"amount\":nul,\"name\":\"x\"}\n",
        "{\"amount\":1,\"name\":\"x\",\"more\":1}\n", "{\"name\":\"x\",\"amount\":1}\n",
    ])
    func aLineOfAnotherShapeIsRefused(line: String) { #expect(!take(line, totals(false), pieces: 1000)) }

    @Test func tokensAndTextHaveNoSum() {
        let totals = totals(false)
        #expect(take("{\"amount\":\"ct1.abc\",\"name\":null}\n{\"amount\":3,\"name\":null}\n", totals, pieces: 9))
        #expect(totals.sum(0) == nil)
        totals.restart()
        #expect(take("{\"amount\":3,\"name\":null}\n", totals, pieces: 9))
        #expect(totals.sum(0) == "3")
    }

    @Test func rowsThatEndedAreCountedApart() {
        let totals = LineTotals(columns: [("id", false), ("deleted_at", false)], isCSV: false, isStrict: true)
        let set = totals.collect(0, until: 1)
        let lines = "{\"id\":\"a\",\"deleted_at\":null}\n{\"id\":\"b\",\"deleted_at\":\"2025\"}\n"
        #expect(take(lines, totals, pieces: 1000))
        #expect(totals.values(set).map(\.living) == [1, 0])
    }

}
