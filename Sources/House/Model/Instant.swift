/// A point in time, in whole seconds since 1970-01-01T00:00:00Z. UTC is the only zone there is.
package struct Instant: Sendable, Hashable, Comparable {
    package var seconds: Int64

    package init(seconds: Int64) { self.seconds = seconds }

    package static func < (a: Instant, b: Instant) -> Bool { a.seconds < b.seconds }
    package static func + (a: Instant, seconds: Int64) -> Instant { Instant(seconds: a.seconds + seconds) }
    package static func - (a: Instant, seconds: Int64) -> Instant { Instant(seconds: a.seconds - seconds) }

    /// The last multiple of `width` seconds at or before this instant.
    package func aligned(down width: Int64) -> Instant {
        let rest = seconds % width
        return Instant(seconds: seconds - (rest < 0 ? rest + width : rest))
    }

    /// Calendar fields in the proleptic Gregorian calendar.
    package var fields: (year: Int64, month: Int, day: Int, hour: Int, minute: Int, second: Int) {
        let day = aligned(down: 86_400).seconds / 86_400
        let rest = Int(seconds - day * 86_400)
        // Days to civil date by eras of 400 years that begin on March 1st, so that leap days fall at the end.
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        let dayOfMonth = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        return (year, Int(month), Int(dayOfMonth), rest / 3600, rest / 60 % 60, rest % 60)
    }

    /// Midnight of a civil date.
    package init(year: Int64, month: Int, day: Int) {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = Int64((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1)
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        seconds = (era * 146_097 + dayOfEra - 719_468) * 86_400
    }

    /// `2026-11-03`
    package var date: String { String(text.prefix(10)) }

    /// `2026-11`
    package var month: String { String(text.prefix(7)) }

    /// RFC 3339, UTC, whole seconds: `2026-11-03T00:00:00Z`.
    package var text: String {
        let f = fields
        func two(_ n: Int) -> String { n < 10 ? "0\(n)" : "\(n)" }
        return
            "\(String(f.year).zeroPadded(4))-\(two(f.month))-\(two(f.day))T\(two(f.hour)):\(two(f.minute)):\(two(f.second))Z"
    }

    /// Reads `2026-11-03`, `2026-11-03T04:05:06Z`, the same with an offset (`+02:00`), or Unix seconds.
    package init?(text: String) {
        guard let (instant, fraction) = Instant.withFraction(text), fraction.isEmpty else { return nil }
        self = instant
    }

    /// Reads what ``init(text:)`` reads, and a fraction of a second: its digits, without zeros at their end.
    ///
    /// A leap second (`:60`) is the first second after it, as Unix counts.
    package static func withFraction(_ text: String) -> (instant: Instant, fraction: String)? {
        let bytes = Array(text.utf8)
        if !bytes.isEmpty, bytes.count <= 12, bytes.allSatisfy({ $0 >= 48 && $0 <= 57 }), let seconds = Int64(text) {
            return (Instant(seconds: seconds), "")
        }
        func number(_ range: Range<Int>) -> Int? {
            guard range.upperBound <= bytes.count else { return nil }
            var value = 0
            for byte in bytes[range] {
                guard byte >= 48, byte <= 57 else { return nil }
                value = value * 10 + Int(byte) - 48
            }
            return value
        }
        guard bytes.count >= 10, bytes[4] == 45, bytes[7] == 45,
            let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
            (1...12).contains(month), day >= 1
        else { return nil }
        let start = Instant(year: Int64(year), month: month, day: day)
        guard start.fields.month == month else { return nil }  // 31 April
        if bytes.count == 10 { return (start, "") }
        guard bytes.count >= 20, bytes[10] == 84 || bytes[10] == 116 || bytes[10] == 32, bytes[13] == 58,
            bytes[16] == 58,
            let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
            hour < 24, minute < 60, second <= 60
        else { return nil }
        var zone = 19
        var fraction = ""
        if bytes[19] == 46 {
            let digits = bytes[20...].prefix { $0 >= 48 && $0 <= 57 }
            guard !digits.isEmpty, digits.endIndex < bytes.count else { return nil }
            zone = digits.endIndex
            fraction = String(decoding: digits.reversed().drop { $0 == 48 }.reversed(), as: UTF8.self)
        }
        var offset: Int64 = 0
        switch bytes[zone] {
        case 90, 122:
            guard bytes.count == zone + 1 else { return nil }
        case 43, 45:
            guard bytes.count == zone + 6, bytes[zone + 3] == 58, let h = number(zone + 1..<zone + 3),
                let m = number(zone + 4..<zone + 6), h < 24, m < 60
            else { return nil }
            offset = Int64(h * 3600 + m * 60) * (bytes[zone] == 45 ? -1 : 1)
        default: return nil
        }
        let instant = start + Int64(hour * 3600 + minute * 60 + second) - offset
        // Years have four digits, also after the offset.
        guard (-62_167_219_200...253_402_300_799).contains(instant.seconds) else { return nil }
        return (instant, fraction)
    }
}
