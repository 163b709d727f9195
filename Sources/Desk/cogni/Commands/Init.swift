import ArgumentParser
import Connector
import Disk
import Load
import Model
import PipelineFile

struct Init: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "init",
        abstract: "Writes a starter pipeline, with recorded replies to try it on.",
        discussion: """
            Examples:
              cogni init
              cogni init my-pipeline
              cogni run my-pipeline/pipeline.yaml --replay my-pipeline/fixtures --output output/recorded

            Existing files are never overwritten. The replies are an invented organization's, so that the second command
            works without a key and without a network.
            """
    )

    @Argument(help: ArgumentHelp("The folder; made if it is not there.", valueName: "dir"), completion: .directory)
    var directory = "."
    @Flag(help: "Print the names of what was written as JSON on stdout.") var json = false

    func run() throws {
        var folder = directory
        while folder.count > 1, folder.hasSuffix("/") { folder.removeLast() }
        let files = StarterPipeline.files + StarterPipeline.fixtures.map { ("fixtures/" + $0.name, $0.text) }
        for (name, _) in files {
            let path = folder + "/" + name
            if try onDisk({ () throws(DiskError) in try Disk.exists(path) }) {
                throw Fault(
                    .badPlan,
                    "\(path) exists already; nothing was written",
                    mend: "name another folder: cogni init my-pipeline"
                )
            }
        }
        for (name, text) in files {
            let path = folder + "/" + name
            try onDisk { () throws(DiskError) in
                try Disk.makeFolders(Disk.parent(path))
                try Disk.create(path, Array(text.utf8))
            }
        }
        let pipeline = folder == "." ? "pipeline.yaml" : "\(folder)/pipeline.yaml"
        let fixtures = folder == "." ? "fixtures" : "\(folder)/fixtures"
        if json {
            return Terminal.out(["directory": .string(folder), "files": .strings(files.map(\.0))])
        }
        Terminal.out("wrote \(pipeline), \(StarterPipeline.files.count - 1) files beside it, and \(fixtures)/")
        // Apart from what a run with a key will write: invented rows and real ones may not meet.
        let trial = TypedCommand("run", pipeline).with("--replay", fixtures).with("--output", "output/recorded")
        let key = try BuiltinConnectors.connector(StarterPipeline.connector).credentialVariable
        Terminal.out("next, without a key:  \(trial)")
        Terminal.out(
            "then, with your key:  export \(key)=…   \(TypedCommand("check", pipeline))   \(TypedCommand("run", pipeline))"
        )
    }
}
