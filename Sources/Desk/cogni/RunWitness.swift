import Console
import Disk
import Ledger
import Load
import Model
import PipelineFile
import Reporting
import Runner
import Synchronization
import Telemetry

/// Tells everyone who wants to know that a run began and how it ended: lineage, metrics, webhook, log. None of it fails the run.
struct RunWitness: Sendable {
    let workspace: Workspace
    let options: RunOptions
    let log: RunLogFile
    let state = LeftState()

    func began() async {
        note("lineage", await Lineage(workspace: workspace, options: options).began())
    }

    /// - Parameter fault: why there is no summary.
    func ended(_ summary: RunSummary?, _ fault: Fault?) async {
        // A run that another one kept from beginning has nothing to tell.
        guard fault?.code != .locked, fault?.code != .disabled else { return }
        note("run log", log.problem)
        if log.hasBegun { note("lineage", await Lineage(workspace: workspace, options: options).ended(summary, fault)) }
        await RunWitness.tell(workspace, in: state.store)
        note("run log", RunLogFile.dropOld(workspace.root, at: Instant(seconds: Console.wallSeconds)))
    }

    /// Sends what waits in the outbox, then writes the metrics, which say what still waits.
    /// - Parameter left: the state as the run has left it open; `nil`: it is to be opened.
    static func tell(_ workspace: Workspace, in left: StateStore? = nil) async {
        let store: StateStore
        do throws(Fault) {
            try workspace.root.refuseLinks()
            // A run that failed before any had begun here has left no state, and nothing to tell.
            let (path, name) = (workspace.root.statePath, workspace.pipeline.name)
            let known = if let left { left } else { try StateStore.openExisting(path, pipeline: name) }
            guard let known else { return }
            store = known
        } catch {
            // Told, not fatal: what waits in the outbox goes with the next run.
            Terminal.error("warning: state: \(error.what); neither metrics nor events were sent")
            return
        }
        defer { if left == nil { try? store.close() } }
        do throws(Fault) {
            for line in try await Courier(workspace).deliver(store).notes { Terminal.error("warning: \(line)") }
        } catch { Terminal.error("warning: webhook: \(error.what); \(error.mend)") }
        let metrics = MetricsFile(workspace: workspace)
        do throws(Fault) { try metrics.write(store) } catch { Terminal.error("warning: metrics: \(error.what)") }
        guard let gateway = workspace.pipeline.metrics.pushgateway else { return }
        do throws(Fault) {
            if let problem = try await metrics.push(store, to: gateway) {
                Terminal.error("warning: the Pushgateway did not take the metrics: \(problem)")
            }
        } catch { Terminal.error("warning: metrics: \(error.what)") }
    }

    /// For commands that are given an output: whom its last run knew of. What can't be sent now goes with the next run.
    static func tell(_ root: OutputRoot) async {
        guard let name = try? root.current()?.manifest.pipeline,
            let store = try? StateStore.openExisting(root.statePath, pipeline: name)
        else { return }
        defer { try? store.close() }
        guard let listener = try? store.listener(), let reading = try? Workspace.read(listener.file),
            let pipeline = reading.pipeline, pipeline.name == name
        else { return }
        Terminal.hide(
            [pipeline.source.credential, pipeline.alerts.webhook, pipeline.alerts.webhookSecret].compactMap(\.self)
        )
        let courier = Courier(
            alerts: pipeline.alerts,
            now: { Instant(seconds: Console.wallSeconds) },
            milliseconds: { Console.milliseconds }
        )
        do throws(Fault) {
            for line in try await courier.deliver(store).notes { Terminal.error("warning: \(line)") }
        } catch { Terminal.error("warning: webhook: \(error.what); \(error.mend)") }
    }

    private func note(_ what: String, _ problem: String?) {
        if let problem { Terminal.error("warning: \(what): \(problem)") }
    }
}

/// The state as a run has left it: open, so that telling of the run does not check all of it again.
final class LeftState: Sendable {
    private let left = Mutex<StateStore?>(nil)

    var store: StateStore? { left.withLock { $0 } }
    func keep(_ store: StateStore) { left.withLock { $0 = store } }
}

extension Courier {
    init(_ workspace: Workspace) {
        self.init(
            alerts: workspace.pipeline.alerts,
            now: { Instant(seconds: Console.wallSeconds) },
            milliseconds: { Console.milliseconds }
        )
    }
}
