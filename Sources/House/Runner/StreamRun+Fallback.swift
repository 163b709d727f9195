internal import Connector
internal import Extract
internal import Load
internal import Model
internal import PipelineFile

/// What a stream asks for instead, when the API refuses a grouping or a part of history, or has another time than ours.
extension StreamRun {
    // MARK: Groupings

    /// What rows are told apart by: as those of the archive are. Rows of two groupings under one key would count twice.
    var grouping: [String] { closer.old?.groupBy ?? plan.groupBy }

    /// Says which dimensions are not asked for, because the archive has rows without them.
    var groupingNotes: [String] {
        plan.groupBy.filter { !grouping.contains($0) }.map { dimension in
            "the API refused to group by \(dimension) when the archive's rows were read: fetched without it, as they were; `\(anew)` asks for it again"
        }
    }

    /// The stream's end, when rows that are grouped by a dimension which the API refuses now would have to stand beside others.
    func held(without dimension: String, _ failure: StreamFailure) -> StreamFailure? {
        guard closer.old?.groupBy?.contains(dimension) == true else { return nil }
        var failure = failure
        failure.fault.what +=
            "; the archive's rows are grouped by \(dimension), and rows without it can't stand beside them"
        failure.fault.mend =
            "`\(anew)` reads the whole stream without \(dimension) (what the API has forgotten is then gone); if it is refused for old times only, a later `since` will do. Until then the stream keeps its last files"
        failure.result.fault = failure.fault
        return failure
    }

    private var anew: String { "cogni run PIPELINE --full-refresh --streams \(spec.name)" }

    /// The dimension to leave out after a 400, when the connector knows that this grouping may be refused.
    func fallback(_ groupBy: [String], _ window: TimeWindow?, _ failure: StreamFailure) -> String? {
        guard failure.status == 400, let refusals = spec.grouping?.refusals else { return nil }
        if let code = failure.envelope?.code, pipeline.connector.errors.historyCodes.contains(code) { return nil }
        let refusal = refusals.first { refusal in
            refusal.dimensions.allSatisfy { groupBy.contains($0) } && groupBy.contains(refusal.without)
                && (refusal.startBefore.map { before in (window?.start.seconds ?? 0) < before } ?? true)
        }
        return refusal?.without
    }

    // MARK: Two clocks

    /// The width of a report's buckets; 1 for logs.
    var bucketSeconds: Int64 {
        max(1, (plan.bucketWidth ?? spec.window?.defaultWidth).flatMap { TimeSpan(text: $0)?.seconds } ?? 1)
    }

    /// The slice's window, when it holds buckets that are still open by the API's clock though closed by ours.
    func openAtTheAPI(_ slice: Slice, _ told: Instant) -> TimeWindow? {
        guard spec.mode == .report, !plan.includeOpenBucket, let window = slice.window, told < window.end else {
            return nil
        }
        return window
    }

    func clockBehind(_ told: Instant, _ window: TimeWindow) -> Fault {
        Fault(
            .badReply,
            "by the API's clock it is \(told.text), before the window ends: its last buckets are still open there",
            at: ["page 1"],
            mend: "set this machine's clock right, or run again when the API's clock has passed \(window.end.text)"
        )
    }

    /// The end of the last bucket that is closed by the API's clock too.
    func earlierEnd(_ window: TimeWindow?, _ failure: StreamFailure) -> Instant? {
        guard let told = failure.serverTime, let window else { return nil }
        let end = told.aligned(down: bucketSeconds)
        return end > window.start && end < window.end ? end : nil
    }

    /// Where history begins, after the API said that it does not reach back to the window's start.
    func laterStart(_ window: TimeWindow?, _ failure: StreamFailure) -> Instant? {
        guard failure.status == 400, let window, let envelope = failure.envelope, let code = envelope.code,
            pipeline.connector.errors.historyCodes.contains(code)
        else { return nil }
        let named = HistoryFloor.date(in: envelope.message)
        let stepped = [365, 180, 90, 30, 7].map { (options.now - $0 * 86_400).aligned(down: 86_400) + 86_400 }
        let candidates = [named].compactMap(\.self) + stepped
        return candidates.first { $0 > window.start && $0 < window.end }
    }
}
