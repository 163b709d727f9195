package import Model

/// What a run file says of the drift, and how it is kept while a walk is unfinished: the same words.
extension Drift {
    /// Unknown fields by path.
    package var json: JSONValue {
        Drift.object(unknown) { field in
            [
                "count": .integer(field.count), "kind": .string(field.kind), "action": .string(field.action),
                "first_request_id": .optional(field.firstRequestID),
            ]
        }
    }

    /// Required columns that were null or absent.
    package var missingJSON: JSONValue {
        Drift.object(missing) { odd in
            ["action": .string(odd.action), "first_request_id": .optional(odd.firstRequestID)]
        }
    }

    /// Values beyond those that the schema lists, by column.
    package var newValuesJSON: JSONValue {
        Drift.object(newValues) { odd in
            [
                "count": .integer(odd.count), "values": .strings(odd.shown.sorted()),
                "action": .string(odd.action), "first_request_id": .optional(odd.firstRequestID),
            ]
        }
    }

    /// All of it, for a later attempt to go on from.
    package var kept: JSONValue { ["unknown": json, "missing": missingJSON, "new_values": newValuesJSON] }

    package init(kept: JSONValue?) {
        self.init()
        for (path, field) in Drift.entries(kept?["unknown"]) {
            unknown[path] = Field(
                count: field["count"]?.integer ?? 0,
                kind: field["kind"]?.text ?? "",
                action: field["action"]?.text ?? "",
                firstRequestID: field["first_request_id"]?.text
            )
        }
        missing = Drift.entries(kept?["missing"]).mapValues(Odd.init(kept:))
        newValues = Drift.entries(kept?["new_values"]).mapValues(Odd.init(kept:))
    }

    private static func object<Entry>(_ entries: [String: Entry], _ json: (Entry) -> JSONValue) -> JSONValue {
        .object(entries.sorted { $0.key < $1.key }.map { JSONValue.Member($0.key, json($0.value)) })
    }

    private static func entries(_ object: JSONValue?) -> [String: JSONValue] {
        Dictionary((object?.members ?? []).map { ($0.key, $0.value) }) { $1 }
    }
}

extension Drift.Odd {
    fileprivate init(kept: JSONValue) {
        self.init(
            firstRequestID: kept["first_request_id"]?.text,
            shown: Set(kept["values"]?.elements?.compactMap(\.text) ?? []),
            count: kept["count"]?.integer ?? 0,
            action: kept["action"]?.text ?? ""
        )
    }
}
