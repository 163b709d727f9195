/// Decimal numbers as text, exactly: no value passes through a double.
package enum PlainDecimal {
    /// More places than any amount has; keeps `1e999999999` from becoming a gigabyte of zeros.
    static let placesLimit = 400

    /// The same number in plain notation, digits and trailing zeros kept: `1e-05` → `0.00001`, `1.50e1` → `15.0`,
    /// `0.8958740000000000` as it is. `nil` when the text is no JSON number, or would need over 400 places.
    package static func normalized(_ text: [UInt8]) -> [UInt8]? {
        guard let parts = split(text) else { return nil }
        if parts.exponent == nil { return text }
        let exponent = parts.exponent ?? 0
        let digits = parts.whole + parts.fraction
        guard digits.contains(where: { $0 != UInt8(ascii: "0") }) || abs(exponent) <= placesLimit else {
            return [UInt8(ascii: "0")]
        }
        guard abs(exponent) <= placesLimit else { return nil }
        var point = parts.whole.count + exponent
        var all = digits
        if point <= 0 {
            all = [UInt8](repeating: UInt8(ascii: "0"), count: 1 - point) + all
            point = 1
        }
        if point > all.count { all += [UInt8](repeating: UInt8(ascii: "0"), count: point - all.count) }
        // A point that moved right may leave zeros before the first digit.
        var start = 0
        while start < point - 1, all[start] == UInt8(ascii: "0") { start += 1 }
        var out: [UInt8] = parts.isNegative ? [UInt8(ascii: "-")] : []
        out += all[start..<point]
        if point < all.count { out += [UInt8(ascii: ".")] + all[point...] }
        return out
    }

    /// The number as an integer's text when it is one: `12.0` → `12`, `1e3` → `1000`; else `nil`.
    package static func integral(_ text: [UInt8]) -> [UInt8]? {
        guard let plain = normalized(text) else { return nil }
        guard let point = plain.firstIndex(of: UInt8(ascii: ".")) else { return plain }
        return plain[(point + 1)...].allSatisfy { $0 == UInt8(ascii: "0") } ? Array(plain[..<point]) : nil
    }

    private struct Parts {
        var isNegative = false
        var whole: [UInt8] = []
        var fraction: [UInt8] = []
        var exponent: Int?
    }

    private static func split(_ text: [UInt8]) -> Parts? {
        var parts = Parts()
        var at = 0
        func digits() -> [UInt8] {
            let start = at
            while at < text.count, text[at] >= 48, text[at] <= 57 { at += 1 }
            return Array(text[start..<at])
        }
        if at < text.count, text[at] == UInt8(ascii: "-") {
            parts.isNegative = true
            at += 1
        }
        parts.whole = digits()
        guard !parts.whole.isEmpty, parts.whole.count == 1 || parts.whole[0] != UInt8(ascii: "0") else { return nil }
        if at < text.count, text[at] == UInt8(ascii: ".") {
            at += 1
            parts.fraction = digits()
            guard !parts.fraction.isEmpty else { return nil }
        }
        if at < text.count, text[at] | 0x20 == UInt8(ascii: "e") {
            at += 1
            var sign = 1
            if at < text.count, text[at] == UInt8(ascii: "+") || text[at] == UInt8(ascii: "-") {
                sign = text[at] == UInt8(ascii: "-") ? -1 : 1
                at += 1
            }
            let power = digits()
            guard !power.isEmpty else { return nil }
            parts.exponent =
                sign * (power.count > 9 ? Int(Int32.max) : Int(String(decoding: power, as: UTF8.self)) ?? 0)
        }
        return at == text.count ? parts : nil
    }
}
