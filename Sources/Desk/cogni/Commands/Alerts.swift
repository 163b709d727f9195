import ArgumentParser
import Console
import Ledger
import Load
import Model
import PipelineFile
import Reporting
import Telemetry

struct Alerts: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alerts",
        abstract: "The events for the webhook: what waits, sending it, going on after a 410.",
        discussion: """
            Examples:
              cogni alerts list pipelines/openai-admin.yaml
              cogni alerts send pipelines/openai-admin.yaml
              cogni alerts resume pipelines/openai-admin.yaml

            Events are sent at the end of the run that put them into the outbox. What could not be sent is tried again by later
            runs, or by `cogni alerts send`, after 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h; then it is given up.
            """,
        subcommands: [List.self, Send.self, Resume.self]
    )

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "Lists the events of the last 30 days and what became of them.",
            discussion: """
                Examples:
                  cogni alerts list pipelines/openai-admin.yaml
                  cogni alerts list pipelines/openai-admin.yaml --json
                """
        )
        @OptionGroup var place: State.Place
        @Flag(help: "Print the events as JSON on stdout.") var json = false

        func run() throws {
            let workspace = try place.workspace()
            let root = workspace.root
            let store = try StateStore.openToRead(root.statePath, pipeline: workspace.pipeline.name)
            defer { try? store?.close() }
            let entries = try store?.outbox() ?? []
            let stopped = try store?.stoppedReceiver()
            if json {
                return Terminal.out([
                    "pipeline": .string(workspace.pipeline.name),
                    "stopped": stopped.map { ["reason": .string($0.reason), "at": .string($0.at.text)] } ?? .null,
                    "events": .array(entries.map(\.json)),
                ])
            }
            if let stopped { Terminal.out("nothing is sent since \(stopped.at.text): \(stopped.reason)") }
            guard !entries.isEmpty else { return Terminal.out("no events") }
            var table = TextTable(["created", "type", "state", "attempts", "next", "last answer", "id"], numbers: [3])
            for entry in entries {
                table.add(
                    entry.event.created.text,
                    entry.event.type,
                    entry.state.rawValue,
                    String(entry.attempts),
                    entry.nextAttempt?.text ?? "",
                    entry.lastAnswer ?? "",
                    entry.event.id
                )
            }
            Terminal.out(table.text)
        }
    }

    struct Send: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "send",
            abstract: "Sends what waits in the outbox and is due.",
            discussion: """
                Examples:
                  cogni alerts send pipelines/openai-admin.yaml
                  cogni alerts send pipelines/openai-admin.yaml --now

                Ends with 4 when something was not taken. Give it a cron line of its own where runs are rare.
                """
        )
        @OptionGroup var place: State.Place
        @Flag(help: "Also what is to be tried again only later.") var now = false
        @Flag(help: "Print what was sent as JSON on stdout.") var json = false

        func run() async throws {
            let workspace = try place.workspace()
            guard workspace.pipeline.alerts.webhook != nil else {
                throw Fault(
                    .badPlan,
                    "\(workspace.pipeline.file) names no webhook, or its variable is not set",
                    mend: "set `alerts.webhook`"
                )
            }
            let (path, name) = (workspace.root.statePath, workspace.pipeline.name)
            guard let store = try StateStore.openExisting(path, pipeline: name) else {
                if !json { return Terminal.out("no events") }
                return Terminal.out(["sent": 0, "failed": 0, "waiting": 0, "notes": []])
            }
            defer { try? store.close() }
            let report = try await Courier(workspace).deliver(store, isForced: now)
            let waiting = try store.outbox().count { $0.state == .waiting }
            try MetricsFile(workspace: workspace).write(store)
            if json {
                Terminal.out([
                    "sent": .integer(report.sent), "failed": .integer(report.failed), "waiting": .integer(waiting),
                    "notes": .strings(report.notes),
                ])
            } else {
                for note in report.notes { Terminal.error("warning: \(note)") }
                Terminal.out("\(report.sent) sent, \(waiting) waiting")
            }
            guard report.failed == 0 else {
                let what = "\(Phrase.count(report.failed, "event")) not taken by the receiver"
                throw Ending(.unreachable, what, at: ["webhook of \(workspace.pipeline.name)"])
            }
        }
    }

    struct Resume: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "resume",
            abstract: "Sends events again to a receiver that had answered 410.",
            discussion: """
                Examples:
                  cogni alerts resume pipelines/openai-admin.yaml
                  cogni alerts send pipelines/openai-admin.yaml --now
                """
        )
        @OptionGroup var place: State.Place
        @Flag(help: "Print what was done as JSON on stdout.") var json = false

        func run() throws {
            let workspace = try place.workspace()
            let (path, name) = (workspace.root.statePath, workspace.pipeline.name)
            guard let store = try StateStore.openExisting(path, pipeline: name) else { throw State.missing(workspace) }
            defer { try? store.close() }
            let stopped = try store.stoppedReceiver()
            try store.setStoppedReceiver(nil)
            if json { return Terminal.out(["resumed": .bool(stopped != nil)]) }
            let next = "events are sent again: \(workspace.command("alerts send"))"
            Terminal.out(stopped == nil ? "events were not stopped" : next)
        }
    }
}

extension OutboxEntry {
    fileprivate var json: JSONValue {
        [
            "id": .string(event.id), "type": .string(event.type), "created": .string(event.created.text),
            "state": .string(state.rawValue), "attempts": .integer(attempts),
            "next_attempt": .optional(nextAttempt?.text), "last_attempt": .optional(lastAttempt?.text),
            "last_answer": .optional(lastAnswer), "body": (try? JSONValue(parsing: event.body)) ?? .null,
        ]
    }
}
