import ArgumentParser
import Console
import Disk
import KeyRing
import Ledger
import Load
import Model
import PipelineFile
import Reporting
import Runner
import Sealing
import Telemetry

struct Check: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check",
        abstract: "Is everything in place for a run? One line for each thing looked at.",
        discussion: """
            Examples:
              cogni check pipelines/openai-admin.yaml
              cogni check pipelines/openai-admin.yaml --offline
              cogni check pipelines/openai-admin.yaml --json

            All checks are made, whatever the first ones find. Without --offline each stream of the pipeline gets one small
            request, which shows whether the key has its scope. Ends with 0 when nothing failed, else with the exit code
            that a run would end with.
            """
    )

    @OptionGroup var place: State.Place
    @Flag(help: "Send no request.") var offline = false
    @Option(
        help: ArgumentHelp("Answer from recorded replies instead of the network.", valueName: "dir"),
        completion: .directory
    )
    var replay: String?
    @Flag(help: "Print the checks as JSON on stdout.") var json = false

    func run() async throws {
        let workspace = try place.workspace()
        let list = Checklist(workspace: workspace, isReplay: replay != nil)
        var findings = [list.file, list.enabled] + list.variables(place.pipeline) + [list.credential] + list.keyRing
        findings +=
            list.webhook + [list.output, list.space, list.lock, list.state, list.cursors, list.chain, list.clock]
        if findings.allSatisfy({ $0.fault == nil }) {
            // What failed already would only be told again.
            let now = try Workspace.now(nil, replay: replay)
            var options = RunOptions(now: now, output: workspace.output, runID: "check")
            options.isNowFromClock = replay == nil
            options.isReplay = replay != nil
            options.pipelineFile = Disk.absolute(place.pipeline)
            findings.append(list.settings(options))
        }
        if !offline { findings += await online(workspace) }
        let failed = findings.compactMap { $0.fault }
        if json {
            Terminal.out([
                "pipeline": .string(workspace.pipeline.name), "ok": .bool(failed.isEmpty),
                "checks": .array(findings.map(\.json)),
            ])
        } else {
            for finding in findings { Terminal.out(finding.text) }
            Terminal.out(
                failed.isEmpty
                    ? "ready: \(workspace.command("run").with("--replay", replay))"
                    : "\(failed.count) of \(findings.count) checks failed"
            )
        }
        if let worst = failed.max(by: { $0.code.gravity < $1.code.gravity }) { throw Ending(worst) }
    }

    /// The API, its clock beside ours, and what the key may ask for.
    private func online(_ workspace: Workspace) async -> [Checklist.Finding] {
        let network = NetworkChecks(workspace: workspace, replay: replay)
        let (api, clock) = await network.api()
        if api.fault != nil {
            return [
                api, Checklist.Finding(name: "scopes", detail: "not asked: the API did not answer", isWarning: true),
            ]
        }
        // Recorded replies say nothing about a key.
        return replay == nil ? [api, clock].compactMap(\.self) + (await network.scopes()) : [api]
    }
}
