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
        let start = scanner.integer(scanner.cell(level: level, slot: startSlot))
        let end = scanner.integer(scanner.cell(level: level, slot: endSlot))
        guard let start, let end, end > start else { throw .malformed("a bucket without start and end") }
        facts.buckets.append((Instant(seconds: start), Instant(seconds: end)))
    }
}
