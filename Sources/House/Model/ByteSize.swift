/// A size in bytes as people write it: `256MB`, `1.5GiB`, `4096`. Decimal units, and binary ones with an `i`.
package struct ByteSize: Sendable, Equatable {
    package var bytes: Int

    package init(bytes: Int) { self.bytes = bytes }

    package init?(text: String) {
        let trimmed = text.filter { $0 != " " }
        let digits = trimmed.prefix { $0.isNumber || $0 == "." }
        guard let number = Double(digits), number >= 0 else { return nil }
        let unit = trimmed.dropFirst(digits.count).lowercased()
        let factors: [String: Double] = [
            "": 1, "b": 1, "kb": 1e3, "mb": 1e6, "gb": 1e9, "k": 1e3, "m": 1e6, "g": 1e9,
            "kib": 1024, "mib": 1_048_576, "gib": 1_073_741_824,
        ]
        guard let factor = factors[unit], number * factor < 1e15 else { return nil }
        bytes = Int(number * factor)
    }

    /// `980 B`, `1.2 kB`, `34.0 MB`
    package var text: String {
        if bytes < 1000 { return "\(bytes) B" }
        var value = Double(bytes)
        for unit in ["kB", "MB", "GB", "TB"] {
            value /= 1000
            if value < 999.95 || unit == "TB" {
                let tenths = Int((value * 10).rounded())
                return "\(tenths / 10).\(tenths % 10) \(unit)"
            }
        }
        return "\(bytes) B"
    }
}
