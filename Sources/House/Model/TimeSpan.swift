/// A length of time as people write it: `90s`, `5m`, `72h`, `3d`, `2w`. Whole seconds; never calendar
/// months, whose length depends on where one stands.
package struct TimeSpan: Sendable, Equatable, Comparable {
    package var seconds: Int64

    package init(seconds: Int64) { self.seconds = seconds }

    package static func < (a: TimeSpan, b: TimeSpan) -> Bool { a.seconds < b.seconds }

    package init?(text: String) {
        let digits = text.utf8.prefix { (48...57).contains($0) }
        guard let number = Int64(Substring(digits)), number < 1_000_000_000, text.utf8.count == digits.count + 1,
            let unit = text.utf8.last
        else { return nil }
        let factor: Int64
        switch unit {
        case UInt8(ascii: "s"): factor = 1
        case UInt8(ascii: "m"): factor = 60
        case UInt8(ascii: "h"): factor = 3600
        case UInt8(ascii: "d"): factor = 86_400
        case UInt8(ascii: "w"): factor = 604_800
        default: return nil
        }
        seconds = number * factor
    }

    /// The shortest exact form: `3d`, `90s`.
    package var text: String {
        for (unit, factor) in [("d", Int64(86_400)), ("h", 3600), ("m", 60)] where seconds != 0 && seconds % factor == 0
        {
            return "\(seconds / factor)\(unit)"
        }
        return "\(seconds)s"
    }
}
