package import Model

/// One line of the run log.
package struct LogEntry: Sendable {
    package enum Level: String, Sendable, CaseIterable { case debug, info, warning, error }

    package var level: Level
    /// `run.started`, `stream.ended`, `page`
    package var event: String
    package var stream: String?
    package var members: [JSONValue.Member]

    package init(_ event: String, _ level: Level = .info, stream: String? = nil, _ members: [JSONValue.Member] = []) {
        self.event = event
        self.level = level
        self.stream = stream
        self.members = members
    }

    /// Not yet sanitized.
    package func json(at: Instant, run: String) -> JSONValue {
        .object(
            [
                .init("at", .string(at.text)), .init("level", .string(level.rawValue)),
                .init("event", .string(event)), .init("run", .string(run)),
            ] + (stream.map { [.init("stream", .string($0))] } ?? []) + members
        )
    }
}

/// Which pages of a stream the run log tells of: the 1st, 2nd, 4th, 8th … and each that had to be fetched again, up to a limit.
package struct PageSample: Sendable {
    private var pages: [String: Int] = [:]
    private var retried: [String: Int] = [:]
    private static let retriedLimit = 100

    package init() {}

    package mutating func takes(_ stream: String, retries: Int) -> Bool {
        let page = pages[stream, default: 0] + 1
        pages[stream] = page
        if retries > 0 {
            let count = retried[stream, default: 0] + 1
            retried[stream] = count
            if count <= PageSample.retriedLimit { return true }
        }
        return page & (page - 1) == 0
    }
}
