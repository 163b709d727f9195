import Disk
import GRDB
import Model
import StateDisk

/// The file itself: whose it is, whether it is whole, how it is opened.
struct StateFile {
    let path: String
    let pipeline: String

    /// "CgTk": SQLite keeps it at byte 68 of the file, `file(1)` shows it.
    static let applicationID = 0x4367_546B

    enum Kind { case absent, empty, ours }

    /// Why the file can't be used as it was seen.
    private struct Obstacle: Error {
        let fault: Fault
        /// It may be what a commit or a rebuilding looks like from outside, and gone when it is looked at again.
        let mayPass: Bool
    }

    /// Looks without changing anything. Throws when something stands there that is not ours to touch.
    func inspect() throws(Fault) -> Kind {
        do throws(Obstacle) { return try look() } catch { throw error.fault }
    }

    /// As ``inspect()``, without the output's lock: a run that commits meanwhile writes page after page, and what is seen
    /// between two of them looks cut. Damage stays, so it is looked at again. A disk that fails is told at once.
    func inspectWhileOthersWrite() throws(Fault) -> Kind {
        for _ in 0..<10 {
            do throws(Obstacle) { return try look() } catch {
                guard error.mayPass else { throw error.fault }
                Disk.pause(milliseconds: 20)
            }
        }
        return try inspect()
    }

    /// The header is read before SQLite sees the file, because opening a foreign database is enough to
    /// roll its journal back.
    private func look() throws(Obstacle) -> Kind {
        // SQLite follows links: a journal that leads elsewhere would be written there.
        for suffix in ["-journal", "-wal", "-shm"] {
            let beside = try looking { () throws(DiskError) in try Disk.status(path + suffix) }
            guard let beside, beside.kind != .file else { continue }
            let other = StateFile(path: path + suffix, pipeline: pipeline)
            throw Obstacle(fault: other.refused("is not a regular file"), mayPass: true)
        }
        guard let status = try looking({ () throws(DiskError) in try Disk.status(path) }) else { return .absent }
        guard status.kind == .file else { throw unfit("is not a regular file") }
        let header = try looking(header)
        if header.isEmpty { return .empty }
        guard header.count == 100, header.starts(with: "SQLite format 3\0".utf8) else {
            // Power that goes while the first page is written leaves part of it, and the journal that takes it back.
            if try hasJournal() { return .ours }
            throw unfit("is not a SQLite file, or its first page is damaged")
        }
        let owner = StateFile.number(header, at: 68)
        guard owner == StateFile.applicationID else {
            throw unfit("belongs to another program (application_id \(owner), ours is \(StateFile.applicationID))")
        }
        let version = StateFile.number(header, at: 60)
        guard version <= StateSchema.version else {
            throw unfit(
                "was written by a newer cogni (state version \(version), this one knows \(StateSchema.version))"
            )
        }
        try refuseIfCut(header, size: status.size)
        return .ours
    }

    /// SQLite reads the missing end of a last page as zeros, so a file short of one byte would pass its
    /// own check. While a journal stands beside the file, its length is SQLite's to mend.
    private func refuseIfCut(_ header: [UInt8], size: Int) throws(Obstacle) {
        guard try !hasJournal() else { return }
        let stored = StateFile.number([0, 0] + header[16..<18], at: 0)
        let expected = StateFile.number(header, at: 28) * (stored == 1 ? 65_536 : stored)
        guard size >= expected else { throw unfit("is cut: \(size) of \(expected) bytes are left") }
    }

    /// Whether SQLite will take an unfinished transaction back: a journal stands beside the file, and begins as one.
    private func hasJournal() throws(Obstacle) -> Bool {
        let start: [UInt8] = [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7]
        return try looking { () throws(DiskError) in
            guard try Disk.status(path + "-journal")?.kind == .file else { return false }
            var block = [UInt8](repeating: 0, count: start.count)
            return try DiskFile.read(path + "-journal").read(into: &block) == start.count && block == start
        }
    }

    private func unfit(_ why: String) -> Obstacle { Obstacle(fault: refused(why), mayPass: true) }

    /// A name that was there and is gone was taken away by whoever ended a transaction; every other failure is the disk's.
    private func looking<R>(_ body: () throws(DiskError) -> R) throws(Obstacle) -> R {
        do throws(DiskError) { return try body() } catch {
            throw Obstacle(fault: told(error), mayPass: error.isMissing)
        }
    }

    /// Makes sure that a file of mode 0600 stands there. Returns whether it held no state before.
    func prepare() throws(Fault) -> Bool {
        let kind = try inspect()
        if kind == .absent {
            // Created empty and private before SQLite writes a byte; the journal inherits the mode. There is nothing to sync in it:
            // SQLite syncs its name before it writes a page, and the pages with the first transaction.
            try onDisk { () throws(DiskError) in try DiskFile.create(path, mode: 0o600).close() }
        }
        return kind != .ours
    }

    /// Opens and checks every page. Says also which version was found: 0 is a file without tables. A file that is to be written
    /// is still to be brought up to this version.
    func connect(readOnly: Bool) throws(Fault) -> (DatabaseQueue, version: Int) {
        StateDisk.install()
        _ = StateDisk.takeFailure()
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration(readOnly: readOnly))
            // What it can't open to write SQLite opens to read, without a word. That will do for looking at a file that may
            // not be written; of one that may, it is a disk that fails, or a process without descriptors.
            if let failure = StateDisk.takeFailure(), failure.call == "open", !readOnly || Disk.isWritable(path) {
                throw told(failure)
            }
            let broken = try queue.read { try String.fetchAll($0, sql: "PRAGMA integrity_check(3)") }
            if broken != ["ok"], let failure = StateDisk.takeFailure() { throw told(failure) }
            guard broken == ["ok"] else { throw refused("is damaged: \(broken.joined(separator: "; "))") }
            let version = try queue.read { try Int.fetchOne($0, sql: "PRAGMA user_version") ?? 0 }
            if !readOnly { try onDisk { () throws(DiskError) in try Disk.keepPrivate(path) } }
            return (queue, version)
        } catch { throw fault(error) }
    }

    private func configuration(readOnly: Bool) -> Configuration {
        var configuration = Configuration()
        configuration.label = "cogni state"
        configuration.busyMode = .timeout(2)
        configuration.prepareDatabase { db in
            // The journal of a crashed run is rolled back even by a reader, so readers open for writing too.
            if readOnly { try db.execute(sql: "PRAGMA query_only = ON") }
            try db.execute(sql: "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON")
            guard !readOnly else { return }
            _ = try String.fetchOne(db, sql: "PRAGMA journal_mode = DELETE")
            try db.execute(sql: "PRAGMA synchronous = EXTRA")
        }
        return configuration
    }

    private func header() throws(DiskError) -> [UInt8] {
        let file = try DiskFile.read(path)
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 100)
        while bytes.count < 100 {
            let count = try file.read(into: &block)
            if count == 0 { break }
            bytes += block[..<min(count, 100 - bytes.count)]
        }
        return bytes
    }

    /// Calls of the room below, their error as a fault.
    func onDisk<R>(_ body: () throws(DiskError) -> R) throws(Fault) -> R {
        do throws(DiskError) { return try body() } catch { throw told(error) }
    }

    private func told(_ error: DiskError) -> Fault {
        Fault(
            .cannotWrite,
            error.description,
            mend: "make \(path) and its folder writable, see to free space, and run again"
        )
    }

    private static func number(_ bytes: [UInt8], at offset: Int) -> Int {
        bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
    }
}
