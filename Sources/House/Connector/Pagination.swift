/// How one page leads to the next.
package struct Pagination: Sendable, Equatable {
    package enum Style: String, Sendable, CaseIterable {
        /// `page` ← the envelope's `next_page`; the limit counts buckets.
        case bucketPage = "bucket_page"
        /// `after` ← the envelope's `last_id`.
        case cursorAfterLastID = "cursor_after_last_id"
        /// `after` ← the `id` of the last item.
        case cursorAfterItemID = "cursor_after_item_id"
        /// `after` ← the envelope's `next`.
        case cursorAfterNext = "cursor_after_next"
        /// `page` ← 1, 2, 3, … until an empty page, or `has_more` false.
        case pageNumber = "page_number"
        /// The next URL stands in the reply's `Link: <…>; rel="next"`; it must stay on the same host.
        case linkHeader = "link_header"
        case none
    }

    package var style: Style
    /// The request parameter that carries the cursor; each style has its usual one.
    package var cursorParameter: String
    /// Where the cursor is read: an envelope member, or the item's member for `cursor_after_item_id`.
    package var cursorField: String
    /// The envelope's boolean that says whether more follows.
    package var moreField: String
    package var limitParameter: String?
    /// The largest page: rows, or buckets for reports. `nil`: the API publishes none, none is sent.
    package var limitMax: Int?
    /// For reports the cap depends on the bucket width: `["1d": 31, "1h": 168, "1m": 1440]`.
    package var limitMaxByWidth: [String: Int]

    package init(
        style: Style,
        cursorParameter: String,
        cursorField: String,
        moreField: String = "has_more",
        limitParameter: String? = "limit",
        limitMax: Int? = nil,
        limitMaxByWidth: [String: Int] = [:]
    ) {
        self.style = style
        self.cursorParameter = cursorParameter
        self.cursorField = cursorField
        self.moreField = moreField
        self.limitParameter = limitParameter
        self.limitMax = limitMax
        self.limitMaxByWidth = limitMaxByWidth
    }

    package func cap(width: String?) -> Int? { width.flatMap { limitMaxByWidth[$0] } ?? limitMax }
}
