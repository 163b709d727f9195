import Disk
import Load
import Model
import Telemetry

/// Reads run logs back: lines of the runs chosen, filtered.
struct RunLogReader {
    struct Filter {
        var stream: String?
        var event: String?
        /// This level and graver ones.
        var level = LogEntry.Level.debug
        var since: Instant?

        func takes(_ line: JSONValue) -> Bool {
            if let stream, line["stream"]?.text != stream { return false }
            if let event, line["event"]?.text != event { return false }
            if let since, let at = line["at"]?.text.flatMap({ Instant(text: $0) }), at < since { return false }
            let own = line["level"]?.text.flatMap { LogEntry.Level(rawValue: $0) } ?? .info
            let order = LogEntry.Level.allCases
            return order.firstIndex(of: own) ?? 0 >= order.firstIndex(of: level) ?? 0
        }
    }

    let folder: String
    var filter: Filter

    init(_ root: OutputRoot, _ filter: Filter) {
        folder = RunLogFile.folder(root)
        self.filter = filter
    }

    /// Ids of the runs that have a log, oldest first.
    func runs() throws(Fault) -> [String] {
        try onDisk { () throws(DiskError) in
            guard try Disk.exists(folder) else { return [] }
            return try Disk.list(folder).filter { $0.hasSuffix(".ndjson") }.map { String($0.dropLast(7)) }.sorted()
        }
    }

    /// The lines from the `after`-th byte on, and where the last whole line ends. A line that is still being written is left.
    func lines(of run: String, after: Int = 0) throws(Fault) -> (lines: [JSONValue], end: Int) {
        let bytes = try onDisk { () throws(DiskError) in try Disk.contents(folder + "/\(run).ndjson", limit: 256 << 20)
        }
        guard bytes.count > after, let last = bytes.lastIndex(of: 10), last >= after else { return ([], after) }
        let whole = bytes[after...last]
        let lines = whole.split(separator: 10).compactMap { try? JSONValue(parsing: Array($0)) }
        return (lines.filter { filter.takes($0) }, last + 1)
    }

    /// One line for people: time, level, event, stream, and the rest as JSON.
    static func text(_ line: JSONValue) -> String {
        let head = ["at", "level", "event", "stream"].compactMap { line[$0]?.text }
        let rest = (line.members ?? []).filter { !["at", "level", "event", "stream", "run"].contains($0.key) }
        return head.joined(separator: "  ") + "  " + JSONValue.object(rest).compact
    }
}
