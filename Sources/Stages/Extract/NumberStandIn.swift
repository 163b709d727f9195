/// Invented numbers for those that identify: written as the real ones are, so that a column's type still fits.
enum NumberStandIn {
    /// Whether a text is a number that may be replaced: a JSON number in plain digits, with six of them or with a fraction.
    /// Shorter whole ones are no identifiers but counts and page numbers, which requests carry too.
    static func isMeant(_ text: String) -> Bool {
        let digits = text.utf8.first == minus ? text.utf8.dropFirst() : text.utf8[...]
        let parts = digits.split(separator: point, maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy(isDigit) }) else { return false }
        if whole.first == zero, whole.count > 1 { return false }
        return parts.count == 2 || whole.count >= 6
    }

    /// Another number of the same length. Where too many of that length are taken already (`attempt`), of a greater one.
    static func invent(_ text: String, attempt: Int) -> String {
        var isFirst = true
        var out = ""
        let wholeLength = text.utf8.prefix { $0 != point }.count { isDigit($0) }
        for byte in text.utf8 {
            if !isDigit(byte) {
                out.unicodeScalars.append(Unicode.Scalar(byte))
            } else if isFirst {
                isFirst = false
                // Unix times, which requests carry, begin with 1 or 2 until 2065. Of the longest whole numbers
                // only those that begin with 1 are sure to fit into 64 bits.
                out += byte == zero ? "0" : String(wholeLength >= 19 ? 1 : Int.random(in: 3...9))
            } else {
                out += String(wholeLength >= 20 ? Int.random(in: 0...7) : Int.random(in: 0...9))
            }
        }
        for _ in 0..<(attempt / 64) { out += String(Int.random(in: 0...9)) }
        return out
    }

    private static let minus = UInt8(ascii: "-")
    private static let point = UInt8(ascii: ".")
    private static let zero = UInt8(ascii: "0")
    private static func isDigit(_ byte: UInt8) -> Bool { byte >= zero && byte <= UInt8(ascii: "9") }
}
