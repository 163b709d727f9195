import ArgumentParser
import Console
import Ledger
import Load
import Model
import PipelineFile
import Runner
import Sanitizing

struct Enable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "enable",
        abstract: "Switches a pipeline on.",
        discussion: """
            Examples:
              cogni enable pipelines/openai-admin.yaml
              cogni enable pipelines/openai-admin.yaml --reason "key renewed" --by ada

            Undoes `cogni disable`, and what a pipeline did to itself after too many failures in a row.
            """
    )
    @OptionGroup var turn: SwitchTurn

    func run() async throws { try await turn.set(true) }
}

struct Disable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "disable",
        abstract: "Switches a pipeline off: runs end with exit code 8.",
        discussion: """
            Examples:
              cogni disable pipelines/openai-admin.yaml --reason "moving to another organization"
            """
    )
    @OptionGroup var turn: SwitchTurn

    func run() async throws { try await turn.set(false) }
}

struct SwitchTurn: ParsableArguments {
    @OptionGroup var place: State.Place
    @Option(help: ArgumentHelp("Why; shown to whoever runs it.", valueName: "text")) var reason: String?
    @Option(help: ArgumentHelp("Who says so; the user's name by default.", valueName: "name")) var by: String?
    @Flag(help: "Print the switch as JSON on stdout.") var json = false

    /// While a run holds the lock its state is there, and the switch turns all the same. Where there is none, it is made
    /// under the lock.
    private func state(of workspace: Workspace) throws -> StateStore {
        let (root, name) = (workspace.root, workspace.pipeline.name)
        return try StateStore.openExisting(root.statePath, pipeline: name)
            ?? Output.locked(root) { try StateStore.open(root.statePath, pipeline: name) }
    }

    func set(_ enabled: Bool) async throws {
        let workspace = try place.workspace()
        let root = workspace.root
        if place.output != nil { try root.refuseMissing() }
        try root.refuseLinks()
        let store = try state(of: workspace)
        defer { try? store.close() }
        let names = [by, Environment.all["USER"], Environment.all["LOGNAME"], Console.user.name]
        let name = names.compactMap(\.self).first { !$0.isEmpty } ?? "someone"
        let why = reason ?? (enabled ? "switched on by hand" : "switched off by hand")
        // Switching on starts the count of failures anew; otherwise the first failure would switch it off again.
        let failures = enabled ? 0 : try store.flag()?.consecutiveFailures ?? 0
        let flag = PipelineSwitch(
            enabled: enabled,
            reason: Terminal.cleanLine(why),
            by: Terminal.cleanLine(name),
            at: Output.now,
            consecutiveFailures: failures,
            recent: enabled ? "" : try store.flag()?.recent ?? ""
        )
        let events = RunEvents(workspace.pipeline) { Terminal.sanitizer.clean($0) }
        try ControlTrail.note(flag, before: try store.flag()?.enabled ?? true, root)
        try store.setFlag(flag, events: events.turned(flag, runID: nil))
        await RunWitness.tell(workspace)
        if json {
            return Terminal.out([
                "pipeline": .string(workspace.pipeline.name), "enabled": .bool(enabled), "reason": .string(flag.reason),
                "by": .string(flag.by), "at": .string(flag.at.text),
                "enabled_in_file": .bool(workspace.pipeline.enabled),
            ])
        }
        Terminal.out("pipeline \(workspace.pipeline.name) is \(enabled ? "on" : "off"): \(flag.reason) (\(flag.by))")
        if enabled, !workspace.pipeline.enabled {
            Terminal.error("warning: \(workspace.pipeline.file) says `enabled: false`, which stands above this switch")
        }
    }
}
