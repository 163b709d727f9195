package import Connector
package import Model

/// Walks from page to page: told what a page said, answers where the next one lies.
///
/// Pure, and stricter than the official client: "the end" is only what the API calls the end. A
/// missing cursor, a cursor seen before, page after page of nothing are faults, since going on as if they were
/// the end would lose rows without a word.
package struct CursorWalk: Sendable, Equatable {
    package enum Step: Sendable, Equatable {
        case next(cursor: String)
        case done
    }

    package let pagination: Pagination
    /// Whether the stream is asked for spans of time, so that a shorter one may help.
    package let hasWindow: Bool
    package let pageLimit: Int
    package let emptyLimit: Int
    /// Pages taken so far.
    package private(set) var pages = 0
    /// What the next request carries; `nil` before the first page of most styles.
    package private(set) var cursor: String?
    package private(set) var isFinished = false
    private var emptyRun = 0
    /// Which page handed out a cursor, by the cursor's hash.
    private var seen: [UInt64: Int] = [:]
    /// Which page had which items, by their hash.
    private var seenItems: [UInt64: Int] = [:]

    package init(
        _ pagination: Pagination,
        hasWindow: Bool = false,
        pageLimit: Int = 1_000_000,
        emptyLimit: Int = 5
    ) {
        self.pagination = pagination
        self.hasWindow = hasWindow
        self.pageLimit = pageLimit
        self.emptyLimit = emptyLimit
        cursor = pagination.style == .pageNumber ? "1" : nil
    }

    /// Puts the cursor where the style wants it: a query parameter, or the whole address.
    package func apply(to request: inout Request) {
        guard let cursor else { return }
        if pagination.style == .linkHeader {
            request.absoluteURL = cursor
        } else {
            request.query.append((pagination.cursorParameter, cursor))
        }
    }

    /// Takes one page's facts. Throws `.badReply`, naming the page; the caller adds the stream.
    package mutating func advance(_ facts: EnvelopeFacts) throws(Fault) -> Step {
        precondition(!isFinished, "the walk has ended")
        pages += 1
        // Another page's items under this page's cursor: going on would lose those that should stand here.
        if facts.elementCount > 0, let items = facts.items,
            let before = seenItems.updateValue(pages, forKey: CursorWalk.hash(items))
        {
            throw fault("its \(facts.elementCount) items are those of page \(before) once more", support)
        }
        guard let next = try following(facts) else {
            isFinished = true
            return .done
        }
        emptyRun = facts.elementCount == 0 ? emptyRun + 1 : 0
        guard emptyRun <= emptyLimit else {
            throw fault("\(emptyRun) pages in a row were empty, and each says that more follows", support)
        }
        if let before = seen.updateValue(pages, forKey: CursorWalk.hash(next)) {
            throw fault("its cursor was seen before, in a cycle of \(pages - before) pages", support)
        }
        guard pages < pageLimit else {
            throw fault(
                "the walk is longer than \(pageLimit) pages",
                hasWindow
                    ? "ask for a shorter window with --since and --until"
                    : "ask for larger pages (source.page_limit)"
            )
        }
        cursor = next
        return .next(cursor: next)
    }

    /// Where the next page lies, or `nil` at the end.
    private func following(_ facts: EnvelopeFacts) throws(Fault) -> String? {
        if facts.hasMore == false { return nil }
        let found: String? =
            switch pagination.style {
            case .bucketPage, .cursorAfterLastID, .cursorAfterNext: facts.cursor
            case .cursorAfterItemID: facts.lastItemID
            case .linkHeader: facts.linkNext
            case .pageNumber: String((cursor.flatMap { Int($0) } ?? 1) + 1)
            case .none: nil
            }
        if let found, !found.isEmpty {
            // Nobody says whether more follows: an empty page does, unless a Link header points on.
            if facts.hasMore == nil, facts.elementCount == 0, pagination.style != .linkHeader { return nil }
            return found
        }
        if facts.hasMore == true {
            if pagination.style == .none {
                throw fault(
                    "\(pagination.moreName) is true, but the connector says that there is one page",
                    "say with `pagination` in the connector file how the stream's pages follow each other"
                )
            }
            let place = pagination.style == .linkHeader ? "the Link header" : pagination.cursorName
            throw fault("\(pagination.moreName) is true, but \(place) gives no cursor to go on with", support)
        }
        if facts.hasMore == nil { try checkIsEnd(facts) }
        return nil
    }

    /// A field under another name than the connector's must not look like the last page.
    private func checkIsEnd(_ facts: EnvelopeFacts) throws(Fault) {
        guard !pagination.isOmittedAtEnd else { return }
        let compare =
            "compare `cursor_from` of the connector file with the reply; if the API leaves it out on the last page, add `omitted_at_end: true`"
        switch pagination.style {
        case .bucketPage, .cursorAfterLastID, .cursorAfterNext:
            guard !facts.namesNext else { return }
            throw fault("the reply has neither \(pagination.cursorName) nor \(pagination.moreName)", compare)
        case .cursorAfterItemID:
            guard facts.elementCount > 0, facts.lastItemID == nil else { return }
            throw fault(
                "the reply has no \(pagination.moreName), and its last item no \(pagination.cursorName)",
                "compare `cursor_from` of the connector file with the items of the reply"
            )
        case .pageNumber, .linkHeader, .none: return
        }
    }

    private func fault(_ what: String, _ mend: String) -> Fault {
        Fault(.badReply, what, at: ["page \(pages)"], mend: mend)
    }

    private var support: String {
        let narrow = hasWindow ? "narrow the stream with --since and --until and " : ""
        return "run it again; if it stays, \(narrow)tell the API's support"
    }

    /// FNV-1a, 64 bits: the same in every process, unlike `Hasher`.
    static func hash(_ text: String) -> UInt64 {
        text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}

// MARK: Going on after a crash

extension CursorWalk {
    /// How many of the last cursors a memento remembers. A longer cycle is found one turn later.
    package static let remembered = 256

    /// Where the walk stands, as one line of JSON that ``init(_:resuming:pageLimit:emptyLimit:)`` reads.
    package var memento: String {
        func last(_ seen: [UInt64: Int]) -> JSONValue {
            let newest = seen.sorted { $0.value < $1.value }.suffix(CursorWalk.remembered)
            return .strings(newest.map { "\(String($0.key, radix: 16)):\($0.value)" })
        }
        let value: JSONValue = .object([
            .init("cursor", .optional(cursor)),
            .init("empty", .integer(emptyRun)),
            .init("finished", .bool(isFinished)),
            .init("items", last(seenItems)),
            .init("pages", .integer(pages)),
            .init("seen", last(seen)),
        ])
        return value.canonicalText
    }

    /// `nil` for what is not a memento.
    package init?(
        _ pagination: Pagination,
        hasWindow: Bool = false,
        resuming memento: String,
        pageLimit: Int = 1_000_000,
        emptyLimit: Int = 5
    ) {
        guard let value = try? JSONValue(parsing: memento), let pages = value["pages"]?.integer, pages >= 0,
            let empty = value["empty"]?.integer, let finished = value["finished"]?.boolean,
            let seen = value["seen"]?.elements, value["cursor"] != nil
        else { return nil }
        self.init(pagination, hasWindow: hasWindow, pageLimit: pageLimit, emptyLimit: emptyLimit)
        self.pages = pages
        cursor = value["cursor"]?.text
        emptyRun = empty
        isFinished = finished
        // A memento of an older version has no items.
        guard let cursors = CursorWalk.pages(seen), let items = CursorWalk.pages(value["items"]?.elements ?? [])
        else { return nil }
        self.seen = cursors
        seenItems = items
    }

    private static func pages(_ entries: [JSONValue]) -> [UInt64: Int]? {
        var pages: [UInt64: Int] = [:]
        for entry in entries {
            let parts = entry.text?.split(separator: ":") ?? []
            guard parts.count == 2, let hash = UInt64(parts[0], radix: 16), let page = Int(parts[1]) else { return nil }
            pages[hash] = page
        }
        return pages
    }
}
