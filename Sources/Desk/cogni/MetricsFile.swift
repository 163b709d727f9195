import Disk
import Ledger
import Load
import Model
import PipelineFile
import Runner
import Sanitizing
import Telemetry

/// The metrics of a pipeline, from its state: as text, as a file for node_exporter, for a Pushgateway.
struct MetricsFile {
    let workspace: Workspace

    var path: String { workspace.pipeline.metrics.file ?? workspace.root.path + "/metrics.prom" }

    /// What the state knows now. Empty: no run has ended yet.
    func text(_ store: StateStore) throws(Fault) -> String {
        MetricsText.render(try measures(store), pipeline: workspace.pipeline.name)
    }

    func json(_ store: StateStore) throws(Fault) -> JSONValue {
        MetricsText.json(try measures(store), pipeline: workspace.pipeline.name)
    }

    private func measures(_ store: StateStore) throws(Fault) -> [Measure] {
        var measures = try store.measures().map(\.measure)
        guard !measures.isEmpty else { return [] }
        let flag = try store.flag()
        let isOn = workspace.pipeline.enabled && flag?.enabled != false
        measures.append(Measure("admin_pipeline_enabled", isOn ? 1 : 0))
        measures.append(Measure("admin_consecutive_failures", flag?.consecutiveFailures ?? 0))
        let outbox = try store.outbox()
        measures.append(Measure("admin_webhook_waiting", outbox.count { $0.state == .waiting }))
        measures.append(Measure("admin_webhook_given_up", outbox.count { $0.state == .givenUp }))
        let sanitizer = Terminal.sanitizer
        for index in measures.indices {
            measures[index].labels = measures[index].labels.map { Measure.Label($0.name, sanitizer.clean($0.value)) }
        }
        return measures
    }

    /// Old numbers or new ones, never a part: the file is swapped in.
    func write(_ store: StateStore) throws(Fault) {
        let text = try text(store)
        guard !text.isEmpty else { return }
        try onDisk { () throws(DiskError) in
            try Disk.replace(path, with: Array(text.utf8))
            // node_exporter is another user, and a careful runner's umask is 077. There is no secret in it.
            if workspace.pipeline.metrics.file != nil { try Disk.setMode(path, 0o644) }
        }
    }

    /// `nil` when the gateway took them; otherwise why not.
    func push(_ store: StateStore, to gateway: String) async throws(Fault) -> String? {
        let text = try text(store)
        guard !text.isEmpty else { return nil }
        let answer = await (try WebPost()).send(
            text,
            to: "\(gateway)/metrics/job/cogni/pipeline/\(workspace.pipeline.name)",
            headers: [("Content-Type", "text/plain; version=0.0.4")],
            networks: OwnServices.networks,
            within: .seconds(5)
        )
        return answer.isGood ? nil : answer.text
    }
}
