import Model

/// Columns of a connector file.
extension ConnectorReader {
    private static let keys = [
        "name", "path", "or", "from", "type", "nullable", "sensitivity", "domain", "volatile", "about", "inner",
        "values",
    ]

    func columns(_ stream: Section) -> [Column] {
        sections(stream, "columns", example: "- { name: id, type: string }").compactMap { section in
            section.checkKeys(ConnectorReader.keys)
            section.require("name")
            section.require("type")
            guard let name = section.text("name") else { return nil }
            if !Column.isName(name.value) {
                report.error(
                    .wrongValue,
                    "a column's name has letters, digits and _ and no digit first, not \(report.quoted(name.value))",
                    at: name.place
                )
            }
            if ["deleted_at", "extra"].contains(name.value) {
                report.error(
                    .wrongValue,
                    "\"\(name.value)\" is a column that every archive writes itself",
                    at: name.place
                )
            }
            var column = Column(
                name.value,
                path: section.entry("path").map { path($0.value, called: "\"path\"", in: section) ?? [] } ?? [
                    name.value
                ],
                origin: origin(section),
                kind: section.word("type", Column.Kind.self) ?? .json,
                nullable: section.flag("nullable") ?? false
            )
            column.alternatives = (section.nodes("or", example: "[invited_at]") ?? []).compactMap {
                path($0, called: "an element of \"or\"", in: section)
            }
            column.sensitivity = section.word("sensitivity", Column.Sensitivity.self) ?? .none
            column.domain = domain(section)
            column.isVolatile = section.flag("volatile") ?? false
            column.description = section.text("about")?.value ?? ""
            column.inner = inner(section)
            column.values = section.strings("values") ?? []
            if !column.values.isEmpty, column.kind != .string {
                report.error(
                    .wrongValue,
                    "the column \"\(column.name)\" has \"values\", but is no string",
                    at: section.keyPlace("values")
                )
            }
            return column
        }
    }

    private func origin(_ section: Section) -> Column.Origin {
        guard let from = section.text("from")?.value else { return .row }
        return from == "bucket" ? .bucket : from == "row" ? .row : .parameter(from)
    }

    private func domain(_ section: Section) -> String? {
        guard let text = section.text("domain") else { return nil }
        if !Connector.isName(text.value) {
            report.error(
                .wrongValue,
                "a domain's name has only a-z, 0-9, - and _, not \(report.quoted(text.value))",
                at: text.place
            )
        }
        return text.value
    }

    private func inner(_ section: Section) -> [Column.Inner] {
        sections(section, "inner", example: "- { path: email, sensitivity: email }").compactMap { rule in
            rule.checkKeys(["path", "sensitivity", "domain", "types"])
            rule.require("path")
            guard let entry = rule.entry("path"), let path = path(entry.value, called: "\"path\"", in: rule) else {
                return nil
            }
            return Column.Inner(
                path: path,
                sensitivity: rule.word("sensitivity", Column.Sensitivity.self) ?? .none,
                domain: domain(rule),
                types: rule.strings("types") ?? []
            )
        }
    }

    /// `amount.value` → two keys, `certificates[].name` → `certificates`, `[]`, `name`. A list is taken key by
    /// key, so that keys with dots can be named: `["project.created", id]`.
    func path(_ node: YAMLNode, called name: @autoclosure () -> String, in section: Section) -> [String]? {
        if case .list(let elements) = node.content {
            return elements.compactMap { section.text(of: $0, called: name(), at: $0.place)?.value }
        }
        guard let text = section.text(of: node, called: name(), at: node.place) else { return nil }
        var keys: [String] = []
        for part in text.value.split(separator: ".", omittingEmptySubsequences: false) {
            var part = part
            var brackets = 0
            while part.hasSuffix("[]") {
                part.removeLast(2)
                brackets += 1
            }
            if part.isEmpty, brackets == 0 || !keys.isEmpty {
                report.error(.wrongValue, "\(name()) has an empty key: \(report.quoted(text.value))", at: text.place)
                return nil
            }
            if !part.isEmpty { keys.append(String(part)) }
            keys += Array(repeating: "[]", count: brackets)
        }
        return keys
    }
}

extension Column {
    /// Names become JSON keys, CSV headers and warehouse columns.
    static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, text.utf8.count <= 100 else { return false }
        let letters = text.utf8.allSatisfy {
            (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || $0 == 95
        }
        return letters && !(48...57).contains(first)
    }
}
