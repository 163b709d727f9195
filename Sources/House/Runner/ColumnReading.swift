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

    /// - Parameter codec: `nil` for a file of a generation, whose name says it.
    /// - Returns: `nil` when the file has other columns than today's.
    func values(in path: String, codec: Codec?) throws(Fault) -> [DistinctValue]? {
        guard let index = columns.firstIndex(where: { $0.name == column }) else { return [] }
        // Files of a generation may be of another format than today's.
        let isCSV = codec == nil ? RowFormat(path: path) == .csv : format == .csv
        let reader = ArchiveLine(format: isCSV ? .csv : .ndjson, columns: columns, primaryKey: [], timeColumn: nil)
        let totals = LineTotals(columns: columns.map { ($0.name, false) }, isCSV: isCSV, isStrict: false)
        let ending = columns.firstIndex { $0.name == "deleted_at" && $0.origin == .ours }
        let set = totals.collect(index, until: ending)
        var pending: [UInt8] = []
        var skips = isCSV
        var isForeign = false
        do throws(ArchiveError) {
            let file = try ArchiveReader(path, codec: codec)
            while try file.nextBlock({ (block: Span<UInt8>) -> Void in
                for at in block.indices { pending.append(block[at]) }
                if skips {
                    guard let end = pending.firstIndex(of: 10) else { return }
                    pending.removeSubrange(...end)
                    skips = false
                }
                guard let taken = totals.take(pending, count: pending.count) else {
                    isForeign = true
                    pending = []
                    return
                }
                pending.removeSubrange(..<taken)
            }) != nil {}
        } catch {
            throw Fault(error)
        }
        if isForeign { return nil }
        return totals.values(set).map { DistinctValue($0, reader, columns[index]) }
    }
}
