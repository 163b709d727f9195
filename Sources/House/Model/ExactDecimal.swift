/// A decimal that is added, subtracted and compared without rounding, for reports beside the data's way.
///
/// Holds about 38 digits; what does not fit comes back as `nil` instead of a rounded number.
package struct ExactDecimal: Sendable, Equatable, Comparable {
    /// The value is `units` / 10^`scale`; no zeros at the end of the fraction.
    private var units: Int128
    private var scale: Int

    package static let zero = ExactDecimal(0)

    package init(_ whole: Int) {
        units = Int128(whole)
        scale = 0
    }

    private init(units: Int128, scale: Int) {
        self.units = units
        self.scale = scale
        while self.scale > 0, self.units % 10 == 0 {
            self.units /= 10
            self.scale -= 1
        }
    }

    /// `-12.50`; also `1e-7`. `nil`: no decimal, or too long.
    package init?(_ text: some StringProtocol) {
        var digits = Substring(text)
        var exponent = 0
        if let mark = digits.firstIndex(where: { $0 == "e" || $0 == "E" }) {
            guard let power = Int(digits[digits.index(after: mark)...]), abs(power) <= 60 else { return nil }
            exponent = power
            digits = digits[..<mark]
        }
        let isNegative = digits.first == "-"
        if isNegative { digits = digits.dropFirst() }
        let parts = digits.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), !parts[0].isEmpty, parts.count == 1 || !parts[1].isEmpty else {
            return nil
        }
        var units: Int128 = 0
        for digit in parts.joined().utf8 {
            guard digit >= 48, digit <= 57 else { return nil }
            let (tens, isOver) = units.multipliedReportingOverflow(by: 10)
            let (sum, isOverToo) = tens.addingReportingOverflow(Int128(digit - 48))
            if isOver || isOverToo { return nil }
            units = sum
        }
        var scale = (parts.count == 2 ? parts[1].utf8.count : 0) - exponent
        while scale < 0 {
            let (tens, isOver) = units.multipliedReportingOverflow(by: 10)
            if isOver { return nil }
            units = tens
            scale += 1
        }
        self.init(units: isNegative ? -units : units, scale: scale)
    }

    /// Both at one scale; `nil` when one of them no longer fits.
    private static func aligned(_ one: ExactDecimal, _ other: ExactDecimal) -> (Int128, Int128, Int)? {
        var (a, b) = (one, other)
        while a.scale < b.scale {
            let (units, isOver) = a.units.multipliedReportingOverflow(by: 10)
            if isOver { return nil }
            a.units = units
            a.scale += 1
        }
        while b.scale < a.scale {
            let (units, isOver) = b.units.multipliedReportingOverflow(by: 10)
            if isOver { return nil }
            b.units = units
            b.scale += 1
        }
        return (a.units, b.units, a.scale)
    }

    package func adding(_ other: ExactDecimal) -> ExactDecimal? {
        guard let (a, b, scale) = ExactDecimal.aligned(self, other) else { return nil }
        let (sum, isOver) = a.addingReportingOverflow(b)
        return isOver ? nil : ExactDecimal(units: sum, scale: scale)
    }

    package func subtracting(_ other: ExactDecimal) -> ExactDecimal? {
        adding(ExactDecimal(units: -other.units, scale: other.scale))
    }

    package func multiplied(by other: ExactDecimal) -> ExactDecimal? {
        let (product, isOver) = units.multipliedReportingOverflow(by: other.units)
        return isOver ? nil : ExactDecimal(units: product, scale: scale + other.scale)
    }

    package var magnitude: ExactDecimal { ExactDecimal(units: units < 0 ? -units : units, scale: scale) }
    package var isZero: Bool { units == 0 }

    package static func < (one: ExactDecimal, other: ExactDecimal) -> Bool {
        if let (a, b, _) = aligned(one, other) { return a < b }
        // Only numbers of very different size do not fit one scale.
        let (a, b) = (one.wholePart, other.wholePart)
        return a == b ? one.scale < other.scale : a < b
    }

    private var wholePart: Int128 {
        var rest = units
        for _ in 0..<scale { rest /= 10 }
        return rest
    }

    /// Plain notation.
    package var text: String {
        let digits = String(units < 0 ? -units : units)
        let sign = units < 0 ? "-" : ""
        guard scale > 0 else { return sign + digits }
        let padded = digits.zeroPadded(scale + 1)
        return sign + padded.dropLast(scale) + "." + padded.suffix(scale)
    }
}
