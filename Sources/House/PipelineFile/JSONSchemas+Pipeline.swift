package import Connector
package import Model

extension JSONSchemas {
    /// The schema of pipeline files that use a connector: its stream names with the options each one takes.
    package static func pipeline(_ connector: Connector) -> JSONValue {
        let streams = connector.streams.map { ($0.name, stream($0)) }
        let members: [(String, JSONValue)] = [
            (
                "pipeline",
                [
                    "type": "string", "pattern": "^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
                    "description": "Names the output folder and the state.",
                ]
            ),
            ("enabled", described(orVariable(flag), "The feature flag; also `cogni disable`.")),
            ("source", source(connector)),
            ("streams", object(streams, about: "What is read. Absent: every stream, with its defaults.")),
            ("transform", transform(connector)),
            ("load", load),
            ("alerts", alerts),
            ("metrics", metrics),
            ("lineage", lineage),
            ("diagnostics", diagnostics(connector)),
        ]
        guard case .object(let body) = object(members, required: ["pipeline", "source"]) else { return nil }
        let head: [JSONValue.Member] = [
            .init("$schema", draft),
            .init("title", .string("CogniTrack pipeline (\(connector.name))")),
        ]
        return .object(head + body)
    }

    private static func source(_ connector: Connector) -> JSONValue {
        var members: [(String, JSONValue)] = [
            ("connector", described(text, "A built-in connector, or the path of a connector file.")),
            ("base_url", described(text, "Default: \(connector.baseURL)")),
            (
                "credential",
                [
                    "type": "string", "pattern": "^\\$\\{[^}]+\\}$",
                    "description": .string(
                        "${\(connector.credentialVariable)} or ${file:/run/secrets/key}; never the key itself."
                    ),
                ]
            ),
            (
                "page_limit",
                described(
                    orVariable(["anyOf": [["const": "max"], whole(1)]]),
                    "Rows or buckets a page; `max`: the largest that each stream takes."
                )
            ),
            (
                "retry",
                object(
                    [("budget", orVariable(span)), ("max_delay", orVariable(span))],
                    about: "How long one page is tried for, and the longest pause."
                )
            ),
            (
                "timeouts",
                object(
                    [("connect", orVariable(span)), ("stall", orVariable(span)), ("page", orVariable(span))],
                    about:
                        "Of one request: until it is connected (10s), without a kilobyte a second (30s), until it is whole (2m)."
                )
            ),
            ("requests_per_minute", orVariable(whole(1))),
            ("concurrency", described(orVariable(whole(1, 64)), "Requests in flight; default 4.")),
            ("allow_plain_http", orVariable(flag)),
            ("max_page_size", described(orVariable(size), "Largest reply that is read; default 256MB.")),
            (
                "include_open_bucket",
                described(orVariable(flag), "Also read the bucket that is still growing; default false.")
            ),
        ]
        for key in connector.optionHeaders.keys.sorted() {
            members.append(
                (
                    key,
                    [
                        "type": ["string", "null"],
                        "description": .string("Sent as \(connector.optionHeaders[key] ?? "")."),
                    ]
                )
            )
        }
        return object(members, required: ["connector"])
    }

    private static func stream(_ spec: StreamSpec) -> JSONValue {
        let all: [String: JSONValue] = [
            "bucket_width": orVariable(words(spec.window?.widths ?? [])),
            "group_by": described(
                ["type": "array", "uniqueItems": true, "items": orVariable(words(spec.grouping?.dimensions ?? []))],
                "Default: [\((spec.grouping?.usual ?? []).joined(separator: ", "))]; [] for totals."
            ),
            "lookback": described(
                orVariable(span),
                "How far back data is read again; default \(TimeSpan(seconds: spec.window?.defaultLookback ?? 0).text)."
            ),
            "since": described(orVariable(instant), "The first moment, inclusive."),
            "until": described(orVariable(instant), "The last moment, exclusive."),
            "min_rows": described(orVariable(whole(1)), "A run that reads fewer rows holds the stream back (exit 5)."),
            "max_shrink": described(
                orVariable(["type": "string", "pattern": "^[0-9]{1,3}([.][0-9]{1,2})?%$"]),
                "A run that loses more than this share of the rows holds the stream back (exit 5)."
            ),
            "on_failure": described(
                orVariable(words(Pipeline.OnFailure.self)),
                "keep: the others are published; stop: nothing is."
            ),
        ]
        let members = PipelineReader.options(spec).map { ($0, all[$0] ?? text) }
        return object(members, about: "\(spec.title) (\(spec.mode.rawValue))")
    }

    private static func transform(_ connector: Connector) -> JSONValue {
        let encrypt: [(String, JSONValue)] = [
            (
                "fields",
                described(
                    list(of: text),
                    "Columns, stream.column, or one of: \(FieldNames.domains(of: connector).map { "domain:\($0)" }.joined(separator: ", "))."
                )
            ),
            ("mode", orVariable(words(Pipeline.Transform.TokenMode.self))),
            ("key_ring", ["type": ["string", "null"]]),
        ]
        let rules: JSONValue = [
            "type": ["object", "null"], "additionalProperties": orVariable(words(Pipeline.Transform.FieldRule.self)),
        ]
        let sanitize: [(String, JSONValue)] = [
            ("secrets", orVariable(words(["mask", "keep"]))),
            ("unknown_fields", orVariable(words(Pipeline.Transform.UnknownFields.self))),
            (
                "new_values",
                described(
                    orVariable(words(Pipeline.Transform.NewValues.self)),
                    "Texts that a column's schema does not list."
                )
            ),
            (
                "missing_fields",
                described(
                    orVariable(words(Pipeline.Transform.MissingFields.self)),
                    "Columns that are never null by the schema and come without a value; drop leaves the whole row out."
                )
            ),
            ("fields", rules),
        ]
        let steps: [JSONValue] = [
            object(
                [("dedupe", object([("keep", orVariable(words(Pipeline.Transform.Keep.self)))]))],
                required: ["dedupe"]
            ),
            object([("sanitize", object(sanitize))], required: ["sanitize"]),
            object([("encrypt", object(encrypt, required: ["fields"]))], required: ["encrypt"]),
            words(["dedupe", "sanitize"]),
        ]
        return ["type": ["array", "null"], "items": ["anyOf": .array(steps)]]
    }

    private static func diagnostics(_ connector: Connector) -> JSONValue {
        let each = object(connector.relations.map { ($0.name, orVariable(described(whole(0), $0.about))) })
        return object([
            (
                "max_findings",
                described(
                    ["anyOf": [orVariable(whole(0)), each]],
                    "A run with more findings ends with 5; one number for all, or one for each relation."
                )
            )
        ])
    }

    private static let load = object([
        ("directory", described(text, "Default: output; the pipeline's name is the folder below it.")),
        ("format", orVariable(words(Pipeline.Load.Format.self))),
        ("compression", orVariable(words(Pipeline.Load.Compression.self))),
        ("partition_by", orVariable(words(Pipeline.Load.PartitionBy.self))),
        ("max_file_size", orVariable(size)),
        ("bundle", orVariable(words(Pipeline.Load.Bundle.self))),
        ("keep_generations", orVariable(whole(1))),
        ("guard_formulas", orVariable(flag)),
    ])

    private static let alerts = object([
        ("webhook", described(["type": ["string", "null"]], "Where events are sent; https.")),
        (
            "webhook_secret",
            [
                "type": "string", "pattern": "^\\$\\{[^}]+\\}$",
                "description": "${COGNI_WEBHOOK_SECRET}: whsec_ and base64; never the secret itself.",
            ]
        ),
        ("webhook_networks", described(list(of: text), "Private networks the receiver may stand in: 10.1.0.0/16.")),
        ("events", list(of: orVariable(words(Pipeline.Alerts.Event.self)))),
        ("disable_after_failures", orVariable(whole(1))),
        (
            "disable_at_failure_share",
            object(
                [("percent", orVariable(whole(1, 100))), ("runs", orVariable(whole(2, 1000)))],
                required: ["percent", "runs"],
                about: "Switches the pipeline off when so many percent of the last so many runs failed."
            )
        ),
        ("certificate_expiry", described(orVariable(span), "Certificates that expire within this are counted.")),
    ])

    private static let metrics = object([
        ("file", described(text, "Default: metrics.prom in the pipeline's folder. Name it *.prom.")),
        ("pushgateway", described(["type": ["string", "null"]], "Pushed to after every run.")),
    ])

    private static let lineage = object([
        ("file", described(text, "OpenLineage events, one a line.")),
        ("url", described(["type": ["string", "null"]], "A server; /api/v1/lineage is the path below it.")),
        ("namespace", described(text, "Of the job; default: cogni.")),
    ])
}
