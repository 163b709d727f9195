import Connector
import Model
import Testing

@testable import PipelineFile

/// Every kind of mistake, with the words it is told in.
@Suite struct MistakeTests {
    @Test func theTextIsThatOfTheContract() {
        let reading = read("streams:\n  costs:\n    since: 2026-06-01\n    gruop_by: [project_id]")
        #expect(
            reading.diagnostics.text == """
                p.yaml:7:5: error: unknown key "gruop_by" in stream "costs"
                    6 |     since: 2026-06-01
                    7 |     gruop_by: [project_id]
                      |     ^^^^^^^^ did you mean "group_by"?
                  allowed: bucket_width, group_by, lookback, max_shrink, min_rows, on_failure, since, until
                """
        )
        #expect(reading.pipeline == nil)
    }

    /// What follows the first three lines of the file, and `line:column: message` with the hint behind it.
    static let mistakes: [(String, String)] = [
        ("strems: {}", "4:1 unknown key \"strems\" at the top level; did you mean \"streams\"?"),
        ("enabled: NO", "4:10 \"enabled\" must be true or false, not \"NO\"; write false"),
        ("enabled:", "4:1 \"enabled\" has no value at the top level; write one, or leave the line out"),
        ("streams: [costs]", "4:10 \"streams\" must be a mapping of keys and values"),
        ("streams: {}", "4:1 \"streams\" names no stream; leave it out to read all of them"),
        ("streams:\n#  users: {}", "4:1 \"streams\" names no stream; leave the line out to read all of them"),
        (
            "load: { directory: ~/archives }",
            "4:20 \"directory\" begins with ~, which only a shell knows; write ${HOME}/… in its place"
        ),
        (
            "streams: { cots: {} }",
            "4:12 the connector \"openai_admin\" has no stream \"cots\"; did you mean \"costs\"?"
        ),
        (
            "streams: { zzz: {} }",
            "4:12 the connector \"openai_admin\" has no stream \"zzz\"; `cogni discover openai_admin` lists them"
        ),
        ("streams: { costs: 1 }", "4:19 the stream \"costs\" must be a mapping of keys and values"),
        (
            "streams: { projects: { lookback: 3d } }",
            "4:24 \"lookback\" cannot be said of stream \"projects\": it is always read whole; leave it out"
        ),
        (
            "streams: { projects: { since: 2025-11-01 } }",
            "4:24 \"since\" cannot be said of stream \"projects\": it is always read whole; leave it out"
        ),
        (
            "streams: { audit_logs: { bucket_width: 1d } }",
            "4:26 \"bucket_width\" cannot be said of stream \"audit_logs\": it is a list of events, without buckets; leave it out"
        ),
        (
            "streams: { costs: { bucket_width: 1h } }",
            "4:35 stream \"costs\" has no buckets of \"1h\"; did you mean \"1d\"?"
        ),
        ("streams: { costs: { group_by: project_id } }", "4:31 \"group_by\" must be a list, such as [a, b]"),
        (
            "streams: { costs: { group_by: [projct_id] } }",
            "4:32 stream \"costs\" has no dimension \"projct_id\"; did you mean \"project_id\"?"
        ),
        ("streams: { costs: { group_by: [line_item, line_item] } }", "4:43 the dimension \"line_item\" stands twice"),
        ("streams: { costs: { group_by: [[line_item]] } }", "4:32 an element of \"group_by\" must be a single value"),
        (
            "streams: { costs: { since: yesterday } }",
            "4:28 \"since\" must be a date such as 2026-11-03 or a time such as 2026-11-03T04:00:00Z, not \"yesterday\""
        ),
        (
            "streams: { costs: { since: 2025-02-30 } }",
            "4:28 \"since\" must be a date such as 2026-11-03 or a time such as 2026-11-03T04:00:00Z, not \"2025-02-30\""
        ),
        (
            "streams: { costs: { since: 17649792000 } }",
            "4:28 \"since\" must be a date such as 2026-11-03 or a time such as 2026-11-03T04:00:00Z, not \"17649792000\""
        ),
        (
            "streams: { costs: { since: 2025-11-02, until: 2025-11-02 } }",
            "4:28 \"since\" (2025-11-02T00:00:00Z) is not before \"until\" (2025-11-02T00:00:00Z) in stream \"costs\""
        ),
        (
            "streams: { costs: { since: 2025-12-05, group_by: [api_key_id] } }",
            "4:51 \"costs\" cannot be grouped by api_key_id before 2025-12-06: the API has no costs by key from before that day; let \"since\" be 2025-12-06, or leave out api_key_id"
        ),
        (
            "streams: { costs: { lookback: 3 days } }",
            "4:31 \"lookback\" must be a length of time such as 90s, 5m, 72h, 3d or 2w, not \"3 days\""
        ),
        (
            "streams: { costs: { on_failure: stopp } }",
            "4:33 \"on_failure\" cannot be \"stopp\"; did you mean \"stop\"?"
        ),
        ("transform: { dedupe: {} }", "4:12 \"transform\" must be a list, such as - dedupe: { keep: latest }"),
        ("transform: [dedup]", "4:13 unknown step \"dedup\" in \"transform\"; did you mean \"dedupe\"?"),
        (
            "transform: [{ dedupe: {}, sanitize: {} }]",
            "4:13 a step of \"transform\" is one key with its settings, such as dedupe: { keep: latest }"
        ),
        ("transform: [dedupe, { dedupe: {} }]", "4:23 the step \"dedupe\" stands twice"),
        ("transform: [{ dedupe: { keep: lastest } }]", "4:31 \"keep\" cannot be \"lastest\"; did you mean \"latest\"?"),
        ("transform: [{ sanitize: { secrets: drop } }]", "4:36 \"secrets\" cannot be \"drop\""),
        (
            "transform: [{ sanitize: { fields: { emial: mask } } }]",
            "4:37 no stream has a column \"emial\"; did you mean \"email\"?"
        ),
        ("transform: [{ sanitize: { fields: { email: hide } } }]", "4:44 \"email\" cannot be \"hide\""),
        (
            "transform: [{ sanitize: { fields: { \"domain:user\": mask } } }]",
            "4:37 no stream has a column \"domain:user\"; `cogni discover openai_admin` lists them"
        ),
        (
            "transform: [{ sanitize: { fields: { user_id: drop } } }]",
            "4:37 \"user_id\" cannot be dropped: \"user_id\" is part of the primary key of \"usage_completions\"; encrypt it with mode: deterministic"
        ),
        (
            "transform: [{ sanitize: { fields: { users.id: mask } } }]",
            "4:37 \"users.id\" cannot be masked: \"id\" is part of the primary key of \"users\"; encrypt it with mode: deterministic"
        ),
        (
            "transform: [{ sanitize: { fields: { effective_at: mask } } }]",
            "4:37 \"effective_at\" cannot be masked: \"effective_at\" decides the partitions of \"audit_logs\"; leave it out"
        ),
        (
            "transform: [{ sanitize: { fields: { costs.start_time: drop } } }]",
            "4:37 \"costs.start_time\" cannot be dropped: \"start_time\" decides the partitions of \"costs\"; leave it out"
        ),
        (
            "transform: [{ encrypt: { fields: [audit_logs.effective_at], mode: randomized } }]",
            "4:35 \"audit_logs.effective_at\" cannot be encrypted: \"effective_at\" decides the partitions of \"audit_logs\"; leave it out"
        ),
        (
            "load: { directory: \"${OUT:-}\" }",
            "4:20 \"directory\" is empty: the output would stand at the root of the file system; give the variable a value, or write ${NAME:-output}"
        ),
        (
            "alerts: { disable_at_failure_share: { percent: 50, runs: 0 } }",
            "4:58 \"runs\" must be a whole number from 2 to 1000, not \"0\""
        ),
        (
            "transform: [{ encrypt: { mode: pseudonym } }]",
            "4:15 \"fields\" is missing in \"encrypt\"; name columns, stream.column or domain:user"
        ),
        (
            "transform: [{ encrypt: { fields: [] } }]",
            "4:26 \"fields\" names nothing to encrypt; leave the step out, or name a field"
        ),
        (
            "transform: [{ encrypt: { fields: [domain:usr] } }]",
            "4:35 no column identifies \"domain:usr\"; did you mean \"domain:user\"?"
        ),
        (
            "transform: [{ encrypt: { fields: [costs.line_itm] } }]",
            "4:35 no stream has a column \"costs.line_itm\"; did you mean \"costs.line_item\"?"
        ),
        (
            "transform: [{ encrypt: { fields: [cots.line_item] } }]",
            "4:35 no stream has a column \"cots.line_item\"; did you mean \"costs.line_item\"?"
        ),
        (
            "transform: [{ encrypt: { fields: [email], mode: random } }]",
            "4:49 \"mode\" cannot be \"random\"; did you mean \"randomized\"?"
        ),
        (
            "transform: [{ encrypt: { fields: [users.id], mode: randomized } }]",
            "4:35 \"users.id\" cannot be encrypted at random: \"id\" is part of the primary key of \"users\"; encrypt it with mode: deterministic"
        ),
        (
            "transform: [{ encrypt: { fields: [costs.start_time] } }]",
            "4:35 \"costs.start_time\" cannot be encrypted: \"start_time\" decides the partitions of \"costs\"; leave it out"
        ),
        ("load: { formt: csv }", "4:9 unknown key \"formt\" in \"load\"; did you mean \"format\"?"),
        ("load: { format: parquet }", "4:17 \"format\" cannot be \"parquet\""),
        ("load: { compression: gz }", "4:22 \"compression\" cannot be \"gz\""),
        ("load: { max_file_size: big }", "4:24 \"max_file_size\" must be a size such as 256MB or 1GiB, not \"big\""),
        ("load: { max_file_size: 10 }", "4:24 \"max_file_size\" must be at least 1kB, not \"10\""),
        (
            "load: { keep_generations: 0 }",
            "4:27 \"keep_generations\" must be a whole number from 1 to 100000, not \"0\""
        ),
        (
            "load: { keep_generations: 017 }",
            "4:27 \"keep_generations\" must be a whole number from 1 to 100000, not \"017\""
        ),
        ("load: { directory: [a] }", "4:20 \"directory\" must be a single value"),
        ("load: { directory: ${NONE} }", "4:20 the variable NONE is not set; set it, or write ${NONE:-default}"),
        ("load: { directory: ${file:/none} }", "4:20 the file /none cannot be read; create it, or correct the path"),
        (
            "load: { directory: $HOME/x }",
            "4:20 this is not a variable; a variable is written ${NAME}, a dollar sign $$"
        ),
        (
            "alerts: { webhook: http://example.com }",
            "4:20 \"webhook\" must begin with https:// (plain http only to this machine)"
        ),
        (
            "alerts: { certificate_expiry: 30 }",
            "4:31 \"certificate_expiry\" must be a length of time such as 90s, 5m, 72h, 3d or 2w, not \"30\""
        ),
        ("  page_limit: 0", "4:15 \"page_limit\" must be \"max\" or a whole number of at least 1, not \"0\""),
        (
            "  page_limit: maxx",
            "4:15 \"page_limit\" must be \"max\" or a whole number of at least 1, not \"maxx\"; did you mean \"max\"?"
        ),
        ("  concurrency: 65", "4:16 \"concurrency\" must be a whole number from 1 to 64, not \"65\""),
        ("  retry: { budgt: 5m }", "4:12 unknown key \"budgt\" in \"retry\"; did you mean \"budget\"?"),
        ("  base_url: api.example.com", "4:13 \"base_url\" must begin with https://"),
        (
            "  base_url: http://api.example.com/v1",
            "4:13 \"base_url\" must begin with https:// (plain http only to this machine, or with `allow_plain_http: true`)"
        ),
        ("  organisation: x", "4:3 unknown key \"organisation\" in \"source\"; did you mean \"organization\"?"),
        (
            "  credential: hunter2hunter2",
            "4:15 \"credential\" must be one variable or file, never the key itself; write ${OPENAI_ADMIN_KEY} or ${file:/run/secrets/key}"
        ),
        (
            "  credential: ${A}${B}",
            "4:15 \"credential\" must be one variable or file, never the key itself; write ${OPENAI_ADMIN_KEY} or ${file:/run/secrets/key}"
        ),
        (
            "  credential: ${A:-hunter2hunter2}",
            "4:15 \"credential\" must be one variable or file, never the key itself; write ${OPENAI_ADMIN_KEY} or ${file:/run/secrets/key}"
        ),
        ("  timeouts: { page: 0s }", "4:15 \"page\" must be from 1s to 1d, not 0s"),
        ("  timeouts: { body: 5s }", "4:15 unknown key \"body\" in \"timeouts\""),
        ("  max_page_size: 1kB", "4:18 \"max_page_size\" must be at least 64KiB, not \"1kB\""),
    ]

    @Test(arguments: mistakes) func everyMistakeIsToldWithItsPlaceAndItsMend(text: String, told: String) {
        let reading = read(text)
        let all = reading.diagnostics.all.filter { $0.severity == .error }.map { one in
            let place = one.place.map { "\($0.line):\($0.column) " } ?? ""
            return place + one.message + (one.hint.map { "; \($0)" } ?? "")
        }
        #expect(all == [told])
        #expect(reading.pipeline == nil)
    }

    static let files: [(String, String)] = [
        ("", "p.yaml: error: the file is empty\n  mend: `cogni init` writes one to start from"),
        ("source: { connector: openai_admin }\n", "p.yaml:1:1: error: \"pipeline\" is missing at the top level"),
        ("pipeline: p\n", "p.yaml:1:1: error: \"source\" is missing at the top level"),
        ("pipeline: p\nsource: {}\n", "p.yaml:2:1: error: \"connector\" is missing in \"source\""),
        (
            "pipeline: My Pipe_2\nsource: { connector: openai_admin }\n",
            "p.yaml:1:11: error: a pipeline's name has 1 to 63 of a-z, 0-9 and -, not \"My Pipe_2\""
        ),
        (
            "pipeline: p\nsource: { connector: opnai_admin }\n",
            "p.yaml:2:22: error: there is no connector \"opnai_admin\""
        ),
        (
            "pipeline: p\nsource: { connector: ./x.yaml }\n",
            "p.yaml:2:22: error: the connector file \"./x.yaml\" cannot be read"
        ),
        (
            "connector: toy\nbase_url: https://toy.example\nstreams: []\n",
            "p.yaml:1:1: error: this is a connector file, not a pipeline file"
        ),
        ("- a\n", "p.yaml:1:1: error: a pipeline file must be a mapping of keys and values"),
    ]

    @Test(arguments: files) func whatIsMissingIsNamed(text: String, first: String) {
        let reading = PipelineReader.read(file: "p.yaml", bytes: Array(text.utf8), environment: [:]) { _ in nil }
        #expect(reading.diagnostics.text.hasPrefix(first), "\(reading.diagnostics.text)")
        #expect(reading.pipeline == nil)
    }

    @Test func theOpenBucketIsWantedOrNot() {
        let said = read("", source: "  include_open_bucket: maybe\n").diagnostics
        #expect(said.all.map(\.message) == ["\"include_open_bucket\" must be true or false, not \"maybe\""])
    }

    @Test func bothNumbersOfAFailureShareAreLookedAt() {
        let said = read("alerts: { disable_at_failure_share: { percent: 200, runs: 0 } }").diagnostics
        #expect(said.count(.error) == 2, "\(said.text)")
    }

    @Test(arguments: ["opnai_admin", "./faulty.yaml"])
    func withoutAConnectorWhatNeedsNoneIsStillFound(connector: String) {
        let text = """
            pipeline: p
            source: { connector: \(connector), concurency: 4, chain: x }
            streams:
              costs: { since: never, gruop_by: [] }
              users: { min_rows: none, since: 2025-12-01, until: 2025-11-01 }
              projects: { on_failure: sotp, max_shrink: 20 }
            diagnostics: { max_findigs: 3 }
            """
        let reading = PipelineReader.read(file: "p.yaml", bytes: Array(text.utf8), environment: [:]) { _ in
            Array("connector: faulty\n".utf8)
        }
        let said = reading.diagnostics.all.filter { $0.file == "p.yaml" && $0.severity == .error }
        #expect(said.compactMap(\.place?.line) == [2, 2, 4, 4, 5, 5, 6, 6, 7], "\(reading.diagnostics.text)")
    }

    @Test func allMistakesOfAFileComeOutAtOnceInItsOrder() {
        let reading = read(
            "enabled: maybe\nstreams:\n  costs: { since: never, gruop_by: [] }\n  costs: {}\n  cots: &a {}\nload: { format: xml }\nalerts: { webhok: x }",
            source: "  concurrency: many\n"
        )
        #expect(reading.diagnostics.all.compactMap(\.place?.line) == [4, 5, 7, 7, 8, 9, 9, 10, 11])
        #expect(reading.diagnostics.count(.error) == 9)
    }

    static let warnings: [(String, Diagnostic.Severity, String)] = [
        (
            "load: { guard_formulas: true }", .warning,
            "\"guard_formulas\" has no effect: only csv files are opened as spreadsheets"
        ),
        (
            "streams: { costs: {} }\ntransform: [{ encrypt: { fields: [email] } }]", .warning,
            "\"email\" has no effect: no stream of this pipeline has such a column"
        ),
        (
            "transform: [sanitize, dedupe]", .note,
            "whatever their order here, rows are deduplicated, then sanitized, then encrypted"
        ),
        (
            "streams: { costs: { group_by: [user_id, project_id] } }", .note,
            "\"costs\" may not be grouped by user_id with project_id: some organizations may not ask for users and projects at once"
        ),
    ]

    @Test(arguments: warnings) func whatIsOnlyOddIsSaidAndTheFileIsRead(
        text: String,
        severity: Diagnostic.Severity,
        message: String
    ) {
        let reading = read(text)
        #expect(reading.diagnostics.all.map(\.message) == [message])
        #expect(reading.diagnostics.all.first?.severity == severity)
        #expect(reading.pipeline != nil)
    }
}
