internal import Connector
internal import Extract
internal import Load
internal import Model
internal import Transform

/// What the run file says of a stream beyond the summary.
enum RunDetails {
    /// - Parameter before: where the stream's cursor stood when the run began.
    static func json(_ result: StreamResult, before: Instant?) -> JSONValue {
        [
            "stream": .string(result.name),
            "window": .optional(result.window?.text),
            "group_by": .strings(result.groupBy),
            "watermark_before": .optional(before?.text),
            "watermark": .optional((result.fault == nil ? result.watermark : before)?.text),
            "restated": [
                "replaced": .integer(result.replaced), "changed": .integer(result.changed),
                "rows": [
                    "changed": .integer(result.restated.changed), "appeared": .integer(result.restated.appeared),
                    "vanished": .integer(result.restated.vanished), "buckets": .integer(result.restated.buckets),
                ],
            ],
            "drift": result.drift.json,
            "missing": result.drift.missingJSON,
            "new_values": result.drift.newValuesJSON,
            "request_ids": .strings(result.requestIDs),
            "fault": result.fault.map { fault in
                ["code": .string(fault.code.rawValue), "what": .string(fault.what), "where": .strings(fault.place)]
            } ?? .null,
        ]
    }
}
