package import Model

/// Compares a new snapshot with the one before, row by row in the order of keys.
///
/// Rows that are gone stay, with `deleted_at`; rows that come back lose it. What changed is told column by
/// column, without columns that change all the time (`last_used_at`).
package struct SnapshotComparison {
    package enum Change: String, Sendable { case added, changed, removed }

    /// One row of `…_changes`.
    package struct ChangeRow: Sendable {
        package var change: Change
        /// The primary key's cells by column.
        package var key: [(column: Column, value: JSONValue)]
        /// Names of the columns that differ, in the columns' order; empty for added and removed.
        package var fields: [String]
        /// The differing columns' values; the whole row for added (`after`) and removed (`before`).
        package var before: JSONValue
        package var after: JSONValue
    }

    private let reader: ArchiveLine
    private let keyColumns: [String]
    private let deletedAt: Int
    private let now: Instant
    private let deletedCell: [UInt8]
    private let nullCell: [UInt8]

    package init(reader: ArchiveLine, primaryKey: [String], now: Instant) {
        self.reader = reader
        keyColumns = primaryKey
        deletedAt = reader.columns.firstIndex { $0.name == "deleted_at" } ?? reader.columns.count - 1
        self.now = now
        deletedCell = Array((reader.format == .ndjson ? "\"\(now.text)\"" : now.text).utf8)
        nullCell = Array((reader.format == .ndjson ? "null" : "").utf8)
    }

    /// What becomes of a key that only the earlier snapshot has.
    package func removed(_ old: [UInt8]) -> (line: [UInt8], change: ChangeRow?)? {
        guard var cells = reader.cells(old) else { return nil }
        if !reader.isNull(cells[deletedAt]) { return (old, nil) }
        let before = json(cells)
        cells[deletedAt] = deletedCell[...]
        let line = reader.line(cells)
        return (line, ChangeRow(change: .removed, key: key(cells), fields: [], before: before, after: .null))
    }

    /// What becomes of a key that only the new snapshot has.
    package func added(_ new: [UInt8]) -> ChangeRow? {
        guard let cells = reader.cells(new) else { return nil }
        return ChangeRow(change: .added, key: key(cells), fields: [], before: .null, after: json(cells))
    }

    /// What changed in a key that both have; `nil` when nothing did that counts.
    package func compared(old: [UInt8], new: [UInt8]) -> ChangeRow? {
        if old == new { return nil }
        guard let before = reader.cells(old), let after = reader.cells(new) else { return nil }
        if !reader.isNull(before[deletedAt]) {
            return ChangeRow(change: .added, key: key(after), fields: [], before: .null, after: json(after))
        }
        let differing = reader.columns.indices.filter {
            before[$0] != after[$0] && !reader.columns[$0].isVolatile && $0 != deletedAt
        }
        guard !differing.isEmpty else { return nil }
        return ChangeRow(
            change: .changed,
            key: key(after),
            fields: differing.map { reader.columns[$0].name },
            before: json(before, only: differing),
            after: json(after, only: differing)
        )
    }

    private func key(_ cells: [ArraySlice<UInt8>]) -> [(column: Column, value: JSONValue)] {
        keyColumns.compactMap { name in
            guard let index = reader.columns.firstIndex(where: { $0.name == name }) else { return nil }
            return (reader.columns[index], reader.jsonValue(cells[index], reader.columns[index].kind))
        }
    }

    private func json(_ cells: [ArraySlice<UInt8>], only: [Int]? = nil) -> JSONValue {
        .object(
            (only ?? Array(reader.columns.indices)).map { index in
                JSONValue.Member(reader.columns[index].name, reader.jsonValue(cells[index], reader.columns[index].kind))
            }
        )
    }
}

/// The columns of a snapshot stream's `…_changes`.
package enum ChangeColumns {
    /// `changed_at`, `change`, the primary key, `fields`, `before`, `after`.
    package static func columns(of stream: [Column], primaryKey: [String]) -> [Column] {
        var all = [
            Column("changed_at", path: [], origin: .ours, kind: .timestamp, nullable: false),
            Column("change", path: [], origin: .ours, kind: .string, nullable: false),
        ]
        for name in primaryKey {
            guard var column = stream.first(where: { $0.name == name }) else { continue }
            column.origin = .ours
            all.append(column)
        }
        for name in ["fields", "before", "after"] {
            all.append(Column(name, path: [], origin: .ours, kind: .json, nullable: true))
        }
        return all
    }

    /// One row as a line and its sort key (time, then primary key).
    package static func line(
        _ row: SnapshotComparison.ChangeRow,
        at now: Instant,
        writer: ArchiveLine,
        text: CellText
    ) -> (key: [UInt8], line: [UInt8]) {
        var values: [CellText.Value] = [.text(Array(now.text.utf8)), .text(Array(row.change.rawValue.utf8))]
        for (_, value) in row.key { values.append(cell(value)) }
        values.append(row.change == .changed ? .json(JSONValue.strings(row.fields).canonical) : .null)
        values.append(row.before.isNull ? .null : .json(row.before.canonical))
        values.append(row.after.isNull ? .null : .json(row.after.canonical))
        let null = Array(text.null.utf8)
        let cells = values.map { (text.write($0) ?? null)[...] }
        return (writer.sortKey(cells), writer.line(cells))
    }

    private static func cell(_ value: JSONValue) -> CellText.Value {
        switch value {
        case .null: .null
        case .string(let text): .text(Array(text.utf8))
        case .number(let text): .bare(Array(text.utf8))
        case .bool(let flag): .bare(Array((flag ? "true" : "false").utf8))
        case .array, .object: .json(value.canonical)
        }
    }
}
