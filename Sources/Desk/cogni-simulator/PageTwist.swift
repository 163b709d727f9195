/// Ways in which one page can be wrong that only its maker can arrange; the rest is done to the finished reply.
struct PageTwist: OptionSet, Sendable {
    let rawValue: Int

    /// The last page still names a next one.
    static let cursorOnLastPage = PageTwist(rawValue: 1 << 0)
    /// More is promised, and no cursor given.
    static let moreWithoutCursor = PageTwist(rawValue: 1 << 1)
    /// Nothing on this page, and a new cursor for the same place.
    static let emptyPage = PageTwist(rawValue: 1 << 2)
    /// The next cursor is the one that asked for this page.
    static let constantCursor = PageTwist(rawValue: 1 << 3)
    /// The next cursor leads back to a page already read.
    static let cursorCycle = PageTwist(rawValue: 1 << 4)
    /// `last_id` is no item's id; the service still knows what it means.
    static let rotatingLastID = PageTwist(rawValue: 1 << 5)
    static let noHasMore = PageTwist(rawValue: 1 << 6)
    /// The page before once more, with this page's cursor.
    static let replayedPage = PageTwist(rawValue: 1 << 7)
    /// The page begins with the last item or bucket of the one before.
    static let overlap = PageTwist(rawValue: 1 << 8)
    /// The page's first item or bucket is left out.
    static let gap = PageTwist(rawValue: 1 << 9)
    static let reversed = PageTwist(rawValue: 1 << 10)
    /// The first row, or item, stands twice.
    static let duplicateRow = PageTwist(rawValue: 1 << 11)
    static let oddCounters = PageTwist(rawValue: 1 << 12)
    static let oddAmounts = PageTwist(rawValue: 1 << 13)
    /// Cursors of two kilobytes.
    static let longCursors = PageTwist(rawValue: 1 << 14)
    /// Every result's `object` has a name that nobody knows.
    static let unknownObject = PageTwist(rawValue: 1 << 15)
    /// The whole series turned around: the first page of a report holds its newest buckets.
    static let newestFirst = PageTwist(rawValue: 1 << 16)
    /// Opaque cursors as they were once: without `page_` before them.
    static let bareCursors = PageTwist(rawValue: 1 << 17)
}
