import Disk
import Load
import Model

/// Where opened rows go: stdout, or a new private file that appears only when all of it is there.
struct OpenedSink {
    private let path: String?
    private var file: DiskFile?
    private var hasHeader = false
    private var skipsHeader = false
    private var mayBeHeader = false

    private var partial: String { (path ?? "") + ".partial" }

    init(_ path: String?) throws(Fault) {
        self.path = path
        guard let path else { return }
        guard try onDisk({ () throws(DiskError) in try !Disk.exists(path) }) else { throw OpenedSink.taken(path) }
        let partial = partial
        file = try onDisk { () throws(DiskError) in
            if try Disk.exists(partial) { try Disk.remove(partial) }
            return try DiskFile.create(partial, mode: 0o600)
        }
    }

    /// Only the first CSV file's header is kept.
    mutating func beginFile(hasHeader: Bool) {
        skipsHeader = hasHeader && self.hasHeader
        mayBeHeader = hasHeader
    }

    mutating func write(_ bytes: [UInt8]) throws(Fault) {
        var bytes = bytes
        if skipsHeader, let end = bytes.firstIndex(of: 10) {
            bytes.removeFirst(end + 1)
            skipsHeader = false
        }
        guard !bytes.isEmpty else { return }
        // A file without a row has no header either.
        hasHeader = hasHeader || mayBeHeader
        guard let file else { return try Terminal.data(bytes) }
        try onDisk { () throws(DiskError) in try file.write(bytes.span) }
    }

    mutating func close() throws(Fault) {
        guard let file, let path else { return }
        let partial = partial
        try onDisk { () throws(DiskError) in
            try file.sync()
            try file.close()
        }
        // A link fails where a rename would replace what someone has put there meanwhile.
        do throws(DiskError) { try Disk.link(partial, to: path) } catch {
            throw error.isExisting ? OpenedSink.taken(path) : Fault(error)
        }
        try onDisk { () throws(DiskError) in
            try Disk.remove(partial)
            try Disk.syncFolder(Disk.parent(path))
        }
        self.file = nil
    }

    private static func taken(_ path: String) -> Fault {
        Fault(
            .cannotWrite,
            "`\(path)` is there already, and opened fields are not written over other files",
            mend: "name a new file, or remove that one"
        )
    }

    mutating func abandon() {
        guard let file else { return }
        try? file.close()
        try? Disk.remove(partial)
        self.file = nil
    }
}
