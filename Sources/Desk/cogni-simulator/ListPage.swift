/// Pages of items, in the three cursor styles that lists have.
struct ListPage {
    let endpoint: Endpoint
    let listing: Listing
    let query: Query
    /// Parameters of the path, so that a token of one project is refused by another.
    let path: String
    let switches: Switches
    let twist: PageTwist

    func page() throws(Refusal) -> (body: [UInt8], page: Int) {
        let limit = try limit()
        let listing = try ordered()
        let (position, repeats) = try position(in: listing, limit: limit)
        let seam = PageSeam(position: position, limit: limit, count: listing.ids.count, twist: twist)
        var items = seam.places.map(listing.render)
        if twist.contains(.duplicateRow), let first = items.first { items.insert(first, at: 1) }
        var members: [Value.Member] = [
            .init(name: "object", value: "list"), .init(name: "data", value: .array(items)),
        ]
        let first: Value = .optional(seam.places.first.map { listing.ids[$0] })
        if endpoint.style == .lastID || endpoint.name == "admin_api_keys" {
            members.append(.init(name: "first_id", value: first))
            members.append(.init(name: "last_id", value: lastID(seam, listing, position, repeats)))
        }
        if let hasMore = seam.hasMore { members.append(.init(name: "has_more", value: .bool(hasMore))) }
        if endpoint.style == .next {
            members.append(.init(name: "next", value: nextToken(seam, listing, position, repeats)))
        }
        return (Value.object(members).json, limit == 0 ? 1 : position / limit + 1)
    }

    private func limit() throws(Refusal) -> Int {
        guard let text = query["limit"] else { return endpoint.defaultLimit }
        guard let limit = Int(text) else { throw .badParameter("limit", "Must be a number: '\(text)'.") }
        guard limit <= endpoint.limits.upperBound else {
            throw .badParameter(
                "limit",
                "Invalid limit provided: \(limit). Limit must be less than or equal to \(endpoint.limits.upperBound)."
            )
        }
        guard limit >= endpoint.limits.lowerBound else {
            throw .badParameter(
                "limit",
                "Invalid limit provided: \(limit). Limit must be at least \(endpoint.limits.lowerBound)."
            )
        }
        return limit
    }

    private func ordered() throws(Refusal) -> Listing {
        guard let natural = endpoint.order else { return listing }
        guard let text = query["order"] else { return natural == .descending ? listing.reversed : listing }
        guard let order = Endpoint.Order(rawValue: text) else {
            throw .badParameter("order", "Invalid value: '\(text)'. Supported values are: 'asc', 'desc'.")
        }
        return order == .descending ? listing.reversed : listing
    }

    private var identity: UInt64 { query.identity ^ fingerprint(path.utf8) }

    /// Where the page starts, and how often an empty page has come before it.
    private func position(in listing: Listing, limit: Int) throws(Refusal) -> (Int, UInt32) {
        if let before = query["before"] {
            let place = try place(of: before, "before", in: listing)
            return (max(0, place - limit), 0)
        }
        guard let after = query["after"], !after.isEmpty else { return (0, 0) }
        guard endpoint.style == .next else {
            let repeats =
                UInt32(after.split(separator: "~", omittingEmptySubsequences: false).dropFirst().first ?? "0") ?? 0
            let place = try place(of: after, "after", in: listing)
            return (after.hasPrefix("~") ? 0 : place + 1, repeats)
        }
        guard let token = PageToken(after), token.query == identity else {
            throw .badParameter("after", "Invalid cursor. It may have expired or belong to another query.")
        }
        if token.position == 0 { return (0, token.repeats) }
        guard let place = listing.ids.firstIndex(where: { fingerprint($0.utf8) == token.position }) else {
            if switches.restartOnLostCursor { return (0, 0) }
            throw .badParameter("after", "The item that this cursor points to no longer exists.")
        }
        return (place + 1, token.repeats)
    }

    /// Ids may carry `~n`: the same place under another name, for faults that need it.
    private func place(of cursor: String, _ parameter: String, in listing: Listing) throws(Refusal) -> Int {
        let id = String(cursor.prefix { $0 != "~" })
        if id.isEmpty { return 0 }
        if let place = listing.firstIndex(ofCursor: id) { return place }
        if switches.restartOnLostCursor { return -1 }
        throw .badParameter(parameter, "No such object: '\(id)'.")
    }

    /// `place`: of the first item that the cursor leads to.
    private func alias(_ place: Int, _ listing: Listing, _ repeats: UInt32) -> String {
        let id = place == 0 ? "" : listing.ids[place - 1]
        let tail = twist.contains(.longCursors) ? String(repeating: "0", count: 2000) : ""
        return repeats == 0 && !twist.contains(.longCursors) ? id : "\(id)~\(repeats)\(tail)"
    }

    private func lastID(_ seam: PageSeam, _ listing: Listing, _ position: Int, _ repeats: UInt32) -> Value {
        if twist.contains(.moreWithoutCursor) { return .null }
        switch seam.next {
        case .same: return .string(query["after"] ?? alias(seam.end, listing, 0))
        case .again: return .string(alias(position, listing, repeats + 1))
        case .place(let place): return .string(alias(place, listing, twist.contains(.rotatingLastID) ? 7 : 0))
        // The last page has a `last_id` too, like the service's.
        case .none: return .optional(seam.places.last.map { listing.ids[$0] })
        }
    }

    private func nextToken(_ seam: PageSeam, _ listing: Listing, _ position: Int, _ repeats: UInt32) -> Value {
        let token = { (place: Int, repeats: UInt32) -> Value in
            let mark = place == 0 ? 0 : fingerprint(listing.ids[place - 1].utf8)
            let padding = twist.contains(.longCursors) ? 1500 : 0
            var token = PageToken(position: mark, query: identity, repeats: repeats, padding: padding)
            token.isBare = twist.contains(.bareCursors)
            return .string(token.text)
        }
        return switch seam.next {
        case .none: .null
        case .same: query["after"].map(Value.string) ?? token(seam.end, 0)
        case .again: token(position, repeats + 1)
        case .place(let place): token(place, 0)
        }
    }
}
