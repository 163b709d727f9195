package import Extract
package import KeyRing
package import Ledger
package import Model
package import Sanitizing
package import Sealing
package import Telemetry

/// What one run was asked for, beyond its pipeline file.
package struct RunOptions: Sendable {
    /// Streams to run; `nil`: all of the pipeline's.
    package var streams: Set<String>?
    package var since: Instant?
    package var until: Instant?
    /// The run's "now". Windows, `deleted_at` and `changed_at` come from it, never from the clock directly.
    package var now: Instant
    /// Nobody said what "now" is: neither the command line nor recorded replies.
    package var isNowFromClock = false
    /// The replies come from a folder (`--replay`), not from the API.
    package var isReplay = false
    /// The pipeline file's absolute path.
    package var pipelineFile = ""
    package var fullRefresh = false
    package var dryRun = false
    /// Streams that may lose rows, whatever their guards say.
    package var acceptShrink: Set<String> = []
    /// The pipeline's folder: `output/openai-admin`.
    package var output: String
    /// Bytes of rows that may wait in memory before they go to staging, over all streams.
    package var memoryForRows = 64 << 20
    /// Progress is made durable at most this often, and always when a walk ends or the run is stopped.
    package var checkpointInterval = Duration.seconds(1)
    /// Bytes from which on a page is worth fetching the next one while it is scanned.
    package var fetchAheadFrom = 256 << 10
    /// Whether a new output's first page is asked for while its state is made.
    package var asksEarly = true
    package var runID: String
    /// The run was let through a switch that was off.
    package var isProbe = false
    /// The pipeline file's absolute path, for commands that are given the output only.
    package var pipelinePath = ""

    package init(now: Instant, output: String, runID: String) {
        self.now = now
        self.output = output
        self.runID = runID
    }

    /// Whether the run reads this stream for its own sake.
    package func selects(_ stream: String) -> Bool { streams?.contains(stream) ?? true }
}

/// The doors through which the world comes in: network, keys, the search for secrets, progress.
package struct RunDoors: Sendable {
    package var fetcher: PageFetcher
    /// The active data key; `nil` when nothing is to be sealed.
    package var key: DataKey?
    package var tenant: String
    package var maskSecrets: @Sendable ([UInt8]) -> [UInt8]?
    package var progress: @Sendable (ProgressEvent) -> Void
    /// Milliseconds of a monotonic clock.
    package var milliseconds: @Sendable () -> Int
    /// What stopped the run, asked once it was cancelled: `.interrupted` or `.terminated`.
    package var stopCode: @Sendable () -> Fault.Code = { .interrupted }
    /// The ring that `key` is from: it opens what earlier keys sealed.
    package var ring: KeyRing?
    /// The sanitizer, in front of what is kept of a run: its file and its record in the state.
    package var clean: @Sendable (JSONValue) -> JSONValue = { $0 }
    /// The clock's time, for what people and receivers are told. Windows come from `RunOptions.now`.
    package var wall: @Sendable () -> Instant = { SystemClock().wall }
    /// The run log. Called often, and never waited for.
    package var log: @Sendable (LogEntry) -> Void = { _ in }
    /// Called once the run holds its lock and is on record.
    package var began: @Sendable () async -> Void = {}
    /// Gets the state of a run that has a summary, still open: whoever tells of the run reads on in it.
    package var left: @Sendable (StateStore) -> Void = { _ in }
    /// The last look at what is about to be published.
    package var gate: LeakGate?

    package init(
        fetcher: PageFetcher,
        key: DataKey?,
        tenant: String,
        maskSecrets: @escaping @Sendable ([UInt8]) -> [UInt8]?,
        progress: @escaping @Sendable (ProgressEvent) -> Void,
        milliseconds: @escaping @Sendable () -> Int
    ) {
        self.fetcher = fetcher
        self.key = key
        self.tenant = tenant
        self.maskSecrets = maskSecrets
        self.progress = progress
        self.milliseconds = milliseconds
    }
}

/// What happens during a run, for whoever shows it.
package enum ProgressEvent: Sendable {
    case started(String)
    /// `fraction` of the stream's windows that lies behind the page; `nil` where nobody can know.
    case page(String, rows: Int, fraction: Double?)
    case ended(String, failed: Bool)
    case note(String)
}
