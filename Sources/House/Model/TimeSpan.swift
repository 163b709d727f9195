/// A length of time as people write it: `90s`, `5m`, `72h`, `3d`, `2w`. Whole seconds; never calendar
/// months, whose length depends on where one stands.
package struct TimeSpan: Sendable, Equatable, Comparable {
    package var seconds: Int64

    package init(seconds: Int64) { self.seconds = seconds }

    package static func < (a: TimeSpan, b: TimeSpan) -> Bool { a.seconds < b.seconds }

    package init?(text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let number = Int64(digits), text.count == digits.count + 1 else { return nil }
        let factors: [Character: Int64] = ["s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800]
        guard let factor = text.last.flatMap({ factors[$0] }), number < 1_000_000_000 else { return nil }
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
