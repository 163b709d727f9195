import ArgumentParser
import Console
import CurlTransport
import Disk
import Extract
import Load
import Model
import PipelineFile
import RecordScan
import Reporting
import Runner
import Sanitizing
import StageClock
import Synchronization

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs a pipeline: fetch, transform, publish a generation.",
        discussion: """
            Examples:
              cogni run pipelines/openai-admin.yaml
              cogni run pipelines/openai-admin.yaml --replay Fixtures/openai-admin/replay --output output/recorded
              cogni run pipelines/openai-admin.yaml --streams users,costs --since 2025-11-01
              cogni run pipelines/openai-admin.yaml --dry-run --json
              cogni run pipelines/openai-admin.yaml --probe         once, though it has switched itself off
              cogni run pipelines/openai-admin.yaml --accept-shrink users
              cogni run pipelines/openai-admin.yaml --profile

            Run again after any failure: it goes on where it stopped, and publishes nothing twice.
            """
    )

    @Argument(help: "The pipeline file.", completion: .file(extensions: ["yaml", "yml"])) var pipeline: String
    @Option(help: ArgumentHelp("Only these streams.", valueName: "a,b")) var streams: String?
    @Option(help: ArgumentHelp("Read reports and logs from this time on.", valueName: "time")) var since: String?
    @Option(help: ArgumentHelp("Read reports and logs up to this time.", valueName: "time")) var until: String?
    @Option(help: ArgumentHelp("What the run takes for now; the clock by default.", valueName: "time")) var now: String?
    @Flag(help: "Forget what earlier runs read of these streams, and read all again.") var fullRefresh = false
    @Flag(help: "Run once though the pipeline has switched itself off; success switches it on again.") var probe = false
    @Option(
        help: ArgumentHelp(
            "Publish these streams although they lost more rows than their guards allow; may be repeated.",
            valueName: "stream"
        )
    )
    var acceptShrink: [String] = []
    @Flag(help: "Fetch and transform, compare with the current generation, publish nothing.") var dryRun = false
    @Option(
        help: ArgumentHelp("Answer from recorded replies instead of the network.", valueName: "dir"),
        completion: .directory
    )
    var replay: String?
    @Option(help: ArgumentHelp("The folder above the pipeline's own.", valueName: "dir"), completion: .directory)
    var output: String?
    @Option(help: ArgumentHelp("Memory for rows that wait to be written.", valueName: "size")) var maxMemory: String?
    @Option(help: "auto, plain or none.") var progress: ProgressStyle = .auto
    @Flag(help: "Say how many seconds and bytes each stage took.") var profile = false
    @Flag(help: "Print the summary as JSON on stdout.") var json = false

    enum ProgressStyle: String, ExpressibleByArgument, CaseIterable { case auto, plain, none }

    func run() async throws {
        do { try await walk() } catch {
            // Scripts that asked for JSON get a summary, however early the run ended.
            if json, !Terminal.hasShownJSON, let fault = error as? Fault ?? (error as? Ending)?.fault {
                let told: JSONValue = [
                    "format": "cogni-run/1", "outcome": "failed", "exit_code": .integer(fault.code.exitCode),
                    "streams": [], "faults": [fault.json],
                ]
                Terminal.out(.object((told.members ?? []) + ((error as? Ending)?.members ?? [])))
            }
            throw error
        }
    }

    private func walk() async throws {
        // Reading the files takes one core; the other has nothing to do meanwhile.
        if replay == nil { CurlEngine.openAhead() }
        let workspace = try Workspace(pipeline, output: output)
        let isProbe = try Switch.check(workspace, isProbe: probe)
        let start = try Workspace.now(now, replay: replay)
        var options = RunOptions(now: start, output: workspace.output, runID: RunID.make(now: start))
        options.isNowFromClock = now == nil && replay == nil
        options.isReplay = replay != nil
        options.pipelineFile = Disk.absolute(pipeline)
        options.streams = try workspace.streams(streams)
        options.since = try since.map { try Workspace.instant($0, "--since") }
        options.until = try until.map { try Workspace.instant($0, "--until") }
        try Workspace.refuseEmptySpan(options)
        options.fullRefresh = fullRefresh
        options.dryRun = dryRun
        if !acceptShrink.isEmpty {
            let names = acceptShrink.joined(separator: ",")
            options.acceptShrink = try workspace.streams(names, "--accept-shrink") ?? []
        }
        if let maxMemory {
            guard let size = ByteSize(text: maxMemory), size.bytes >= 16 << 20 else {
                throw Fault(
                    .badPlan,
                    "--max-memory \(maxMemory) is not a size of at least 16MiB",
                    mend: "write it as 256MB"
                )
            }
            options.memoryForRows = size.bytes / 3
        }
        options.isProbe = isProbe
        options.pipelinePath = Environment.absolute(pipeline)
        let log = RunLogFile(workspace.root, runID: options.runID, sanitizer: Terminal.sanitizer)
        let witness = RunWitness(workspace: workspace, options: options, log: log)
        let clock = profile ? StageClock() : nil
        let summary: RunSummary
        do {
            summary = try await go(workspace, options, witness, clock)
        } catch let fault as Fault {
            record(fault, workspace, options, log)
            await witness.ended(nil, fault)
            throw fault
        }
        await witness.ended(summary, nil)
        if summary.outcome != .dryRun, let store = witness.state.store,
            let word = Switch.word(workspace, before: !isProbe, in: store)
        {
            Terminal.error(word)
        }
        show(summary, workspace, clock.map { profile($0, summary) })
        if let fault = summary.verdict { throw Ending(fault) }
    }

    private func record(_ fault: Fault, _ workspace: Workspace, _ options: RunOptions, _ log: RunLogFile) {
        let sanitizer = Terminal.sanitizer
        let failure = RunFailure(
            pipeline: workspace.pipeline,
            options: options,
            clean: { sanitizer.clean($0) },
            wall: Instant(seconds: Console.wallSeconds)
        )
        do throws(Fault) {
            if let entry = try failure.record(fault) { log.write(entry) }
        } catch {
            Terminal.error("warning: the failure could not be put on record: \(error.what)")
        }
    }

    private func go(
        _ workspace: Workspace,
        _ options: RunOptions,
        _ witness: RunWitness,
        _ clock: StageClock?
    ) async throws -> RunSummary {
        let transport = try workspace.transport(replay: replay)
        let ring = try workspace.ring()
        let count = options.streams?.count ?? workspace.pipeline.streams.count
        let view = ProgressView(style: style, streamCount: count)
        var doors = try workspace.doors(transport: transport, ring: ring) { view.show($0) }
        doors.log = { witness.log.write($0) }
        doors.began = { await witness.began() }
        doors.left = { witness.state.keep($0) }
        let run = PipelineRun(pipeline: workspace.pipeline, options: options, doors: doors)
        let outcome = await Interruption.whileRunning { () -> Result<RunSummary, Fault> in
            await StageClock.$current.withValue(clock) { () -> Result<RunSummary, Fault> in
                do throws(Fault) { return .success(try await run.run()) } catch { return .failure(error) }
            }
        }
        view.close()
        return try outcome.get()
    }

    private var style: ProgressBoard.Style {
        switch progress {
        case .none: return .none
        case .plain: return .plain
        case .auto:
            guard Console.isTerminal(2), let size = Console.size else { return .plain }
            return .terminal(width: size.width, height: size.height, color: Terminal.usesColor)
        }
    }

    private func profile(_ clock: StageClock, _ summary: RunSummary) -> RunProfile {
        let stages = clock.readings.map {
            RunProfile.Stage(name: "\($0.stage)", nanoseconds: $0.nanoseconds, bytes: $0.bytes)
        }
        return RunProfile(stages: stages, milliseconds: summary.milliseconds, kernel: PageScanner.kernel)
    }

    private func show(_ summary: RunSummary, _ workspace: Workspace, _ profile: RunProfile?) {
        if json {
            var members = summary.json.members ?? []
            if let profile { members.append(JSONValue.Member("profile", profile.json)) }
            Terminal.out(.object(members))
        }
        if !json || Terminal.lost != nil {
            // The table is the command's result, but it is for people: progress and it belong together on stderr.
            Terminal.progress(Terminal.clean(summary.table(width: Terminal.width, color: false)))
            if let profile { Terminal.progress(Terminal.clean(profile.table)) }
        }
        if summary.outcome == .published || summary.outcome == .unchanged, !json {
            let verify = TypedCommand("verify", workspace.output)
            let history = TypedCommand("history", workspace.output)
            Terminal.progress("next: \(verify)   \(history)\n")
        }
    }
}

/// Names runs: sortable by time, and different for two runs of one second.
/// `20251201T060000Z-0fr8k2x1`: when it began, to the millisecond (base 36, so that runs of one second sort as they came), and chance.
enum RunID {
    static func make(now: Instant) -> String {
        let wall = Console.wallMilliseconds
        let compact = Instant(seconds: wall / 1000).text.filter { $0 != "-" && $0 != ":" }
        let random = String(UInt32.random(in: 0...UInt32.max), radix: 36)
        return "\(compact)-\(String(wall % 1000, radix: 36).zeroPadded(2))\(random.zeroPadded(7))"
    }
}

/// Draws what happens during a run.
final class ProgressView: Sendable {
    private let board: Mutex<ProgressBoard>

    init(style: ProgressBoard.Style, streamCount: Int) {
        board = Mutex(ProgressBoard(style: style, streamCount: streamCount, at: Console.milliseconds))
    }

    func show(_ event: ProgressEvent) {
        let now = Console.milliseconds
        board.withLock { board in
            let text =
                switch event {
                case .started(let stream): board.start(stream, at: now)
                case .page(let stream, let rows, let fraction):
                    board.page(stream, rows: rows, fraction: fraction, at: now)
                case .ended(let stream, let failed): board.end(stream, failed ? .failed : .ok, at: now)
                case .note(let line): board.above(Terminal.cleanLine(line), at: now)
                }
            if !text.isEmpty { Terminal.progress(text) }
        }
    }

    func close() {
        let text = board.withLock { $0.close() }
        if !text.isEmpty { Terminal.progress(text) }
    }
}
