import Model

/// Streams of a connector file.
extension ConnectorReader {
    private static let keys = [
        "name", "title", "mode", "path", "scope", "parameters", "pagination", "rows", "object", "parents", "absent",
        "window", "group_by", "walks", "time", "expires", "primary_key", "ignored", "columns",
    ]

    /// One stream, and its section under the name that messages call it.
    func stream(_ unnamed: Section) -> (StreamSpec, Section)? {
        unnamed.require("name")
        guard let name = unnamed.text("name") else { return nil }
        if !Connector.isName(name.value) {
            report.error(
                .wrongValue,
                "a stream's name has only a-z, 0-9, - and _, not \(report.quoted(name.value))",
                at: name.place
            )
        }
        let section = Section(
            report: report,
            whereabouts: "in stream \"\(name.value)\"",
            place: name.place,
            entries: unnamed.entries
        )
        section.checkKeys(ConnectorReader.keys)
        for key in ["mode", "path", "columns", "primary_key"] { section.require(key) }
        let mode = section.word("mode", StreamSpec.Mode.self) ?? .snapshot
        let stream = StreamSpec(
            name: name.value,
            title: section.text("title")?.value ?? "",
            mode: mode,
            path: section.text("path")?.value ?? "",
            parameters: pairs(section, "parameters").map { StreamSpec.Parameter($0.0, $0.1) },
            pagination: pagination(section),
            rows: StreamSpec.RowPlace(members: rows(section, mode)),
            parents: parents(section),
            window: window(section),
            grouping: grouping(section),
            walks: walks(section),
            primaryKey: section.strings("primary_key") ?? [],
            timeColumn: section.text("time")?.value,
            expiryColumn: section.text("expires")?.value,
            columns: columns(section),
            ignoredFields: (section.nodes("ignored", example: "[object]") ?? []).compactMap {
                path($0, called: "an element of \"ignored\"", in: section)
            },
            objectName: section.text("object")?.value,
            absent: section.word("absent", StreamSpec.Absent.self) ?? .failure,
            scope: section.text("scope")?.value ?? ""
        )
        return (stream, section)
    }

    // MARK: Pages and rows

    private func pagination(_ stream: Section) -> Pagination {
        guard let section = stream.section("pagination") else { return .usual(.none) }
        section.checkKeys(["style", "cursor", "cursor_from", "more", "omitted_at_end", "limit_parameter", "limit"])
        section.require("style")
        var made = Pagination.usual(section.word("style", Pagination.Style.self) ?? .none)
        if let text = section.text("cursor") { made.cursorParameter = text.value }
        if let keys = keys("cursor_from", in: section) { made.cursorPath = keys }
        if let keys = keys("more", in: section) { made.morePath = keys }
        made.isOmittedAtEnd = section.flag("omitted_at_end") ?? false
        if let text = section.text("limit_parameter") { made.limitParameter = text.value }
        guard let limit = section.entry("limit") else { return made }
        if case .map = limit.value.content, let byWidth = section.section("limit") {
            for entry in byWidth.entries { made.limitMaxByWidth[entry.key] = byWidth.whole(entry.key, 1...1_000_000) }
        } else {
            made.limitMax = section.whole("limit", 1...1_000_000)
        }
        return made
    }

    /// `paging.next` → `paging`, `next`; a list is taken as it stands, for keys that hold a dot.
    private func keys(_ key: String, in section: Section) -> [String]? {
        guard let entry = section.entry(key), let keys = path(entry.value, called: "\"\(key)\"", in: section) else {
            return nil
        }
        guard !keys.isEmpty, !keys.contains("[]"), !keys.contains("") else {
            report.error(
                .wrongValue,
                "\"\(key)\" leads to one member, not into a list",
                at: entry.keyPlace,
                hint: "name keys from the reply inwards, such as paging.next"
            )
            return nil
        }
        return keys
    }

    /// `data[].results[]` → `data`, `results`; `.` → nothing.
    private func rows(_ section: Section, _ mode: StreamSpec.Mode) -> [String] {
        guard let text = section.text("rows") else {
            return mode == .singleton ? [] : mode == .report ? ["data", "results"] : ["data"]
        }
        if text.value == "." { return [] }
        let parts = text.value.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ $0.hasSuffix("[]") && $0.count > 2 }) else {
            report.error(
                .wrongValue,
                "\"rows\" must say where rows lie: `data[]`, `data[].results[]` or `.`, not \(report.quoted(text.value))",
                at: text.place
            )
            return []
        }
        return parts.map { String($0.dropLast(2)) }
    }

    // MARK: Parents

    private func parents(_ stream: Section) -> [StreamSpec.Parent] {
        sections(stream, "parents", example: "[{ parameter: project_id, of: projects.id }]").compactMap { section in
            section.checkKeys(["parameter", "of", "skip"])
            section.require("parameter")
            section.require("of")
            guard let parameter = section.text("parameter"), let of = section.text("of") else { return nil }
            let parts = of.value.split(separator: ".", omittingEmptySubsequences: false)
            guard parts.count == 2 else {
                report.error(.wrongValue, "\"of\" must be stream.column, such as projects.id", at: of.place)
                return nil
            }
            let skip = section.section("skip")
            let skips = (skip?.entries ?? []).map {
                StreamSpec.Parent.Skip(column: $0.key, values: skip?.strings($0.key) ?? [])
            }
            return .init(parameter: parameter.value, stream: String(parts[0]), column: String(parts[1]), skip: skips)
        }
    }

    /// A list of mappings.
    func sections(_ section: Section, _ key: String, example: String) -> [Section] {
        guard let nodes = section.nodes(key, example: example) else { return [] }
        let whereabouts = "\(section.whereabouts), \"\(key)\""
        return nodes.compactMap {
            Section($0, called: "an element of \"\(key)\"", whereabouts, at: $0.place, in: report)
        }
    }

    // MARK: Windows and groupings

    private func window(_ stream: Section) -> WindowSpec? {
        guard let section = stream.section("window") else { return nil }
        section.checkKeys(["start", "end", "width", "widths", "default_width", "lookback", "history"])
        for key in ["start", "end"] { section.require(key) }
        return WindowSpec(
            startParameter: section.text("start")?.value ?? "",
            endParameter: section.text("end")?.value ?? "",
            widthParameter: section.text("width")?.value,
            widths: section.strings("widths") ?? [],
            defaultWidth: section.text("default_width")?.value,
            defaultLookback: section.span("lookback")?.seconds ?? 0,
            defaultHistory: section.span("history")?.seconds ?? 30 * 86_400
        )
    }

    private func grouping(_ stream: Section) -> Grouping? {
        guard let section = stream.section("group_by") else { return nil }
        section.checkKeys(["parameter", "dimensions", "refused"])
        for key in ["parameter", "dimensions"] { section.require(key) }
        let dimensions = section.strings("dimensions") ?? []
        let refused = sections(section, "refused", example: "[{ dimensions: [user_id], reason: … }]").map { refusal in
            refusal.checkKeys(["dimensions", "before", "certain", "without", "reason"])
            for key in ["dimensions", "without", "reason"] { refusal.require(key) }
            for text in refusal.texts("dimensions") ?? [] { known(text, in: dimensions, "dimension") }
            if let without = refusal.text("without") { known(without, in: dimensions, "dimension") }
            return Grouping.Refusal(
                dimensions: refusal.strings("dimensions") ?? [],
                startBefore: refusal.instant("before")?.seconds,
                isCertain: refusal.flag("certain") ?? true,
                without: refusal.text("without")?.value ?? "",
                reason: refusal.text("reason")?.value ?? ""
            )
        }
        return Grouping(parameter: section.text("parameter")?.value ?? "", dimensions: dimensions, refusals: refused)
    }

    func known(_ text: Section.Text, in names: [String], _ what: String) {
        if !names.contains(text.value) {
            report.error(
                .unknownName,
                "there is no \(what) \(report.quoted(text.value))",
                at: text.place,
                hint: Spelling.question(for: text.value, in: names),
                allowed: names
            )
        }
    }

    private func walks(_ section: Section) -> [[StreamSpec.Parameter]] {
        guard section.has("walks") else { return [[]] }
        let walks = sections(section, "walks", example: "[{}, { tenant_only: true }]").map { walk in
            walk.entries.compactMap { entry in
                walk.text(of: entry.value, called: "\"\(entry.key)\"", at: entry.keyPlace)
                    .map { StreamSpec.Parameter(entry.key, $0.value) }
            }
        }
        return walks.isEmpty ? [[]] : walks
    }
}

extension Pagination {
    /// A style with the parameter and field that it usually has.
    package static func usual(_ style: Style) -> Pagination {
        switch style {
        case .bucketPage: Pagination(style: style, cursorParameter: "page", cursorPath: ["next_page"])
        case .cursorAfterLastID: Pagination(style: style, cursorParameter: "after", cursorPath: ["last_id"])
        case .cursorAfterItemID: Pagination(style: style, cursorParameter: "after", cursorPath: ["id"])
        case .cursorAfterNext: Pagination(style: style, cursorParameter: "after", cursorPath: ["next"])
        case .pageNumber: Pagination(style: style, cursorParameter: "page", cursorPath: [])
        case .linkHeader: Pagination(style: style, cursorParameter: "", cursorPath: [])
        case .none: Pagination(style: style, cursorParameter: "", cursorPath: [], limitParameter: nil)
        }
    }
}
