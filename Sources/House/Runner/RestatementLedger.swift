internal import ArchiveWriting
internal import Connector
internal import Load
internal import Model
internal import RecordScan
internal import Transform

/// The rows of a report's `…_restatements`: what a re-read changed, one row for each value that is another now.
///
/// Works on the finished files of a partition, the generation before's and the new ones, and only when their contents
/// differ: nothing of it stands in the way of rows.
struct RestatementLedger {
    enum Change: String { case changed, appeared, vanished }

    let name: String
    let columns: [Column]
    let primaryKey: [String]
    let writer: ArchiveLine
    let run = RowRun()
    /// Report rows, not lines of the ledger.
    private(set) var changed = 0
    private(set) var appeared = 0
    private(set) var vanished = 0
    /// Bucket starts that hold one of them.
    private(set) var buckets: Set<Int64> = []

    private let reader: ArchiveLine
    private let key: [Int]
    private let measures: [Int]
    private let text: CellText
    private let now: Instant
    private let covered: Manifest.Coverage?
    private let head: [[UInt8]]

    /// - Parameters:
    ///   - primaryKey: of the report, as it was grouped in the end.
    ///   - previousManifest: digest of the manifest that the generation which sees it will follow. It names the generation
    ///     as its `_SUCCESS` does, and is the same when a run is done again after a rollback, where a number would not be.
    ///   - covered: what earlier runs had read. Hours that join a day's partition were not read before: they are news, and
    ///     no restatement.
    init(
        stream: StreamSpec,
        primaryKey: [String],
        reader: ArchiveLine,
        now: Instant,
        previousManifest: String,
        covered: Manifest.Coverage?
    ) {
        name = RestatementLedger.name(stream.name)
        columns = RestatementLedger.columns(of: stream.archiveColumns, primaryKey: primaryKey)
        self.primaryKey = RestatementLedger.primaryKey(primaryKey)
        writer = ArchiveLine(
            format: reader.format,
            columns: columns,
            primaryKey: self.primaryKey,
            timeColumn: "seen_at"
        )
        self.reader = reader
        self.now = now
        self.covered = covered
        let text = CellText(format: reader.format, guardsFormulas: false)
        self.text = text
        key = primaryKey.compactMap { name in reader.columns.firstIndex { $0.name == name } }
        let others = reader.columns.indices.filter { [key] in !key.contains($0) }
        // The end of a bucket follows from its start.
        measures = others.filter { !(reader.columns[$0].origin == .bucket) }
        head = [
            text.write(.text(Array(now.text.utf8))) ?? [], text.write(.text(Array(previousManifest.utf8))) ?? [],
        ]
    }

    static func name(_ stream: String) -> String { stream + "_restatements" }

    static func primaryKey(_ report: [String]) -> [String] {
        ["seen_at", "previous_manifest_sha256"] + report + ["measure"]
    }

    /// `seen_at`, `previous_manifest_sha256`, `change`, the report's key, `measure`, `old_value`, `new_value`.
    static func columns(of stream: [Column], primaryKey: [String]) -> [Column] {
        var all = [
            Column("seen_at", path: [], origin: .ours, kind: .timestamp, nullable: false),
            Column("previous_manifest_sha256", path: [], origin: .ours, kind: .string, nullable: false),
            Column("change", path: [], origin: .ours, kind: .string, nullable: false),
        ]
        for name in primaryKey {
            guard var column = stream.first(where: { $0.name == name }) else { continue }
            column.origin = .ours
            all.append(column)
        }
        for name in ["measure", "old_value", "new_value"] {
            all.append(Column(name, path: [], origin: .ours, kind: .string, nullable: true))
        }
        return all
    }

    var isEmpty: Bool { changed + appeared + vanished == 0 }

    /// Walks two versions of one partition side by side, both in the order of keys.
    mutating func compare(old: OldRows, new: OldRows) throws(Fault) {
        var before = try OldRowReader(old)
        var ledger = self
        try new.forEach { line throws(Fault) in
            if before.current?.line == line {
                try before.advance()
                return
            }
            guard let cells = reader.cells(line) else { throw new.foreign }
            let key = reader.sortKey(cells)
            while let earlier = before.current {
                if key.lexicographicallyPrecedes(earlier.key) { break }
                guard let earlierCells = reader.cells(earlier.line) else { throw old.foreign }
                try before.advance()
                if earlier.key == key { return ledger.note(.changed, earlierCells, cells) }
                ledger.note(.vanished, earlierCells, nil)
            }
            ledger.note(.appeared, nil, cells)
        }
        while let earlier = before.current {
            guard let cells = reader.cells(earlier.line) else { throw old.foreign }
            ledger.note(.vanished, cells, nil)
            try before.advance()
        }
        self = ledger
    }

    private mutating func note(_ change: Change, _ old: [ArraySlice<UInt8>]?, _ new: [ArraySlice<UInt8>]?) {
        guard let either = new ?? old else { return }
        let time = reader.time(either)
        if change == .appeared, let covered, let time, !covered.holds(Instant(seconds: time)) { return }
        let differing = measures.filter { index in
            guard let old, let new else { return !reader.isNull(either[index]) }
            return old[index] != new[index]
        }
        switch change {
        case .changed:
            if differing.isEmpty { return }
            changed += 1
        case .appeared: appeared += 1
        case .vanished: vanished += 1
        }
        if let time { buckets.insert(time) }
        let null = Array(text.null.utf8)[...]
        let start = head.map { $0[...] } + [(text.write(.text(Array(change.rawValue.utf8))) ?? [])[...]]
        // A row without any value of its own is told as well.
        let lines = differing.isEmpty ? [Int?.none] : differing.map(Optional.some)
        for measure in lines {
            var cells = start + key.map { either[$0] }
            cells.append(measure.map { (text.write(.text(Array(reader.columns[$0].name.utf8))) ?? [])[...] } ?? null)
            cells.append(measure.flatMap { index in old.map { asText($0[index]) } } ?? null)
            cells.append(measure.flatMap { index in new.map { asText($0[index]) } } ?? null)
            run.append(key: writer.sortKey(cells), time: now.seconds, line: writer.line(cells))
        }
    }

    /// Any value as a text cell: numbers keep their digits.
    private func asText(_ cell: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        if reader.isNull(cell) || reader.format == .csv || cell.first == UInt8(ascii: "\"") { return cell }
        return (text.write(.text(Array(cell))) ?? [])[...]
    }
}
