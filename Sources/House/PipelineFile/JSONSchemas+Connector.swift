import Connector
package import Model

extension JSONSchemas {
    /// The schema of connector files.
    package static let connector: JSONValue = {
        let members: [(String, JSONValue)] = [
            ("connector", name),
            ("title", text),
            ("version", whole(1)),
            ("base_url", text),
            (
                "auth",
                object([("header", text), ("prefix", ["type": "string"]), ("variable", text)], required: ["variable"])
            ),
            (
                "headers",
                object([("options", strings), ("fixed", strings), ("request_id", text), ("organization", text)])
            ),
            ("errors", object([("final", list(of: text)), ("history", list(of: text))])),
            ("pacing", object([("requests_per_minute", whole(1)), ("per_path", whole(1))])),
            ("streams", list(of: connectorStream)),
            ("relations", list(of: relation)),
            ("reconcile", reconcile),
        ]
        guard case .object(let body) = object(members, required: ["connector", "base_url", "auth", "streams"]) else {
            return nil
        }
        return .object([.init("$schema", draft), .init("title", "CogniTrack connector")] + body)
    }()

    private static let name: JSONValue = ["type": "string", "pattern": "^[a-z0-9_-]+$"]
    /// Values that are sent as text, however they look.
    private static let sent: JSONValue = ["type": ["string", "boolean", "integer"]]
    private static let strings: JSONValue = ["type": ["object", "null"], "additionalProperties": sent]
    /// Keys inwards: dotted, or one by one.
    private static let path: JSONValue = ["anyOf": [text, list(of: text)]]

    private static let connectorStream: JSONValue = object(
        [
            ("name", name),
            ("title", text),
            ("mode", words(StreamSpec.Mode.self)),
            ("path", ["type": "string", "pattern": "^/"]),
            ("scope", text),
            ("parameters", strings),
            ("pagination", pagination),
            ("rows", ["type": "string", "pattern": "^(\\.|[^.]+\\[\\](\\.[^.]+\\[\\])?)$"]),
            ("object", text),
            ("parents", list(of: parent)),
            ("absent", words(StreamSpec.Absent.self)),
            ("window", window),
            ("group_by", grouping),
            ("walks", list(of: strings)),
            ("time", text),
            ("expires", described(text, "The column that says until when a row is valid.")),
            ("primary_key", list(of: text)),
            ("ignored", list(of: path)),
            ("columns", list(of: column)),
        ],
        required: ["name", "mode", "path", "primary_key", "columns"]
    )

    private static let pagination: JSONValue = object(
        [
            ("style", words(Pagination.Style.self)),
            ("cursor", described(text, "The request parameter that carries the cursor.")),
            ("cursor_from", described(path, "Keys in the reply, or in the last item, to the next cursor.")),
            ("more", described(path, "Keys in the reply to the boolean that says whether more follows.")),
            ("omitted_at_end", described(flag, "The last page's reply leaves the cursor's field out.")),
            ("limit_parameter", text),
            ("limit", ["anyOf": [whole(1), ["type": "object", "additionalProperties": whole(1)]]]),
        ],
        required: ["style"]
    )

    private static let parent: JSONValue = object(
        [
            ("parameter", text),
            ("of", ["type": "string", "pattern": "^[^.]+\\.[^.]+$"]),
            ("skip", ["type": "object", "additionalProperties": list(of: text)]),
        ],
        required: ["parameter", "of"]
    )

    private static let window: JSONValue = object(
        [
            ("start", text), ("end", text), ("width", text), ("widths", list(of: span)), ("default_width", span),
            ("lookback", span), ("history", span),
        ],
        required: ["start", "end"]
    )

    private static let place: JSONValue = ["type": "string", "pattern": "^[^.]+\\.[^.]+$"]
    private static let relation: JSONValue = object(
        [
            ("name", name), ("about", text), ("find", words(Relation.Finding.self)),
            ("rows", list(of: place)), ("listed", list(of: place)), ("living", flag),
        ],
        required: ["name", "rows"]
    )

    private static let reconcile: JSONValue = object([
        (
            "usage",
            list(
                of: object(
                    [
                        ("stream", name), ("project", text), ("user", text), ("key", text), ("model", text),
                        ("requests", text), ("tokens", list(of: text)),
                    ],
                    required: ["stream"]
                )
            )
        ),
        (
            "costs",
            object(
                [
                    ("stream", name), ("project", text), ("amount", text), ("currency", text),
                    ("quantity", text), ("unit", text),
                    ("tokens_per_unit", ["type": "object", "additionalProperties": whole(1)]),
                ],
                required: ["stream", "project", "amount"]
            )
        ),
    ])

    private static let grouping: JSONValue = object(
        [
            ("parameter", text),
            ("dimensions", list(of: text)),
            (
                "refused",
                list(
                    of: object(
                        [
                            ("dimensions", list(of: text)), ("before", instant), ("certain", flag), ("without", text),
                            ("reason", text),
                        ],
                        required: ["dimensions", "without", "reason"]
                    )
                )
            ),
        ],
        required: ["parameter", "dimensions"]
    )

    private static let column: JSONValue = object(
        [
            ("name", ["type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"]),
            ("path", path),
            ("or", list(of: path)),
            ("from", described(text, "bucket, or a parameter of the path; absent: the row itself.")),
            ("type", words(Column.Kind.self)),
            ("nullable", flag),
            ("sensitivity", words(Column.Sensitivity.self)),
            ("domain", described(name, "What the value identifies; equal domains get equal tokens.")),
            ("volatile", flag),
            ("about", text),
            ("values", described(list(of: text), "The texts the API is known to send; others are reported as drift.")),
            (
                "inner",
                list(
                    of: object(
                        [
                            ("path", path), ("sensitivity", words(Column.Sensitivity.self)), ("domain", name),
                            ("types", list(of: text)),
                        ],
                        required: ["path"]
                    )
                )
            ),
        ],
        required: ["name", "type"]
    )
}
