package import Extract
package import Model

/// Proof that a report's buckets tile its window: a hole between two buckets is a lost page.
///
/// Buckets may come in any order and more than once (the API promises neither); what counts is that together they cover the
/// window exactly; only the bucket that is open at its end may reach beyond it.
package struct Coverage: Sendable {
    package let window: TimeWindow
    /// Where the last bucket may end: some APIs clip a bucket that is still open to the window, others name the end it will have.
    private let limit: Instant
    private var ends: [Instant: Instant] = [:]
    /// What an earlier attempt had read: buckets, joined to spans.
    private var earlier: [(start: Instant, end: Instant)] = []
    /// How far the buckets reach without a hole, for progress and for closing partitions early.
    package private(set) var reached: Instant

    /// - Parameter width: a bucket's, in seconds.
    package init(window: TimeWindow, width: Int64 = 1) {
        self.window = window
        let edge = window.end.aligned(down: width)
        limit = edge < window.end ? edge + width : edge
        reached = window.start
    }

    /// Goes on from the spans that an earlier attempt had read.
    package mutating func resume(_ spans: [(start: Instant, end: Instant)]) throws(Fault) {
        try note(spans)
        earlier = spans
    }

    /// Notes one page's buckets.
    package mutating func note(_ buckets: [(start: Instant, end: Instant)]) throws(Fault) {
        for bucket in buckets {
            // A page may begin with the bucket that ended the one before, on either side of a crash.
            if earlier.contains(where: { $0.start <= bucket.start && bucket.end <= $0.end }) { continue }
            guard bucket.start >= window.start, bucket.start < window.end, bucket.end <= limit else {
                throw fault("a bucket from \(bucket.start.text) to \(bucket.end.text) lies outside the window")
            }
            if let end = ends[bucket.start], end != bucket.end {
                throw fault("two buckets start at \(bucket.start.text) and end at different times")
            }
            ends[bucket.start] = bucket.end
        }
        while let end = ends[reached] { reached = end }
    }

    /// Call after the last page.
    package func finish() throws(Fault) {
        guard reached >= window.end else {
            let next = ends.keys.filter { $0 > reached }.min()
            throw fault("the buckets leave a hole from \(reached.text) to \((next ?? window.end).text)")
        }
        // Whatever was not walked over overlaps something that was.
        var at = window.start
        var count = 0
        while let end = ends[at] {
            at = end
            count += 1
        }
        guard count == ends.count else { throw fault("buckets overlap") }
    }

    package var fraction: Double {
        window.seconds > 0 ? min(1, Double(reached.seconds - window.start.seconds) / Double(window.seconds)) : 1
    }

    private func fault(_ what: String) -> Fault {
        Fault(
            .badReply,
            what,
            mend: "run it again; if it stays, the API lost data: ask its support with the request id"
        )
    }
}
