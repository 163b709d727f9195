import Connector
import Console
import Extract
import Model
import PageMemory
import PipelineFile
import Runner
import Sanitizing

/// The checks that ask the API.
struct NetworkChecks {
    let workspace: Workspace
    let replay: String?

    private var pipeline: Pipeline { workspace.pipeline }

    /// Small: a check is not to wait for minutes.
    private static let patience = RetryPolicy(budget: .seconds(15), maxDelay: .seconds(5), maxAttempts: 3)

    private func fetcher() throws(Fault) -> PageFetcher {
        let sanitizer = workspace.sanitizer
        return PageFetcher(
            transport: try workspace.transport(replay: replay),
            connector: pipeline.connector,
            credentialName: pipeline.source.credentialName,
            policy: NetworkChecks.patience,
            sanitize: { sanitizer.clean($0) }
        )
    }

    private func now() throws(Fault) -> Instant {
        guard let replay, let recorded = try ReplayTransport.recordedNow(directory: replay) else { return Output.now }
        return recorded
    }

    /// One small request: the first list of the pipeline, one row of it. With the answer comes the server's clock.
    func api() async -> (api: Checklist.Finding, clock: Checklist.Finding?) {
        let name = "API"
        let specs = pipeline.streams.map(\.spec) + pipeline.connector.streams
        let spec =
            specs.first { $0.parents.isEmpty && $0.window == nil && $0.mode == .snapshot }
            ?? specs.first { $0.parents.isEmpty }
        guard let spec, let plan = pipeline.plan(for: spec.name) else {
            return (Checklist.Finding(name: name, detail: "no stream can be asked for by itself"), nil)
        }
        do throws(Fault) {
            let fetcher = try fetcher()
            let options = RunOptions(now: try now(), output: workspace.output, runID: "check")
            var builder = RequestBuilder(plan: plan, pageLimit: 1)
            builder.groupBy = plan.groupBy
            let slice = Slice(walk: 0, parameters: [:], window: options.window(of: plan, after: nil))
            let request = try builder.request(slice, CursorWalk(spec.pagination))
            let began = Console.milliseconds
            let reply: Reply
            do throws(FetchFailure) { (reply, _) = try await fetcher.fetch(request, scope: spec.scope) } catch {
                // It is there and knows the key; what the key may not do is told stream by stream.
                if error.status == 403, replay == nil {
                    return (
                        Checklist.Finding(
                            name: name,
                            detail: "\(pipeline.source.baseURL) answered \(spec.name) with 403"
                        ), nil
                    )
                }
                throw error.fault
            }
            let took = Console.milliseconds - began
            let way = replay.map { "recorded in \($0)" } ?? pipeline.source.baseURL
            let api = Checklist.Finding(name: name, detail: "\(way) answered \(spec.name) in \(took) ms")
            let server = reply.headers["date"].flatMap { HTTPDate.parse($0) }
            let unknown = Checklist.Finding(name: "server time", detail: "the reply names none", isWarning: true)
            return (api, server.map { clock($0, against: Output.now) } ?? unknown)
        } catch {
            return (Checklist.Finding(name: name, detail: error.what, fault: error), nil)
        }
    }

    /// More than this, and events are dated wrongly, windows end at the wrong time, signatures are refused.
    private static let largestDifference: Int64 = 300
    private static let notableDifference: Int64 = 30

    private func clock(_ server: Instant, against own: Instant) -> Checklist.Finding {
        let difference = own.seconds - server.seconds
        let size = abs(difference)
        let way = difference < 0 ? "behind" : "ahead of"
        let detail = size <= 2 ? "as the server's" : "\(size) s \(way) the server's, which says \(server.text)"
        guard size > NetworkChecks.largestDifference else {
            let isWarning = size > NetworkChecks.notableDifference
            return Checklist.Finding(name: "server time", detail: detail, isWarning: isWarning)
        }
        let fault = Fault(.badPlan, "this machine's clock is \(detail)", mend: "set the machine's clock")
        return Checklist.Finding(name: "server time", detail: fault.what, fault: fault)
    }

    /// One line a stream.
    func scopes() async -> [Checklist.Finding] {
        let outcomes: [ScopeProbe.Outcome]
        do throws(Fault) {
            var doors = try workspace.doors(transport: try workspace.transport(replay: replay), ring: nil)
            doors.fetcher = try fetcher()
            let options = RunOptions(now: Output.now, output: workspace.output, runID: "check")
            outcomes = await ScopeProbe(pipeline: pipeline, options: options, doors: doors).outcomes()
        } catch {
            return [Checklist.Finding(name: "scopes", detail: error.what, fault: error)]
        }
        return outcomes.map { one in
            let scope = one.scope.isEmpty ? "" : " (\(one.scope))"
            if let fault = one.fault {
                return Checklist.Finding(name: "scope", detail: "\(one.stream)\(scope): \(fault.what)", fault: fault)
            }
            if let skipped = one.skipped {
                return Checklist.Finding(name: "scope", detail: "\(one.stream)\(scope): not asked: \(skipped)")
            }
            return Checklist.Finding(name: "scope", detail: "\(one.stream)\(scope): allowed")
        }
    }
}
