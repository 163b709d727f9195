internal import Connector
package import Extract
package import Load
internal import Model
package import PipelineFile

extension RunOptions {
    /// The span of time that a run asks a stream for; `nil` for streams without one, and when there is nothing to read.
    ///
    /// - Parameters:
    ///   - old: the stream in the current generation; `nil` to begin anew.
    ///   - isForgotten: its cursor was reset.
    package func window(
        of plan: Pipeline.StreamPlan,
        after old: Manifest.Stream?,
        isForgotten: Bool = false
    ) -> TimeWindow? {
        guard let spec = plan.spec.window else { return nil }
        let old = fullRefresh ? nil : old
        // Who asks for a time again that the API had forgotten may know that it remembers; the pipeline file's `since` asks in every run.
        let gap = since.flatMap { since in old?.coverage?.gaps.last { $0.to > since } }
        var planner = WindowPlanner(
            spec: spec,
            bucketWidth: plan.bucketWidth,
            since: since ?? plan.since,
            until: until ?? plan.until,
            now: now,
            watermark: old?.watermark,
            coveredFrom: gap?.to ?? old?.covered?.from,
            lookback: plan.lookback,
            includeOpenBucket: plan.includeOpenBucket
        )
        planner.beginsAgain = isForgotten
        return planner.span
    }
}

extension Pipeline {
    /// How a stream is read: as the pipeline says, or plainly where only its children are wanted.
    package func plan(for name: String) -> StreamPlan? {
        if let plan = streams.first(where: { $0.spec.name == name }) { return plan }
        guard let spec = connector.stream(name) else { return nil }
        return StreamPlan(
            spec: spec,
            bucketWidth: nil,
            groupBy: [],
            since: nil,
            until: nil,
            lookback: TimeSpan(seconds: 0),
            includeOpenBucket: false,
            onFailure: .keep,
            primaryKey: spec.primaryKey
        )
    }
}
