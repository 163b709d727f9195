package import Model

/// What a reply's headers say about trying again.
package struct RetryAdvice: Sendable, Equatable {
    /// `x-should-retry`: the server's own verdict over the status.
    package var shouldRetry: Bool?
    /// How long the server wants us away; `nil` when it does not say, or says nothing usable (0, negative, garbage,
    /// a date in the past).
    package var wait: Duration?

    /// - wall: our clock, for dates in a reply that has no `Date`.
    package init(headers: [String: String], wall: Instant) {
        switch headers["x-should-retry"]?.lowercased() {
        case "true": shouldRetry = true
        case "false": shouldRetry = false
        default: shouldRetry = nil
        }
        wait = RetryAdvice.wait(headers, wall)
    }

    private static func wait(_ headers: [String: String], _ wall: Instant) -> Duration? {
        if let text = headers["retry-after-ms"], let milliseconds = number(text), milliseconds > 0 {
            return duration(seconds: milliseconds / 1000)
        }
        guard let text = headers["retry-after"] else { return nil }
        if let seconds = number(text) { return seconds > 0 ? duration(seconds: seconds) : nil }
        guard let date = HTTPDate.parse(text) else { return nil }
        // Against the server's own clock: ours may be wrong by hours.
        let now = headers["date"].flatMap(HTTPDate.parse) ?? wall
        let seconds = date.seconds - now.seconds
        return seconds > 0 ? duration(seconds: Double(seconds)) : nil
    }

    /// Only digits, sign, point and exponent: `nan` and `inf` are words, not waits.
    private static func number(_ text: String) -> Double? {
        let trimmed = text.filter { $0 != " " && $0 != "\t" }
        guard trimmed.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }) else { return nil }
        return Double(trimmed)
    }

    /// What overflows is as good as for ever.
    private static func duration(seconds: Double) -> Duration { .seconds(min(seconds, 1e12)) }
}
