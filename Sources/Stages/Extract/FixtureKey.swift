package import Connector
import Model

/// Where the answer to a request lies in a fixture directory.
///
/// ```
/// DIR/replay.json                                            when it was recorded, and from what
/// DIR/users/first.json                                       a list: the first page …
/// DIR/users/after=user_abc.json                              … and the page after a cursor
/// DIR/project_users/project_id=proj_1,after=user_abc.json    a child: its parents' ids come first
/// DIR/project_users/project_id=proj_9.404.json               any status but 200 stands before `.json`
/// DIR/costs/2025-11-01..2025-12-01,group_by=project_id+line_item/page=tok.json
///                                                            with a window: a folder for each walk
/// ```
/// A file's name holds what tells one page from another: path parameters, parameters of the walk
/// (`tenant_only=true`) and the cursor; `first` when there is none of them. The page limit is left
/// out, and so is what the connector file sends with every request. Text is percent-encoded; names over 180 bytes are
/// cut and end in `~` and a hash. A walk's folder may leave out `,bucket_width=` and `,group_by=`: then it answers
/// any. A `.link` file beside a page holds its `Link` header.
package struct FixtureKey: Sendable, Equatable {
    package var stream: String
    /// Parents and walk parameters, encoded and joined; empty when there are none.
    package var base: String
    package var cursorName: String
    package var cursor: String?
    package var walk: Walk?
    package var limit: Int?

    /// One way to ask for a span of time.
    package struct Walk: Sendable, Equatable {
        package var window: TimeWindow
        package var width: String?
        package var groupBy: [String]?
    }

    package init(_ request: Request, spec: StreamSpec) {
        let pagination = spec.pagination
        stream = request.stream
        cursorName = pagination.cursorParameter
        var named = FixtureKey.parents(template: request.template, path: request.path)
        var start: Instant?
        var end: Instant?
        var width: String?
        var groupBy: [String] = []
        for (name, value) in FixtureKey.query(of: request) {
            switch name {
            case pagination.limitParameter: limit = Int(value)
            case pagination.cursorParameter: cursor = value
            case spec.window?.startParameter: start = Int64(value).map { Instant(seconds: $0) }
            case spec.window?.endParameter: end = Int64(value).map { Instant(seconds: $0) }
            case spec.window?.widthParameter: width = value
            case spec.grouping?.parameter: groupBy.append(value)
            default:
                if !spec.parameters.contains(StreamSpec.Parameter(name, value)) { named.append((name, value)) }
            }
        }
        if pagination.style == .pageNumber, cursor == "1" { cursor = nil }
        base = named.map(FixtureKey.part).joined(separator: ",")
        if let start, let end {
            walk = Walk(
                window: TimeWindow(start: start, end: end),
                width: width,
                groupBy: spec.grouping == nil ? nil : groupBy
            )
        }
    }

    /// The file's name without status and `.json`.
    package var slug: String {
        let all = [base, cursor.map { FixtureKey.part((cursorName, $0)) } ?? ""].filter { !$0.isEmpty }
        return FixtureKey.bounded(all.isEmpty ? "first" : all.joined(separator: ","))
    }

    /// For messages: `costs/2025-11-01..2025-12-01/first`.
    package var text: String { [stream, walk?.folder, slug].compactMap(\.self).joined(separator: "/") }

    /// Whether a file's slug is a page of the same list as this key, at whatever cursor.
    func isPage(_ slug: String) -> Bool {
        slug == (base.isEmpty ? "first" : base)
            || slug.hasPrefix(base.isEmpty ? "\(cursorName)=" : "\(base),\(cursorName)=")
    }

    private static func part(_ pair: (name: String, value: String)) -> String {
        "\(PercentEncoding.encode(pair.name))=\(PercentEncoding.encode(pair.value))"
    }

    private static func bounded(_ name: String) -> String {
        guard name.utf8.count > 180 else { return name }
        return "\(name.prefix(120))~\(String(CursorWalk.hash(name), radix: 16))"
    }

    private static func parents(template: String, path: String) -> [(name: String, value: String)] {
        zip(template.split(separator: "/"), path.split(separator: "/")).compactMap { pattern, segment in
            guard pattern.hasPrefix("{"), pattern.hasSuffix("}") else { return nil }
            return (String(pattern.dropFirst().dropLast()), PercentEncoding.decode(String(segment)) ?? String(segment))
        }
    }

    private static func query(of request: Request) -> [(name: String, value: String)] {
        guard let absolute = request.absoluteURL else { return request.query }
        guard let mark = absolute.firstIndex(of: "?") else { return [] }
        return parameters(in: absolute[absolute.index(after: mark)...].prefix { $0 != "#" })
    }

    static func parameters(in query: Substring) -> [(name: String, value: String)] {
        query.split(separator: "&").map { pair in
            let halves = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let texts = halves.map { PercentEncoding.decode(String($0)) ?? String($0) }
            return (texts[0], texts.count > 1 ? texts[1] : "")
        }
    }
}

extension FixtureKey.Walk {
    /// `2025-11-01..2025-12-01,bucket_width=1h,group_by=project_id+model`
    package var folder: String {
        var name = "\(FixtureKey.Walk.text(window.start))..\(FixtureKey.Walk.text(window.end))"
        if let width { name += ",bucket_width=\(PercentEncoding.encode(width))" }
        if let groupBy, !groupBy.isEmpty {
            name += ",group_by=\(groupBy.map(PercentEncoding.encode).joined(separator: "+"))"
        }
        return name
    }

    /// Reads a folder's name; `nil` when it is not a walk's.
    package init?(folder: String) {
        let parts = folder.split(separator: ",").map(String.init)
        let halves = parts.first?.split(separator: ".").map(String.init) ?? []
        guard halves.count == 2, let start = FixtureKey.Walk.instant(halves[0]),
            let end = FixtureKey.Walk.instant(halves[1])
        else { return nil }
        window = TimeWindow(start: start, end: end)
        for part in parts.dropFirst() {
            let pair = part.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard pair.count == 2 else { return nil }
            switch pair[0] {
            case "bucket_width": width = PercentEncoding.decode(pair[1])
            case "group_by": groupBy = pair[1].split(separator: "+").map { PercentEncoding.decode(String($0)) ?? "" }
            default: return nil
            }
        }
    }

    /// Whether what was recorded this way answers what is asked this way, windows aside.
    func answers(_ asked: FixtureKey.Walk) -> Bool {
        (width == nil || asked.width == nil || width == asked.width)
            && (groupBy == nil || asked.groupBy == nil || Set(groupBy ?? []) == Set(asked.groupBy ?? []))
    }

    /// `2025-11-01`, or `2025-11-01T053000Z`: a colon is no good in a file's name.
    private static func text(_ instant: Instant) -> String {
        instant == instant.aligned(down: 86_400) ? instant.date : instant.text.filter { $0 != ":" }
    }

    private static func instant(_ text: String) -> Instant? {
        let bytes = Array(text)
        guard bytes.count == 18 else { return bytes.count == 10 ? Instant(text: text) : nil }
        return Instant(text: "\(String(bytes[..<13])):\(String(bytes[13..<15])):\(String(bytes[15...]))")
    }
}
