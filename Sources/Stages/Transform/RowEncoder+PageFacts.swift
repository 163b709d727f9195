internal import Connector
internal import Model
internal import RecordScan

/// What a walk wants to know of a page: its parents' ids, its last item, its buckets.
extension RowEncoder {
    func text(_ cell: Cell) -> String? {
        cell.isMissing ? nil : String(decoding: scanner.text(cell), as: UTF8.self)
    }

    func noteParents(into facts: inout PageFacts) {
        guard !settings.parentColumns.isEmpty else { return }
        for row in 0..<scanner.rowCount {
            var values: [String: String] = [:]
            for name in settings.parentColumns {
                guard let index = layout.columns.firstIndex(where: { $0.name == name }) else { continue }
                switch layout.sources[index] {
                case .cell(let level, let slot, _) where level == layout.shape.rowLevel:
                    values[name] = text(scanner.cell(row: row, slot: slot))
                case .parameter(let parameter): values[name] = parameters[parameter]
                default: break
                }
            }
            facts.parents.append(values)
        }
    }

    /// What a page is that the scanner refused.
    func failure(_ reason: String, at offset: Int) -> PageFailure {
        let told = "\(reason), at byte \(offset)"
        guard PageScanner.isAboutRows(reason) else { return .malformed(told) }
        let members = layout.spec.rows.members.map { $0 + "[]" }.joined(separator: ".")
        let compare = "compare `rows` of the connector file (\(members)) with the reply"
        // A reply that says how pages follow each other is a page: another one would have its rows elsewhere too.
        if layout.cursor.map(isStated) == true || layout.more.map(isStated) == true {
            return .refused(Fault(.badReply, told, mend: compare))
        }
        return .unlike(told, mend: compare)
    }

    /// What the reply says beside its rows about the page after it.
    func noteNext(into facts: inout PageFacts) throws(PageFailure) {
        let pages = layout.spec.pagination
        if let more = layout.more {
            switch scanner.cell(level: 0, slot: more.slot).kind {
            case .yes: facts.hasMore = true
            case .no: facts.hasMore = false
            case .absent, .null: facts.hasMore = nil
            // Where there is one page, it may be another field of that name.
            default:
                guard pages.style == .none else {
                    throw .unlike(
                        "`\(pages.moreName)` is not a boolean",
                        mend: "compare `more` of the connector file with the reply"
                    )
                }
            }
        }
        guard let cursor = layout.cursor else { return }
        let cell = scanner.cell(level: 0, slot: cursor.slot)
        switch cell.kind {
        case .absent, .null: facts.cursor = nil
        case .integer, .number, .plainString, .escapedString: facts.cursor = text(cell)
        case .yes, .no, .object, .array:
            throw .refused(
                Fault(
                    .badReply,
                    "`\(pages.cursorName)` of the reply is \(ValueResolver.name(cell.kind)), which is no cursor",
                    mend: "compare `cursor_from` of the connector file with the reply"
                )
            )
        }
        facts.namesNext = isStated(cursor) || layout.more.map(isStated) == true
    }

    /// Whether the member is there, be it as null. An object around it that is null says as much.
    private func isStated(_ place: StreamLayout.EnvelopePlace) -> Bool {
        scanner.cell(level: 0, slot: place.slot).kind != .absent
            || place.outer.contains { scanner.cell(level: 0, slot: $0).kind == .null }
    }

    func noteLastItem(into facts: inout PageFacts) {
        guard let slot = layout.itemSlot, scanner.rowCount > 0 else { return }
        facts.lastItemID = text(scanner.cell(row: scanner.rowCount - 1, slot: slot))
    }

    func noteItems(into facts: inout PageFacts) {
        guard !layout.keySlots.isEmpty else { return }
        func key(_ row: Int) -> String {
            layout.keySlots.map { text(scanner.cell(row: row, slot: $0)) ?? "" }.joined(separator: "\u{1F}")
        }
        let first = facts.items ?? key(0)
        facts.items = "\(first.prefix { $0 != "\n" })\n\(key(scanner.rowCount - 1))\n\(facts.rowCount)"
    }

    func noteBucket(into facts: inout PageFacts) throws(PageFailure) {
        guard let startSlot = layout.bucketStartSlot, let endSlot = layout.bucketEndSlot else { return }
        let level = layout.shape.rowLevel - 1
        guard let start = instant(scanner.cell(level: level, slot: startSlot)),
            let end = instant(scanner.cell(level: level, slot: endSlot)), end > start
        else {
            let names = [layout.spec.bucketStart, layout.spec.bucketEnd].map { $0.joined(separator: ".") }
            throw .unlike(
                "a bucket without \(names.joined(separator: " and "))",
                mend: "compare the connector file's timestamps `from: bucket` with the reply"
            )
        }
        facts.buckets.append((start, end))
    }

    private func instant(_ cell: Cell) -> Instant? {
        if let seconds = scanner.integer(cell) { return Instant(seconds: seconds) }
        return text(cell).flatMap { Instant(text: $0) }
    }
}
