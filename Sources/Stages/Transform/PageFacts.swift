package import Model

/// What one accepted page said besides its rows.
package struct PageFacts: Sendable {
    /// The envelope's own word on whether more follows; `nil` when it has none.
    package var hasMore: Bool?
    /// The value of the style's cursor field in the envelope.
    package var cursor: String?
    /// Whether the reply held the cursor's field or the one that says whether more follows, be it as null.
    package var namesNext = true
    /// For `cursor_after_item_id`: the field of the last item.
    package var lastItemID: String?
    /// Of a list's page: keys of the first and the last item, and how many; `nil` for reports, whose buckets say more.
    package var items: String?
    package var rowCount = 0
    /// Items of a list, buckets of a report.
    package var elementCount = 0
    /// Start and end of each bucket, in the order they came.
    package var buckets: [(start: Instant, end: Instant)] = []
    /// The columns that children need, row by row, as the API gave them.
    package var parents: [[String: String]] = []
    package init() {}
}

/// A page that can't be accepted.
package enum PageFailure: Error {
    /// Not whole or not this shape: worth asking for again.
    case malformed(String)
    /// The same, and perhaps no page of this API ever is as the connector says: how to mend that.
    case unlike(String, mend: String)
    /// A row broke the schema: asking again won't help.
    case refused(Fault)
}
