import Ledger
import Load
import Model
import PipelineFile

/// What of the old state no manifest tells, read before it is put aside: the switch, and how much waits in the outbox.
struct KeptSwitch {
    enum Source: String { case state, trail }

    private(set) var flag: PipelineSwitch?
    /// Where the switch was found; `nil`: neither could be read, or nobody has ever turned it.
    private(set) var source: Source?
    /// Events that were still to be sent; `nil` when the old state can't be read.
    private(set) var waiting: Int?
    private var isUnknown = false

    init() {}

    init(of workspace: Workspace) {
        do throws(Fault) {
            let path = workspace.root.statePath
            if let store = try StateStore.openToRead(path, pipeline: workspace.pipeline.name) {
                defer { try? store.close() }
                flag = try store.flag()
                waiting = try store.outbox().count { $0.state == .waiting }
                source = flag == nil ? nil : .state
                return
            }
        } catch {
            // The state is damaged: that is what it is rebuilt for.
            flag = nil
        }
        do throws(Fault) {
            flag = try ControlTrail.lastTurn(workspace.root)
            source = flag == nil ? nil : .trail
        } catch {
            isUnknown = true
        }
    }

    /// For people: how the switch stands, and what is gone.
    var lines: [String] {
        var lines: [String] = []
        if let flag, !flag.enabled {
            lines.append("the pipeline stays switched off by \(flag.by) since \(flag.at.text): \(flag.reason)")
        } else if isUnknown {
            lines.append("the pipeline is on: whether it was switched off could not be read")
        } else {
            lines.append("the pipeline is on")
        }
        let failures = source == .state ? "" : ", the count of failures in a row"
        let events = waiting.map { $0 == 1 ? "1 waiting event" : "\($0) waiting events" } ?? "events that waited"
        lines.append("begun anew: the list of runs, counters of metrics\(failures); not sent any more: \(events)")
        return lines
    }
}
