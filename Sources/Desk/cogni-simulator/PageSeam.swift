/// Which places of a list or series stand on a page, and what the envelope says about the rest.
struct PageSeam: Equatable {
    enum Next: Equatable {
        case none
        case place(Int)
        /// The cursor of the request itself.
        case same
        /// This page's own place once more, under another cursor.
        case again
    }

    var places: [Int]
    /// Where the page would have ended without a twist.
    var end: Int
    /// `nil`: the member is left out.
    var hasMore: Bool?
    var next: Next

    /// - `position`: where the page starts, 0...`count`.
    init(position: Int, limit: Int, count: Int, twist: PageTwist) {
        end = min(count, position + limit)
        var range = position..<end
        let more = end < count && limit > 0
        hasMore = more
        next = more ? .place(end) : .none
        if position > 0 {
            if twist.contains(.replayedPage) { range = max(0, position - limit)..<position }
            if twist.contains(.overlap) { range = (position - 1)..<end }
            if twist.contains(.gap) { range = min(position + 1, end)..<end }
        }
        places = Array(range)
        if twist.contains(.reversed) { places.reverse() }
        if twist.contains(.cursorOnLastPage), !more { next = .place(end) }
        if twist.contains(.constantCursor) { (hasMore, next) = (true, .same) }
        if twist.contains(.cursorCycle), position >= 2 * limit { (hasMore, next) = (true, .place(position - limit)) }
        if twist.contains(.emptyPage) {
            places = []
            (hasMore, next) = (true, .again)
        }
        if twist.contains(.moreWithoutCursor) { (hasMore, next) = (true, .none) }
        if twist.contains(.noHasMore) { hasMore = nil }
    }
}
