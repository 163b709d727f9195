package import Ledger
internal import Model

/// What earlier runs took, as the ledger remembers them: how many pages a stream had, and how long a reply took.
package struct PastRuns: Sendable {
    package struct Stream: Sendable, Equatable {
        package var pages: Int
        /// A reply's time on average; `nil` when none was timed.
        package var milliseconds: Int?
    }

    /// Each stream as its latest successful run had it.
    package private(set) var streams: [String: Stream] = [:]

    package init() {}

    /// - Parameter records: newest first.
    package init(_ records: [RunRecord]) {
        for record in records where [.published, .unchanged, .dryRun].contains(record.outcome) {
            for entry in record.summary["streams"]?.elements ?? [] {
                guard let name = entry["name"]?.text, ["ok", "unchanged"].contains(entry["status"]?.text ?? ""),
                    let pages = entry["pages"]?.integer, pages > 0
                else { continue }
                if var known = streams[name] {
                    // A replay has pages, but no times.
                    known.milliseconds = known.milliseconds ?? entry["reply_ms"]?.integer
                    streams[name] = known
                } else {
                    streams[name] = Stream(pages: pages, milliseconds: entry["reply_ms"]?.integer)
                }
            }
        }
    }

    /// Over all streams, each reply weighing the same; `nil` when none was timed.
    var milliseconds: Int? {
        let timed = streams.values.compactMap { stream in stream.milliseconds.map { (stream.pages, $0) } }
        let pages = timed.reduce(0) { $0 + $1.0 }
        return pages > 0 ? timed.reduce(0) { $0 + $1.0 * $1.1 } / pages : nil
    }
}
