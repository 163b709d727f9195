import ArgumentParser
import Connector
import Console
import Model
import PipelineFile

struct Validate: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "validate",
        abstract: "Finds every mistake in pipeline files; no network.",
        discussion: """
            Examples:
              cogni validate pipelines/openai-admin.yaml
              cogni validate pipelines/*.yaml --format github     for a check in GitHub Actions
              cogni validate pipelines/*.yaml --format sarif > cogni.sarif

            Ends with 0 when no file has a mistake (warnings are no mistakes), with 2 otherwise.
            """
    )

    @Argument(
        help: ArgumentHelp("Pipeline files.", valueName: "pipeline"),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var pipelines: [String]
    @Option(help: "text, json, github or sarif.") var format: Format = .text
    @Flag(help: "The same as --format json.") var json = false

    enum Format: String, ExpressibleByArgument, CaseIterable { case text, json, github, sarif }

    func run() throws {
        var all = Diagnostics()
        var valid: [Pipeline] = []
        for path in pipelines {
            let reading = try Validate.read(path)
            all += reading.diagnostics
            if let pipeline = reading.pipeline { valid.append(pipeline) }
        }
        switch json ? .json : format {
        case .text: say(all, valid)
        case .json: Terminal.out(all.json)
        case .github: if !all.isEmpty { Terminal.out(all.github) }
        case .sarif: Terminal.out(all.sarif)
        }
        if all.hasErrors { throw Ending(.badPlan, all.summary, at: all.filesWithMistakes) }
    }

    /// A file that can't be read is one more mistake in the list, so that the other files are still looked at.
    private static func read(_ path: String) throws(Fault) -> PipelineReader.Reading {
        do throws(Fault) { return try Workspace.read(path) } catch {
            let one = Diagnostic(.error, .unreadable, error.what, file: path, at: nil, hint: error.mend)
            return PipelineReader.Reading(pipeline: nil, diagnostics: Diagnostics([one]))
        }
    }

    private func say(_ all: Diagnostics, _ valid: [Pipeline]) {
        if !all.isEmpty { Terminal.out(all.text) }
        for pipeline in valid {
            let count = pipeline.streams.count
            Terminal.out(
                "\(pipeline.file): pipeline \(pipeline.name), \(count) stream\(count == 1 ? "" : "s"), no mistakes"
            )
        }
        if all.hasErrors {
            Terminal.out(all.summary)
        } else if let first = valid.first {
            if valid.contains(where: { $0.source.credential?.isEmpty ?? true }) {
                Terminal.out("note: \(first.source.missingCredential.what); a run needs it, --replay does not")
            }
            Terminal.out("next: \(TypedCommand("plan", first.file))   \(TypedCommand("run", first.file))")
        }
    }
}
