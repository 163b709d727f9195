import ArgumentParser
import Console
import Disk
import Extract
import Load
import Model
import PipelineFile
import Reporting
import Runner
import Sanitizing

struct Record: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "record",
        abstract: "Writes live replies to a fixture folder, made anonymous, for --replay.",
        discussion: """
            Examples:
              cogni record pipelines/openai-admin.yaml fixtures --since 2025-11-01
              cogni record pipelines/openai-admin.yaml fixtures --streams users,projects
              cogni run pipelines/openai-admin.yaml --replay fixtures --output output/recorded

            Secrets are masked. Ids of users, keys and projects, names, e-mail addresses and other personal fields are
            replaced by invented ones, the same one for the same value, so that streams still join. Look the files through
            before you share them: free text that no schema knows stays as it is.
            """
    )

    @Argument(help: "The pipeline file.", completion: .file(extensions: ["yaml", "yml"])) var pipeline: String
    @Argument(help: "The fixture folder; made if it is not there.", completion: .directory) var directory: String
    @Option(help: ArgumentHelp("Only these streams.", valueName: "a,b")) var streams: String?
    @Option(help: ArgumentHelp("Read reports and logs from this time on.", valueName: "time")) var since: String?
    @Option(help: ArgumentHelp("Read reports and logs up to this time.", valueName: "time")) var until: String?
    @Option(help: ArgumentHelp("What is taken for now; the clock by default.", valueName: "time")) var now: String?
    @Option(
        help: ArgumentHelp("Make another fixture folder anonymous instead of asking the network.", valueName: "dir"),
        completion: .directory
    )
    var replay: String?
    @Flag(help: "Print what was recorded as JSON on stdout.") var json = false

    func run() async throws {
        let workspace = try Workspace(pipeline)
        let now = try Workspace.now(now, replay: replay)
        let found = try onDisk { () throws(DiskError) in
            try Disk.exists(directory) ? try Disk.list(directory).filter { !$0.hasPrefix(".") } : []
        }
        guard found.isEmpty else {
            throw Fault(
                .badPlan,
                "\(directory) is not empty",
                mend: "name a new folder, so that old replies do not mix with new ones"
            )
        }
        let scratch = directory + "/.recording"
        var options = RunOptions(now: now, output: scratch, runID: RunID.make(now: now))
        options.streams = try workspace.streams(streams)
        options.since = try since.map { try Workspace.instant($0, "--since") }
        options.until = try until.map { try Workspace.instant($0, "--until") }
        try Workspace.refuseEmptySpan(options)
        options.dryRun = true
        // What is wrong with the command has been found before a folder is made for it.
        let source = try workspace.transport(replay: replay)
        try onDisk { () throws(DiskError) in try Disk.makeFolders(directory) }
        // The walks are those of a run that publishes nothing; what it needs on disk goes away again.
        defer { try? Disk.removeTree(scratch) }
        var pipeline = workspace.pipeline
        pipeline.transform.encryption = nil
        let sanitizer = workspace.sanitizer
        let anonymous = PseudonymTransport(
            source,
            connector: pipeline.connector,
            mask: { sanitizer.mask($0) }
        )
        let recording = try RecordingTransport(
            anonymous,
            directory: directory,
            connector: pipeline.connector,
            now: now,
            sanitize: { $0 }
        )
        let view = ProgressView(
            style: Console.isTerminal(2) ? .plain : .none,
            streamCount: options.streams?.count ?? pipeline.streams.count
        )
        let doors = try workspace.doors(transport: recording, ring: nil) { view.show($0) }
        let work = PipelineRun(pipeline: pipeline, options: options, doors: doors)
        let outcome = await Interruption.whileRunning { () -> Result<RunSummary, Fault> in
            do throws(Fault) { return .success(try await work.run()) } catch { return .failure(error) }
        }
        view.close()
        let summary = try outcome.get()
        let written = try await recording.finish()
        let replaced = await anonymous.replaced
        for fault in summary.faults.dropFirst() { Terminal.error(fault.description) }
        if json {
            Terminal.out([
                "directory": .string(directory), "replies": .integer(written), "pseudonyms": .integer(replaced),
                "now": .string(now.text), "streams": .integer(summary.streams.count),
                "failed": .strings(summary.streams.filter { $0.status == .failed || $0.status == .stale }.map(\.name)),
            ])
        } else {
            Terminal.out(
                "recorded \(written) replies of \(summary.streams.count) streams in \(directory), \(replaced) values replaced"
            )
            // Apart from what live runs write.
            let next = workspace.command("run").with("--replay", directory).with("--output", "output/recorded")
                .with("--streams", streams)
            if written > 0 { Terminal.out("next: \(next.with("--since", since).with("--until", until))") }
        }
        if let fault = summary.verdict { throw fault }
    }
}
