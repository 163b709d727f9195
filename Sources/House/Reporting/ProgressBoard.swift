import Model

/// What is running, as text for stderr. Knows no clock and no terminal: time comes in, text goes out,
/// and the program prints what it gets.
///
/// On a terminal a board of a line per running stream is redrawn in place, at most ten times a second;
/// elsewhere each stream has a line at its start and its end and, between them, one every `interval`.
/// Times are monotonic milliseconds since any fixed moment.
package struct ProgressBoard: Sendable {
    package enum Style: Sendable, Equatable {
        case terminal(width: Int, height: Int, color: Bool)
        case plain
        case none
    }

    private let style: Style
    private let interval: Int
    private let streamCount: Int
    private let started: Int
    private var running: [RunningStream] = []
    private var finished = 0
    private var failed = 0
    private var rows = 0
    private var drawnLines = 0
    private var drawnAt: Int?

    /// - `interval`: milliseconds between the lines of one stream in the plain style.
    package init(style: Style, streamCount: Int, interval: Int = 10_000, at now: Int) {
        self.style = style
        self.streamCount = streamCount
        self.interval = interval
        started = now
    }

    package mutating func start(_ stream: String, at now: Int) -> String {
        running.append(RunningStream(name: stream, started: now, told: now))
        return style == .plain ? "\(stream): started\n" : redraw(at: now)
    }

    /// One page was kept. `fraction`: how much of the stream's windows lies behind it, 0…1; `nil` where
    /// nobody can know (a list's length).
    package mutating func page(_ stream: String, rows count: Int, fraction: Double?, at now: Int) -> String {
        rows += count
        guard let index = running.firstIndex(where: { $0.name == stream }) else { return "" }
        running[index].pages += 1
        running[index].rows += count
        running[index].fraction = fraction ?? running[index].fraction
        return tick(at: now)
    }

    /// Call it now and then, so that a stream that waits is seen to wait.
    package mutating func tick(at now: Int) -> String {
        guard style == .plain else { return redraw(at: now) }
        var text = ""
        for index in running.indices where now - running[index].told >= interval {
            running[index].told = now
            text += "\(running[index].name): \(running[index].progress(at: now))\n"
        }
        return text
    }

    /// `word`: how it ended; a stream that failed stays on the screen as a line of its own.
    package mutating func end(_ stream: String, _ status: StreamReport.Status, at now: Int) -> String {
        guard let index = running.firstIndex(where: { $0.name == stream }) else { return "" }
        let ended = running.remove(at: index)
        finished += 1
        let hasFailed = status == .failed || status == .stale
        if hasFailed { failed += 1 }
        let word = status == .ok ? "done" : status.rawValue
        let line = "\(stream): \(word), \(ended.outcome(at: now))"
        if style == .plain { return line + "\n" }
        return hasFailed ? above(line, at: now) : redraw(at: now)
    }

    /// A line of the log, above the board and out of its way.
    package mutating func above(_ line: String, at now: Int) -> String {
        let text = Phrase.printable(line) + "\n"
        guard case .terminal = style else { return style == .none ? "" : text }
        let cleared = erase()
        drawnAt = nil
        return cleared + text + redraw(at: now)
    }

    /// Takes the board away, before the closing table.
    package mutating func close() -> String { erase() }

    /// Up to the board's first line, and everything below it gone.
    private mutating func erase() -> String {
        defer { drawnLines = 0 }
        return drawnLines == 0 ? "" : "\u{1B}[\(drawnLines)A\r\u{1B}[J"
    }

    private mutating func redraw(at now: Int) -> String {
        guard case .terminal(let width, let height, let color) = style else { return "" }
        if let drawnAt, now - drawnAt < 100 { return "" }
        drawnAt = now
        let ink = Ink(isOn: color)
        // Room for the summary and for the line the cursor stands on.
        let shown = running.prefix(max(0, height - 3))
        let nameWidth = shown.map(\.name.count).max() ?? 0
        var lines = shown.map { stream in
            let gap = String(repeating: " ", count: nameWidth - stream.name.count)
            return String("\(stream.name)\(gap)  \(stream.progress(at: now))".prefix(max(0, width - 1)))
        }
        if shown.count < running.count { lines.append("and \(running.count - shown.count) more") }
        lines.append(ink(.dim, String(overview(at: now).prefix(max(0, width - 1)))))
        let text = erase() + lines.map { $0 + "\n" }.joined()
        drawnLines = lines.count
        return text
    }

    private func overview(at now: Int) -> String {
        var text = "\(finished) of \(Phrase.count(streamCount, "stream")), \(Phrase.count(rows, "row"))"
        if failed > 0 { text += ", \(failed) failed" }
        return text + ", \(Phrase.time(milliseconds: now - started))"
    }
}
