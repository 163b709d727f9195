package import Model

/// One stream's part in a run.
package struct StreamReport: Sendable, Equatable {
    package enum Status: String, Sendable, CaseIterable {
        case ok
        /// It ran, and its files came out the same.
        case unchanged
        /// It failed; its last files and cursor stay.
        case stale
        /// It failed, and there were no files of it before.
        case failed
    }

    /// `--dry-run`: rows of the generation that would be published, held against the current one.
    package struct RowChange: Sendable, Equatable {
        /// `nil`: the stream is not in the current generation, or there is none.
        package var current: Int?
        package var next: Int
        package var difference: Int { next - (current ?? 0) }

        package init(current: Int?, next: Int) {
            self.current = current
            self.next = next
        }
    }

    package var name: String
    package var status: Status
    /// `kept` is what the table calls written.
    package var tally = Tally()
    package var pages = 0
    /// Requests sent, retries among them.
    package var requests = 0
    package var retries = 0
    /// Files that the generation lists for the stream, and their size as stored.
    package var files = 0
    package var bytes = 0
    package var milliseconds = 0
    /// How long the API took for a reply, on average; `nil` when replies were not timed, as in a replay.
    package var replyMilliseconds: Int?
    package var rowChange: RowChange?
    /// Sentences for people: schema drift, parents that vanished, groupings that fell back.
    package var notes: [String] = []
    /// What else was counted, by name: `restated_buckets`, `relationship_breaks.KIND`. Zeros may stand in it.
    package var counters: [String: Int] = [:]

    package init(name: String, status: Status) {
        self.name = name
        self.status = status
    }
}
