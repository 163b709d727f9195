import Foundation
import GRDB
import Model

/// The file itself: whose it is, whether it is whole, how it is opened.
struct StateFile {
    let path: String
    let pipeline: String

    /// "CgTk": SQLite keeps it at byte 68 of the file, `file(1)` shows it.
    static let applicationID = 0x4367_546B

    enum Kind { case absent, empty, ours }

    /// Looks without changing anything. Throws when something stands there that is not ours to touch.
    ///
    /// The header is read before SQLite sees the file, because opening a foreign database is enough to
    /// roll its journal back.
    func inspect() throws(Fault) -> Kind {
        guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else { return .absent }
        guard attributes[.type] as? FileAttributeType == .typeRegular else {
            throw refused("is not a regular file")
        }
        let header = try header()
        if header.isEmpty { return .empty }
        guard header.count == 100, header.starts(with: "SQLite format 3\0".utf8) else {
            throw refused("is not a SQLite file, or its first page is damaged")
        }
        let owner = StateFile.number(header, at: 68)
        guard owner == StateFile.applicationID else {
            throw refused("belongs to another program (application_id \(owner), ours is \(StateFile.applicationID))")
        }
        let version = StateFile.number(header, at: 60)
        guard version <= StateSchema.version else {
            throw refused(
                "was written by a newer cogni (state version \(version), this one knows \(StateSchema.version))"
            )
        }
        try refuseIfCut(header, size: attributes[.size] as? Int ?? 0)
        return .ours
    }

    /// SQLite reads the missing end of a last page as zeros, so a file short of one byte would pass its
    /// own check. While a journal stands beside the file, its length is SQLite's to mend.
    private func refuseIfCut(_ header: [UInt8], size: Int) throws(Fault) {
        guard !FileManager.default.fileExists(atPath: path + "-journal") else { return }
        let stored = StateFile.number([0, 0] + header[16..<18], at: 0)
        let expected = StateFile.number(header, at: 28) * (stored == 1 ? 65_536 : stored)
        guard size >= expected else { throw refused("is cut: \(size) of \(expected) bytes are left") }
    }

    /// Makes sure that a file of mode 0600 stands there. Returns whether it held no state before.
    func prepare() throws(Fault) -> Bool {
        let kind = try inspect()
        if kind == .absent {
            // Created empty and private before SQLite writes a byte; the journal inherits the mode.
            let made = FileManager.default.createFile(
                atPath: path,
                contents: nil,
                attributes: [.posixPermissions: 0o600]
            )
            guard made else {
                throw Fault(
                    .cannotWrite,
                    "\(path) could not be created",
                    mend: "create its folder and make it writable"
                )
            }
        }
        return kind != .ours
    }

    /// Opens, checks every page, and brings the tables up to this version. Says also which version was found: 0 is a
    /// file without tables.
    func connect(readOnly: Bool) throws(Fault) -> (DatabaseQueue, version: Int) {
        do {
            let queue = try DatabaseQueue(path: path, configuration: configuration(readOnly: readOnly))
            let broken = try queue.read { try String.fetchAll($0, sql: "PRAGMA integrity_check(3)") }
            guard broken == ["ok"] else { throw refused("is damaged: \(broken.joined(separator: "; "))") }
            let version = try queue.read { try Int.fetchOne($0, sql: "PRAGMA user_version") ?? 0 }
            if !readOnly {
                try? FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path)
                try queue.write(StateSchema.migrate)
            }
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

    private func header() throws(Fault) -> [UInt8] {
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
            defer { try? handle.close() }
            return Array(try handle.read(upToCount: 100) ?? Data())
        } catch {
            throw Fault(.cannotWrite, "\(path) could not be read", mend: "make it readable for the user who runs cogni")
        }
    }

    private static func number(_ bytes: [UInt8], at offset: Int) -> Int {
        bytes[offset..<offset + 4].reduce(0) { $0 << 8 | Int($1) }
    }
}
