internal import ArchiveWriting
internal import Disk
internal import Load
internal import Model
internal import RecordScan

/// A sorted run that went to staging: rows of one partition, in a part of a run file.
struct StagedRun: Sendable, Equatable {
    var file: String
    var partition: Int
    var offset: Int
    var length: Int
    var rows: Int

    /// `stream-1.runs:20393:0:4711:12`, for the ledger.
    var text: String { "\(file):\(partition):\(offset):\(length):\(rows)" }

    init(file: String, partition: Int, offset: Int, length: Int, rows: Int) {
        self.file = file
        self.partition = partition
        self.offset = offset
        self.length = length
        self.rows = rows
    }

    init?(text: String) {
        let parts = text.split(separator: ":")
        guard parts.count == 5, let partition = Int(parts[1]), let offset = Int(parts[2]), let length = Int(parts[3]),
            let rows = Int(parts[4])
        else { return nil }
        self.init(file: String(parts[0]), partition: partition, offset: offset, length: length, rows: rows)
    }

    /// Whether staging still holds all of these runs in full.
    static func allThere(_ runs: [StagedRun], in folder: String) -> Bool {
        runs.allSatisfy { run in
            let status = (try? Disk.status(folder + "/" + run.file)) ?? nil
            return status.map { $0.kind == .file && $0.size >= run.offset + run.length } ?? false
        }
    }
}

/// The run file that one stream writes during one attempt: only ever appended to.
final class SpillFile {
    let name: String
    private let file: DiskFile
    private var length = 0

    init(folder: String, name: String) throws(Fault) {
        self.name = name
        file = try onDisk { () throws(DiskError) in try DiskFile.create(folder + "/" + name, mode: 0o600) }
    }

    func append(_ run: RowRun, partition: Int) throws(Fault) -> StagedRun {
        let rows = run.count
        let path = file.path
        switch file.withDescriptor({ run.write(to: $0) }) {
        case .failure(let error): throw Fault(DiskError("write", path, number: error.number))
        case .success(let written):
            defer { length += written.bytes }
            return StagedRun(file: name, partition: partition, offset: length, length: written.bytes, rows: rows)
        }
    }

    func sync() throws(Fault) { try onDisk { () throws(DiskError) in try file.sync() } }
}
