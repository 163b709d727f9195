internal import CRecordScan

/// Turns the rows of a scanned batch into archive lines, by copying.
///
/// Numbers, booleans and times are written as they come. Everything else goes through a dictionary of
/// finished texts: when a value is met for the first time the encoder stops and says so, the caller
/// resolves it (unescape, mask, seal, quote), puts it in, and calls again.
@safe package final class LineEncoder {
    package enum Kind: Int32 {
        case integer, boolean, timestamp
        /// Every value goes through the dictionary.
        case text
        /// The caller writes it row by row, for rows with undeclared members; null for all others.
        case rowByRow
    }
    package enum PartitionUnit: Int32 { case none, day, month }

    package enum Stop: Equatable {
        case done
        /// `cell` of `row` is not in `column`'s dictionary; for a ``Kind/rowByRow`` column the row's text is wanted.
        case unresolved(row: Int, column: Int, cell: Cell)
        /// `row` belongs to another partition: days or months since 1970.
        case partition(row: Int, Int)
    }

    private let raw: OpaquePointer
    package private(set) var columnCount = 0

    /// - Parameters:
    ///   - quotedTimes: NDJSON quotes timestamps, CSV does not.
    ///   - null: how null is written.
    package init(quotedTimes: Bool, null: String, ending: String) {
        let null = Array(null.utf8)
        let ending = Array(ending.utf8)
        unsafe raw = cogni_encoder_new(quotedTimes ? 1 : 0, null, UInt32(null.count), ending, UInt32(ending.count))
    }

    deinit { unsafe cogni_encoder_free(raw) }

    /// Adds the next column of the line. `level` and `slot` are the shape's; level -1 is a constant column.
    package func addColumn(_ kind: Kind, level: Int, slot: Int, otherSlot: Int? = nil, prefix: [UInt8]) {
        unsafe cogni_encoder_add_column(
            raw,
            kind.rawValue,
            Int32(level),
            Int32(slot),
            Int32(otherSlot ?? -1),
            prefix,
            UInt32(prefix.count)
        )
        columnCount += 1
    }

    /// Says that a column should have a value: the first null, and the first absence, come out as unresolved.
    package func require(column: Int) { unsafe cogni_encoder_require(raw, UInt32(column)) }

    /// Asks for every value again from here on: what came of the last ones was taken back.
    package func forgetValues() { unsafe cogni_encoder_forget(raw) }

    /// Adds the next column of the sort key.
    package func addKey(column: Int) { unsafe cogni_encoder_add_key(raw, UInt32(column)) }

    package func setTime(column: Int, unit: PartitionUnit) {
        unsafe cogni_encoder_set_time(raw, UInt32(column), unit.rawValue)
    }

    /// Sets a constant column's value until the next call; `nil` is null.
    package func setConstant(column: Int, text: [UInt8]?, key: [UInt8]) {
        let bytes = text ?? []
        unsafe cogni_encoder_set_constant(
            raw,
            UInt32(column),
            text == nil ? 1 : 0,
            bytes,
            UInt32(bytes.count),
            key,
            UInt32(key.count)
        )
    }

    /// Encodes the batch from `row` on, as long as rows belong to `partition`.
    package func encode(_ batch: PageScanner, from row: Int, partition: Int, into run: RowRun) -> Stop {
        var stop = cogni_stop()
        let outcome = unsafe cogni_encode(raw, batch.raw, UInt32(row), Int64(partition), run.raw, &stop)
        switch outcome {
        case Int32(COGNI_ENCODED): return .done
        case Int32(COGNI_PARTITION): return .partition(row: Int(stop.row), Int(stop.partition))
        default: return .unresolved(row: Int(stop.row), column: Int(stop.column), cell: Cell(stop.cell))
        }
    }

    /// Puts a finished value into a column's dictionary. `text` `nil` is null. `time` counts where the column decides
    /// the partition.
    package func put(
        column: Int,
        cell: Cell,
        of batch: PageScanner,
        text: [UInt8]?,
        key: [UInt8],
        time: Int64 = 0
    ) {
        let source = batch.bytes(cell)
        let bytes = text ?? []
        unsafe cogni_encoder_put(
            raw,
            UInt32(column),
            cell.kind.rawValue,
            source,
            UInt32(source.count),
            text == nil ? 1 : 0,
            bytes,
            UInt32(bytes.count),
            key,
            UInt32(key.count),
            time
        )
    }

    /// The text of a ``Kind/rowByRow`` column for one row of the batch.
    package func putRow(column: Int, row: Int, text: [UInt8]?) {
        let bytes = text ?? []
        unsafe cogni_encoder_put_row(raw, UInt32(column), UInt32(row), text == nil ? 1 : 0, bytes, UInt32(bytes.count))
    }
}
