import ArgumentParser
import Load
import Model
import Reporting

struct HistoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Lists an output's runs and rollbacks, newest first.",
        discussion: """
            Examples:
              cogni history output/openai-admin
              cogni history output/openai-admin --limit 5
              cogni history output/openai-admin --json
            """
    )

    @Argument(help: "A pipeline's output: the folder that holds `current`.", completion: .directory) var output: String
    @Option(help: ArgumentHelp("How many runs, the newest.", valueName: "n")) var limit = 20
    @Flag(help: "Print the runs' summaries as JSON on stdout.") var json = false

    func validate() throws {
        if limit < 1 { throw ValidationError("--limit must be at least 1.") }
    }

    func run() throws {
        let root = try Output.used(output).root
        let history = try History(root)
        let rollbacks = try Rollback.log(root)
        let runs = history.runs.reversed().prefix(limit)
        for name in history.unreadable { Terminal.error("warning: runs/\(name)") }
        if json {
            let current = Result { () throws(Fault) in try root.currentNumber() }
            let number = (try? current.get()).flatMap(\.self)
            Terminal.out([
                "output": .string(root.path), "current": number.map { .integer($0) } ?? nil,
                "generations": .array(try root.generations().map { .integer($0) }),
                "runs": .array(runs.map { HistoryCommand.summary($0.json) }),
                "rollbacks": .array(rollbacks.reversed().map(\.json)),
            ])
            _ = try current.get()
            return
        }
        show(Array(runs), rollbacks.suffix(limit).reversed())
        let numbers = try root.generations()
        if let current = try root.currentNumber() {
            Terminal.out("current: generation \(current) of \(numbers.map(String.init).joined(separator: ", "))")
        } else {
            Terminal.out("nothing has been published yet")
        }
    }

    /// Without the run log's details, which `cogni logs` shows.
    private static func summary(_ run: JSONValue) -> JSONValue {
        .object((run.members ?? []).filter { $0.key != "details" })
    }

    /// Both are given newest first, and told so together.
    private func show(_ runs: [History.Run], _ rollbacks: [Rollback]) {
        if runs.isEmpty { Terminal.out("no runs yet") }
        guard !runs.isEmpty || !rollbacks.isEmpty else { return }
        var table = TextTable(
            [
                "began", "as of", "outcome", "exit", "generation", "streams", "fetched", "written", "requests",
                "seconds", "run",
            ],
            numbers: [3, 4, 5, 6, 7, 8, 9]
        )
        var rest = rollbacks[...]
        func tell(_ entry: Rollback) {
            let outcome = "rolled back from \(entry.from)"
            table.add(entry.at.text, "", outcome, "", Phrase.count(entry.to), "", "", "", "", "", "")
        }
        for run in runs {
            // By the clock: a run's `started` is what it took for now.
            let began = RunLogFile.began(run.id)
            while let entry = rest.first, let began, entry.at >= began {
                tell(entry)
                rest.removeFirst()
            }
            func number(_ value: JSONValue?) -> String { value?.integer.map { Phrase.count($0) } ?? "" }
            let totals = run.json["totals"]
            table.add(
                run.json["clock"]?["began"]?.text ?? "",
                run.json["started"]?.text ?? "",
                run.json["outcome"]?.text ?? "",
                number(run.json["exit_code"]),
                number(run.json["generation"]),
                String(run.json["streams"]?.elements?.count ?? 0),
                number(totals?["fetched"]),
                number(totals?["written"]),
                number(totals?["requests"]),
                HistoryCommand.literal(run.json["seconds"]),
                run.id
            )
        }
        for entry in rest { tell(entry) }
        Terminal.out(table.text)
    }

    private static func literal(_ value: JSONValue?) -> String {
        if case .number(let text)? = value { text } else { "" }
    }
}
