internal import Connector
internal import Extract
internal import Load
internal import Model
internal import PipelineFile

/// Holds a stream back that came out suspiciously small: `min_rows` and `max_shrink` of the pipeline file.
///
/// An API that answers "nothing" with 200 must not empty good tables. What is held back keeps its last files and cursor
/// and is told with exit code 5; `--accept-shrink` lets it through.
struct PublishGuard {
    let plan: Pipeline.StreamPlan
    /// The stream in the current generation, also when it was read wholly anew.
    let old: Manifest.Stream?
    let naming: PartitionNaming

    /// Why `result` must not be published; `nil`: it may.
    func fault(_ result: StreamResult) -> Fault? {
        let now = rows(result)
        if let least = plan.minRows, now < least {
            return held("came with \(now) rows, and `min_rows` is \(least)")
        }
        guard let share = plan.maxShrink else { return nil }
        let before: Int
        let after: Int
        switch plan.spec.mode {
        case .report:
            let covered = covered(by: result.window)
            let emptied = covered.filter { result.emptied.contains($0.value) }
            if !emptied.isEmpty {
                let days = emptied.prefix(3).map(\.value).joined(separator: ", ") + (emptied.count > 3 ? ", …" : "")
                return held("came without rows for \(emptied.count) covered partitions that had some (\(days))")
            }
            let names = Set(covered.map(\.value))
            before = covered.reduce(0) { $0 + $1.rows }
            after = result.files.reduce(0) { $0 + (names.contains($1.partition) ? $1.rows : 0) }
        case .snapshot:
            before = livingBefore
            after = now
        case .log, .singleton: return nil
        }
        let lost = before - after
        guard lost > 0, lost * Pipeline.StreamPlan.whole > before * share else { return nil }
        let percent = lost * 100 / before
        return held(
            "came with \(after) rows where \(before) were: \(percent)% less, and `max_shrink` is \(Self.percent(share))"
        )
    }

    /// Rows that the API gave in this run, repeats left out.
    private func rows(_ result: StreamResult) -> Int { result.tally.kept }

    /// Partitions of the current generation that have rows and that this run has read wholly anew.
    private func covered(by window: TimeWindow?) -> [Manifest.Partition] {
        guard let window else { return [] }
        return (old?.partitions ?? []).filter { partition in
            guard partition.rows > 0, let span = naming.span(partition.value) else { return false }
            return span.start >= window.start && span.end <= window.end
        }
    }

    /// Rows of the last snapshot without the removed ones.
    private var livingBefore: Int {
        (old?.partitions ?? []).flatMap(\.files).reduce(0) { sum, file in
            sum + (file.totals.map { $0.nulls["deleted_at"] ?? 0 } ?? file.rows)
        }
    }

    private func held(_ what: String) -> Fault {
        Fault(
            .badReply,
            "the stream was held back: it \(what)",
            at: ["stream \(plan.spec.name)"],
            mend:
                "if that is right, run again with `--accept-shrink \(plan.spec.name)`; it and the streams below it keep their last files, the others are published"
        )
    }

    private static func percent(_ share: Int) -> String {
        let (whole, rest) = share.quotientAndRemainder(dividingBy: 100)
        return rest == 0 ? "\(whole)%" : "\(whole).\(rest < 10 ? "0" : "")\(rest)%"
    }
}
