import ArgumentParser
import Console
import Load
import Model
import Reporting

struct Diff: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Compares what two manifests, generations or outputs hold.",
        discussion: """
            Examples:
              cogni diff output/openai-admin/generations/000011 output/openai-admin/current
              cogni diff old/manifest.json new/manifest.json --json
              cogni diff mine/openai-admin theirs/openai-admin

            Content counts: another compressor is no difference. Ends with 0 when both hold the same, with 1 otherwise.
            """
    )

    @Argument(help: "A manifest, a generation's folder, or an output (its current generation).", completion: .file())
    var before: String
    @Argument(help: "What to compare it with.", completion: .file()) var after: String
    @Flag(help: "Print the differences as JSON on stdout.") var json = false

    func run() throws {
        let difference = ManifestDiff(try Manifest(at: before), try Manifest(at: after))
        if json { Terminal.out(difference.json) } else { Terminal.out(difference.text) }
        guard difference.isSame else {
            let what = "\(Phrase.count(difference.streams.count, "stream")) differ"
            throw Ending(.difference, what, at: [before, after])
        }
    }
}
