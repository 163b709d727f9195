import ArgumentParser
import Console
import Ledger
import Load
import Model
import PipelineFile

struct Metrics: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "metrics",
        abstract: "Prints the pipeline's metrics in Prometheus' text format, or pushes them.",
        discussion: """
            Examples:
              cogni metrics pipelines/openai-admin.yaml
              cogni metrics pipelines/openai-admin.yaml --write
              cogni metrics pipelines/openai-admin.yaml --push http://pushgateway:9091

            Every run writes them to `metrics.file` (metrics.prom in the pipeline's folder), and pushes them where
            `metrics.pushgateway` is set. Counters go on over restarts.
            """
    )
    @OptionGroup var place: State.Place
    @Flag(help: "Write the file instead of printing it.") var write = false
    @Flag(help: "Print them as JSON on stdout.") var json = false
    @Option(help: ArgumentHelp("Push to this Pushgateway instead of printing.", valueName: "url")) var push: String?

    func run() async throws {
        let workspace = try place.workspace()
        let path = workspace.root.statePath
        let nothing = Fault(
            .badPlan,
            "no run of \(workspace.pipeline.name) has ended yet, or none since its state was made anew",
            mend: workspace.command("run").description
        )
        guard let store = try StateStore.openToRead(path, pipeline: workspace.pipeline.name) else { throw nothing }
        defer { try? store.close() }
        // An empty answer would look like a pipeline without trouble, and an empty push like one that was taken.
        guard try !store.measures().isEmpty else { throw nothing }
        let metrics = MetricsFile(workspace: workspace)
        if write { try metrics.write(store) }
        if let push {
            var address = push
            while address.hasSuffix("/") { address.removeLast() }
            guard address.hasPrefix("http://") || address.hasPrefix("https://") else {
                throw Fault(.badPlan, "--push is no address", mend: "write it as http://pushgateway:9091")
            }
            if let problem = try await metrics.push(store, to: address) {
                throw Fault(
                    .unreachable,
                    "the Pushgateway did not take the metrics: \(problem)",
                    mend: "check its address; only public and private networks are spoken to, no link-local ones"
                )
            }
        }
        if json {
            return Terminal.out([
                "pipeline": .string(workspace.pipeline.name), "written": write ? .string(metrics.path) : .null,
                "pushed": .bool(push != nil), "metrics": try metrics.json(store),
            ])
        }
        if !write, push == nil { Terminal.out(String(try metrics.text(store).dropLast())) }
    }
}
