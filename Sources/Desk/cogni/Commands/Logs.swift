import ArgumentParser
import Connector
import Load
import Model
import Reporting
import Telemetry

struct Logs: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Prints the run log: what each stream did, oldest first.",
        discussion: """
            Examples:
              cogni logs output/openai-admin                     the newest run
              cogni logs output/openai-admin --runs 5
              cogni logs output/openai-admin --stream costs --runs 30
              cogni logs output/openai-admin --run 20251201T060000Z-x1 --json
              cogni logs output/openai-admin --events --level warning --since 2025-12-01
              cogni logs output/openai-admin --events --event page --stream costs
              cogni logs output/openai-admin --follow

            With --events: the lines of logs/<run-id>.ndjson, one an event, kept 30 days. Pages are a sample of them: the 1st,
            2nd, 4th, 8th … of a stream, and those that had to be asked for again.
            """
    )

    @Argument(help: "A pipeline's output: the folder that holds `current`.", completion: .directory) var output: String
    @Option(help: ArgumentHelp("How many runs, the newest.", valueName: "n")) var runs = 1
    @Option(name: .customLong("run"), help: ArgumentHelp("One run by its id.", valueName: "id")) var runID: String?
    @Option(help: "Only this stream.") var stream: String?
    @Flag(help: "The run log's events instead of the runs' summaries.") var events = false
    @Option(help: ArgumentHelp("Only events of this name, such as stream.ended.", valueName: "name")) var event: String?
    @Option(help: "Only events of this level and graver ones: debug, info, warning, error.") var level: LogEntry.Level =
        .debug
    @Option(help: ArgumentHelp("Only events from this time on.", valueName: "time")) var since: String?
    @Flag(help: "Print events as they come, until stopped.") var follow = false
    @Flag(help: "Print the run files, or the events, as JSON on stdout.") var json = false

    func validate() throws {
        if event != nil || since != nil || level != .debug, !events, !follow {
            throw ValidationError("--event, --level and --since choose among --events.")
        }
        if runs < 1 { throw ValidationError("--runs must be at least 1.") }
        if follow, json { throw ValidationError("--follow has no end, so it can't be one JSON object.") }
    }

    func run() async throws {
        let root = try Output.used(output).root
        if events || follow { return try await show(root) }
        let history = try History(root)
        for name in history.unreadable { Terminal.error("warning: runs/\(name)") }
        try refuseUnknownStream(history)
        var chosen = history.runs.suffix(runs)
        if let runID {
            chosen = history.runs.filter { $0.id == runID }[...]
            guard !chosen.isEmpty else {
                throw Fault(
                    .badPlan,
                    "there is no run \(runID) below `\(output)`",
                    mend: "`\(TypedCommand("history", output))` lists them"
                )
            }
        }
        if json {
            Terminal.out(["runs": .array(chosen.map(\.json))])
            return
        }
        guard !chosen.isEmpty else { return Terminal.out("no runs yet") }
        for run in chosen { Terminal.out(lines(run).joined(separator: "\n")) }
    }

    /// A name that no run knows is a slip, and no answer would look like a stream without trouble.
    private func refuseUnknownStream(_ history: History) throws(Fault) {
        guard let stream, !history.runs.isEmpty else { return }
        let known = Set(history.runs.flatMap { ($0.json["streams"]?.elements ?? []).compactMap { $0["name"]?.text } })
        guard !known.contains(stream) else { return }
        let names = known.sorted()
        throw Fault(
            .badPlan,
            "no run below `\(output)` had a stream `\(stream)`",
            mend: Spelling.question(for: stream, in: names) ?? "use one of: \(names.joined(separator: ", "))"
        )
    }

    /// The run log's events.
    private func show(_ root: OutputRoot) async throws {
        var filter = RunLogReader.Filter(stream: stream, event: event, level: level)
        filter.since = try since.map { try Workspace.instant($0, "--since") }
        let reader = RunLogReader(root, filter)
        let all = try reader.runs()
        var chosen = Array(since == nil ? all.suffix(runs) : all[...])
        if let runID {
            guard all.contains(runID) else {
                throw Fault(
                    .badPlan,
                    "there is no log of run \(runID) below `\(output)`",
                    mend: "logs are kept 30 days; `\(TypedCommand("logs", output))` shows what the run files say"
                )
            }
            chosen = [runID]
        }
        var found: [JSONValue] = []
        var count = 0
        var end = 0
        for run in chosen {
            let part = try reader.lines(of: run)
            end = part.end
            count += part.lines.count
            if json { found += part.lines } else { for line in part.lines { Terminal.out(RunLogReader.text(line)) } }
        }
        // A run that was killed has a log and no file, so the lines are asked first.
        if count == 0, !follow { try refuseUnknownStream(try History(root)) }
        if json { return Terminal.out(["events": .array(found)]) }
        if follow { try await follow(reader, from: chosen.last, end) }
    }

    private func follow(_ reader: RunLogReader, from run: String?, _ offset: Int) async throws {
        var current = run
        var end = offset
        while true {
            try await Task.sleep(for: .milliseconds(300))
            if let lost = Terminal.lost { throw lost }
            if let run = current {
                let part = try reader.lines(of: run, after: end)
                end = part.end
                for line in part.lines { Terminal.out(RunLogReader.text(line)) }
            }
            if let newest = try reader.runs().last, newest != current {
                current = newest
                end = 0
            }
        }
    }

    private func lines(_ run: History.Run) -> [String] {
        let started = run.json["started"]?.text ?? ""
        let head = "\(started) run \(run.id)"
        var lines: [String] = []
        if stream == nil {
            let generation = run.json["generation"]?.integer.map { ", generation \($0)" } ?? ""
            lines.append(
                "\(head): \(run.json["outcome"]?.text ?? "")\(generation), exit \(run.json["exit_code"]?.integer ?? 0)"
            )
        }
        let details = run.json["details"]?.elements ?? []
        for one in run.json["streams"]?.elements ?? [] where stream == nil || one["name"]?.text == stream {
            let name = one["name"]?.text ?? ""
            let detail = details.first { $0["stream"]?.text == name }
            lines.append("\(head) stream \(name): \(Logs.counts(one))\(Logs.place(detail))")
            lines += (one["notes"]?.elements ?? []).compactMap(\.text).map { "\(head) stream \(name): note: \($0)" }
            if let fault = detail?["fault"], !fault.isNull {
                let ids = (detail?["request_ids"]?.elements ?? []).compactMap(\.text).suffix(3)
                let requests = ids.isEmpty ? "" : " (requests \(ids.joined(separator: ", ")))"
                lines.append(
                    "\(head) stream \(name): \(fault["code"]?.text ?? "failed"): \(fault["what"]?.text ?? "")\(requests)"
                )
            }
        }
        return lines
    }

    private static func counts(_ stream: JSONValue) -> String {
        let words = ["fetched", "written", "pages", "requests", "retries"].compactMap { name in
            stream[name]?.integer.map { "\(name) \(Phrase.count($0))" }
        }
        return "\(stream["status"]?.text ?? ""), \(words.joined(separator: ", "))"
    }

    private static func place(_ detail: JSONValue?) -> String {
        let window = detail?["window"]?.text.map { ", window \($0)" } ?? ""
        let watermark = detail?["watermark"]?.text.map { ", watermark \($0)" } ?? ""
        return window + watermark
    }
}

extension LogEntry.Level: ExpressibleByArgument {}
