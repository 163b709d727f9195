/// Calendar arithmetic in UTC on whole Unix seconds; no time zone data base, no locale.
enum Moment {
    static let minute = 60
    static let hour = 3600
    static let day = 86_400
    /// What is taken for an instant from outside: the epoch to the last second of the year 9999.
    static let sane = 0...253_402_300_799

    static func floor(_ seconds: Int, to width: Int) -> Int {
        let rest = seconds % width
        return seconds - (rest < 0 ? rest + width : rest)
    }

    /// Howard Hinnant's `civil_from_days`, the proleptic Gregorian calendar.
    static func date(_ seconds: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = floor(seconds, to: day) / day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    static func seconds(year: Int, month: Int, day: Int) -> Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return (era * 146_097 + dayOfEra - 719_468) * Self.day
    }

    /// `2026-11-20T12:00:00Z`, or `2026-11-20` for its first second, or Unix seconds; `nil` when it is none of them.
    static func parse(_ text: String) -> Int? {
        if let seconds = Int(text) { return seconds }
        let halves = text.split(separator: "T", omittingEmptySubsequences: false)
        let date = halves[0].split(separator: "-").compactMap { Int($0) }
        guard halves.count <= 2, date.count == 3, (1...12).contains(date[1]), (1...31).contains(date[2]) else {
            return nil
        }
        var total = seconds(year: date[0], month: date[1], day: date[2])
        guard self.date(total) == (date[0], date[1], date[2]) else { return nil }
        if halves.count == 2 {
            guard halves[1].hasSuffix("Z") else { return nil }
            let clock = halves[1].dropLast().split(separator: ":").compactMap { Int($0) }
            guard clock.count == 3, (0..<24).contains(clock[0]), (0..<60).contains(clock[1]),
                (0..<60).contains(clock[2])
            else { return nil }
            total += clock[0] * hour + clock[1] * minute + clock[2]
        }
        return total
    }

    static func isoDate(_ seconds: Int) -> String {
        let (year, month, day) = date(seconds)
        return "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
    }

    static func iso(_ seconds: Int) -> String {
        "\(isoDate(seconds))T\(clock(seconds))Z"
    }

    /// RFC 9110's IMF-fixdate: `Fri, 20 Nov 2026 12:00:00 GMT`.
    static func http(_ seconds: Int) -> String {
        let (year, month, day) = date(seconds)
        let weekdays = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let weekday = weekdays[((floor(seconds, to: Self.day) / Self.day) % 7 + 7) % 7]
        return "\(weekday), \(padded(day, 2)) \(months[month - 1]) \(padded(year, 4)) \(clock(seconds)) GMT"
    }

    private static func clock(_ seconds: Int) -> String {
        let rest = seconds - floor(seconds, to: day)
        return "\(padded(rest / hour, 2)):\(padded(rest / minute % 60, 2)):\(padded(rest % 60, 2))"
    }

    private static func padded(_ number: Int, _ width: Int) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
}
