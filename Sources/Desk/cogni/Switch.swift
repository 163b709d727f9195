import Console
import Disk
import Ledger
import Load
import Model
import PipelineFile
import Reporting

/// The pipeline's switch: `enabled:` in its file, and what `cogni disable` or too many failures left in the state.
enum Switch {
    /// Throws `.disabled` when the pipeline is off.
    /// - Parameter isProbe: lets one run through a switch that the pipeline has turned off by itself.
    /// - Returns: whether the run was let through that way.
    @discardableResult
    static func check(_ workspace: Workspace, isProbe: Bool = false) throws(Fault) -> Bool {
        guard workspace.pipeline.enabled else {
            throw Fault(
                .disabled,
                "\(workspace.pipeline.file) says `enabled: false`",
                mend: "set `enabled: true` to run it"
            )
        }
        let path = workspace.root.statePath
        guard let store = try StateStore.openToRead(path, pipeline: workspace.pipeline.name) else { return false }
        defer { try? store.close() }
        guard let flag = try store.flag(), !flag.enabled else { return false }
        if isProbe, flag.isTripped { return true }
        let probe = flag.isTripped ? "try it with `\(workspace.command("run").with("--probe", if: true))`, or: " : ""
        throw Fault(
            .disabled,
            "pipeline \(workspace.pipeline.name) was switched off by \(flag.by) at \(flag.at.text): \(flag.reason)",
            mend: "mend the cause, then \(probe)\(workspace.command("enable"))"
        )
    }

    /// What the run's end did to the switch, for people, and for the trail.
    static func word(_ workspace: Workspace, before: Bool, in store: StateStore) -> String? {
        let flag: PipelineSwitch
        do throws(Fault) {
            guard let known = try store.flag() else { return nil }
            flag = known
        } catch {
            Terminal.error("warning: state: \(error.what); whether the run turned the switch is not known")
            return nil
        }
        if before != flag.enabled, flag.by == PipelineSwitch.itself {
            do throws(Fault) { try ControlTrail.note(flag, before: before, workspace.root) } catch {
                Terminal.error("warning: audit trail: \(error.what)")
            }
        }
        if before, !flag.enabled { return "pipeline \(workspace.pipeline.name) is switched off now: \(flag.reason)" }
        if !before, flag.enabled { return "pipeline \(workspace.pipeline.name) is switched on again: \(flag.reason)" }
        return before ? nil : "pipeline \(workspace.pipeline.name) stays off: \(flag.reason)"
    }
}
