import Connector
import Model

/// All buckets of a report, or all events of a log, that a fixture holds for one way of asking.
struct RecordedStore: Sendable {
    private struct Entry: Sendable {
        var time: Instant
        var value: JSONValue
    }

    /// When nothing but errors was recorded, the first of them.
    private(set) var refusal: FixtureFolder.Page?
    private var entries: [Entry] = []
    /// An envelope to dress new pages in.
    private var envelope: JSONValue = .object([])
    /// The spans of time that were recorded, oldest first; `nil`: not known, taken as all time.
    private var spans: [TimeWindow]? = []

    /// Reads every page of the list that `key` asks for. Throws `.notRecorded` when there is none.
    init(_ folder: FixtureFolder, _ key: FixtureKey, _ walk: FixtureKey.Walk, _ spec: StreamSpec) throws(TransportError)
    {
        guard let member = spec.rows.members.first, let time = TimePath(spec) else {
            throw TransportError(.notRecorded, "stream \(key.stream) has no time to pick rows by")
        }
        // The walk that reaches furthest comes last: its buckets are the latest word on what others also hold.
        let walks = folder.names(in: key.stream).compactMap { name in
            FixtureKey.Walk(folder: name).map { (name: name, walk: $0) }
        }.filter { $0.walk.answers(walk) }.sorted { ($0.walk.window.end, $0.name) < ($1.walk.window.end, $1.name) }
        let places =
            [(path: key.stream, walk: FixtureKey.Walk?.none)]
            + walks.map { (path: "\(key.stream)/\($0.name)", walk: $0.walk) }
        for place in places {
            var fresh: [Entry] = []
            var hasPages = false
            for file in folder.names(in: place.path) {
                guard let (slug, status) = FixtureFolder.slug(ofFile: file), key.isPage(slug),
                    let body = folder.bytes("\(place.path)/\(file)")
                else { continue }
                if status != 200 {
                    refusal = refusal ?? FixtureFolder.Page(status: status, body: body)
                    continue
                }
                guard let page = try? JSONValue(parsing: body), let elements = page[member]?.elements else {
                    throw TransportError(.notRecorded, "\(place.path)/\(file) holds no \(member)")
                }
                if !hasPages { envelope = page }
                hasPages = true
                fresh += elements.compactMap { value in time.start(of: value).map { Entry(time: $0, value: value) } }
            }
            if hasPages { take(fresh, from: place.walk?.window, time) }
        }
        guard spans?.isEmpty != true || refusal != nil else {
            throw TransportError(.notRecorded, "no answer for \(key.text) in \(folder.path)")
        }
        if spans?.isEmpty != true { refusal = nil }
        let newestFirst = spec.mode != .report
        // Equal times keep the order of the recording.
        let order = entries.enumerated().sorted {
            ($0.element.time, newestFirst ? -$0.offset : $0.offset) < (
                $1.element.time, newestFirst ? -$1.offset : $1.offset
            )
        }
        entries = order.map(\.element)
        if newestFirst { entries.reverse() }
    }

    /// Adds one walk's entries, which replace what older walks said about the same time.
    private mutating func take(_ fresh: [Entry], from window: TimeWindow?, _ time: TimePath) {
        if time.isBucket {
            let starts = Set(fresh.map(\.time))
            entries.removeAll { starts.contains($0.time) }
            entries += fresh
        } else {
            // The same event in two walks is one event; twice in one walk is what the API said.
            let known = Dictionary(grouping: entries, by: \.time)
            entries += fresh.filter { new in known[new.time]?.contains { $0.value == new.value } != true }
        }
        guard let known = spans else { return }
        if let window {
            spans = known + [window]
        } else if time.isBucket, let first = fresh.map(\.time).min(),
            let last = fresh.compactMap({ time.end(of: $0.value) }).max()
        {
            spans = known + [TimeWindow(start: first, end: last)]
        } else {
            spans = nil
        }
    }

    /// One page of the asked window.
    func page(
        _ key: FixtureKey,
        _ walk: FixtureKey.Walk,
        _ spec: StreamSpec,
        outside: FixtureFolder.Index.Outside
    ) throws(TransportError) -> JSONValue {
        guard let member = spec.rows.members.first, let time = TimePath(spec) else { return .null }
        var chosen = entries.filter { $0.time >= walk.window.start && $0.time < walk.window.end }
        let holes = holes(in: walk.window)
        if !holes.isEmpty {
            guard outside == .empty else {
                throw TransportError(
                    .notRecorded,
                    "\(key.stream) was recorded for \((spans ?? []).map(\.text).joined(separator: ", ")) only, not for \(holes[0].text)"
                )
            }
            if time.isBucket,
                let width = (walk.width ?? spec.window?.defaultWidth).flatMap({ TimeSpan(text: $0)?.seconds })
            {
                for hole in holes { chosen += empty(hole, width, time, spec) }
                chosen.sort { $0.time < $1.time }
            }
        }
        return try dress(chosen, key, member, spec)
    }

    private func dress(_ chosen: [Entry], _ key: FixtureKey, _ member: String, _ spec: StreamSpec)
        throws(TransportError) -> JSONValue
    {
        let pagination = spec.pagination
        func id(_ value: JSONValue?) -> String? {
            value?.member(pagination.style == .cursorAfterItemID ? pagination.cursorPath : ["id"])?.text
        }
        let byItem = pagination.style == .cursorAfterLastID || pagination.style == .cursorAfterItemID
        let size =
            pagination.style == .none || pagination.style == .linkHeader ? chosen.count : key.limit ?? chosen.count
        var start: Int? = 0
        if let cursor = key.cursor {
            switch pagination.style {
            case .pageNumber: start = Int(cursor).map { max(0, $0 - 1) * size }
            case _ where byItem: start = chosen.firstIndex { id($0.value) == cursor }.map { $0 + 1 }
            default: start = cursor.hasPrefix("replay_") ? Int(cursor.dropFirst(7)) : nil
            }
        }
        guard let start else {
            throw TransportError(
                .notRecorded,
                "no page of \(key.stream) in this fixture follows the cursor of \(key.text)"
            )
        }
        let page = chosen.dropFirst(start).prefix(max(1, size))
        let hasMore = page.endIndex < chosen.count
        var reply = envelope.setting([member], .array(page.map(\.value)))
        reply = reply.setting(pagination.morePath, .bool(hasMore))
        if envelope["first_id"] != nil { reply = reply.setting(["first_id"], .optional(id(page.first?.value))) }
        switch pagination.style {
        case .cursorAfterLastID: reply = reply.setting(pagination.cursorPath, .optional(id(page.last?.value)))
        case .bucketPage, .cursorAfterNext:
            reply = reply.setting(pagination.cursorPath, hasMore ? .string("replay_\(page.endIndex)") : .null)
        default: break
        }
        return reply
    }

    /// The parts of `window` that no recording covers.
    private func holes(in window: TimeWindow) -> [TimeWindow] {
        guard let spans else { return [] }
        var holes: [TimeWindow] = []
        var reached = window.start
        for span in spans.sorted(by: { $0.start < $1.start }) where span.end > reached {
            if span.start > reached { holes.append(TimeWindow(start: reached, end: min(span.start, window.end))) }
            reached = max(reached, span.end)
            if reached >= window.end { break }
        }
        if reached < window.end { holes.append(TimeWindow(start: reached, end: window.end)) }
        return holes.filter { $0.start < $0.end }
    }

    private func empty(_ hole: TimeWindow, _ width: Int64, _ time: TimePath, _ spec: StreamSpec) -> [Entry] {
        stride(from: hole.start.seconds, to: hole.end.seconds, by: Int64.Stride(width)).map { start in
            let end = min(start + width, hole.end.seconds)
            var members: [JSONValue.Member] = []
            if case .object(let known) = entries.first?.value {
                members = known.filter { $0.value.text != nil && $0.key == "object" }
            }
            members.append(.init(time.startField, .integer(start)))
            if let field = time.endField { members.append(.init(field, .integer(end))) }
            if let rows = spec.rows.members.dropFirst().first { members.append(.init(rows, .array([]))) }
            return Entry(time: Instant(seconds: start), value: .object(members))
        }
    }
}

/// Where a bucket or an event holds its time.
private struct TimePath {
    let path: [String]
    let isBucket: Bool
    let endField: String?
    var startField: String { path.first ?? "" }

    init?(_ spec: StreamSpec) {
        guard let name = spec.timeColumn, let column = spec.column(name), !column.path.isEmpty else { return nil }
        path = column.path
        isBucket = column.origin == .bucket
        endField = spec.bucketEnd.first
    }

    func start(of value: JSONValue) -> Instant? {
        let found = path.reduce(Optional(value)) { value, key in value?[key] }
        if let seconds = found?.integer { return Instant(seconds: Int64(seconds)) }
        return found?.text.flatMap { Instant.withFraction($0)?.instant }
    }

    func end(of value: JSONValue) -> Instant? {
        endField.flatMap { value[$0]?.integer }.map { Instant(seconds: Int64($0)) }
    }
}
