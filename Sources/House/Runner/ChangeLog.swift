internal import Connector
internal import Model
internal import RecordScan
internal import Transform

/// The rows of a snapshot's `…_changes` that this run adds.
struct ChangeLog {
    let name: String
    let columns: [Column]
    let primaryKey: [String]
    let writer: ArchiveLine
    let run = RowRun()
    private(set) var count = 0
    private let text: CellText
    private let now: Instant
    private let isOn: Bool

    /// - Parameter isOn: false on the first snapshot, which has nothing to be compared with.
    init(stream: StreamSpec, primaryKey: [String], format: CellText.Format, now: Instant, isOn: Bool) {
        name = ChangeLog.name(stream.name)
        columns = ChangeColumns.columns(of: stream.archiveColumns, primaryKey: primaryKey)
        self.primaryKey = ["changed_at"] + primaryKey
        writer = ArchiveLine(format: format, columns: columns, primaryKey: self.primaryKey, timeColumn: "changed_at")
        text = CellText(format: format, guardsFormulas: false)
        self.now = now
        self.isOn = isOn
    }

    static func name(_ stream: String) -> String { stream + "_changes" }

    mutating func add(_ change: SnapshotComparison.ChangeRow?) {
        guard isOn, let change else { return }
        let (key, line) = ChangeColumns.line(change, at: now, writer: writer, text: text)
        run.append(key: key, time: now.seconds, line: line)
        count += 1
    }
}
