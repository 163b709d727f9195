import Model

/// What must hold between the parts of one stream, and between a stream and those before it.
struct ConnectorChecks {
    let report: FileReport
    let section: Section
    /// The streams listed before this one.
    let earlier: [StreamSpec]

    func check(_ stream: StreamSpec) {
        checkColumns(stream)
        checkPrimaryKey(stream)
        checkPath(stream)
        checkParents(stream)
        checkTimes(stream)
        checkPages(stream)
    }

    private func checkColumns(_ stream: StreamSpec) {
        let parameters = pathParameters(stream)
        var seen: Set<String> = []
        for (index, column) in stream.columns.enumerated() {
            if !seen.insert(column.name).inserted {
                report.error(
                    .duplicateKey,
                    "the column \"\(column.name)\" stands twice \(section.whereabouts)",
                    at: place(ofColumn: index)
                )
            }
            if case .parameter(let name) = column.origin, !parameters.contains(name) {
                report.error(
                    .unknownName,
                    "the column \"\(column.name)\" comes from \"\(name)\", which is no parameter of the path",
                    at: place(ofColumn: index),
                    hint: Spelling.question(for: name, in: parameters),
                    allowed: ["bucket", "row"] + parameters
                )
            }
            if column.origin == .bucket, stream.rows.members.count < 2 {
                report.error(
                    .wrongValue,
                    "the column \"\(column.name)\" comes from a bucket, but rows lie in none",
                    at: place(ofColumn: index)
                )
            }
            if !column.inner.isEmpty, column.kind != .json {
                report.error(
                    .wrongValue,
                    "the column \"\(column.name)\" has \"inner\" rules, but is no json",
                    at: place(ofColumn: index)
                )
            }
        }
        for dimension in stream.grouping?.dimensions ?? [] where stream.column(dimension) == nil {
            report.error(.unknownName, "the dimension \"\(dimension)\" has no column", at: section.keyPlace("group_by"))
        }
    }

    private func place(ofColumn index: Int) -> Place {
        guard let entry = section.entry("columns"), case .list(let nodes) = entry.value.content,
            nodes.indices.contains(index),
            case .map(let entries) = nodes[index].content, let name = entries.first(where: { $0.key == "name" })
        else { return section.keyPlace("columns") }
        return name.value.place
    }

    private func checkPrimaryKey(_ stream: StreamSpec) {
        if section.has("primary_key"), stream.primaryKey.isEmpty {
            report.error(
                .primaryKey,
                "\"primary_key\" names no column \(section.whereabouts)",
                at: section.keyPlace("primary_key")
            )
        }
        if stream.primaryKey.count > 64 {
            report.error(
                .primaryKey,
                "\"primary_key\" names \(stream.primaryKey.count) columns \(section.whereabouts)",
                at: section.keyPlace("primary_key"),
                hint: "64 at most tell rows apart"
            )
        }
        let names = stream.columns.map(\.name)
        for text in section.texts("primary_key") ?? [] where !names.contains(text.value) {
            report.error(
                .unknownName,
                "the primary key names \(report.quoted(text.value)), which is no column",
                at: text.place,
                hint: Spelling.question(for: text.value, in: names)
            )
        }
    }

    /// `project_id` and `group_id` of `/projects/{project_id}/groups/{group_id}/roles`.
    private func pathParameters(_ stream: StreamSpec) -> [String] {
        stream.path.split(separator: "{", omittingEmptySubsequences: false).dropFirst().compactMap { part in
            part.contains("}") ? String(part.prefix { $0 != "}" }) : nil
        }
    }

    /// Printed ASCII that begins with a slash, without a query, an empty step or one upwards.
    private static func isPath(_ text: String) -> Bool {
        guard text.utf8.first == UInt8(ascii: "/") else { return false }
        var last: UInt8 = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "\\"), UInt8(ascii: "\""): return false
            case UInt8(ascii: "/"), UInt8(ascii: "."): if byte == last { return false }
            case 0x21..<0x7F: break
            default: return false
            }
            last = byte
        }
        return true
    }

    private func checkPath(_ stream: StreamSpec) {
        guard let text = section.text("path") else { return }
        if !ConnectorChecks.isPath(text.value) {
            report.error(
                .wrongValue,
                "\"path\" must begin with / and hold nothing that a path cannot: \(report.quoted(text.value))",
                at: text.place
            )
        }
        let filled = stream.parents.map(\.parameter)
        let parameters = pathParameters(stream)
        for name in parameters where !filled.contains(name) {
            report.error(
                .missingKey,
                "no parent fills {\(name)} of the path",
                at: text.place,
                hint: "add { parameter: \(name), of: stream.column } to \"parents\""
            )
        }
        for name in filled where !parameters.contains(name) {
            report.error(
                .unknownName,
                "the path has no {\(name)}",
                at: section.keyPlace("parents"),
                hint: Spelling.question(for: name, in: parameters)
            )
        }
    }

    private func checkParents(_ stream: StreamSpec) {
        for parent in stream.parents {
            guard let spec = earlier.first(where: { $0.name == parent.stream }) else {
                report.error(
                    .unknownName,
                    "the parent \"\(parent.stream)\" is no stream before this one",
                    at: section.keyPlace("parents"),
                    hint: Spelling.question(for: parent.stream, in: earlier.map(\.name))
                        ?? "parents stand before their children"
                )
                continue
            }
            for column in [parent.column] + parent.skip.map(\.column) where spec.column(column) == nil {
                report.error(
                    .unknownName,
                    "the parent \"\(parent.stream)\" has no column \"\(column)\"",
                    at: section.keyPlace("parents"),
                    hint: Spelling.question(for: column, in: spec.columns.map(\.name))
                )
            }
        }
    }

    private func checkTimes(_ stream: StreamSpec) {
        let needsTime = stream.mode == .report || stream.mode == .log
        if needsTime {
            section.require("time", hint: "name the column that decides the partition")
            section.require("window", hint: "name the parameters that a span of time is asked with")
        }
        if let time = stream.timeColumn {
            let column = stream.column(time)
            if column == nil {
                report.error(
                    .unknownName,
                    "\"time\" names \(report.quoted(time)), which is no column",
                    at: section.keyPlace("time"),
                    hint: Spelling.question(for: time, in: stream.columns.map(\.name))
                )
            } else if column?.kind != .timestamp || column?.nullable == true {
                report.error(
                    .wrongValue,
                    "the column \"\(time)\" decides the partition: it must be a timestamp that is never null",
                    at: section.keyPlace("time")
                )
            }
        }
        if let expiry = stream.expiryColumn, stream.column(expiry)?.kind != .timestamp {
            report.error(
                stream.column(expiry) == nil ? .unknownName : .wrongValue,
                "\"expires\" names \(report.quoted(expiry)), which is no timestamp column",
                at: section.keyPlace("expires"),
                hint: Spelling.question(for: expiry, in: stream.columns.map(\.name))
            )
        }
        guard let window = stream.window else { return }
        if stream.mode == .report, window.widths.isEmpty || window.widthParameter == nil {
            report.error(
                .missingKey,
                "a report needs \"width\" and \"widths\" in \"window\"",
                at: section.keyPlace("window")
            )
        }
        for width in window.widths where TimeSpan(text: width) == nil {
            report.error(
                .wrongValue,
                "the width \(report.quoted(width)) is no length of time",
                at: section.keyPlace("window")
            )
        }
        if let width = window.defaultWidth, !window.widths.contains(width) {
            report.error(
                .unknownName,
                "\"default_width\" is not one of \"widths\"",
                at: section.keyPlace("window"),
                allowed: window.widths
            )
        }
    }

    /// What says how pages follow stands beside the rows, not inside of them.
    private func checkEnvelope(_ stream: StreamSpec) {
        guard let rows = stream.rows.members.first else { return }
        let pages = stream.pagination
        for (key, path) in [("cursor_from", pages.cursorPath), ("more", pages.morePath)] where path.first == rows {
            if key == "cursor_from", pages.style == .cursorAfterItemID { continue }
            report.error(
                .wrongValue,
                "\"\(key)\" leads into \"\(rows)\", where the rows lie",
                at: section.keyPlace("pagination"),
                hint: key == "cursor_from" ? "style: cursor_after_item_id reads the last row" : nil
            )
        }
    }

    private func checkPages(_ stream: StreamSpec) {
        let widths = stream.window?.widths ?? []
        for width in stream.pagination.limitMaxByWidth.keys.sorted() where !widths.contains(width) {
            report.error(
                .unknownName,
                "\"limit\" names the width \(report.quoted(width)), which the window does not have",
                at: section.keyPlace("pagination"),
                allowed: widths
            )
        }
        checkEnvelope(stream)
        let depth = stream.rows.members.count
        if stream.mode == .report, depth != 2 {
            report.error(
                .wrongValue,
                "a report's rows lie in buckets: `data[].results[]`",
                at: section.keyPlace("rows")
            )
        }
        if stream.mode == .singleton, depth != 0 || stream.pagination.style != .none {
            report.error(
                .wrongValue,
                "a singleton is the reply itself: rows `.`, pagination none",
                at: section.keyPlace("rows")
            )
        }
        if stream.mode == .snapshot || stream.mode == .log, depth != 1 {
            report.error(.wrongValue, "the rows of a list lie in one array: `data[]`", at: section.keyPlace("rows"))
        }
    }
}
