internal import Extract
internal import Load
internal import Model
internal import Transform

/// Report rows that a re-read changed, and how many buckets they lie in.
struct Restated: Sendable, Equatable {
    var changed = 0
    var appeared = 0
    var vanished = 0
    var buckets = 0
}

/// What became of one stream in a run.
struct StreamResult: Sendable {
    var name: String
    /// `nil`: the stream succeeded.
    var fault: Fault?
    /// The API refused the key itself; no other stream can succeed.
    var stopsRun = false
    /// It was read whole and must not be published: reading must begin anew next time, not go on.
    var isHeld = false
    var tally = Tally()
    var pages = 0
    var requests = 0
    var retries = 0
    var milliseconds = 0
    /// Of these, for fetching and for closing.
    var fetchMilliseconds = 0
    var closeMilliseconds = 0
    /// How long the API took for a reply; `nil` when replies were not timed.
    var meanReply: Duration?
    var notes: [String] = []
    var drift = Drift()
    var requestIDs: [String] = []
    var window: TimeWindow?
    var replaced = 0
    var changed = 0
    /// New files; they replace the partitions they name.
    var files: [StagedFile] = []
    /// Partitions that were read again and turned out empty.
    var emptied: [String] = []
    var changeFiles: [StagedFile] = []
    /// What a re-read of a report found to be other than before.
    var restated = Restated()
    var ledgerFiles: [StagedFile] = []
    var watermark: Instant?
    var coverage: Manifest.Coverage?
    /// The grouping that the API accepted in the end, and the key that follows from it.
    var groupBy: [String]
    var primaryKey: [String]

    init(name: String, groupBy: [String], primaryKey: [String]) {
        self.name = name
        self.groupBy = groupBy
        self.primaryKey = primaryKey
    }
}
