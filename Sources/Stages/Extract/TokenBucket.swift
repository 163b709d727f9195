/// A token bucket that answers "how long must I wait" and takes the token at once.
///
/// Kept as one number, the time at which the bucket would be empty of debts again (the generic cell rate
/// algorithm): no timer, nothing to drift.
package struct TokenBucket: Sendable, Equatable {
    /// Between two tokens when the burst is used up.
    package let interval: Duration
    /// How much earlier than evenly paced a request may go.
    private let tolerance: Duration
    private var due: Duration

    /// - burst: tokens that may go at once after a pause; by default what ten seconds give, at least one.
    package init(perMinute: Int, burst: Int? = nil, at now: Duration) {
        interval = .seconds(60) / max(1, perMinute)
        tolerance = interval * (max(1, burst ?? perMinute / 6) - 1)
        due = now
    }

    /// Takes the next token. Returns how long to wait before using it.
    package mutating func take(at now: Duration) -> Duration {
        due = max(due, now)
        let start = max(due - tolerance, now)
        due = max(due, start) + interval
        return start - now
    }
}
