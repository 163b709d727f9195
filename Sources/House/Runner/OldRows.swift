internal import ArchiveWriting
internal import KeyRing
internal import Load
internal import Model
internal import RecordScan
internal import Transform

/// Reads rows of the current generation's files back, in their order.
struct OldRows {
    let reader: ArchiveLine
    /// Absolute paths, in the partition's order.
    let paths: [String]
    /// Without it, what the names' endings say.
    var codec: Codec?
    /// Set when the rows' tokens are of an earlier key.
    var resealing: Resealing?

    /// Calls `body` for each row's line (with its line feed). A CSV cell may hold line breaks: a row is whole when
    /// its quotes are.
    func forEach(_ body: (_ line: [UInt8]) throws(Fault) -> Void) throws(Fault) {
        var resealer = resealing?.resealer()
        for path in paths {
            var skipsHeader = reader.format == .csv
            var carried: [UInt8] = []
            var quotes = 0
            let isCSV = reader.format == .csv
            do {
                let file = try ArchiveReader(path, codec: codec)
                try file.forEachLine { span in
                    var piece: [UInt8] = []
                    piece.reserveCapacity(span.count + 1)
                    for index in span.indices {
                        let byte = span[index]
                        if isCSV, byte == UInt8(ascii: "\"") { quotes += 1 }
                        piece.append(byte)
                    }
                    piece.append(10)
                    carried += piece
                    if quotes % 2 == 1 { return }
                    let line = carried
                    carried = []
                    quotes = 0
                    if skipsHeader {
                        skipsHeader = false
                        return
                    }
                    try body(try resealed(line, &resealer))
                }
            } catch let error as Fault {
                throw error
            } catch let error as ArchiveError {
                throw Fault(error)
            } catch {
                throw Fault(
                    .cannotWrite,
                    "`\(path)` could not be read: \(error)",
                    mend: "run `cogni verify` on the output"
                )
            }
            guard carried.isEmpty else { throw foreign(path, "ends inside a quoted cell") }
        }
    }

    /// The line with its tokens under today's key.
    private func resealed(_ line: [UInt8], _ resealer: inout Resealer?) throws(Fault) -> [UInt8] {
        guard resealer != nil else { return line }
        guard var cells = reader.cells(line) else { throw foreign }
        var isChanged = false
        for index in cells.indices {
            guard let cell = try resealer?.reseal(cells[index], column: reader.columns[index].name) else { continue }
            cells[index] = cell[...]
            isChanged = true
        }
        return isChanged ? reader.line(cells) : line
    }

    /// The rows whose time `keeps` accepts, as a run for merging.
    func run(keeping keeps: (Int64) -> Bool) throws(Fault) -> RowRun {
        let run = RowRun()
        try forEach { line throws(Fault) in
            guard let cells = reader.cells(line), let time = reader.time(cells) else { throw foreign }
            if keeps(time) { run.append(key: reader.sortKey(cells), time: time, line: line) }
        }
        return run
    }

    var foreign: Fault { foreign(paths.first, "holds a line that this version did not write") }

    private func foreign(_ path: String?, _ what: String) -> Fault {
        Fault(
            .cannotWrite,
            "an archive of the current generation \(what)",
            at: path.map { ["file \($0)"] } ?? [],
            mend: "run `cogni verify` on the output, or run with `--full-refresh`"
        )
    }
}

/// The rows of old files one after the other, for walking beside a merge. Holds one partition's lines.
struct OldRowReader {
    // Rows stand in the order of their written keys; under a new key those are other tokens, and the merge puts them in order.
    private let merge = RunMerge(keep: .latest)
    private(set) var current: RunMerge.Row?

    init(_ rows: OldRows) throws(Fault) {
        merge.add(try rows.run { _ in true })
        try advance()
    }

    mutating func advance() throws(Fault) {
        do throws(RunFileError) { current = try merge.next() } catch { throw ArchiveSink.fault(error) }
    }
}
