internal import ArchiveWriting
internal import Disk
internal import Load
internal import Model
internal import RecordScan
internal import Transform

/// Writes sorted rows into archive files in staging, splitting them at `max_file_size`.
///
/// One for each task that closes partitions: the compressor's memory and the block are used again and again.
final class ArchiveSink: @unchecked Sendable {  // one owner at a time: taken from a pool and given back
    private let stream: String
    private let folder: String
    private let prefix: String
    private let header: [UInt8]
    private let maxFileSize: Int
    private let suffix: String
    private let isSynced: Bool
    private let writer: ArchiveFileWriter
    private let columns: [Column]
    private let totals: LineTotals
    private let look: OutgoingLook
    private let reader: ArchiveLine
    /// Index of the set by column.
    private let sets: [(column: Int, set: Int)]
    /// Filled in turn: the one before may still wait to be hashed.
    private var block: [UInt8]
    private var spare: [UInt8]
    /// What the block repeats, and the one before.
    private var repeats: [UInt32] = []
    private var spareRepeats: [UInt32] = []
    private var fileNumber = 0

    /// Lines are handed on in blocks of at most this many bytes, unless one line alone is longer.
    var blockSize: Int { min(256 * 1024, maxFileSize) }

    private var files: [StagedFile] = []
    private var unsettled: [UnsettledFile] = []
    private var partition = ""
    private var isInBackground = false
    private var rows = 0
    private var times: (min: Int64, max: Int64)?

    /// - Parameters:
    ///   - prefix: makes file names in `folder` unique.
    ///   - reader: says how the lines look.
    ///   - watched: columns whose distinct values are wanted.
    ///   - isKept: the files must outlive a crash: their names say so, and whoever takes them settles them first
    ///     (``takeUnsettled()``).
    init(
        stream: String,
        folder: String,
        prefix: String,
        reader: ArchiveLine,
        watched: [String],
        maxFileSize: Int,
        codec: Codec,
        look: OutgoingLook,
        isKept: Bool = false
    ) {
        self.look = look
        self.stream = stream
        self.folder = folder
        self.prefix = prefix
        header = reader.header
        columns = reader.columns
        totals = LineTotals(
            columns: reader.columns.map { ($0.name, $0.kind == .integer || $0.kind == .decimal) },
            isCSV: reader.format == .csv,
            isStrict: false
        )
        for (column, protection) in look.protected { totals.protect(column, protection) }
        self.reader = reader
        let ending = reader.columns.firstIndex { $0.name == "deleted_at" && $0.origin == .ours }
        sets = watched.compactMap { [totals] name in
            guard let index = reader.columns.firstIndex(where: { $0.name == name }) else { return nil }
            return (index, totals.collect(index, until: ending))
        }
        self.maxFileSize = max(maxFileSize, 1)
        block = [UInt8](repeating: 0, count: min(256 * 1024, self.maxFileSize))
        spare = block
        suffix = isKept ? ".closed" : ".made"
        isSynced = isKept
        writer = ArchiveFileWriter(codec: codec)
        if writer.takesRepeats { totals.findRepeats() }
    }

    /// Writes all rows of a merge as the files of one partition.
    func write(_ merge: RunMerge, partition: String, timed: Bool) throws(Fault) -> [StagedFile] {
        begin(partition)
        while try writeBlock(of: merge, timed: timed) {}
        return try end()
    }

    /// Adds the next lines of a merge to the partition. Returns `false` when there are none left.
    func writeBlock(of merge: RunMerge, timed: Bool) throws(Fault) -> Bool {
        try ArchiveSink.refuseWhenStopped()
        swap(&block, &spare)
        merge.restartFile()
        let filled: Int
        do throws(RunFileError) { filled = try merge.nextBlock(into: &block) } catch {
            throw ArchiveSink.fault(error)
        }
        guard filled > 0 else { return false }
        let counts = merge.counts
        let times = timed ? (counts.minTime, counts.maxTime) : nil
        try append(block, count: filled, rows: counts.rows, times: times, of: merge)
        return true
    }

    /// Starts a partition; rows follow by ``append(_:rows:times:)``, and ``end()`` gives the files.
    ///
    /// - Parameter inBackground: another thread compresses.
    func begin(_ partition: String, inBackground: Bool = false) {
        self.partition = partition
        isInBackground = inBackground
        // A long line makes the block grow. Files are split between blocks, and where must not depend on what came
        // before.
        if block.count != blockSize { block = [UInt8](repeating: 0, count: blockSize) }
        if spare.count != blockSize { spare = [UInt8](repeating: 0, count: blockSize) }
        files = []
        rows = 0
        times = nil
    }

    /// Another thread compresses from now on.
    func goOnInBackground() {
        guard !isInBackground else { return }
        isInBackground = true
        writer.goOnInBackground()
    }

    /// Adds whole lines: the first `length` bytes of `lines`; `merge` has just made them.
    func append(
        _ lines: [UInt8],
        count length: Int,
        rows count: Int,
        times span: (min: Int64, max: Int64)?,
        of merge: RunMerge? = nil
    ) throws(Fault) {
        if writer.isOpen, writer.contentBytes + length > maxFileSize { try closeFile() }
        // Before anything is written: while the block is hot in the cache, and nothing has left it.
        try look.check(lines, count: length)
        do throws(ArchiveError) {
            if !writer.isOpen {
                fileNumber += 1
                try writer.open(path, inBackground: isInBackground)
                if !header.isEmpty { try writer.write(header, count: header.count) }
            }
        } catch {
            throw Fault(error)
        }
        let taken =
            if let merge { totals.take(lines, count: length, of: merge) } else { totals.take(lines, count: length) }
        guard taken == length else {
            if let column = totals.bareColumn { throw look.bare(column) }
            throw Fault(
                .badReply,
                "a line was made that is not of the stream's shape",
                at: ["stream \(stream)"],
                mend: "this is a defect of cogni: report it with the run file"
            )
        }
        swap(&repeats, &spareRepeats)
        totals.repeats(into: &repeats)
        do throws(ArchiveError) { try writer.write(lines, count: length, repeats: repeats) } catch {
            throw Fault(error)
        }
        rows += count
        if let span { times = times.map { (min($0.min, span.min), max($0.max, span.max)) } ?? span }
    }

    func end() throws(Fault) -> [StagedFile] {
        if writer.isOpen { try closeFile() }
        return files
    }

    /// The files of kept partitions that are not on the medium yet. They have no names before they are settled.
    func takeUnsettled() -> [UnsettledFile] {
        defer { unsettled = [] }
        return unsettled
    }

    private func closeFile() throws(Fault) {
        let facts: FileFacts
        do throws(ArchiveError) {
            if isSynced {
                let finished = try writer.finish()
                facts = finished.facts
                unsettled.append(finished.file)
            } else {
                facts = try writer.finish(sync: false)
            }
        } catch {
            throw Fault(error)
        }
        var file =
            StagedFile(
                path: path,
                stream: stream,
                partition: partition,
                rows: rows,
                facts: facts,
                min: times.map { Instant(seconds: $0.min) },
                max: times.map { Instant(seconds: $0.max) },
                isSynced: isSynced,
                totals: columnTotals()
            )
        file.values = distinctValues()
        files.append(file)
        totals.restart()
        rows = 0
        times = nil
    }

    /// What the rows of the file at hand add up to.
    private func columnTotals() -> ColumnTotals {
        var sums = ColumnTotals()
        for (index, column) in columns.enumerated() {
            let nulls = totals.nulls(index)
            if nulls > 0 { sums.nulls[column.name] = nulls }
            if let sum = totals.sum(index) { sums.sums[column.name] = sum }
        }
        return sums
    }

    /// More than this is read again when it is needed, rather than kept for every file of a run.
    private static let mostValues = 20_000

    /// Files of a stream mostly hold the same values: their texts are in memory once.
    private var texts: Set<String> = []

    private func shared(_ value: DistinctValue) -> DistinctValue {
        if texts.count > 2 * ArchiveSink.mostValues { texts = [] }
        var value = value
        value.text = texts.insert(value.text).memberAfterInsert
        return value
    }

    private func distinctValues() -> [String: [DistinctValue]]? {
        var found: [String: [DistinctValue]] = [:]
        for (column, set) in sets {
            let values = totals.values(set)
            guard values.count <= ArchiveSink.mostValues else { continue }
            found[columns[column].name] = values.map { shared(DistinctValue($0, reader, columns[column])) }
        }
        return found
    }

    private var path: String { "\(folder)/\(prefix)-\(fileNumber)\(suffix)" }

    /// One partition may be large; a signal must not wait for its end.
    static func refuseWhenStopped() throws(Fault) {
        guard Task.isCancelled else { return }
        throw Fault(.interrupted, "the run was stopped", mend: "run it again; it goes on from here")
    }

    static func fault(_ error: RunFileError) -> Fault {
        Fault(DiskError("read", "a run file in staging", number: error.number))
    }
}
