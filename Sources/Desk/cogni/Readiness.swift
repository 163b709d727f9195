import Extract
import KeyRing
import Model
import Runner

/// What would keep a run from beginning: the switch, the clock, another owner, other settings. `plan` and `check` must not promise
/// what `run` then refuses.
extension Workspace {
    /// - Parameter options: as the run would have them.
    /// - Returns: `nil` when a run would begin, as far as files can tell.
    func refusal(_ options: RunOptions) throws(Fault) -> Fault? {
        do throws(Fault) { try Switch.check(self) } catch { return error }
        // Without a key to seal with nothing can be said of settings; `check` and `run` tell of the key.
        let ring: KeyRing?
        do throws(Fault) { ring = try self.ring() } catch { return nil }
        let doors = try doors(transport: Silence(), ring: ring)
        return try PipelineRun(pipeline: pipeline, options: options, doors: doors).refusal()
    }

    /// For looking at files only.
    private struct Silence: Transport {
        func send(_ request: Request) async throws(TransportError) -> Reply {
            throw TransportError(.notRecorded, "nothing is asked")
        }
    }
}
