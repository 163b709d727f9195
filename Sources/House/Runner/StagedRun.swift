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
    var checksum: UInt64

    /// `stream-1.runs:20393:0:4711:12:9f3c…`, for the ledger.
    var text: String { "\(file):\(partition):\(offset):\(length):\(rows):\(String(checksum, radix: 16))" }

    init(file: String, partition: Int, offset: Int, length: Int, rows: Int, checksum: UInt64) {
        self.file = file
        self.partition = partition
        self.offset = offset
        self.length = length
        self.rows = rows
        self.checksum = checksum
    }

    init?(text: String) {
        let parts = text.split(separator: ":")
        guard parts.count == 6, let partition = Int(parts[1]), let offset = Int(parts[2]), let length = Int(parts[3]),
            let rows = Int(parts[4]), let checksum = UInt64(parts[5], radix: 16)
        else { return nil }
        self.init(
            file: String(parts[0]),
            partition: partition,
            offset: offset,
            length: length,
            rows: rows,
            checksum: checksum
        )
    }

    /// Whether staging still holds all of these runs as they were written. What a later attempt goes on from is read once for this:
    /// rows that are not what they were must not be merged.
    static func allThere(_ runs: [StagedRun], in folder: String) -> Bool {
        runs.allSatisfy { run in
            do throws(DiskError) {
                let file = try DiskFile.read(folder + "/" + run.file)
                let found = file.withDescriptor { RowRun.checksum(of: $0, offset: run.offset, length: run.length) }
                return found == .success(run.checksum)
            } catch {
                return false
            }
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
            return StagedRun(
                file: name,
                partition: partition,
                offset: length,
                length: written.bytes,
                rows: rows,
                checksum: written.checksum
            )
        }
    }

    func sync() throws(Fault) { try onDisk { () throws(DiskError) in try file.sync() } }
}
