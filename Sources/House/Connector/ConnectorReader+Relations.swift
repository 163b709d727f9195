import Model

/// What a connector file says about its streams together: relations, and what can be reconciled.
extension ConnectorReader {
    func relations(_ root: Section, _ streams: [StreamSpec]) -> [Relation] {
        guard root.has("relations") else { return [] }
        var made: [Relation] = []
        for section in sections(root, "relations", example: "[{ name: unknown_users, rows: […], listed: […] }]") {
            section.checkKeys(["name", "about", "find", "rows", "listed", "living"])
            for key in ["name", "rows"] { section.require(key) }
            guard let name = section.text("name") else { continue }
            if !Connector.isName(name.value) {
                report.error(.wrongValue, "a relation's name has only a-z, 0-9, - and _", at: name.place)
            }
            if made.contains(where: { $0.name == name.value }) {
                report.error(.duplicateKey, "the relation \"\(name.value)\" stands twice", at: name.place)
            }
            let find = section.word("find", Relation.Finding.self) ?? .unlisted
            if find == .unlisted { section.require("listed", hint: "name the columns that list the values") }
            let relation = Relation(
                name: name.value,
                about: section.text("about")?.value ?? "",
                find: find,
                rows: places(section, "rows", streams),
                listed: places(section, "listed", streams),
                mustLive: section.flag("living") ?? false
            )
            checkDomains(relation, streams, section)
            made.append(relation)
        }
        return made
    }

    /// `stream.column` texts that exist.
    private func places(_ section: Section, _ key: String, _ streams: [StreamSpec]) -> [Relation.Place] {
        (section.texts(key) ?? []).compactMap { text in
            let parts = text.value.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 2 else {
                report.error(.wrongValue, "\"\(key)\" names stream.column, such as users.id", at: text.place)
                return nil
            }
            guard let stream = streams.first(where: { $0.name == parts[0] }) else {
                report.error(
                    .unknownName,
                    "there is no stream \(report.quoted(parts[0]))",
                    at: text.place,
                    hint: Spelling.question(for: parts[0], in: streams.map(\.name))
                )
                return nil
            }
            guard stream.column(parts[1]) != nil else {
                report.error(
                    .unknownName,
                    "the stream \"\(stream.name)\" has no column \(report.quoted(parts[1]))",
                    at: text.place,
                    hint: Spelling.question(for: parts[1], in: stream.columns.map(\.name))
                )
                return nil
            }
            return .init(stream: parts[0], column: parts[1])
        }
    }

    /// Values of different domains get different tokens: they could not be compared once they are encrypted.
    private func checkDomains(_ relation: Relation, _ streams: [StreamSpec], _ section: Section) {
        guard relation.find == .unlisted else { return }
        let domains = Set(
            (relation.rows + relation.listed).map { place in
                streams.first { $0.name == place.stream }?.column(place.column)?.domain ?? ""
            }
        )
        if domains.count > 1 {
            report.error(
                .wrongValue,
                "the columns of relation \"\(relation.name)\" have different domains: \(domains.sorted().map { $0.isEmpty ? "none" : $0 }.joined(separator: ", "))",
                at: section.keyPlace("rows"),
                hint: "encrypted values join only within one domain"
            )
        }
    }

    // MARK: Reconciling

    func reconcile(_ root: Section, _ streams: [StreamSpec]) -> ReconcileSpec? {
        guard let section = root.section("reconcile") else { return nil }
        section.checkKeys(["usage", "costs"])
        let usage = sections(section, "usage", example: "[{ stream: usage, tokens: [input_tokens] }]").compactMap {
            one in
            one.checkKeys(["stream", "project", "user", "key", "model", "requests", "tokens"])
            one.require("stream")
            guard let stream = spec(one, streams) else { return ReconcileSpec.Usage?.none }
            return ReconcileSpec.Usage(
                stream: stream.name,
                project: column(one, "project", stream),
                user: column(one, "user", stream),
                key: column(one, "key", stream),
                model: column(one, "model", stream),
                requests: column(one, "requests", stream),
                tokens: (one.texts("tokens") ?? []).compactMap { known($0, stream) }
            )
        }
        return ReconcileSpec(usage: usage, costs: section.section("costs").flatMap { costs($0, streams) })
    }

    private func costs(_ section: Section, _ streams: [StreamSpec]) -> ReconcileSpec.Costs? {
        section.checkKeys(["stream", "project", "amount", "currency", "quantity", "unit", "tokens_per_unit"])
        for key in ["stream", "project", "amount"] { section.require(key) }
        guard let stream = spec(section, streams), let project = column(section, "project", stream),
            let amount = column(section, "amount", stream)
        else { return nil }
        var units: [String: Int] = [:]
        if let table = section.section("tokens_per_unit") {
            for entry in table.entries { units[entry.key] = table.whole(entry.key, 1...1_000_000_000) }
        }
        return ReconcileSpec.Costs(
            stream: stream.name,
            project: project,
            amount: amount,
            currency: column(section, "currency", stream),
            quantity: column(section, "quantity", stream),
            unit: column(section, "unit", stream),
            tokensPerUnit: units
        )
    }

    private func spec(_ section: Section, _ streams: [StreamSpec]) -> StreamSpec? {
        guard let text = section.text("stream") else { return nil }
        let found = streams.first { $0.name == text.value }
        if found == nil {
            report.error(
                .unknownName,
                "there is no stream \(report.quoted(text.value))",
                at: text.place,
                hint: Spelling.question(for: text.value, in: streams.map(\.name))
            )
        } else if found?.timeColumn == nil {
            report.error(.wrongValue, "the stream \"\(text.value)\" has no times to reconcile by", at: text.place)
        }
        return found
    }

    private func column(_ section: Section, _ key: String, _ stream: StreamSpec) -> String? {
        section.text(key).flatMap { known($0, stream) }
    }

    private func known(_ text: Section.Text, _ stream: StreamSpec) -> String? {
        if stream.column(text.value) != nil { return text.value }
        report.error(
            .unknownName,
            "the stream \"\(stream.name)\" has no column \(report.quoted(text.value))",
            at: text.place,
            hint: Spelling.question(for: text.value, in: stream.columns.map(\.name))
        )
        return nil
    }
}
