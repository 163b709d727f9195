import Connector
package import Model

extension JSONSchemas {
    /// The schema of `manifest.json`. Unlike in files that people write, further members are allowed: a reader
    /// of today has to read the manifests of tomorrow.
    package static let manifest: JSONValue = {
        let file = open(
            [
                ("path", ["type": "string", "pattern": "^[^/].*"]),
                ("rows", whole(0)), ("bytes", whole(0)), ("sha256", sha256),
                ("content_bytes", whole(0)), ("content_sha256", sha256),
                ("min", moment), ("max", moment),
                ("nulls", ["type": "object", "additionalProperties": whole(1)]),
                (
                    "sums",
                    [
                        "type": "object",
                        "additionalProperties": ["type": "string", "pattern": "^-?[0-9]+([.][0-9]+)?$"],
                    ]
                ),
            ],
            required: ["path", "rows", "bytes", "sha256", "content_bytes", "content_sha256"]
        )
        let partition = open(
            [
                ("partition", ["type": "object", "additionalProperties": ["type": "string"]]),
                ("files", list(of: file)),
            ],
            required: ["partition", "files"]
        )
        let span = open([("from", moment), ("to", moment)], required: ["from", "to"])
        let coverage = open([("from", moment), ("to", moment), ("gaps", list(of: span))], required: ["from", "to"])
        let stream = open(
            [
                ("name", text),
                ("mode", words(StreamSpec.Mode.self)),
                ("primary_key", list(of: text)),
                ("bucket_width", ["type": ["string", "null"]]),
                ("group_by", ["type": ["array", "null"], "items": text]),
                ("schema", text),
                ("rows", whole(0)),
                ("stale", flag),
                ("coverage", ["anyOf": [coverage, ["type": "null"]]]),
                ("watermark", moment),
                ("partitions", list(of: partition)),
            ],
            required: ["name", "mode", "primary_key", "schema", "rows", "stale", "partitions"]
        )
        let relation = open(
            [("name", text), ("rule", text), ("findings", whole(0)), ("rows", whole(0)), ("skipped", text)],
            required: ["name", "rule", "findings", "rows"]
        )
        let members: [(String, JSONValue)] = [
            ("format", ["const": "cogni-manifest/1"]),
            ("pipeline", text),
            ("key_ids", list(of: text)),
            ("organization", open([("header", text), ("id", text)], required: [])),
            (
                "diagnostics",
                open(
                    [
                        ("relations", list(of: relation)),
                        ("file", open([("path", text), ("sha256", sha256)], required: ["path", "sha256"])),
                    ],
                    required: ["relations"]
                )
            ),
            ("streams", list(of: stream)),
        ]
        guard case .object(let body) = open(members, required: ["format", "pipeline", "streams"]) else { return nil }
        return .object([.init("$schema", draft), .init("title", "CogniTrack manifest")] + body)
    }()

    private static let sha256: JSONValue = ["type": "string", "pattern": "^[0-9a-f]{64}$"]
    private static let moment: JSONValue = [
        "type": ["string", "null"], "pattern": "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$",
    ]

    private static func open(_ members: [(String, JSONValue)], required: [String]) -> JSONValue {
        ["type": "object", "properties": .object(members.map { .init($0.0, $0.1) }), "required": .strings(required)]
    }
}
