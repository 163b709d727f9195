import ArgumentParser
import Console
import Disk
import Extract
import Ledger
import Load
import Model
import PipelineFile
import Reporting
import Runner

struct Plan: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "plan",
        abstract: "What a run would ask for and replace; no network.",
        discussion: """
            Examples:
              cogni plan pipelines/openai-admin.yaml
              cogni plan pipelines/usage-and-costs.yaml --since 2025-11-01 --now 2025-12-01T06:00:00Z
              cogni plan pipelines/openai-admin.yaml --streams costs,users --full-refresh --json

            Reports can be counted exactly. The length of a list is only known from the last time, and how many parents its
            children have as well; before the first run these are unknown, and come on top of the total. The time follows from
            the pace, from how many requests go side by side, and from how long the API took last time.
            """
    )

    @Argument(help: "The pipeline file.", completion: .file(extensions: ["yaml", "yml"])) var pipeline: String
    @Option(help: ArgumentHelp("Only these streams.", valueName: "a,b")) var streams: String?
    @Option(help: ArgumentHelp("Read reports and logs from this time on.", valueName: "time")) var since: String?
    @Option(help: ArgumentHelp("Read reports and logs up to this time.", valueName: "time")) var until: String?
    @Option(help: ArgumentHelp("What the run takes for now; the clock by default.", valueName: "time")) var now: String?
    @Flag(help: "As if nothing had been read before.") var fullRefresh = false
    @Option(help: ArgumentHelp("The folder above the pipeline's own.", valueName: "dir"), completion: .directory)
    var output: String?
    @Flag(help: "Print the plan as JSON on stdout.") var json = false

    func run() throws {
        let workspace = try Workspace(pipeline, output: output)
        var options = RunOptions(now: try Workspace.now(now, replay: nil), output: workspace.output, runID: "plan")
        options.streams = try workspace.streams(streams)
        options.since = try since.map { try Workspace.instant($0, "--since") }
        options.until = try until.map { try Workspace.instant($0, "--until") }
        try Workspace.refuseEmptySpan(options)
        options.fullRefresh = fullRefresh
        let current = try workspace.root.current()
        let forgotten = try Plan.forgotten(workspace, current)
        let forecast = try RunForecast(
            workspace.pipeline,
            options: options,
            current: current,
            forgotten: forgotten,
            past: try Plan.past(workspace)
        )
        options.isNowFromClock = now == nil
        options.pipelineFile = Disk.absolute(pipeline)
        let refusal = try workspace.refusal(options)
        if json {
            Terminal.out(document(forecast, workspace, options.now, current, refusal))
        } else {
            show(forecast, workspace, options.now, current, refusal)
        }
    }

    /// Streams of the current generation that the state knows nothing of any more: their cursor was reset.
    private static func forgotten(_ workspace: Workspace, _ current: Generation?) throws(Fault) -> Set<String> {
        let path = workspace.root.statePath
        guard let current, let store = try StateStore.openToRead(path, pipeline: workspace.pipeline.name) else {
            return []
        }
        defer { try? store.close() }
        // A state that follows another generation will be brought up to date by the run.
        guard try store.committedGeneration()?.manifestSHA256 == current.manifestSHA256 else { return [] }
        return Set(current.manifest.streams.map(\.name)).subtracting(try store.watermarks().map(\.stream))
    }

    /// What the ledger remembers of earlier runs.
    private static func past(_ workspace: Workspace) throws(Fault) -> PastRuns {
        let path = workspace.root.statePath
        guard let store = try StateStore.openToRead(path, pipeline: workspace.pipeline.name) else { return PastRuns() }
        defer { try? store.close() }
        return PastRuns(try store.runs())
    }

    private func show(
        _ forecast: RunForecast,
        _ workspace: Workspace,
        _ now: Instant,
        _ current: Generation?,
        _ refusal: Fault?
    ) {
        var table = TextTable(["stream", "from", "to", "walks", "requests", "replaces", "because"], numbers: [3, 4])
        for stream in forecast.streams {
            table.add(
                stream.isHelper ? "(\(stream.name))" : stream.name,
                stream.window?.start.text ?? "",
                stream.window?.end.text ?? "",
                stream.walks.map { Phrase.count($0) } ?? "?",
                stream.requests.map { Phrase.count($0) } ?? "?",
                Plan.partitions(stream),
                stream.basis
            )
        }
        Terminal.out(table.text)
        let more = forecast.isComplete ? "" : ", and as many more as the unknown lists take"
        let time = Phrase.time(milliseconds: forecast.seconds * 1000)
        let pace = workspace.pipeline.source.requestsPerMinute.map { ", at most \(Phrase.count($0)) a minute" } ?? ""
        Terminal.out("as of \(now.text): \(Phrase.count(forecast.requests, "request"))\(more)")
        let each = "\(forecast.millisecondsPerRequest) ms each" + (forecast.isMeasured ? " as last time" : "")
        Terminal.out("about \(time): \(workspace.pipeline.source.concurrency) at a time, \(each)\(pace)")
        Terminal.out(
            current.map { "on top of generation \($0.number) in \(workspace.output)" }
                ?? "the first run into \(workspace.output)"
        )
        if let refusal {
            Terminal.out("note: a run would end with \(refusal.code.exitCode): \(refusal.what); \(refusal.mend)")
        }
        let next = workspace.command("run").with("--streams", streams).with("--since", since).with("--until", until)
        Terminal.out("next: \(next.with("--now", self.now).with("--full-refresh", if: fullRefresh))")
    }

    private static func partitions(_ stream: RunForecast.Stream) -> String {
        switch stream.partitions {
        case []: return stream.isHelper ? "(for its children)" : "nothing"
        case [""]: return stream.existing == 0 ? "all, new" : "all"
        default:
            if stream.partitions.count == 1 { return stream.partitions[0] + (stream.existing == 0 ? ", new" : "") }
            let range = "\(stream.partitions[0])…\(stream.partitions[stream.partitions.count - 1])"
            return "\(range): \(stream.partitions.count), \(stream.existing) of them there"
        }
    }

    private func document(
        _ forecast: RunForecast,
        _ workspace: Workspace,
        _ now: Instant,
        _ current: Generation?,
        _ refusal: Fault?
    ) -> JSONValue {
        [
            "pipeline": .string(workspace.pipeline.name), "as_of": .string(now.text),
            "output": .string(workspace.output), "generation": current.map { .integer($0.number) } ?? nil,
            "requests": .integer(forecast.requests), "complete": .bool(forecast.isComplete),
            "seconds": .integer(forecast.seconds),
            "milliseconds_per_request": .integer(forecast.millisecondsPerRequest), "refusal": refusal?.json ?? nil,
            "streams": .array(
                forecast.streams.map { stream in
                    [
                        "name": .string(stream.name), "mode": .string(stream.mode),
                        "only_for_children": .bool(stream.isHelper),
                        "window": stream.window.map { ["from": .string($0.start.text), "to": .string($0.end.text)] }
                            ?? nil,
                        "walks": stream.walks.map { .integer($0) } ?? nil,
                        "requests": stream.requests.map { .integer($0) } ?? nil, "basis": .string(stream.basis),
                        "partitions": .strings(stream.partitions), "existing_partitions": .integer(stream.existing),
                    ]
                }
            ),
        ]
    }
}
