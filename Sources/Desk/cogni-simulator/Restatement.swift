/// A later correction of report buckets: same keys, other numbers. The service gives no notice of it, and neither do we.
struct Restatement: Sendable, Equatable {
    enum Change: String, Sendable, CaseIterable {
        case larger, smaller
        /// More rows than before.
        case added
        /// A third of the rows is gone.
        case vanished
    }

    var change: Change
    /// A stream's name, or `*`.
    var stream = "*"
    /// Unix seconds; buckets that start in `from..<until` are restated.
    var from = Int.min
    var until = Int.max

    func touches(stream: String, bucket: Int) -> Bool {
        (self.stream == "*" || self.stream == stream) && bucket >= from && bucket < until
    }
}
