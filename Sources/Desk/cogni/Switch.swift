import Console
import Disk
import Ledger
import Load
import Model
import PipelineFile
import Reporting

/// The pipeline's switch: `enabled:` in its file, and what `cogni disable` or too many failures left in the state.
enum Switch {
    static func check(_ workspace: Workspace) throws(Fault) {
        guard workspace.pipeline.enabled else {
            throw Fault(
                .disabled,
                "\(workspace.pipeline.file) says `enabled: false`",
                mend: "set `enabled: true` to run it"
            )
        }
        let path = workspace.root.statePath
        guard let store = try StateStore.openToRead(path, pipeline: workspace.pipeline.name) else { return }
        defer { try? store.close() }
        if let flag = try store.flag(), !flag.enabled {
            throw Fault(
                .disabled,
                "pipeline \(workspace.pipeline.name) was switched off by \(flag.by) at \(flag.at.text): \(flag.reason)",
                mend: "mend the cause, then: cogni enable \(workspace.pipeline.file)"
            )
        }
    }

    /// Counts failures in a row; after as many as the pipeline file allows, it is switched off.
    static func note(_ summary: RunSummary, _ workspace: Workspace) throws(Fault) {
        // Our own lock, a stop by hand and a dry run say nothing about the pipeline.
        guard summary.outcome != .dryRun, summary.outcome != .interrupted else { return }
        let store = try StateStore.open(workspace.root.statePath, pipeline: workspace.pipeline.name)
        defer { try? store.close() }
        if summary.exitCode == 0 {
            try store.countSuccess()
        } else {
            let flag = try store.countFailure(
                limit: workspace.pipeline.alerts.disableAfterFailures,
                at: Instant(seconds: Console.wallSeconds)
            )
            if !flag.enabled {
                Terminal.error("pipeline \(workspace.pipeline.name) is switched off now: \(flag.reason)")
            }
        }
    }
}
