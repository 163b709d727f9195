import ArgumentParser
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

            A run needs the API's key in the environment (OPENAI_ADMIN_KEY). Without one, --replay DIR runs
            on recorded replies. Results go to stdout, progress and errors to stderr.
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
        // No core file, and nobody of the same user reads our memory or environment.
        forbidCoreDumps()
        KernelMemory.returnsToSystem()
        Interruption.watch()
        Terminal.hide(Environment.secrets)
        var command: any ParsableCommand
        do {
            let arguments = Console.arguments
            try Environment.refuseSecrets(in: arguments)
            command = try parseAsRoot(Array(arguments.dropFirst()))
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
        Console.exit(0)
    }

    /// Help and version go to stdout with exit 0, a wrong command line to stderr with 2, a fault with its own code.
    private static func leave(with error: any Error) -> Never {
        if exitCode(for: error) == .success {
            Terminal.help(fullMessage(for: error))
            Console.exitAtOnce(0)
        }
        let fault = fault(of: error)
        Terminal.end(with: fault, asJSON: Console.arguments.contains("--json"))
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
