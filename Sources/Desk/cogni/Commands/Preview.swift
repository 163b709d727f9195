import ArgumentParser
import Connector
import Console
import Model
import PipelineFile
import Runner
import Sanitizing

struct Preview: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "preview",
        abstract: "First rows of a stream after all transforms; nothing is written.",
        discussion: """
            Examples:
              cogni preview pipelines/openai-admin.yaml users
              cogni preview pipelines/usage-and-costs.yaml costs -n 50 --since 2025-11-01
              cogni preview pipelines/openai-admin.yaml projects --replay Fixtures/openai-admin/replay

            Rows are printed as the archive would hold them: NDJSON or CSV, masked and encrypted as the pipeline says. A
            child's rows come from its first parents.
            """
    )

    @Argument(help: "The pipeline file.", completion: .file(extensions: ["yaml", "yml"])) var pipeline: String
    @Argument(help: "The stream.") var stream: String
    @Option(name: [.customShort("n"), .customLong("rows")], help: "How many rows.") var count = 10
    @Option(help: ArgumentHelp("Reports and logs from this time on.", valueName: "time")) var since: String?
    @Option(help: ArgumentHelp("Reports and logs up to this time.", valueName: "time")) var until: String?
    @Option(help: ArgumentHelp("What is taken for now; the clock by default.", valueName: "time")) var now: String?
    @Option(
        help: ArgumentHelp("Answer from recorded replies instead of the network.", valueName: "dir"),
        completion: .directory
    )
    var replay: String?
    @Flag(help: "Print one JSON object with the rows; for pipelines that write NDJSON.") var json = false

    func validate() throws {
        if count < 1 || count > 100_000 { throw ValidationError("-n must be from 1 to 100000.") }
    }

    func run() async throws {
        let workspace = try Workspace(pipeline)
        let known = workspace.pipeline.connector.streams.map(\.name)
        guard known.contains(stream) else {
            throw Fault(
                .badPlan,
                "\(workspace.pipeline.connector.name) has no stream `\(stream)`",
                mend: Spelling.question(for: stream, in: known) ?? "`\(TypedCommand("discover", pipeline))` lists them"
            )
        }
        if json, workspace.pipeline.load.format == .csv {
            throw Fault(.badPlan, "the pipeline writes CSV, which --json can't show", mend: "leave --json out")
        }
        var options = RunOptions(
            now: try Workspace.now(now, replay: replay),
            output: workspace.output,
            runID: "preview"
        )
        options.since = try since.map { try Workspace.instant($0, "--since") }
        options.until = try until.map { try Workspace.instant($0, "--until") }
        try Workspace.refuseEmptySpan(options)
        let doors = try workspace.doors(transport: try workspace.transport(replay: replay), ring: try workspace.ring())
        let preview = StreamPreview(pipeline: workspace.pipeline, options: options, doors: doors)
        let (stream, count) = (stream, count)
        let outcome = await Interruption.whileRunning { () -> Result<StreamPreview.Rows, Fault> in
            do throws(Fault) { return .success(try await preview.rows(of: stream, count: count)) } catch {
                return .failure(error)
            }
        }
        let rows = try outcome.get()
        if json {
            let values = rows.lines.compactMap { try? JSONValue(parsing: Array($0)) }
            let told: JSONValue = ["stream": .string(stream), "more": .bool(rows.hasMore), "rows": .array(values)]
            try show(Array((told.pretty + "\n").utf8))
        } else {
            try show(rows.header + rows.lines.flatMap { $0 })
            let more = rows.hasMore ? ", more follow" : ""
            Terminal.error("\(rows.lines.count) rows of \(stream) from \(rows.requests) requests\(more)")
        }
    }

    /// A run looks at its files once more before it publishes them; here nothing else does.
    private func show(_ rows: [UInt8]) throws(Fault) { try Terminal.data(Terminal.sanitizer.withoutOwn(rows)) }
}
