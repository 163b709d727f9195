package import Connector
package import Model

/// A pipeline file, read, checked against its connector, and with every default filled in.
package struct Pipeline: Sendable {
    package var name: String
    package var enabled: Bool
    /// Where it was read from, as the user wrote it.
    package var file: String
    package var source: Source
    /// In the connector's order; only those that run.
    package var streams: [StreamPlan]
    package var transform: Transform
    package var load: Load
    package var alerts: Alerts
    package var metrics: Metrics
    package var lineage: Lineage?
    package var diagnostics = DiagnosticLimits()
    package var connector: Connector

    package struct Source: Sendable {
        package var baseURL: String
        /// `nil` when the variable is unset: only `--replay` can run then, and `check` says so.
        package var credential: Secret?
        /// What to set, for messages: `OPENAI_ADMIN_KEY`.
        package var credentialName: String
        /// The name is a file's path.
        package var isCredentialFile: Bool
        /// Values for the connector's `optionHeaders`; empty ones are left out.
        package var options: [String: String]
        /// `nil`: each stream's largest.
        package var pageLimit: Int?
        package var retryBudget: TimeSpan
        package var retryMaxDelay: TimeSpan
        package var requestsPerMinute: Int?
        package var concurrency: Int
        package var allowPlainHTTP: Bool
        /// Largest accepted page body, decoded.
        package var maxPageSize: ByteSize
        package var timeouts: Timeouts

        /// What is wrong when there is no credential, and how to mend it.
        package var missingCredential: (what: String, mend: String) {
            guard isCredentialFile else {
                return ("\(credentialName) is not set", "export \(credentialName) with an admin key")
            }
            return (
                "the file \(credentialName) is missing, empty or not readable",
                "put an admin key into \(credentialName), readable for this user"
            )
        }
    }

    /// Bounds of one request; whatever is over is tried again within the retry budget.
    package struct Timeouts: Sendable, Equatable {
        /// Until the connection stands, TLS included.
        package var connect = TimeSpan(seconds: 10)
        /// This long with less than a kilobyte a second.
        package var stall = TimeSpan(seconds: 30)
        /// From the first byte sent to the last byte received, however alive it looks.
        package var page = TimeSpan(seconds: 120)
        package init() {}
    }

    package enum OnFailure: String, Sendable, CaseIterable { case keep, stop }

    package struct StreamPlan: Sendable {
        package var spec: StreamSpec
        package var bucketWidth: String?
        /// In the connector's order of dimensions; empty: ungrouped.
        package var groupBy: [String]
        package var since: Instant?
        package var until: Instant?
        package var lookback: TimeSpan
        package var includeOpenBucket: Bool
        package var onFailure: OnFailure
        /// Fewer rows than this are not published.
        package var minRows: Int?
        /// How much of its rows a stream may lose at once, in hundredths of a percent.
        package var maxShrink: Int?
        /// All of it, as ``maxShrink`` counts.
        package static let whole = 10_000
        /// The key columns that take part with this grouping.
        package var primaryKey: [String]

        package init(
            spec: StreamSpec,
            bucketWidth: String?,
            groupBy: [String],
            since: Instant?,
            until: Instant?,
            lookback: TimeSpan,
            includeOpenBucket: Bool,
            onFailure: OnFailure,
            primaryKey: [String]
        ) {
            self.spec = spec
            self.bucketWidth = bucketWidth
            self.groupBy = groupBy
            self.since = since
            self.until = until
            self.lookback = lookback
            self.includeOpenBucket = includeOpenBucket
            self.onFailure = onFailure
            self.primaryKey = primaryKey
        }
    }

    package struct Transform: Sendable {
        package enum UnknownFields: String, Sendable, CaseIterable { case numbers, keep, drop, fail }
        package enum NewValues: String, Sendable, CaseIterable { case keep, drop, fail }
        package enum MissingFields: String, Sendable, CaseIterable { case keep, drop, fail }
        package enum FieldRule: String, Sendable, CaseIterable { case mask, drop }
        package enum TokenMode: String, Sendable, CaseIterable { case deterministic, randomized, pseudonym }

        package struct Encryption: Sendable {
            /// As written: `domain:user`, `email`, `costs.line_item`.
            package var fields: [String]
            package var mode: TokenMode
            /// Path of the key ring file; `nil` when its variable is unset.
            package var keyRing: String?
            /// What to set, for messages: `COGNI_KEY_RING`.
            package var keyRingName: String
        }

        /// `latest` or `first` of rows with equal keys and different bodies stays.
        package enum Keep: String, Sendable, CaseIterable { case latest, first }
        package var keep: Keep
        package var maskSecrets: Bool
        package var unknownFields: UnknownFields
        package var newValues = NewValues.keep
        package var missingFields = MissingFields.keep
        /// As written: column, or `stream.column`.
        package var fieldRules: [String: FieldRule]
        package var encryption: Encryption?
    }

    package struct Load: Sendable {
        package enum Format: String, Sendable, CaseIterable { case ndjson, csv }
        package enum Compression: String, Sendable, CaseIterable { case gzip, zstd, none }
        package enum PartitionBy: String, Sendable, CaseIterable { case day, month }
        package enum Bundle: String, Sendable, CaseIterable { case none, tarZstd = "tar.zst", zip }
        package var directory: String
        package var format: Format
        package var compression: Compression
        package var partitionBy: PartitionBy
        package var maxFileSize: ByteSize
        package var bundle: Bundle
        package var keepGenerations: Int
        /// Guards CSV cells that a spreadsheet would run as a formula.
        package var guardFormulas: Bool
    }

    /// How many findings of relations a run may have and still end well; `nil`: any number.
    package struct DiagnosticLimits: Sendable {
        package var total: Int?
        package var byRelation: [String: Int] = [:]
        package init() {}
    }

    package struct Alerts: Sendable {
        /// What a receiver can be told of.
        package enum Event: String, Sendable, CaseIterable {
            case runFailed = "run.failed"
            case pipelineDisabled = "pipeline.disabled"
            case pipelineEnabled = "pipeline.enabled"
            case rolledBack = "generation.rolled_back"
            case published = "generation.published"
        }

        /// Such addresses often are secrets themselves.
        package var webhook: Secret?
        /// Signs the events: one `whsec_…`, or several separated by spaces while a receiver changes from one to the next.
        package var webhookSecret: Secret?
        /// What to set, for messages: `COGNI_WEBHOOK_SECRET`.
        package var webhookSecretName: String
        /// Private networks that the receiver may stand in: `10.1.0.0/16`.
        package var webhookNetworks: [String]
        package var events: Set<Event>
        package var disableAfterFailures: Int?
        package var disableAtFailureShare: FailureShare?
        package var certificateExpiry: TimeSpan?
    }

    /// So many percent of the last so many runs.
    package struct FailureShare: Sendable, Equatable {
        package var percent: Int
        package var runs: Int
    }

    package struct Metrics: Sendable {
        /// `nil`: `metrics.prom` in the pipeline's folder.
        package var file: String?
        /// Pushed to after every run.
        package var pushgateway: String?
    }

    /// Where OpenLineage events go.
    package struct Lineage: Sendable {
        package var file: String?
        /// The server; `/api/v1/lineage` is the path below it.
        package var url: String?
        package var namespace: String
    }
}
