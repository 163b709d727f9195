package import Model
internal import Sealing

/// Who opened what, when and why: one line of canonical JSON for each opening, chained by hashes.
///
/// Each record holds the SHA-256 of the line before it, and `<trail>.head` the number and hash of the last: a line that is changed,
/// moved or taken out, at the end too, breaks the chain. Whoever may write both files can still make a consistent forgery; copy the
/// head to where they can't. Both files are 0600, written whole or not at all, and durable before ``append(_:)`` returns.
package struct AuditTrail: Sendable {
    package let path: String

    /// What messages call it.
    static let kind = "audit trail"

    /// The hash that the first record names as the one before.
    static let origin = String(repeating: "0", count: 64)
    private static let limit = 256 << 20

    package init(_ path: String) { self.path = path }

    /// The trail that belongs to a ring.
    package static func beside(ring path: String) -> AuditTrail { AuditTrail(path + ".audit.ndjson") }

    private var headPath: String { path + ".head" }

    /// Adds a record: the members given, with `format`, `number` and `previous`.
    ///
    /// - Returns: its number, from 1.
    @discardableResult
    package func append(_ members: [JSONValue.Member]) throws(Fault) -> Int {
        let lock: FolderLock
        do { lock = try FolderLock(of: path) } catch { throw RingFault.file(error, AuditTrail.kind, path) }
        defer { withExtendedLifetime(lock) {} }
        let (report, bytes) = try read()
        guard report.isGood else {
            throw Fault(
                .cannotWrite,
                "the audit trail's chain is broken: \(report.findings[0])",
                at: ["audit trail \(path)"],
                mend: "keep the file as evidence, and name another trail with --audit"
            )
        }
        let record = JSONValue.object(
            members + [
                .init("format", "cogni-audit/1"), .init("number", .integer(report.records + 1)),
                .init("previous", .string(report.last)),
            ]
        ).canonical
        let head: JSONValue = ["number": .integer(report.records + 1), "sha256": .string(hash(record))]
        do {
            try PrivateFile.write(bytes + record + [10], to: path, replacing: true)
            try PrivateFile.write(head.canonical + [10], to: headPath, replacing: true)
        } catch { throw RingFault.file(error, AuditTrail.kind, path) }
        return report.records + 1
    }

    /// What re-reading the trail came to.
    package struct Report: Sendable, Equatable {
        package var records = 0
        /// Of the last record, or the origin.
        package var last = AuditTrail.origin
        /// Every way in which the chain is broken; empty is the good answer.
        package var findings: [String] = []
        package var isGood: Bool { findings.isEmpty }
    }

    package func verify() throws(Fault) -> Report { try read().report }

    /// All records, oldest first; a line that is none is passed over. Whether the chain holds, ``verify()`` tells.
    package func records() throws(Fault) -> [JSONValue] {
        try read().bytes.split(separator: 10).compactMap { try? JSONValue(parsing: Array($0)) }
    }

    private func read() throws(Fault) -> (report: Report, bytes: [UInt8]) {
        guard let bytes = try content(path) else {
            var report = Report()
            if try content(headPath) != nil { report.findings.append("the trail is gone and its head is there") }
            return (report, [])
        }
        var report = Report()
        var lines = bytes.split(separator: 10, omittingEmptySubsequences: false)
        if lines.last?.isEmpty == true { lines.removeLast() } else { report.findings.append("the last line is cut") }
        var hashes = [AuditTrail.origin]
        for line in lines {
            let number = report.records + 1
            let record = try? JSONValue(parsing: Array(line))
            if record?["format"]?.text != "cogni-audit/1" {
                report.findings.append("line \(number) is not a record")
            } else if record?["number"]?.integer != number {
                report.findings.append("line \(number) is record \(record?["number"]?.integer ?? 0)")
            } else if record?["previous"]?.text != report.last {
                report.findings.append("record \(number) does not follow the one before it")
            }
            report.records = number
            report.last = hash(Array(line))
            hashes.append(report.last)
        }
        try checkHead(hashes, &report)
        return (report, bytes)
    }

    /// The head is written after its record: it may be one record behind, when a crash came between the two.
    private func checkHead(_ hashes: [String], _ report: inout Report) throws(Fault) {
        guard let bytes = try content(headPath), let head = try? JSONValue(parsing: bytes),
            let number = head["number"]?.integer, let digest = head["sha256"]?.text
        else {
            if report.records > 1 { report.findings.append("the head is missing") }
            return
        }
        if number > report.records {
            report.findings.append("records \(report.records + 1) to \(number) are gone")
        } else if number < report.records - 1 || hashes[max(number, 0)] != digest {
            report.findings.append("the head does not name record \(number)")
        }
    }

    private func content(_ path: String) throws(Fault) -> [UInt8]? {
        let content: PrivateFile.Content
        do { content = try PrivateFile.read(path, limit: AuditTrail.limit) } catch {
            if error == .missing { return nil }
            throw RingFault.file(error, AuditTrail.kind, path)
        }
        try RingFault.checkAccess(content, AuditTrail.kind, path, isPublic: false)
        return content.bytes.array
    }

    private func hash(_ line: [UInt8]) -> String { SHA256Stream.hex(of: line) }
}
