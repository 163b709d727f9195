import ArgumentParser
import Load
import Model

struct VacuumCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "vacuum",
        abstract: "Drops old generations.",
        discussion: """
            Examples:
              cogni vacuum output/openai-admin --keep 14 --dry-run
              cogni vacuum output/openai-admin --keep 14

            Kept are the newest ones and always the current one. Generations share files, so less may be freed than they
            weigh.
            """
    )

    @Argument(help: "A pipeline's output: the folder that holds `current`.", completion: .directory) var output: String
    @Option(help: ArgumentHelp("How many generations stay.", valueName: "n")) var keep: Int
    @Flag(help: "Only say what would go.") var dryRun = false
    @Flag(help: "Print what was dropped as JSON on stdout.") var json = false

    func run() throws {
        let root = try Output.published(output).root
        let vacuum =
            try dryRun
            ? Vacuum.plan(root, keep: keep)
            : Output.locked(root) { try Vacuum.perform(root, keep: keep, at: Output.now) }
        if json {
            Terminal.out(.object([.init("dry_run", .bool(dryRun))] + (vacuum.json.members ?? [])))
            return
        }
        let verb = dryRun ? "would drop" : "dropped"
        for entry in vacuum.dropped { Terminal.out("\(verb) \(entry.path), \(ByteSize(bytes: entry.bytes).text)") }
        let freed = vacuum.dropped.reduce(0) { $0 + $1.bytes }
        Terminal.out(
            "\(verb) \(vacuum.dropped.count), \(ByteSize(bytes: freed).text); kept \(vacuum.kept.map(String.init).joined(separator: ", "))"
        )
    }
}
