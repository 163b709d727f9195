import ArgumentParser
import Console
import Load
import Model
import Reporting

struct Verify: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Re-reads archives to their end against their manifest.",
        discussion: """
            Examples:
              cogni verify output/openai-admin
              cogni verify output/openai-admin --all
              cogni verify output/openai-admin --generation 12 --json

            Compares bytes, SHA-256, content and rows of every file, looks for files that nobody named, and follows the
            chain of generations. Ends with 1 when anything is not as the manifest says.
            """
    )

    @Argument(help: "A pipeline's output: the folder that holds `current`.", completion: .directory) var output: String
    @Option(help: ArgumentHelp("This generation instead of the current one.", valueName: "n")) var generation: Int?
    @Flag(help: "Every generation.") var all = false
    @Flag(help: "Print the report as JSON on stdout.") var json = false

    func validate() throws {
        if all, generation != nil { throw ValidationError("--all and --generation exclude each other.") }
    }

    func run() throws {
        let root = try Output.published(output).root
        if let generation, try !root.generations().contains(generation) {
            let known = try root.generations().map(String.init).joined(separator: ", ")
            throw Fault(
                .badPlan,
                "there is no generation \(generation) below `\(output)`",
                mend: "use one of: \(known)"
            )
        }
        var verifier = Verifier(root)
        let report = try verifier.verify(all ? .all : generation.map { .one($0) } ?? .current)
        if json {
            Terminal.out(report.json)
        } else {
            Terminal.out(report.text)
            if !report.isGood {
                let rollback = TypedCommand("rollback", root.path).with("--to", "GEN")
                Terminal.error("next: \(rollback)   or   cogni run PIPELINE --full-refresh")
            }
        }
        guard report.isGood else {
            let what = "\(Phrase.count(report.findings.count, "finding")): not what the manifest says"
            throw Ending(.difference, what, at: [root.path])
        }
    }
}
