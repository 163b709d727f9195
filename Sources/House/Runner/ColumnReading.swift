internal import ArchiveWriting
internal import Load
internal import Model
internal import PipelineFile
internal import RecordScan
internal import Transform

/// Reads one column's distinct values from a finished file: the slow way, for files whose values nobody counted while they
/// were written, or whose writer was another attempt.
struct ColumnReading {
    /// All columns of the file, as today's connector has them.
    let columns: [Column]
    let column: String
    /// Files in staging are of this format; their names have no ending that says so.
    let format: Pipeline.Load.Format
    let guardsFormulas: Bool

    /// Of a file in staging: as they were counted while it was written, where they were.
    func values(of file: StagedFile, codec: Codec) throws(Fault) -> [DistinctValue]? {
        if let known = file.values?[column] { return known }
        return try values(in: file.path, codec: codec)
    }

    /// - Parameter codec: `nil` for a file of a generation, whose name says it.
    /// - Returns: `nil` when the file has other columns than today's.
    func values(in path: String, codec: Codec?) throws(Fault) -> [DistinctValue]? {
        guard let index = columns.firstIndex(where: { $0.name == column }) else { return [] }
        // Files of a generation may be of another format than today's.
        let isCSV = codec == nil ? RowFormat(path: path) == .csv : format == .csv
        let reader = ArchiveLine(
            format: isCSV ? .csv : .ndjson,
            guardsFormulas: guardsFormulas,
            columns: columns,
            primaryKey: [],
            timeColumn: nil
        )
        let totals = LineTotals(columns: columns.map { ($0.name, false) }, isCSV: isCSV, isStrict: false)
        let ending = columns.firstIndex { $0.name == "deleted_at" && $0.origin == .ours }
        let set = totals.collect(index, until: ending)
        var blocks = BlockTotals(totals, skipsHeader: isCSV)
        do throws(ArchiveError) {
            let file = try ArchiveReader(path, codec: codec)
            while try file.nextBlock({ (block: Span<UInt8>) -> Void in blocks.take(block) }) != nil {}
        } catch {
            throw Fault(error)
        }
        if blocks.isForeign { return nil }
        return totals.values(set).map { DistinctValue($0, reader, columns[index]) }
    }
}
