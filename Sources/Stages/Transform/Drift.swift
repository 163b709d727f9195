package import Model

/// Where the API's data and the connector's schema differ, counted. Reported with the run, never an error by itself.
package struct Drift: Sendable, Equatable {
    package struct Field: Sendable, Equatable {
        package var count = 0
        /// `number`, `text`, `boolean`, `object`, `array`.
        package var kind: String
        /// What was done with it: `kept`, `dropped`.
        package var action: String
        package var firstRequestID: String?
    }

    /// By path from the row inwards, with `.` between keys.
    package private(set) var unknown: [String: Field] = [:]
    /// Columns that the schema calls required and that came as null or not at all.
    package private(set) var missing: [String: Int] = [:]

    package var isEmpty: Bool { unknown.isEmpty && missing.isEmpty }

    package init() {}

    mutating func noteUnknown(_ path: String, kind: String, action: String, requestID: String?) {
        unknown[path, default: Field(kind: kind, action: action, firstRequestID: requestID)].count += 1
    }

    package static func += (sum: inout Drift, more: Drift) {
        for (path, field) in more.unknown {
            if sum.unknown[path] == nil { sum.unknown[path] = field } else { sum.unknown[path]?.count += field.count }
        }
        sum.missing.merge(more.missing, uniquingKeysWith: +)
    }

    package var json: JSONValue {
        .object(
            unknown.sorted { $0.key < $1.key }.map { path, field in
                JSONValue.Member(
                    path,
                    [
                        "count": .integer(field.count), "kind": .string(field.kind), "action": .string(field.action),
                        "first_request_id": .optional(field.firstRequestID),
                    ]
                )
            }
        )
    }
}
