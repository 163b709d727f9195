/// What a run's end says about the pipeline.
package enum RunVerdict: String, Sendable, CaseIterable {
    case succeeded, failed
    /// Says nothing: our own lock or clock, a stop by hand, a dry run, a mistake in the pipeline file.
    case uncounted
}

/// When a pipeline switches itself off.
package struct Breaker: Sendable, Equatable {
    /// So many failed runs in a row.
    package var failuresInARow: Int?
    /// So many percent of the last so many runs; not before there were that many.
    package var share: Share?

    package struct Share: Sendable, Equatable {
        package var percent: Int
        package var runs: Int
        package init(percent: Int, runs: Int) {
            self.percent = percent
            self.runs = runs
        }
    }

    package static let longestWindow = 1000

    package init(failuresInARow: Int? = nil, share: Share? = nil) {
        self.failuresInARow = failuresInARow
        self.share = share
    }

    /// Why the switch has to go off after the run that was just counted; `nil`: it stays.
    func reason(_ flag: PipelineSwitch) -> String? {
        if let failuresInARow, flag.consecutiveFailures >= failuresInARow {
            return "\(flag.consecutiveFailures) failures in a row"
        }
        guard let share, flag.recent.count >= share.runs, flag.recent.last == "x" else { return nil }
        let failed = flag.recent.suffix(share.runs).count { $0 == "x" }
        return failed * 100 >= share.percent * share.runs ? "\(failed) of the last \(share.runs) runs failed" : nil
    }
}
