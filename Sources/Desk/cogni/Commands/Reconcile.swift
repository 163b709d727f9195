import ArgumentParser
import Connector
import Extract
import Foundation
import Load
import Model
import Reporting
import Runner

struct Reconcile: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile",
        abstract: "Compares usage with a team's own events, and with costs.",
        discussion: """
            Examples:
              cogni reconcile pipelines/usage-and-costs.yaml --events events.ndjson
              cogni reconcile pipelines/usage-and-costs.yaml --events calls.csv.gz --mapping mapping.yaml --tolerance 1
              cogni reconcile pipelines/usage-and-costs.yaml --from 2025-11-01 --until 2025-12-01 --json

            Reads the current generation; asks the network nothing. Events are compared by day, user (or key, or project) and
            model; usage and costs by day and project. Without --events only the latter. A mapping file says where the events
            keep what; without one they have time, user_id, model, input_tokens and output_tokens.

            Ends with 0 when all is within the tolerance, with 1 otherwise.
            """
    )

    @Argument(help: "The pipeline file.", completion: .file(extensions: ["yaml", "yml"])) var pipeline: String
    @Option(
        help: ArgumentHelp("The team's events: NDJSON or CSV, also .gz or .zst.", valueName: "file"),
        completion: .file()
    )
    var events: String?
    @Option(
        help: ArgumentHelp("Where the events keep time, user, model, tokens and requests.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var mapping: String?
    @Option(help: ArgumentHelp("The first day; by default the first that both sides have.", valueName: "day"))
    var from: String?
    @Option(help: ArgumentHelp("The first day not to compare.", valueName: "day")) var until: String?
    @Option(help: ArgumentHelp("How far numbers may be apart, in percent of the organization's.", valueName: "percent"))
    var tolerance = "0"
    @Option(help: ArgumentHelp("The folder above the pipeline's own.", valueName: "dir"), completion: .directory)
    var output: String?
    @Flag(help: "Show groups that match too.") var all = false
    @Flag(help: "Print the report as JSON on stdout.") var json = false
    @Flag(help: "Print the report as CSV on stdout.") var csv = false

    func run() throws {
        let workspace = try Workspace(pipeline, output: output)
        guard !(json && csv) else {
            throw Fault(.badPlan, "--json and --csv can't both be printed", mend: "leave one out")
        }
        guard let generation = try workspace.root.current() else {
            throw Fault(
                .badPlan,
                "there is no generation in \(workspace.output)",
                mend: "run the pipeline first: \(workspace.command("run"))"
            )
        }
        let percent = tolerance.hasSuffix("%") ? String(tolerance.dropLast()) : tolerance
        guard let share = ExactDecimal(percent), share >= .zero else {
            throw Fault(.badPlan, "--tolerance \(tolerance) is not a percentage", mend: "write it as 0.5")
        }
        let path = events.map { URL(fileURLWithPath: $0).resolvingSymlinksInPath().path }
        if let path, !FileManager.default.isReadableFile(atPath: path) {
            throw Fault(.badPlan, "\(path) can't be read", mend: "give the file with the team's events")
        }
        var request = Reconciliation.Request(events: path, mapping: try eventMapping(), tolerance: share)
        request.from = try from.map { try Workspace.instant($0, "--from") }
        request.until = try until.map { try Workspace.instant($0, "--until") }
        let transport = NoTransport()
        let doors = try workspace.doors(transport: transport, ring: try workspace.ring())
        let reconciliation = Reconciliation(pipeline: workspace.pipeline, doors: doors, generation: generation)
        let report = try reconciliation.report(request)
        if json {
            Terminal.out(report.json)
        } else if csv {
            Terminal.out(report.csv)
        } else {
            show(report)
        }
        guard report.isSame else {
            let apart = (report.usage.map(\.status) + report.costs.map(\.status)).count { $0 != .matched }
            throw Ending(
                .difference,
                "\(Phrase.count(apart, "group")) beyond the tolerance",
                at: ["generation \(report.generation)"]
            )
        }
    }

    private func eventMapping() throws -> EventMapping {
        guard let mapping else { return .usual }
        let reading = EventMapping.read(file: mapping, bytes: try Workspace.contents(mapping))
        if !reading.diagnostics.isEmpty { Terminal.error(reading.diagnostics.text) }
        guard let made = reading.mapping else {
            throw Ending(.badPlan, reading.diagnostics.summary, at: [mapping])
        }
        return made
    }

    private func show(_ report: Reconciliation.Report) {
        func text(_ number: ExactDecimal?) -> String { number?.text ?? "-" }
        let usage = report.usage.filter { all || $0.status != .matched }
        if !usage.isEmpty {
            let titles = ["day", report.who.rawValue, "model", "status", "tokens", "events'", "requests", "events'"]
            var table = TextTable(titles, numbers: [4, 5, 6, 7])
            for row in usage {
                table.add(
                    row.day,
                    row.who ?? "(none)",
                    row.model ?? "-",
                    row.status.rawValue,
                    text(row.usageTokens),
                    text(row.eventTokens),
                    text(row.usageRequests),
                    text(row.eventRequests)
                )
            }
            Terminal.out(table.text + "\n")
        }
        let costs = report.costs.filter { all || $0.status != .matched }
        if !costs.isEmpty {
            var table = TextTable(
                ["day", "project", "status", "tokens", "costs' tokens", "amount"],
                numbers: [3, 4, 5]
            )
            for row in costs {
                table.add(
                    row.day,
                    row.project ?? "(none)",
                    row.status.rawValue,
                    text(row.usageTokens),
                    text(row.costTokens),
                    row.amount?.text ?? "-"
                )
            }
            Terminal.out(table.text + "\n")
        }
        let span = "\(report.from.date) to \(report.until.date), generation \(report.generation)"
        if events != nil {
            let good = report.usage.count { $0.status == .matched }
            Terminal.out("usage and events, \(span): \(good) of \(report.usage.count) groups match")
        }
        let good = report.costs.count { $0.status == .matched }
        let other =
            report.otherCosts.isZero ? "" : "; \(report.otherCosts.text) in other units than tokens not compared"
        Terminal.out("usage and costs, \(span): \(good) of \(report.costs.count) days and projects match\(other)")
    }
}

/// The door to the network of a command that asks it nothing.
private struct NoTransport: Transport {
    func send(_ request: Request) async throws(TransportError) -> Reply {
        throw TransportError(.notRecorded, "this command asks the network nothing")
    }
}
