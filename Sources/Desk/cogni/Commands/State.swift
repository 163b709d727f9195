import ArgumentParser
import Disk
import Ledger
import Load
import Model
import PipelineFile
import Runner

struct State: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "state",
        abstract: "Shows, resets, exports or rebuilds cursors.",
        discussion: """
            Examples:
              cogni state show pipelines/openai-admin.yaml
              cogni state reset pipelines/openai-admin.yaml --stream costs
              cogni state export pipelines/openai-admin.yaml > state.json
              cogni state rebuild pipelines/openai-admin.yaml

            The state is `state.sqlite` in the pipeline's output. It holds no record and no secret, and can always be built
            again from the current generation's manifest.
            """,
        subcommands: [Show.self, Reset.self, Export.self, Rebuild.self]
    )

    struct Place: ParsableArguments {
        @Argument(help: "The pipeline file.", completion: .file(extensions: ["yaml", "yml"])) var pipeline: String
        @Option(help: ArgumentHelp("The folder above the pipeline's own.", valueName: "dir"), completion: .directory)
        var output: String?

        func workspace() throws -> Workspace { try Workspace(pipeline, output: output) }
    }

    /// The state as it is, or a fault that says that there is none.
    private static func export(_ workspace: Workspace, runs: Int) throws -> JSONValue {
        let path = workspace.root.statePath
        guard let store = try StateStore.openToRead(path, pipeline: workspace.pipeline.name) else {
            throw missing(workspace)
        }
        defer { try? store.close() }
        return try store.export(runLimit: runs)
    }

    static func missing(_ workspace: Workspace) -> Fault {
        Fault(
            .badPlan,
            "there is no state yet at \(workspace.root.statePath)",
            mend: "run the pipeline first; if a generation is there, `\(workspace.command("state rebuild"))`"
        )
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Cursors, switch, and what a stopped run has left open."
        )
        @OptionGroup var place: Place
        @Flag(help: "Print the state as JSON on stdout.") var json = false

        func run() throws {
            let workspace = try place.workspace()
            let state = try State.export(workspace, runs: 5)
            if json { return Terminal.out(state) }
            var table = TextTable(["stream", "watermark", "covered from", "covered to", "generation"], numbers: [4])
            for stream in state["streams"]?.elements ?? [] {
                table.add(
                    stream["stream"]?.text ?? "",
                    stream["watermark"]?.text ?? "whole list",
                    stream["coverage"]?["from"]?.text ?? "",
                    stream["coverage"]?["to"]?.text ?? "",
                    stream["generation"]?.integer.map(String.init) ?? ""
                )
            }
            Terminal.out(table.text)
            if let generation = state["generation"]?["generation"]?.integer {
                Terminal.out("generation \(generation), committed \(state["generation"]?["committed"]?.text ?? "")")
            }
            if let plan = state["open_plan"], !plan.isNull {
                let slices = state["slices"]?.elements ?? []
                let done = slices.count { $0["state"]?.text == "done" }
                Terminal.out(
                    "a run that stopped is open (as of \(plan["as_of"]?.text ?? "")): \(done) of \(slices.count) walks done"
                )
            }
            if let flag = state["switch"], flag["enabled"]?.boolean == false {
                Terminal.out(
                    "switched off by \(flag["by"]?.text ?? "") at \(flag["at"]?.text ?? ""): \(flag["reason"]?.text ?? "")"
                )
            }
        }
    }

    struct Export: ParsableCommand {
        static let configuration = CommandConfiguration(commandName: "export", abstract: "The whole state as JSON.")
        @OptionGroup var place: Place
        @Flag(help: "Accepted for uniformity; the export is JSON anyway.") var json = false

        func run() throws { Terminal.out(try State.export(try place.workspace(), runs: 1000)) }
    }

    struct Reset: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reset",
            abstract: "Forgets cursors, so that the next run reads from the beginning.",
            discussion:
                "Archives, history and switch stay; partitions are replaced when the next run has read them again."
        )
        @OptionGroup var place: Place
        @Option(help: ArgumentHelp("Only these streams.", valueName: "a,b")) var stream: String?
        @Flag(help: "Print what was done as JSON on stdout.") var json = false

        func run() throws {
            let workspace = try place.workspace()
            let streams = try workspace.streams(stream, "--stream")
            let root = workspace.root
            var hadAny = false
            // A lock file would make a folder where there is none.
            if try Disk.exists(root.statePath) {
                hadAny = try Output.locked(root) {
                    guard let store = try StateStore.openExisting(root.statePath, pipeline: workspace.pipeline.name)
                    else { return false }
                    defer { try? store.close() }
                    return try store.reset(streams: streams)
                }
            }
            if json { return Terminal.out(["reset": .bool(hadAny), "stream": .optional(stream)]) }
            let what =
                streams.map { "the cursor\($0.count == 1 ? "" : "s") of \($0.sorted().joined(separator: ", "))" }
                ?? "all cursors"
            Terminal.out(hadAny ? "forgot \(what)" : "there was nothing to forget")
            if hadAny { Terminal.out("next: \(workspace.command("plan"))") }
        }
    }

    struct Rebuild: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rebuild",
            abstract: "Makes the state anew from the current generation's manifest.",
            discussion: """
                The old file is kept beside it as state.sqlite.damaged-1, or with a higher number. The switch is taken over from
                it, or where it can't be read from the trail audit/control.ndjson; the list of runs, counters and waiting events
                begin anew.
                """
        )
        @OptionGroup var place: Place
        @Flag(help: "Print what was done as JSON on stdout.") var json = false

        func run() throws {
            let workspace = try place.workspace()
            let root = workspace.root
            try root.refuseMissing()
            var kept = KeptSwitch()
            let generation = try Output.locked(root) { () throws -> Generation? in
                let current = try root.current()
                kept = KeptSwitch(of: workspace)
                let commit = current.map {
                    GenerationCommit(of: $0, reason: .rebuild, runID: RunID.make(now: Output.now), at: Output.now)
                }
                let store = try StateStore.rebuild(
                    root.statePath,
                    pipeline: workspace.pipeline.name,
                    from: commit,
                    flag: kept.flag
                )
                try store.close()
                return current
            }
            if json {
                return Terminal.out([
                    "rebuilt": true, "generation": generation.map { .integer($0.number) } ?? nil,
                    "enabled": .bool(kept.flag?.enabled ?? true), "switch_from": .optional(kept.source?.rawValue),
                    "waiting_events_lost": kept.waiting.map { .integer($0) } ?? nil,
                ])
            }
            let source = generation.map { "generation \($0.number)" } ?? "nothing: no generation was ever published"
            Terminal.out("the state was rebuilt from \(source)")
            for line in kept.lines { Terminal.out(line) }
        }
    }
}
