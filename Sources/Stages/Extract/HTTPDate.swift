package import Model

/// The three date forms of RFC 9110: `Sun, 06 Nov 1994 08:49:37 GMT` and its two obsolete cousins.
package enum HTTPDate {
    private static let months = [
        "jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10, "nov": 11,
        "dec": 12,
    ]

    package static func parse(_ text: String) -> Instant? {
        let words = text.split { $0 == " " || $0 == "," || $0 == "-" }.map { $0.lowercased() }
        // Sun, 06 Nov 1994 08:49:37 GMT · Sunday, 06-Nov-94 08:49:37 GMT
        if words.count == 6, words[5] == "gmt" || words[5] == "utc" {
            return instant(day: words[1], month: words[2], year: words[3], time: words[4])
        }
        // Sun Nov  6 08:49:37 1994
        if words.count == 5 { return instant(day: words[2], month: words[1], year: words[4], time: words[3]) }
        return nil
    }

    private static func instant(day: String, month: String, year: String, time: String) -> Instant? {
        let clock = time.split(separator: ":", omittingEmptySubsequences: false).map { Int($0) ?? -1 }
        guard let day = Int(day), (1...31).contains(day), let month = months[month], var year = Int64(year),
            (0...9999).contains(year), clock.count == 3, (0...23).contains(clock[0]), (0...59).contains(clock[1]),
            (0...60).contains(clock[2])
        else { return nil }
        if year < 100 { year += year < 70 ? 2000 : 1900 }
        return Instant(year: year, month: month, day: day) + Int64(clock[0] * 3600 + clock[1] * 60 + clock[2])
    }
}
