package import Ledger
package import Model
package import PipelineFile
internal import Sealing

/// Events for a receiver: thin ones. Names, numbers and digests, never a row, never a person, never a message of the API's.
package enum WebhookEvent {
    package typealias Kind = Pipeline.Alerts.Event

    /// At most so much, whatever happened.
    package static let bodyLimit = 20_000

    /// - Parameter cause: what happened, in words that are the same whoever finds it out and whenever: the id is made of it.
    package static func make(
        _ kind: Kind,
        pipeline: String,
        cause: [String],
        at: Instant,
        _ data: [JSONValue.Member],
        clean: (JSONValue) -> JSONValue
    ) -> OutboxEvent {
        let id =
            "msg_"
            + SHA256Stream.hex(of: Array(([pipeline, kind.rawValue] + cause).joined(separator: "\n").utf8).span).prefix(
                32
            )
        let body: JSONValue = [
            "type": .string(kind.rawValue), "timestamp": .string(at.text),
            "data": clean(.object([.init("pipeline", .string(pipeline))] + data)),
        ]
        var text = body.compact
        if text.utf8.count > bodyLimit {
            text =
                JSONValue.object([
                    .init("type", .string(kind.rawValue)), .init("timestamp", .string(at.text)),
                    .init("data", ["pipeline": .string(pipeline), "shortened": true]),
                ]).compact
        }
        return OutboxEvent(id: String(id), type: kind.rawValue, body: text, created: at)
    }
}

/// When a receiver that did not answer well is tried again: the table of Standard Webhooks.
package enum RetrySchedule {
    private static let waits: [Int64] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]

    /// The next attempt after `attempts` of them; `nil`: it is given up.
    package static func next(afterAttempts attempts: Int, at now: Instant) -> Instant? {
        waits.indices.contains(attempts - 1) ? now + waits[attempts - 1] : nil
    }
}
