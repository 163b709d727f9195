import ArgumentParser
import Connector
import Model
import PipelineFile

struct Schema: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints a JSON Schema for editors.",
        discussion: """
            Examples:
              cogni schema pipeline > pipeline.schema.json
              cogni schema connector > connector.schema.json
              cogni schema pipeline --connector ./my-api.yaml

            An editor with a YAML language server completes and checks a pipeline file that begins with
              # yaml-language-server: $schema=pipeline.schema.json
            """
    )

    enum Kind: String, ExpressibleByArgument, CaseIterable { case pipeline, connector, manifest }

    @Argument(help: "pipeline, connector or manifest.") var kind: Kind
    @Option(help: "For `pipeline`: whose streams and fields; built in, or a connector file.")
    var connector = "openai_admin"

    func run() throws {
        switch kind {
        case .pipeline: Terminal.out(JSONSchemas.pipeline(try Catalog.connector(connector)))
        case .connector: Terminal.out(JSONSchemas.connector)
        case .manifest: Terminal.out(JSONSchemas.manifest)
        }
    }
}
