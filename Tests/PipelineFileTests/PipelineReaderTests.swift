import Connector
import Model
import Testing

@testable import PipelineFile

/// Reads a pipeline whose first lines are the same in every test.
func read(
    _ rest: String,
    source: String = "",
    environment: [String: String] = [:],
    files: [String: String] = [:]
) -> PipelineReader.Reading {
    let text = "pipeline: p\nsource:\n  connector: openai_admin\n\(source)\(rest)\n"
    return PipelineReader.read(file: "p.yaml", bytes: Array(text.utf8), environment: environment) { path in
        files[path].map { Array($0.utf8) }
    }
}

@Suite struct PipelineReaderTests {
    /// The example of the contract, as it stands there.
    static let example = """
        pipeline: openai-admin                 # name: [a-z0-9-], names the output and the state
        enabled: true                          # the feature flag; also `cogni disable`
        source:
          connector: openai_admin              # built in, or a path to a connector file
          base_url: ${OPENAI_BASE_URL:-https://api.openai.com/v1}
          credential: ${OPENAI_ADMIN_KEY}      # ${NAME}, ${NAME:-default}, ${file:/run/secrets/key}; never a literal: refused
          organization: ${OPENAI_ORGANIZATION:-}
          project: ${OPENAI_PROJECT:-}
          page_limit: ${OPENAI_ADMIN_LIMIT:-max}
          retry: { budget: 5m, max_delay: 75s }
          requests_per_minute: 600             # paced per path template as well; Retry-After obeyed
          concurrency: 4
        streams:                               # absent: all, with defaults
          usage_completions: { bucket_width: 1h, since: 2025-11-01, lookback: 3d,
                               group_by: [project_id, user_id, api_key_id, model, batch, service_tier] }
          costs: { since: 2025-11-01, group_by: [project_id, line_item] }
          projects: {}
          project_api_keys: {}
        transform:
          - dedupe: { keep: latest }           # by primary key; identical repeats and conflicts are counted apart
          - sanitize: { secrets: mask, unknown_fields: numbers, fields: { user_email: mask, ip_address: drop } }
          - encrypt: { fields: ["domain:user", "domain:api_key", email], mode: deterministic, key_ring: ${COGNI_KEY_RING} }
        load:
          directory: output                    # → output/openai-admin/
          format: ndjson                       # or csv
          compression: gzip                    # gzip (any warehouse) | zstd (smaller, faster) | none
          partition_by: day                    # day | month, of the row's time, UTC
          max_file_size: 256MB
          bundle: none                         # tar.zst | zip: also one archive with the whole generation and its manifest
          keep_generations: 14
        alerts:
          webhook: ${OPENAI_ADMIN_AUDIT_WEBHOOK:-}
          disable_after_failures: 5            # consecutive; the pipeline switches itself off and says so
          certificate_expiry: 30d
        """

    @Test func theExampleOfTheContractIsRead() throws {
        let environment = ["OPENAI_ADMIN_KEY": "the-key", "COGNI_KEY_RING": "keys.json", "OPENAI_ADMIN_LIMIT": "20"]
        let reading = PipelineReader.read(file: "a.yaml", bytes: Array(Self.example.utf8), environment: environment) {
            _ in nil
        }
        #expect(!reading.diagnostics.hasErrors, "\(reading.diagnostics.text)")
        let pipeline = try reading.get()
        #expect(pipeline.source.credential?.reveal() == "the-key")
        #expect(pipeline.source.credential?.name == "OPENAI_ADMIN_KEY")
        #expect(pipeline.source.baseURL == "https://api.openai.com/v1")
        #expect(pipeline.source.options == [:])
        #expect(pipeline.source.pageLimit == 20)
        #expect(pipeline.source.retryBudget == TimeSpan(seconds: 300))
        #expect(pipeline.streams.map(\.spec.name) == ["usage_completions", "costs", "projects", "project_api_keys"])
        let usage = pipeline.streams[0]
        #expect(
            usage.bucketWidth == "1h" && usage.since?.text == "2025-11-01T00:00:00Z"
                && usage.lookback.seconds == 259_200
        )
        #expect(usage.groupBy == ["project_id", "user_id", "api_key_id", "model", "batch", "service_tier"])
        #expect(
            usage.primaryKey == ["start_time", "project_id", "user_id", "api_key_id", "model", "batch", "service_tier"]
        )
        #expect(pipeline.streams[1].primaryKey == ["start_time", "project_id", "line_item"])
        #expect(pipeline.transform.fieldRules == ["user_email": .mask, "ip_address": .drop])
        #expect(pipeline.transform.encryption?.fields == ["domain:user", "domain:api_key", "email"])
        #expect(pipeline.transform.encryption?.keyRing == "keys.json")
        #expect(pipeline.load.maxFileSize.bytes == 256_000_000)
        #expect(pipeline.alerts.webhook == nil && pipeline.alerts.disableAfterFailures == 5)
        #expect(pipeline.alerts.certificateExpiry == TimeSpan(text: "30d"))
    }

    @Test func aSourceAloneMeansEverythingWithDefaults() throws {
        let pipeline = try read("").get()
        #expect(pipeline.streams.count == 45)
        #expect(pipeline.enabled && pipeline.file == "p.yaml")
        #expect(pipeline.source.baseURL == "https://api.openai.com/v1")
        #expect(
            pipeline.source.concurrency == 4 && pipeline.source.pageLimit == nil
                && pipeline.source.requestsPerMinute == 600
        )
        #expect(pipeline.source.retryBudget.seconds == 300 && pipeline.source.retryMaxDelay.seconds == 75)
        #expect(pipeline.source.maxPageSize.bytes == 256_000_000 && !pipeline.source.allowPlainHTTP)
        #expect(
            pipeline.load.directory == "output" && pipeline.load.keepGenerations == 14
                && pipeline.load.compression == .gzip
        )
        #expect(pipeline.load.format == .ndjson && pipeline.load.partitionBy == .day && pipeline.load.bundle == .none)
        #expect(
            pipeline.transform.maskSecrets && pipeline.transform.unknownFields == .numbers
                && pipeline.transform.encryption == nil
        )
        let costs = try #require(pipeline.streams.first { $0.spec.name == "costs" })
        #expect(
            costs.bucketWidth == "1d" && costs.groupBy == ["project_id", "line_item", "api_source"]
                && costs.since == nil
        )
        #expect(costs.lookback.text == "7d" && !costs.includeOpenBucket && costs.onFailure == .keep)
        let users = try #require(pipeline.streams.first { $0.spec.name == "users" })
        #expect(users.bucketWidth == nil && users.groupBy == [] && users.primaryKey == ["id"])
    }

    @Test func whatMayStayOpenIsNilWhileItsVariableIsUnset() throws {
        let rest = """
            transform:
              - encrypt: { fields: [email], key_ring: ${RING} }
            alerts: { webhook: ${HOOK} }
            streams: { users: {} }
            """
        let open = try read(rest, source: "  credential: ${file:/run/secrets/key}\n").get()
        #expect(open.source.credential == nil && open.source.credentialName == "/run/secrets/key")
        #expect(open.transform.encryption?.keyRing == nil && open.transform.encryption?.keyRingName == "RING")
        #expect(open.alerts.webhook == nil)
        let filled = try read(
            rest,
            source: "  credential: ${file:/run/secrets/key}\n",
            environment: ["RING": "r.json", "HOOK": "https://h.example/x?t=1"],
            files: ["/run/secrets/key": "k\n"]
        ).get()
        #expect(filled.source.credential?.reveal() == "k")
        #expect(filled.transform.encryption?.keyRing == "r.json")
        #expect(filled.alerts.webhook?.reveal() == "https://h.example/x?t=1" && filled.alerts.webhook?.name == "HOOK")
    }

    @Test func alertsMetricsAndLineageAreRead() throws {
        let pipeline = try read(
            """
            alerts:
              webhook: ${HOOK}
              webhook_secret: ${SIGN}
              webhook_networks: [10.1.0.0/16, "fd00::/8", 127.0.0.1]
              events: [run.failed, pipeline.disabled]
              disable_at_failure_share: { percent: 50, runs: 20 }
            metrics: { file: /var/lib/x/cogni.prom, pushgateway: "http://10.0.0.9:9091/" }
            lineage: { url: "http://marquez:5000", namespace: finance }
            """,
            environment: ["HOOK": "https://h.example/x", "SIGN": "whsec_abc"]
        ).get()
        #expect(pipeline.alerts.webhookSecret?.reveal() == "whsec_abc" && pipeline.alerts.webhookSecretName == "SIGN")
        #expect(pipeline.alerts.webhookNetworks.count == 3)
        #expect(pipeline.alerts.events == [.runFailed, .pipelineDisabled])
        #expect(pipeline.alerts.disableAtFailureShare == Pipeline.FailureShare(percent: 50, runs: 20))
        #expect(pipeline.metrics.file == "/var/lib/x/cogni.prom")
        #expect(pipeline.metrics.pushgateway == "http://10.0.0.9:9091")
        #expect(pipeline.lineage?.url == "http://marquez:5000" && pipeline.lineage?.namespace == "finance")
    }

    @Test func withoutThemEveryEventIsToldAndTheUsualVariableSigns() throws {
        let pipeline = try read("", environment: ["COGNI_WEBHOOK_SECRET": "whsec_usual"]).get()
        #expect(pipeline.alerts.events == Set(Pipeline.Alerts.Event.allCases))
        #expect(pipeline.alerts.webhookSecret?.reveal() == "whsec_usual")
        #expect(pipeline.metrics.file == nil && pipeline.metrics.pushgateway == nil && pipeline.lineage == nil)
    }

    @Test func referencesAreFoundWithTheirKeysAndStanding() {
        let text = """
            pipeline: p
            source:
              credential: ${KEY}
              base_url: ${URL:-https://api.example.com}
            # ${NOT_ME} is in a comment
            alerts: { webhook: "${file:/run/hook}", webhook_networks: ["${NET:-10.0.0.0/8}"] }
            """
        let found = PipelineReader.references(
            bytes: Array(text.utf8),
            environment: ["KEY": "k"],
            readFile: { _ in nil }
        )
        #expect(
            found == [
                Reference(name: "KEY", isFile: false, key: "source.credential", standing: .set),
                Reference(name: "URL", isFile: false, key: "source.base_url", standing: .defaulted),
                Reference(name: "/run/hook", isFile: true, key: "alerts.webhook", standing: .missing),
                Reference(name: "NET", isFile: false, key: "alerts.webhook_networks", standing: .defaulted),
            ]
        )
    }

    @Test(arguments: [
        "alerts: { webhook_secret: whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw }",
        "alerts: { webhook_secret: '${A:-whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}' }",
        "alerts: { webhook_secret: '${A}${B}' }",
        "alerts: { webhook_networks: [10.0.0.0/33] }", "alerts: { webhook_networks: [example.com] }",
        "alerts: { events: [run.faild] }", "alerts: { disable_at_failure_share: { percent: 101, runs: 5 } }",
        "alerts: { disable_at_failure_share: { percent: 50 } }", "metrics: { file: metrics.txt }",
        "metrics: { pushgateway: ftp://x }", "lineage: { urls: x }",
    ])
    func mistakesInThemAreFoundAndSecretsNotRepeated(rest: String) {
        let reading = read(rest, environment: ["A": "1", "B": "2"])
        #expect(reading.pipeline == nil)
        #expect(!reading.diagnostics.text.contains("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"))
    }

    @Test func withoutACredentialTheConnectorsOwnVariableIsTaken() throws {
        #expect(try read("").get().source.credentialName == "OPENAI_ADMIN_KEY")
        #expect(try read("", environment: ["OPENAI_ADMIN_KEY": "k"]).get().source.credential?.reveal() == "k")
    }

    @Test func optionsForHeadersAreKeptWhenTheySaySomething() throws {
        let pipeline = try read(
            "",
            source: "  organization: ${ORG}\n  project: ${NONE:-}\n",
            environment: ["ORG": "org-1"]
        ).get()
        #expect(pipeline.source.options == ["organization": "org-1"])
    }

    @Test func momentsAreAlignedToTheirBucketsAndThatIsSaid() throws {
        let reading = read(
            "streams: { usage_completions: { bucket_width: 1h, since: 2025-11-01T10:30:00+02:00, until: 1764979200 } }"
        )
        #expect(try reading.get().streams[0].since?.text == "2025-11-01T08:00:00Z")
        #expect(try reading.get().streams[0].until?.text == "2025-12-06T00:00:00Z")
        #expect(
            reading.diagnostics.all.map(\.message) == [
                "\"since\" is inside a bucket of 1h; 2025-11-01T08:00:00Z is taken"
            ]
        )
        #expect(reading.diagnostics.all[0].severity == .note)
    }

    @Test func anEmptyGroupByMeansTotals() throws {
        let plan = try read("streams: { costs: { group_by: [] } }").get().streams[0]
        #expect(plan.groupBy == [] && plan.primaryKey == ["start_time"])
    }

    @Test func dimensionsStandInTheConnectorsOrder() throws {
        #expect(
            try read("streams: { costs: { group_by: [line_item, project_id] } }").get().streams[0].groupBy == [
                "project_id", "line_item",
            ]
        )
    }

    @Test func costsByKeyAreReadFromTheDayTheyExist() throws {
        #expect(!read("streams: { costs: { since: 2025-12-06, group_by: [api_key_id] } }").diagnostics.hasErrors)
        #expect(!read("streams: { costs: { group_by: [api_key_id] } }").diagnostics.hasErrors)
        #expect(read("streams: { costs: { since: 2025-12-05, group_by: [api_key_id] } }").diagnostics.hasErrors)
    }

    @Test func aChildWithoutItsParentIsFine() throws {
        #expect(
            try read("streams: { project_user_roles: {} }").get().streams.map(\.spec.name) == ["project_user_roles"]
        )
    }

    @Test func theOpenBucketIsAskedForInTheSource() throws {
        let streams = try read("streams: { costs: {}, users: {} }", source: "  include_open_bucket: true\n").get()
            .streams
        #expect(streams.map(\.includeOpenBucket) == [true, false])
    }

    @Test func aPageLimitAboveACapIsANote() throws {
        let reading = read("streams: { costs: {}, users: {} }", source: "  page_limit: 500\n")
        #expect(try reading.get().source.pageLimit == 500)
        #expect(
            reading.diagnostics.all.map(\.message) == [
                "500 is more than some streams take (costs 180 and 1 more); those are asked for their largest page"
            ]
        )
    }

    @Test func aConnectorFileOfOnesOwnIsReadAndJudged() throws {
        let file = """
            connector: mine
            base_url: https://api.example.com
            auth: { header: X-Key, variable: MINE }
            streams:
              - { name: things, mode: snapshot, path: /things, primary_key: [id], columns: [{ name: id, type: string }] }
            """
        let text = "pipeline: p\nsource: { connector: ./mine.yaml }\n"
        func read(_ connector: String) -> PipelineReader.Reading {
            PipelineReader.read(file: "p.yaml", bytes: Array(text.utf8), environment: [:]) {
                $0 == "./mine.yaml" ? Array(connector.utf8) : nil
            }
        }
        #expect(try read(file).get().connector.name == "mine")
        #expect(try read(file).get().source.credentialName == "MINE")
        let broken = read(file.replacing("type: string", with: "type: strin")).diagnostics
        #expect(broken.all.map(\.file) == ["p.yaml", "./mine.yaml"])
        #expect(broken.all.last?.message == "\"type\" cannot be \"strin\"")
    }

    @Test func theStarterPipelineIsValid() throws {
        let starter = try #require(StarterPipeline.files.first { $0.name == "pipeline.yaml" })
        let reading = PipelineReader.read(file: starter.name, bytes: Array(starter.text.utf8), environment: [:]) { _ in
            nil
        }
        #expect(reading.diagnostics.text == "")
        #expect(reading.pipeline?.streams.count == 5)
        #expect(StarterPipeline.files.map(\.name) == ["pipeline.yaml", "env.example", ".gitignore"])
    }
}
