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
    /// Where the cursor is read: keys from the reply inwards, from the item for `cursor_after_item_id`. Empty for
    /// styles that read none.
    package var cursorPath: [String]
    /// Keys from the reply inwards to the boolean that says whether more follows.
    package var morePath: [String]
    /// Whether the last page's reply leaves the cursor's field out, and none says whether more follows.
    package var isOmittedAtEnd: Bool
    package var limitParameter: String?
    /// The largest page: rows, or buckets for reports. `nil`: the API publishes none, none is sent.
    package var limitMax: Int?
    /// For reports the cap depends on the bucket width: `["1d": 31, "1h": 168, "1m": 1440]`.
    package var limitMaxByWidth: [String: Int]

    package init(
        style: Style,
        cursorParameter: String,
        cursorPath: [String],
        morePath: [String] = ["has_more"],
        isOmittedAtEnd: Bool = false,
        limitParameter: String? = "limit",
        limitMax: Int? = nil,
        limitMaxByWidth: [String: Int] = [:]
    ) {
        self.style = style
        self.cursorParameter = cursorParameter
        self.cursorPath = cursorPath
        self.morePath = morePath
        self.isOmittedAtEnd = isOmittedAtEnd
        self.limitParameter = limitParameter
        self.limitMax = limitMax
        self.limitMaxByWidth = limitMaxByWidth
    }

    /// As messages call the cursor's field: `paging.next`.
    package var cursorName: String { cursorPath.joined(separator: ".") }
    package var moreName: String { morePath.joined(separator: ".") }

    package func cap(width: String?) -> Int? { width.flatMap { limitMaxByWidth[$0] } ?? limitMax }
}
