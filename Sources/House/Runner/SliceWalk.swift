internal import Connector
internal import Extract
internal import Model
internal import Transform

/// Where a walk over a slice's pages stands, and how far the buckets that it brought cover the window.
struct SliceWalk {
    private let pagination: Pagination
    private let hasWindow: Bool
    /// Of a walk that has read nothing yet.
    private let uncovered: Coverage?
    private(set) var cursor: CursorWalk
    /// Of reports; of others there is nothing to cover.
    private(set) var coverage: Coverage?
    /// All buckets so far, neighbouring ones as one span each: what matters is what they cover together, and a year of minutes
    /// is half a million of them.
    private(set) var buckets: [(start: Instant, end: Instant)] = []
    private(set) var restarts = 0

    /// - Parameter width: of a report's buckets, in seconds.
    init(_ spec: StreamSpec, _ slice: Slice, width: Int64) {
        pagination = spec.pagination
        hasWindow = slice.window != nil
        uncovered = spec.mode == .report ? slice.window.map { Coverage(window: $0, width: width) } : nil
        cursor = CursorWalk(pagination, hasWindow: hasWindow)
        coverage = uncovered
    }

    var isFinished: Bool { cursor.isFinished }
    var pages: Int { cursor.pages }

    /// Goes on where an earlier attempt stopped, if its cursor can still be read; otherwise from the first page.
    mutating func resume(_ kept: ProgressKeeper.Kept) {
        guard let resumed = CursorWalk(pagination, hasWindow: hasWindow, resuming: kept.memento) else { return }
        cursor = resumed
        buckets = kept.buckets ?? []
        try? coverage?.resume(buckets)
    }

    /// From the first page on: rows that come again are repeats, and stand once.
    mutating func beginAnew() {
        restarts += 1
        cursor = CursorWalk(pagination, hasWindow: hasWindow)
        coverage = uncovered
        buckets = []
    }

    /// Takes what a page says of itself. A fault names the request.
    mutating func advance(_ facts: PageFacts, linkNext: String?, requestID: String?) throws(Fault) {
        do throws(Fault) {
            try coverage?.note(facts.buckets)
            add(facts.buckets)
            let step = try cursor.advance(
                EnvelopeFacts(
                    hasMore: facts.hasMore,
                    cursor: facts.cursor,
                    namesNext: facts.namesNext,
                    lastItemID: facts.lastItemID,
                    elementCount: facts.elementCount,
                    linkNext: linkNext,
                    items: facts.items
                )
            )
            if step == .done { try coverage?.finish() }
        } catch {
            var fault = error
            if let requestID { fault.place.append("request \(requestID)") }
            throw fault
        }
    }

    private mutating func add(_ more: [(start: Instant, end: Instant)]) {
        var isSorted = true
        for bucket in more {
            // Nearly always one follows the other.
            if let last = buckets.indices.last, buckets[last].end == bucket.start {
                buckets[last].end = bucket.end
            } else {
                isSorted = isSorted && buckets.isEmpty
                buckets.append(bucket)
            }
        }
        if !isSorted { buckets = SliceWalk.joined(buckets) }
    }

    private static func joined(_ buckets: [(start: Instant, end: Instant)]) -> [(start: Instant, end: Instant)] {
        var spans: [(start: Instant, end: Instant)] = []
        for bucket in buckets.sorted(by: { ($0.start, $0.end) < ($1.start, $1.end) }) {
            guard let last = spans.last else {
                spans.append(bucket)
                continue
            }
            if bucket.end <= last.end { continue }  // the same bucket again, at a page's seam
            if last.end == bucket.start { spans[spans.count - 1].end = bucket.end } else { spans.append(bucket) }
        }
        return spans
    }
}
