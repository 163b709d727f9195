/// One thing that can be read: its address, how it is paged, and what may be asked of it.
struct Endpoint: Sendable {
    enum Style: String, Sendable {
        /// `page` / `next_page`; limits count buckets.
        case bucketPage
        /// `after` = `last_id` of the envelope.
        case lastID
        /// `after` = id of the last item; the envelope has no cursor.
        case itemID
        /// `after` = `next`, opaque.
        case next
        /// One object, no list.
        case single
        /// One item of the list that has the path without its last segment.
        case item
    }

    enum Order: String, Sendable {
        case ascending = "asc"
        case descending = "desc"
    }

    var name: String
    /// With parameters in braces, behind `/v1`.
    var path: String
    var style: Style
    /// Used when the request has no `limit`. Reports: the daily one.
    var defaultLimit = 0
    var limits: ClosedRange<Int> = 1...100
    /// `nil`: the endpoint has no `order` parameter.
    var order: Order?
    /// Names it knows besides those of its style and `order`.
    var parameters: Set<String> = []

    var segments: [Substring] { path.split(separator: "/") }

    /// Every query parameter that is not refused.
    var known: Set<String> {
        var names = parameters
        switch style {
        case .bucketPage: names.formUnion(["page", "limit", "start_time", "end_time", "bucket_width", "group_by"])
        case .lastID, .itemID, .next: names.formUnion(["after", "limit"])
        case .single, .item: break
        }
        if order != nil { names.insert("order") }
        return names
    }

    /// The path's parameters when `segments` is an address of this endpoint.
    func match(_ segments: [String]) -> [String: String]? {
        let template = self.segments
        guard template.count == segments.count else { return nil }
        var values: [String: String] = [:]
        for (expected, given) in zip(template, segments) {
            if expected.first == "{" {
                guard !given.isEmpty else { return nil }
                values[String(expected.dropFirst().dropLast())] = given
            } else if expected != given {
                return nil
            }
        }
        return values
    }
}
