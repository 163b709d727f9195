internal import Connector
internal import Model
internal import RecordScan

/// Where everything of one stream stands: in the page (levels and slots) and in the line (columns and key).
struct StreamLayout {
    enum Source: Equatable {
        case cell(level: Int, slot: Int, other: Int?)
        case parameter(String)
        /// The member whose key is the text of the row's `type`.
        case byType
        case extra
        case nothing
    }

    /// A member of the reply, and the objects that it lies in.
    struct EnvelopePlace {
        let slot: Int
        let outer: [Int]

        init(_ shape: PageShape, _ path: [String]) {
            slot = shape.slot(level: 0, path: path)
            outer = path.indices.dropFirst().map { shape.slot(level: 0, path: Array(path[..<$0])) }
        }
    }

    let spec: StreamSpec
    let columns: [Column]
    let sources: [Source]
    /// Indexes into `columns`, in order of rank.
    let key: [Int]
    let timeColumn: Int?
    let shape: PageShape
    let cursor: EnvelopePlace?
    let more: EnvelopePlace?
    let errorSlot: Int?
    /// In the row; for `cursor_after_item_id`.
    let itemSlot: Int?
    /// The primary key's columns that stand in the row; none for reports.
    let keySlots: [Int]
    let bucketStartSlot: Int?
    let bucketEndSlot: Int?
    let typeSlot: Int?

    init(spec: StreamSpec, primaryKey: [String]) {
        self.spec = spec
        let columns = spec.archiveColumns
        self.columns = columns
        let shape = PageShape(members: spec.rows.members)
        self.shape = shape
        let row = shape.rowLevel
        sources = columns.map { column in
            switch column.origin {
            case .ours: return column.name == "extra" ? .extra : .nothing
            case .parameter(let name): return .parameter(name)
            case .bucket:
                return .cell(
                    level: max(0, row - 1),
                    slot: shape.slot(level: max(0, row - 1), path: column.path),
                    other: nil
                )
            case .row:
                if column.path == ["{type}"] { return .byType }
                let other = column.alternatives.first.map { shape.slot(level: row, path: $0) }
                return .cell(level: row, slot: shape.slot(level: row, path: column.path), other: other)
            }
        }
        for path in spec.ignoredFields { shape.ignore(level: row, path: path) }
        let pages = spec.pagination
        switch pages.style {
        case .none, .linkHeader, .pageNumber, .cursorAfterItemID: cursor = nil
        case .bucketPage, .cursorAfterLastID, .cursorAfterNext:
            cursor = row > 0 ? EnvelopePlace(shape, pages.cursorPath) : nil
        }
        itemSlot = pages.style == .cursorAfterItemID ? shape.slot(level: row, path: pages.cursorPath) : nil
        more = row > 0 ? EnvelopePlace(shape, pages.morePath) : nil
        errorSlot = row > 0 ? shape.slot(level: 0, path: ["error"]) : nil
        let isReport = spec.mode == .report && row >= 2
        bucketStartSlot = isReport ? shape.slot(level: row - 1, path: spec.bucketStart) : nil
        bucketEndSlot = isReport ? shape.slot(level: row - 1, path: spec.bucketEnd) : nil
        let known = sources
        keySlots =
            isReport
            ? []
            : primaryKey.compactMap { name in
                guard let index = columns.firstIndex(where: { $0.name == name }),
                    case .cell(row, let slot, _) = known[index]
                else { return nil }
                return slot
            }
        typeSlot = columns.contains { $0.path == ["{type}"] } ? shape.slot(level: row, path: ["type"]) : nil
        key = primaryKey.compactMap { name in columns.firstIndex { $0.name == name } }
        timeColumn = spec.timeColumn.flatMap { name in columns.firstIndex { $0.name == name } }
    }
}
