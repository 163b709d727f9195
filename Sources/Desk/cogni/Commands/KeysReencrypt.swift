import ArgumentParser
import KeyRing
import Load
import Model
import PipelineFile
import Runner
import Sealing

extension Keys {
    struct Reencrypt: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reencrypt",
            abstract: "Publishes a generation whose tokens are all of the active key; fetches nothing.",
            discussion: """
                Examples:
                  cogni keys rotate
                  cogni keys reencrypt pipelines/security-inventory.yaml
                  cogni verify output/security-inventory

                Every row stays. Files whose tokens are of that key already stay too. Killed at any moment, the generation before is in
                force, and the command can be given again. Pseudonyms have no way back: seal them anew with
                `cogni run --full-refresh`.
                """
        )
        @OptionGroup var pipeline: State.Place
        @Option(help: ArgumentHelp("The key; the active one by default.", valueName: "key")) var to: String?
        @Flag(help: "Print what was done as JSON on stdout.") var json = false

        func run() throws {
            let workspace = try pipeline.workspace()
            guard let ring = try workspace.ring() else {
                throw Fault(
                    .badPlan,
                    "\(workspace.pipeline.file) encrypts nothing",
                    mend: "give a pipeline with an `encrypt` step"
                )
            }
            let active = try ring.activeKey(for: workspace.tenant)
            let target = try to.map { name throws(Fault) in try ring.key(name) } ?? active
            let done = try Reencryption(
                pipeline: workspace.pipeline,
                root: workspace.root,
                ring: ring,
                target: target,
                runID: RunID.make(now: Output.now),
                now: Output.now,
                gate: workspace.gate
            ).perform()
            if json {
                return Terminal.out([
                    "key": .string(target.kid), "generation": .integer(done.generation),
                    "published": .bool(done.isPublished),
                    "partitions": .integer(done.partitions), "rows": .integer(done.rows), "kept": .integer(done.kept),
                ])
            }
            Terminal.out(
                done.isPublished
                    ? "generation \(done.generation): \(done.rows) rows in \(done.partitions) partitions are under \(target.kid) now, \(done.kept) partitions stayed"
                    : "all tokens are under \(target.kid) already"
            )
            if target.kid != active.kid {
                Terminal.error(
                    "warning: runs seal under \(active.kid), the active key; these tokens will not join theirs"
                )
            }
            Terminal.out("next: \(TypedCommand("verify", workspace.output))")
        }
    }
}
