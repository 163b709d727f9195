import ArgumentParser
import Connector
import Console
import Model
import RecordScan
import Sealing

/// Runs declarative pipelines: an organization's admin data into checked, partitioned archives.
@main
struct Cogni: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cogni",
        abstract: "Turns an admin API into checked, partitioned archives.",
        discussion: """
            First steps:
              cogni init my-pipeline        a starter pipeline with its comments
              cogni validate my-pipeline/pipeline.yaml
              cogni preview my-pipeline/pipeline.yaml users
              cogni run my-pipeline/pipeline.yaml

            Completion for your shell: cogni --generate-completion-script bash (or zsh, fish).

            A run needs the API's key in the environment; `cogni check` names the variable. Without one,
            --replay DIR runs on recorded replies. Results go to stdout, progress and errors to stderr.
            """,
        version: Version.text,
        groupedSubcommands: [
            CommandGroup(
                name: "Pipelines",
                subcommands: [
                    Init.self, Validate.self, Discover.self, Plan.self, Preview.self, Check.self, Run.self, Record.self,
                    Schema.self,
                ]
            ),
            CommandGroup(
                name: "Archives",
                subcommands: [
                    Verify.self, Diff.self, Reconcile.self, HistoryCommand.self, Logs.self, RollbackCommand.self,
                    VacuumCommand.self,
                ]
            ),
            CommandGroup(
                name: "State, switch and keys",
                subcommands: [
                    State.self, Enable.self, Disable.self, Alerts.self, Metrics.self, Keys.self, Decrypt.self,
                ]
            ),
        ]
    )

    static func main() async {
        Console.fillStandardDescriptors()
        ignoreLibraryVariables()
        // No core file, and nobody of the same user reads our memory or environment.
        forbidCoreDumps()
        KernelMemory.returnsToSystem()
        Interruption.watch()
        Terminal.hide(Environment.secrets)
        var command: any ParsableCommand
        do {
            let arguments = Console.arguments
            try Environment.refuseSecrets(in: arguments)
            let words = Array(arguments.dropFirst())
            try refuseUnknownCommand(words)
            command = try parseAsRoot(words)
        } catch {
            leave(with: error)
        }
        do {
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            leave(with: error)
        }
        if let lost = Terminal.lost { leave(with: lost) }
        Console.exit(0)
    }

    /// The parser would take the word for an argument, and complain of the first option behind it.
    private static func refuseUnknownCommand(_ words: [String]) throws(Fault) {
        var command: any ParsableCommand.Type = Cogni.self
        var path = "cogni"
        for word in words {
            let below = command.configuration.subcommands
            guard !below.isEmpty, !word.hasPrefix("-"), word != "help" else { return }
            guard let next = below.first(where: { $0.configuration.commandName == word }) else {
                let known = below.compactMap { $0.configuration.commandName }
                throw Fault(
                    .badPlan,
                    "there is no command `\(path) \(word)`",
                    at: ["command line"],
                    mend: Spelling.question(for: word, in: known) ?? "`\(path) --help` lists them"
                )
            }
            command = next
            path += " " + word
        }
    }

    /// Help and version go to stdout with exit 0, a wrong command line to stderr with 2, a fault with its own code.
    private static func leave(with error: any Error) -> Never {
        if exitCode(for: error) == .success {
            Terminal.help(fullMessage(for: error))
            if let lost = Terminal.lost { leave(with: lost) }
            Console.exitAtOnce(0)
        }
        var fault = fault(of: error)
        if let lost = Terminal.lost, fault != lost {
            // A difference is an answer, and this one did not arrive. A failure is one also without its words.
            if fault.code == .difference { fault = lost } else { Terminal.error("warning: \(lost.what)") }
        }
        let members = (error as? Ending)?.members ?? []
        Terminal.end(with: fault, asJSON: Console.arguments.contains("--json"), and: members)
        Console.exitAtOnce(fault.code.exitCode)
    }

    private static func fault(of error: any Error) -> Fault {
        if let fault = error as? Fault { return fault }
        if var fault = (error as? Ending)?.fault {
            fault.mend = ""  // stands beside what was shown
            return fault
        }
        // What is wrong with a command line is told with its words, and those may be anything.
        let what = message(for: error)
        let usage = fullMessage(for: error)
        let lines = usage.split(separator: "\n", omittingEmptySubsequences: false)
        let rest = lines.drop { !$0.hasPrefix("Help:") && !$0.hasPrefix("Usage:") }
        if !rest.isEmpty { Terminal.error(rest.joined(separator: "\n")) }
        return Fault(.badPlan, what.isEmpty ? "the command line is wrong" : what, at: ["command line"], mend: "")
    }
}

enum Version {
    static let text = "0.1.0"
}
