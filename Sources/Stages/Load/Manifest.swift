package import ArchiveWriting
package import Model

/// What a generation holds: streams, their partitions, the files of each, and where the next run goes on.
///
/// A pure function of the data: no wall clock, no generation number, nothing of how the run went. Written as canonical
/// JSON (RFC 8785); fields that this version does not know are kept when a manifest is read and written again.
package struct Manifest: Sendable, Equatable {
    package static let format = "cogni-manifest/1"

    package var pipeline: String
    /// Keys that tokens in these files are sealed under.
    package var keyIDs: [String]
    package var crypto: Crypto?
    /// Whose data this is; `nil`: nothing said so.
    package var organization: Organization?
    package var diagnostics: Diagnostics?
    /// Sorted by name when written.
    package var streams: [Stream]
    package var extra: [JSONValue.Member] = []

    /// How the encrypted fields can be opened and compared; never a key.
    package struct Crypto: Sendable, Equatable {
        package var tenant: String
        /// The keys of `key_ids`, sorted by epoch. Tokens of different keys do not join.
        package var keys: [Key] = []
        package var fields: [Field]

        package struct Key: Sendable, Equatable {
            package var kid: String
            /// Counts the rotations of its ring, from 1.
            package var epoch: Int
            /// 32 bytes in base64 that the key commits to; safe to publish.
            package var commit: String
            package init(kid: String, epoch: Int, commit: String) {
                self.kid = kid
                self.epoch = epoch
                self.commit = commit
            }
        }

        package struct Field: Sendable, Equatable {
            /// `costs.line_item`
            package var path: String
            /// `deterministic`, `randomized` or `pseudonym`.
            package var algorithm: String
            package var domain: String
            package init(path: String, algorithm: String, domain: String) {
                self.path = path
                self.algorithm = algorithm
                self.domain = domain
            }
        }

        package init(tenant: String, fields: [Field]) {
            self.tenant = tenant
            self.fields = fields
        }
    }

    package struct Stream: Sendable, Equatable {
        package var name: String
        /// `report`, `log`, `snapshot` or `singleton`.
        package var mode: String
        package var primaryKey: [String]
        package var bucketWidth: String?
        package var groupBy: [String]?
        /// Digest of the Table Schema file, which stands under ``schema``.
        package var schemaSHA256: String?
        /// The stream failed last time; its files are those of an earlier run.
        package var isStale: Bool
        package var coverage: Coverage?
        package var watermark: Instant?
        /// What the runner needs to go on from here, in its own words.
        package var cursors: JSONValue?
        /// Sorted by value when written.
        package var partitions: [Partition]
        package var extra: [JSONValue.Member] = []

        package var schema: String { "schemas/\(PartitionValue.escape(name)).json" }
        package var rows: Int { partitions.reduce(0) { $0 + $1.rows } }
        /// What its files are, which a pipeline's `format` need not be any more: a stream never mixes formats.
        package var format: RowFormat { RowFormat(path: partitions.lazy.flatMap(\.files).first?.path ?? "") }

        package init(
            name: String,
            mode: String,
            primaryKey: [String],
            bucketWidth: String? = nil,
            groupBy: [String]? = nil,
            isStale: Bool = false,
            coverage: Coverage? = nil,
            watermark: Instant? = nil,
            cursors: JSONValue? = nil,
            partitions: [Partition] = []
        ) {
            self.name = name
            self.mode = mode
            self.primaryKey = primaryKey
            self.bucketWidth = bucketWidth
            self.groupBy = groupBy
            self.isStale = isStale
            self.coverage = coverage
            self.watermark = watermark
            self.cursors = cursors
            self.partitions = partitions
        }
    }

    package struct Partition: Sendable, Equatable {
        /// `2025-11-03`, `2025-11`; empty for streams that have one partition.
        package var value: String
        /// In order: rows of the first file come before those of the second.
        package var files: [File]

        package var rows: Int { files.reduce(0) { $0 + $1.rows } }

        package init(value: String, files: [File]) {
            self.value = value
            self.files = files
        }
    }

    package struct File: Sendable, Equatable {
        /// Relative to the generation's folder.
        package var path: String
        package var rows: Int
        package var facts: FileFacts
        package var min: Instant?
        package var max: Instant?
        /// `nil` in manifests of versions that did not add up.
        package var totals: ColumnTotals?
        /// The key that this file's tokens are sealed under; `nil` where it can hold none.
        package var keyID: String?

        package init(
            path: String,
            rows: Int,
            facts: FileFacts,
            min: Instant? = nil,
            max: Instant? = nil,
            totals: ColumnTotals? = nil
        ) {
            self.path = path
            self.rows = rows
            self.facts = facts
            self.min = min
            self.max = max
            self.totals = totals
        }
    }

    /// Names that the API gives the organization.
    package struct Organization: Sendable, Equatable {
        /// In the replies' header.
        package var header: String?
        /// In the rows.
        package var id: String?
        package init(header: String? = nil, id: String? = nil) {
            self.header = header
            self.id = id
        }
    }

    /// What the relations between streams came to.
    package struct Diagnostics: Sendable, Equatable {
        package static let path = "diagnostics/relations.ndjson"

        package struct Relation: Sendable, Equatable {
            package var name: String
            /// Fingerprint of the relation's definition.
            package var rule: String
            /// Why it could not be looked at; `nil`: it was.
            package var skipped: String?
            /// Lines of the file.
            package var findings: Int
            /// Data rows that the findings stand for.
            package var rows: Int

            package init(name: String, rule: String, skipped: String? = nil, findings: Int = 0, rows: Int = 0) {
                self.name = name
                self.rule = rule
                self.skipped = skipped
                self.findings = findings
                self.rows = rows
            }
        }

        package var relations: [Relation]
        /// Of the file with the findings; `nil` when there are none.
        package var sha256: String?

        package init(relations: [Relation], sha256: String? = nil) {
            self.relations = relations
            self.sha256 = sha256
        }
    }

    package init(pipeline: String, keyIDs: [String] = [], crypto: Crypto? = nil, streams: [Stream] = []) {
        self.pipeline = pipeline
        self.keyIDs = keyIDs
        self.crypto = crypto
        self.streams = streams
    }

    package func stream(_ name: String) -> Stream? { streams.first { $0.name == name } }

    /// Every file, in the manifest's order.
    package var files: [File] { streams.flatMap { $0.partitions.flatMap(\.files) } }
    package var rows: Int { streams.reduce(0) { $0 + $1.rows } }
}

extension Manifest.Stream {
    /// The partition with this value.
    package func partition(_ value: String) -> Manifest.Partition? { partitions.first { $0.value == value } }
}
