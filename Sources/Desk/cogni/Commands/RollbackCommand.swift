import ArgumentParser
import Ledger
import Load
import Model
import Runner
import Sanitizing

struct RollbackCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rollback",
        abstract: "Makes an earlier generation the current one again.",
        discussion: """
            Examples:
              cogni history output/openai-admin
              cogni rollback output/openai-admin --to 11 --dry-run
              cogni rollback output/openai-admin --to 11

            Nothing is deleted. The cursors go back with the generation, so that the next run reads again what came after
            it; `rollback_log.ndjson` keeps a line. A rollback to a later generation works as well.
            """
    )

    @Argument(help: "A pipeline's output: the folder that holds `current`.", completion: .directory) var output: String
    @Option(help: ArgumentHelp("The generation's number.", valueName: "n")) var to: Int
    @Flag(help: "Only say what would be done.") var dryRun = false
    @Flag(help: "Print what was done as JSON on stdout.") var json = false

    func run() async throws {
        let root = try Output.published(output).root
        if dryRun { return show(try Rollback.plan(root, to: to, at: Output.now), root) }
        let entry = try Output.locked(root) { () throws -> Rollback? in
            let entry = try Rollback.perform(root, to: to, at: Output.now)
            let generation = try root.generation(to)
            let store = try StateStore.open(root.statePath, pipeline: generation.manifest.pipeline)
            defer { try? store.close() }
            let runID = RunID.make(now: Output.now)
            // Also when the link was right already: a rollback that was cut off after the swap is finished by this.
            let commit = GenerationCommit(of: generation, reason: .rollback, runID: runID, at: Output.now)
            try store.rebuild(from: commit, events: try events(store, generation, entry))
            if let entry {
                try ControlTrail.note(
                    "rollback",
                    root,
                    [.init("before", .integer(entry.from)), .init("after", .integer(to))]
                )
                try store.recordRun(
                    RunRecord(
                        runID: runID,
                        started: entry.at,
                        ended: entry.at,
                        outcome: .rolledBack,
                        exitCode: 0,
                        generation: to,
                        summary: entry.json
                    )
                )
            }
            return entry
        }
        if !dryRun { await RunWitness.tell(root) }
        show(entry, root)
    }

    /// The same words whether it was done or would be.
    private func show(_ entry: Rollback?, _ root: OutputRoot) {
        if json {
            Terminal.out([
                "dry_run": .bool(dryRun), "changed": .bool(entry != nil), "generation": .integer(to),
                "rollback": entry?.json ?? nil,
            ])
        } else if let entry {
            let before = OutputRoot.name(of: entry.from)
            if dryRun {
                Terminal.out("current would be generation \(to) instead of \(entry.from), and the cursors its cursors")
            } else {
                Terminal.out("current is generation \(to) again; it was \(entry.from). The cursors went back with it.")
            }
            let diff = TypedCommand("diff", "\(root.path)/generations/\(before)", root.path)
            Terminal.out("next: \(TypedCommand("verify", root.path))   \(diff)")
        } else {
            Terminal.out("generation \(to) is current already")
        }
    }

    /// What the receiver is told: also when the link was swapped by a rollback that did not live to tell.
    private func events(_ store: StateStore, _ target: Generation, _ entry: Rollback?) throws(Fault) -> [OutboxEvent] {
        let known = try store.committedGeneration()?.generation
        guard entry != nil || known != to else { return [] }
        let sanitizer = Terminal.sanitizer
        return RunEvents.rolledBack(
            pipeline: target.manifest.pipeline,
            from: entry?.from ?? known ?? to,
            to: to,
            manifestSHA256: target.manifestSHA256,
            at: entry?.at ?? Output.now,
            listener: try store.listener(),
            clean: { sanitizer.clean($0) }
        )
    }
}
