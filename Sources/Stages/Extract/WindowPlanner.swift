package import Connector
package import Model

/// A span of time, `start` inclusive, `end` exclusive.
package struct TimeWindow: Sendable, Hashable {
    package var start: Instant
    package var end: Instant

    package init(start: Instant, end: Instant) {
        self.start = start
        self.end = end
    }

    package var seconds: Int64 { end.seconds - start.seconds }
    /// `2025-11-01T00:00:00Z..2025-12-01T00:00:00Z`
    package var text: String { "\(start.text)..\(end.text)" }
}

/// Decides which spans of time a stream with windows is asked for.
///
/// Starts lie on bucket edges: an unaligned start clips its first bucket, whose partial numbers would stand
/// under a key of their own. Ends do too, unless the open bucket is wanted.
package struct WindowPlanner: Sendable {
    /// Bucket width in seconds; 1 for logs.
    package var width: Int64
    /// Later than the watermark, it does not leave out what lies between.
    package var since: Instant?
    /// Before ``coveredFrom``, it does not leave out what lies between.
    package var until: Instant?
    package var now: Instant
    /// Everything before it was read by earlier runs; `nil` on the first.
    package var watermark: Instant?
    /// Where the earlier runs' reading began. A `since` before it means: read it all again.
    package var coveredFrom: Instant?
    /// What was read is read again from its beginning: the cursor was reset.
    package var beginsAgain = false
    /// Seconds before the watermark that are read again.
    package var lookback: Int64
    /// Seconds before `now` that a first run without `since` reads.
    package var history: Int64
    package var includeOpenBucket: Bool
    /// The longest window, in seconds, cut on multiples of itself; `nil`: one window for all.
    package var slice: Int64?

    package init(
        spec: WindowSpec,
        bucketWidth: String? = nil,
        since: Instant? = nil,
        until: Instant? = nil,
        now: Instant,
        watermark: Instant? = nil,
        coveredFrom: Instant? = nil,
        lookback: TimeSpan? = nil,
        includeOpenBucket: Bool = false,
        slice: Int64? = nil
    ) {
        let width = (bucketWidth ?? spec.defaultWidth).flatMap { TimeSpan(text: $0)?.seconds } ?? 1
        self.width = max(1, width)
        self.since = since
        self.until = until
        self.now = now
        self.watermark = watermark
        self.coveredFrom = coveredFrom
        self.lookback = max(0, lookback?.seconds ?? spec.defaultLookback)
        history = max(0, spec.defaultHistory)
        self.includeOpenBucket = includeOpenBucket
        self.slice = slice
    }

    /// The whole span, or `nil` when there is nothing to read.
    package var span: TimeWindow? {
        let limit = until.map { min($0, now) } ?? now
        let end = includeOpenBucket ? limit : limit.aligned(down: width)
        let start = wantedStart(end: end).aligned(down: width)
        guard start < end else { return nil }
        // What is read touches what earlier runs have read: a hole between them would stay for ever.
        guard watermark != nil, let coveredFrom, end < coveredFrom else { return TimeWindow(start: start, end: end) }
        let edge = coveredFrom.aligned(down: width)
        let joined = edge < coveredFrom ? edge + width : edge
        return joined <= now ? TimeWindow(start: start, end: joined) : nil
    }

    /// Oldest first; they tile ``span`` without gap or overlap.
    package var windows: [TimeWindow] {
        guard let span else { return [] }
        guard let slice, slice > 0 else { return [span] }
        // Whole buckets; and cut on the calendar, not from the start, so that tomorrow's cuts are today's.
        let step = max(width, slice - slice % width)
        var windows: [TimeWindow] = []
        var start = span.start
        while start < span.end {
            let end = min(start.aligned(down: step) + step, span.end)
            windows.append(TimeWindow(start: start, end: end))
            start = end
        }
        return windows
    }

    private func wantedStart(end: Instant) -> Instant {
        guard let watermark else { return since ?? now - history }
        if beginsAgain {
            // Rows from before the reset stay, so what is read must touch them.
            return min(since ?? min(now - history, coveredFrom ?? watermark), watermark)
        }
        if let since, let coveredFrom, since < coveredFrom { return since }
        // However long the pipeline stood still, it goes on where it stopped.
        let again = min(watermark, end) - lookback
        return (since ?? coveredFrom).map { min(max($0, again), watermark) } ?? again
    }
}
