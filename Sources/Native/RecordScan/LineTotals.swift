internal import CRecordScan

/// What the lines of a file add up to: nulls and exact sums by column, and distinct values where they are asked for.
///
/// Takes finished lines on their way into a file, or out of one. One owner at a time.
@safe package final class LineTotals {
    /// A distinct value of a column, as its cell stands in the line.
    package struct Value: Sendable, Equatable {
        package var cell: [UInt8]
        package var rows: Int
        /// Of the rows, those without an end: see ``collect(_:until:)``.
        package var living: Int
    }

    private let raw: OpaquePointer

    /// - Parameters:
    ///   - columns: names in the order of the line, and whether the column's values are added up.
    ///   - isStrict: looks at every byte between the cells too; for files that someone may have changed.
    package init(columns: [(name: String, isNumber: Bool)], isCSV: Bool, isStrict: Bool) {
        unsafe raw = cogni_totals_new(isCSV ? 1 : 0, isStrict ? 1 : 0)
        for (index, column) in columns.enumerated() {
            let prefix = isCSV ? index == 0 ? "" : "," : (index == 0 ? "{" : ",") + "\"\(column.name)\":"
            let bytes = Array(prefix.utf8)
            unsafe cogni_totals_add_column(raw, bytes, UInt32(bytes.count), column.isNumber ? 1 : 0)
        }
    }

    deinit { unsafe cogni_totals_free(raw) }

    /// Collects a column's distinct values. Rows in which column `ending` is not null count as ended.
    /// - Returns: the set's index.
    package func collect(_ column: Int, until ending: Int?) -> Int {
        unsafe Int(cogni_totals_collect(raw, UInt32(column), Int32(ending ?? -1)))
    }

    /// From now on what lines repeat of earlier ones is found. Returns `false`, and nothing happens, when there are too many columns.
    @discardableResult package func findRepeats() -> Bool { unsafe cogni_totals_find_repeats(raw) != 0 }

    /// What the lines taken since the last call repeat, back to the last ``restart()``: three numbers for each, so many bytes as
    /// they are, so many repeated bytes, and how far back these stood. Empty where they are not looked for. Depends on the lines
    /// alone, not on what they were taken from.
    package func repeats(into room: inout [UInt32]) {
        var count: UInt32 = 0
        let found = unsafe cogni_totals_repeats(raw, &count)
        room.removeAll(keepingCapacity: true)
        guard let found = unsafe found else { return }
        unsafe found.withMemoryRebound(to: UInt32.self, capacity: 3 * Int(count)) { numbers in
            unsafe room.append(contentsOf: UnsafeBufferPointer(start: numbers, count: 3 * Int(count)))
        }
    }

    /// How a column's values have to look; null is always well.
    package enum Protection: Int32, Sendable { case sealed = 1, masked = 2, dropped = 3 }

    /// From now on lines are refused in which the column shows what it should not.
    package func protect(_ column: Int, _ protection: Protection) {
        unsafe cogni_totals_protect(raw, UInt32(column), protection.rawValue)
    }

    /// The protected column that made `take` return `nil`, or `nil` when the line had another shape.
    package private(set) var bareColumn: Int?

    /// Takes the whole lines among the first `count` bytes, and returns how many bytes they are; `nil` when a line has
    /// another shape.
    package func take(_ lines: [UInt8], count: Int) -> Int? {
        let taken = unsafe lines.withUnsafeBufferPointer { room in
            guard let base = room.baseAddress, count > 0 else { return Int64(0) }
            return unsafe cogni_totals_take(raw, base, min(count, room.count))
        }
        bareColumn = taken <= -2 ? Int(-2 - taken) : nil
        return taken < 0 ? nil : Int(taken)
    }

    /// The same for the last block of a merge, without reading the lines where the merge still has the rows they were
    /// made of.
    package func take(_ lines: [UInt8], count: Int, of merge: RunMerge) -> Int? {
        let state = unsafe cogni_totals_take_block(raw, merge.raw)
        if state == 0 { return take(lines, count: count) }
        bareColumn = state <= -2 ? Int(-2 - state) : nil
        return state < 0 ? nil : count
    }

    /// Forgets what was added up, for the next file.
    package func restart() { unsafe cogni_totals_restart(raw) }

    package func nulls(_ column: Int) -> Int { unsafe Int(cogni_totals_nulls(raw, UInt32(column))) }

    /// Exact, in plain notation; `nil` when there is nothing to add, or something that is no number.
    package func sum(_ column: Int) -> String? {
        var room = [UInt8](repeating: 0, count: 64)
        while true {
            let length = unsafe cogni_totals_sum(raw, UInt32(column), &room, room.count)
            if length == 0 { return nil }
            if length <= room.count { return String(decoding: room.prefix(length), as: UTF8.self) }
            room = [UInt8](repeating: 0, count: length)
        }
    }

    package func values(_ set: Int) -> [Value] {
        let count = unsafe cogni_totals_set_count(raw, UInt32(set))
        return (0..<count).map { index in
            var length: UInt32 = 0
            var rows: UInt64 = 0
            var living: UInt64 = 0
            let text = unsafe cogni_totals_set_value(raw, UInt32(set), index, &length, &rows, &living)
            let cell = unsafe Array(UnsafeBufferPointer(start: text, count: Int(length)))
            return Value(cell: cell, rows: Int(rows), living: Int(living))
        }
    }
}
