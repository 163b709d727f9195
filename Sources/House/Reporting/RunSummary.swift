package import Model

/// What a run did: the numbers of the closing table, of `--json` and of `runs/<run-id>.json`.
package struct RunSummary: Sendable, Equatable {
    package enum Outcome: String, Sendable, CaseIterable {
        case published
        /// The manifest would have been the same; the generation before stays.
        case unchanged
        /// `--dry-run`: fetched and transformed, compared, not published.
        case dryRun = "dry_run"
        /// Nothing was published.
        case failed
        case interrupted
    }

    package struct Clock: Sendable, Equatable {
        package var began: Instant
        package var ended: Instant

        /// - Parameter milliseconds: how long it took, by a clock that nobody sets.
        package init(ended: Instant, milliseconds: Int) {
            began = ended - Int64((milliseconds + 500) / 1000)
            self.ended = ended
        }
    }

    package var pipeline: String
    package var runID: String
    package var outcome: Outcome
    package var exitCode: Int32
    /// The current generation after the run; `nil` when there never was one.
    package var generation: Int?
    /// The pipeline's folder, as the user would type it.
    package var output: String
    /// What the run took for now: of a replay that of the recording, of one that went on that of the first attempt.
    package var started: Instant
    package var milliseconds: Int
    /// In the connector's order.
    package var streams: [StreamReport]
    /// All failures, the one that decided the exit code first.
    package var faults: [Fault]
    /// When the run began and ended by the machine's clock, whatever it took for now.
    package var clock: Clock?
    /// Milliseconds by stage: `fetch`, `close`, `publish`. The first two are sums over streams that ran side by side.
    package var stages: [String: Int] = [:]

    package init(
        pipeline: String,
        runID: String,
        outcome: Outcome,
        exitCode: Int32 = 0,
        generation: Int? = nil,
        output: String,
        started: Instant,
        milliseconds: Int,
        streams: [StreamReport],
        faults: [Fault] = []
    ) {
        self.pipeline = pipeline
        self.runID = runID
        self.outcome = outcome
        self.exitCode = exitCode
        self.generation = generation
        self.output = output
        self.started = started
        self.milliseconds = milliseconds
        self.streams = streams
        self.faults = faults
    }

    /// The sum over the streams, named `total`. Time is the run's, since streams run side by side.
    package var total: StreamReport {
        var sum = StreamReport(name: "total", status: .ok)
        for stream in streams {
            sum.tally += stream.tally
            sum.pages += stream.pages
            sum.requests += stream.requests
            sum.retries += stream.retries
            sum.files += stream.files
            sum.bytes += stream.bytes
            guard let change = stream.rowChange else { continue }
            let before = sum.rowChange
            let current = change.current.map { $0 + (before?.current ?? 0) } ?? before?.current
            sum.rowChange = StreamReport.RowChange(current: current, next: change.next + (before?.next ?? 0))
        }
        sum.milliseconds = milliseconds
        return sum
    }

    /// The last line on stderr of a run that failed: `error: <class>: <what> (<where>)`; `nil` when it did not.
    package var finalLine: String? { verdict?.finalLine }

    /// The failure that the run ends with, of the exit code's class; `nil` when it did not fail.
    package var verdict: Fault? {
        guard exitCode != 0, let code = Fault.Code.allCases.first(where: { $0.exitCode == exitCode }) else {
            return nil
        }
        var fault = faults.first ?? Fault(code, "the run was stopped", mend: "run it again; it goes on from here")
        fault.code = code
        return fault
    }
}
