import ArgumentParser
import Connector
import Model
import PipelineFile
import Reporting

struct Schema: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "schema",
        abstract: "Prints a JSON Schema for editors, or compares a connector with an API's own description.",
        discussion: """
            Examples:
              cogni schema pipeline > pipeline.schema.json
              cogni schema connector > connector.schema.json
              cogni schema pipeline --connector ./my-api.yaml
              cogni schema --compare openapi.yaml
              cogni schema --compare openapi.json --connector ./my-api.yaml --json

            An editor with a YAML language server completes and checks a pipeline file that begins with
              # yaml-language-server: $schema=pipeline.schema.json

            --compare takes an OpenAPI 3 document (JSON or YAML) and tells which paths, fields, types and values the connector
            and the document do not share. Ends with 0 when there is no difference, with 1 otherwise.
            """
    )

    enum Kind: String, ExpressibleByArgument, CaseIterable { case pipeline, connector, manifest }

    @Argument(help: "pipeline, connector or manifest.") var kind: Kind?
    @Option(help: "Whose streams and fields; built in, or a connector file.")
    var connector = "openai_admin"
    @Option(
        help: ArgumentHelp("An OpenAPI document to compare the connector with.", valueName: "file"),
        completion: .file(extensions: ["yaml", "yml", "json"])
    )
    var compare: String?
    @Flag(help: "With --compare: print the differences as JSON on stdout.") var json = false

    func run() throws {
        if let compare { return try run(comparing: compare) }
        guard let kind else {
            throw Fault(
                .badPlan,
                "nothing was asked for",
                mend: "say `cogni schema pipeline`, `connector` or `manifest`, or `--compare FILE`"
            )
        }
        switch kind {
        case .pipeline: Terminal.out(JSONSchemas.pipeline(try Catalog.connector(connector)))
        case .connector: Terminal.out(JSONSchemas.connector)
        case .manifest: Terminal.out(JSONSchemas.manifest)
        }
    }

    private func run(comparing file: String) throws {
        let connector = try Catalog.connector(connector)
        let document = try OpenAPIDocument(file: file, bytes: try InputFile.contents(file, limit: 64 << 20))
        let differences = SchemaComparison.differences(connector, document)
        if json {
            Terminal.out(
                [
                    "format": "cogni-schema-comparison/1", "connector": .string(connector.name),
                    "document": .string(file), "same": .bool(differences.isEmpty),
                    "differences": .array(differences.map(\.json)),
                ]
            )
        } else if differences.isEmpty {
            Terminal.out("\(connector.name) and \(file) describe the same")
        } else {
            var table = TextTable(["stream", "difference", "place", "detail"])
            for one in differences {
                table.add(one.stream.isEmpty ? "-" : one.stream, one.kind.rawValue, one.place, one.detail)
            }
            Terminal.out(table.text)
            Terminal.out("\(differences.count) differences")
        }
        guard differences.isEmpty else {
            let what = Phrase.count(differences.count, "difference")
            throw Ending(.difference, what, at: ["connector \(connector.name)", "document \(file)"])
        }
    }
}
