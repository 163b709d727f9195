/// What a page says about the page after it.
package struct EnvelopeFacts: Sendable, Equatable {
    /// The envelope's `has_more`; `nil` when absent or null.
    package var hasMore: Bool?
    /// The value of the envelope's cursor field, as text; `nil` when absent, null or empty.
    package var cursor: String?
    /// Whether the reply held the cursor's field or `has_more`, be it as null. Without either, it says nothing of the end.
    package var namesNext: Bool
    /// The `id` (or what the pagination names) of the last item.
    package var lastItemID: String?
    /// Entries of the outermost array: items, or buckets. Empty buckets count.
    package var elementCount: Int
    /// Tells this page's items from those of any other page: keys of the first and the last, and how many. `nil`: not known.
    package var items: String?
    /// The target of `rel="next"` in the `Link` header.
    package var linkNext: String?

    package init(
        hasMore: Bool? = nil,
        cursor: String? = nil,
        namesNext: Bool = true,
        lastItemID: String? = nil,
        elementCount: Int,
        linkNext: String? = nil,
        items: String? = nil
    ) {
        self.hasMore = hasMore
        self.cursor = cursor
        self.namesNext = namesNext
        self.lastItemID = lastItemID
        self.elementCount = elementCount
        self.linkNext = linkNext
        self.items = items
    }
}
