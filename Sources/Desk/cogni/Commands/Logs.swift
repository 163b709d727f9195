import ArgumentParser
import Load
import Model
import Reporting

struct Logs: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints the run log: what each stream did, oldest first.",
        discussion: """
            Examples:
              cogni logs output/openai-admin                     the newest run
              cogni logs output/openai-admin --runs 5
              cogni logs output/openai-admin --stream costs --runs 30
              cogni logs output/openai-admin --run 20251201T060000Z-x1 --json
            """
    )

    @Argument(help: "A pipeline's output: the folder that holds `current`.", completion: .directory) var output: String
    @Option(help: ArgumentHelp("How many runs, the newest.", valueName: "n")) var runs = 1
    @Option(name: .customLong("run"), help: ArgumentHelp("One run by its id.", valueName: "id")) var runID: String?
    @Option(help: "Only this stream.") var stream: String?
    @Flag(help: "Print the run files as JSON on stdout.") var json = false

    func run() throws {
        let root = try Output(output).root
        let history = try History(root)
        for name in history.unreadable { Terminal.error("warning: runs/\(name)") }
        var chosen = history.runs.suffix(max(1, runs))
        if let runID {
            chosen = history.runs.filter { $0.id == runID }[...]
            guard !chosen.isEmpty else {
                throw Fault(
                    .badPlan,
                    "there is no run \(runID) below `\(output)`",
                    mend: "`cogni history \(output)` lists them"
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
