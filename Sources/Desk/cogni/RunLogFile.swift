import Console
import Disk
import Load
import Model
import Sanitizing
import Synchronization
import Telemetry

/// The run log of one run: `logs/<run-id>.ndjson`, a line an event, written as things happen.
///
/// Every line passes the sanitizer. A log that can't be written is no reason to fail a run: it is told once, and the run goes on.
final class RunLogFile: Sendable {
    /// Logs are kept so long.
    static let keptFor: Int64 = 30 * 86_400

    private struct Open {
        var file: DiskFile?
        var sample = PageSample()
        var problem: String?
        var hasBegun = false
    }

    private let path: String
    private let runID: String
    private let sanitizer: Sanitizer
    private let open = Mutex(Open())

    init(_ root: OutputRoot, runID: String, sanitizer: Sanitizer) {
        path = RunLogFile.folder(root) + "/\(runID).ndjson"
        self.runID = runID
        self.sanitizer = sanitizer
    }

    static func folder(_ root: OutputRoot) -> String { root.logsPath }

    /// A link in the folder's place would lead what is written, and what is removed, out of the output.
    private static func isOurs(_ folder: String) throws(DiskError) -> Bool {
        try Disk.status(folder).map { $0.kind == .folder } ?? true
    }

    /// Not before the run has its lock: until then the folder may be another's.
    func write(_ entry: LogEntry) {
        open.withLock { open in
            guard open.problem == nil else { return }
            if entry.event == "run.started" { open.hasBegun = true }
            if entry.event == "page" {
                guard let stream = entry.stream, open.sample.takes(stream, retries: entry.retries) else { return }
            }
            do throws(DiskError) {
                if open.file == nil {
                    guard try RunLogFile.isOurs(Disk.parent(path)) else {
                        open.problem = "`\(Disk.parent(path))` is not a folder"
                        return
                    }
                    try Disk.makeFolders(Disk.parent(path))
                    open.file = try DiskFile.create(path)
                }
                let line = sanitizer.line(entry.json(at: Instant(seconds: Console.wallSeconds), run: runID))
                try open.file?.write(line.span)
                if entry.event == "run.ended" {
                    try open.file?.sync()
                    try open.file?.close()
                    open.file = nil
                    open.problem = ""
                }
            } catch { open.problem = "\(error)" }
        }
    }

    /// The run got as far as being a run: it held its lock.
    var hasBegun: Bool { open.withLock { $0.hasBegun } }

    /// Why lines are missing; `nil` when none is.
    var problem: String? { open.withLock { $0.problem.flatMap { $0.isEmpty ? nil : $0 } } }

    /// Removes logs of runs that are older than 30 days. What stays is tried again by the next run.
    /// - Returns: why something stayed.
    static func dropOld(_ root: OutputRoot, at now: Instant) -> String? {
        let folder = folder(root)
        do throws(DiskError) {
            guard try Disk.exists(folder) else { return nil }
            guard try isOurs(folder) else { return "old logs stay: `\(folder)` is not a folder" }
            for name in try Disk.list(folder) {
                guard name.hasSuffix(".ndjson"), let began = began(name), began < now - keptFor else { continue }
                try Disk.remove(folder + "/" + name)
            }
        } catch { return "old logs stay: \(error)" }
        return nil
    }

    /// `20251201T060000Z-x1.ndjson` → its time.
    static func began(_ name: String) -> Instant? {
        let stamp = name.prefix(16)
        guard stamp.count == 16, stamp.hasSuffix("Z"), name.dropFirst(16).hasPrefix("-") else { return nil }
        func part(_ from: Int, _ count: Int) -> Substring { stamp.dropFirst(from).prefix(count) }
        return Instant(text: "\(part(0, 4))-\(part(4, 2))-\(part(6, 2))T\(part(9, 2)):\(part(11, 2)):\(part(13, 2))Z")
    }
}

extension LogEntry {
    fileprivate var retries: Int { members.first { $0.key == "retries" }?.value.integer ?? 0 }
}
