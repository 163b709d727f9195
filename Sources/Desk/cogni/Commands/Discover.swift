import ArgumentParser
import Connector
import Model
import PipelineFile

struct Discover: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discover",
        abstract: "Lists streams: mode, primary key, cursor, fields.",
        discussion: """
            Examples:
              cogni discover openai_admin
              cogni discover openai_admin --stream usage_completions
              cogni discover pipelines/usage-and-costs.yaml --json
              cogni discover ./my-api.yaml

            For a pipeline, only the streams that it reads; with --all, all that its connector has.
            """
    )

    @Argument(
        help: ArgumentHelp(
            "A pipeline file, a connector file, or a built-in connector.",
            valueName: "pipeline|connector"
        ),
        completion: .file(extensions: ["yaml", "yml"])
    )
    var name: String
    @Option(help: "One stream in detail.") var stream: String?
    @Flag(help: "For a pipeline: streams that it does not read, too.") var all = false
    @Flag(help: "Print the streams with all their fields as JSON on stdout.") var json = false

    func run() throws {
        let (connector, pipeline) = try Catalog.find(name)
        var specs = pipeline.map { all ? $0.connector.streams : $0.streams.map(\.spec) } ?? connector.streams
        if let stream {
            guard let spec = connector.stream(stream) else {
                let known = connector.streams.map(\.name)
                throw Fault(
                    .badPlan,
                    "\(connector.name) has no stream `\(stream)`",
                    mend: Spelling.question(for: stream, in: known) ?? "`\(TypedCommand("discover", name))` lists them"
                )
            }
            specs = [spec]
        }
        if json {
            let list = specs.map { StreamCard(spec: $0, plan: plan($0, pipeline)).json }
            Terminal.out([
                "connector": .string(connector.name), "pipeline": .optional(pipeline?.name), "streams": .array(list),
            ])
        } else if let spec = specs.first, stream != nil {
            Terminal.out(StreamCard(spec: spec, plan: plan(spec, pipeline)).text)
        } else {
            show(specs, connector, pipeline)
        }
    }

    private func plan(_ spec: StreamSpec, _ pipeline: Pipeline?) -> Pipeline.StreamPlan? {
        pipeline?.streams.first { $0.spec.name == spec.name }
    }

    private func show(_ specs: [StreamSpec], _ connector: Connector, _ pipeline: Pipeline?) {
        var table = TextTable(["stream", "mode", "primary key", "cursor", "fields", "of"], numbers: [4])
        for spec in specs {
            let card = StreamCard(spec: spec, plan: plan(spec, pipeline))
            table.add(
                spec.name,
                spec.mode.rawValue,
                card.primaryKey.joined(separator: ", "),
                card.cursor,
                String(spec.columns.count),
                spec.parents.last?.stream ?? ""
            )
        }
        Terminal.out(table.text)
        Terminal.out("\(specs.count) streams of \(connector.title.isEmpty ? connector.name : connector.title)")
        Terminal.out("next: \(TypedCommand("discover", name).with("--stream", specs.first?.name ?? "NAME"))")
    }
}

/// One stream, described.
struct StreamCard {
    let spec: StreamSpec
    let plan: Pipeline.StreamPlan?

    var primaryKey: [String] {
        if let plan { return plan.primaryKey }
        let dimensions = Set(spec.grouping?.dimensions ?? [])
        return spec.primaryKey.filter { !dimensions.contains($0) }
    }

    /// What the next run goes on from.
    var cursor: String {
        switch spec.mode {
        case .report, .log: spec.timeColumn ?? ""
        case .snapshot: "whole list"
        case .singleton: "one object"
        }
    }

    var json: JSONValue {
        var members: [JSONValue.Member] = [
            .init("name", .string(spec.name)), .init("title", .string(spec.title)),
            .init("mode", .string(spec.mode.rawValue)), .init("primary_key", .strings(primaryKey)),
            .init("cursor", .optional(spec.timeColumn)), .init("path", .string(spec.path)),
            .init("pagination", .string(spec.pagination.style.rawValue)), .init("scope", .string(spec.scope)),
            .init("parents", .strings(spec.parents.map(\.stream))),
        ]
        if let grouping = spec.grouping { members.append(.init("group_by", .strings(grouping.dimensions))) }
        if let window = spec.window {
            members.append(.init("bucket_widths", .strings(window.widths)))
            members.append(.init("lookback", .string(TimeSpan(seconds: window.defaultLookback).text)))
        }
        if let plan, spec.grouping != nil { members.append(.init("grouped_by", .strings(plan.groupBy))) }
        members.append(.init("fields", .array(spec.archiveColumns.map(StreamCard.field))))
        return .object(members)
    }

    private static func field(_ column: Column) -> JSONValue {
        [
            "name": .string(column.name), "type": .string(column.kind.rawValue), "nullable": .bool(column.nullable),
            "sensitivity": .string(column.sensitivity.rawValue), "domain": .optional(column.domain),
            "description": .string(column.description),
        ]
    }

    var text: String {
        var lines = ["\(spec.name): \(spec.title)", ""]
        func line(_ name: String, _ value: String) {
            if !value.isEmpty { lines.append("  \(name)\(String(repeating: " ", count: 13 - name.count))\(value)") }
        }
        line("mode", spec.mode.rawValue)
        line("path", spec.path)
        line("scope", spec.scope)
        line("primary key", primaryKey.joined(separator: ", "))
        line("cursor", cursor)
        line("pages", spec.pagination.style.rawValue)
        line("under", spec.parents.map { "\($0.stream).\($0.column)" }.joined(separator: ", "))
        line("group by", spec.grouping?.dimensions.joined(separator: ", ") ?? "")
        if let window = spec.window {
            line("buckets", window.widths.joined(separator: ", "))
            line("lookback", (plan?.lookback ?? TimeSpan(seconds: window.defaultLookback)).text)
        }
        lines.append("")
        var table = TextTable(["field", "type", "null", "sensitivity", "domain", "about"])
        for column in spec.archiveColumns {
            table.add(
                column.name,
                column.kind.rawValue,
                column.nullable ? "yes" : "",
                column.sensitivity == .none ? "" : column.sensitivity.rawValue,
                column.domain ?? "",
                column.description
            )
        }
        return (lines + [table.text]).joined(separator: "\n")
    }
}
