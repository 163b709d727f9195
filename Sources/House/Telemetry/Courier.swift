internal import CurlTransport
package import Ledger
package import Model
package import PipelineFile
internal import Sealing

/// Brings the outbox's events to the receiver, within a time budget, and notes what became of each.
package struct Courier: Sendable {
    package struct Report: Sendable, Equatable {
        package var sent = 0
        package var failed = 0
        /// Sentences for people.
        package var notes: [String] = []
    }

    let alerts: Pipeline.Alerts
    /// The clock's time.
    let now: @Sendable () -> Instant
    /// Milliseconds of a monotonic clock.
    let milliseconds: @Sendable () -> Int

    /// All attempts of one call together, and each of them. A run is never held up longer.
    package static let budget = 10_000
    private static let attemptLimit = 5_000
    /// An attempt whose sender died is repeated after this.
    private static let lease: Int64 = 30

    package init(
        alerts: Pipeline.Alerts,
        now: @escaping @Sendable () -> Instant,
        milliseconds: @escaping @Sendable () -> Int
    ) {
        self.alerts = alerts
        self.now = now
        self.milliseconds = milliseconds
    }

    /// Sends what is due.
    /// - Parameter isForced: also what is to be tried again only later.
    package func deliver(_ store: StateStore, isForced: Bool = false) async throws(Fault) -> Report {
        var report = Report()
        guard let webhook = alerts.webhook else { return report }
        guard try store.outbox().contains(where: { $0.state == .waiting }) else { return report }
        let address = webhook.reveal()
        let digest = SHA256Stream.hex(of: Array(address.utf8).span)
        if let stopped = try store.stoppedReceiver(), stopped.receiver == digest {
            report.notes.append("events wait: \(stopped.reason) (\(stopped.at.text)); `cogni alerts resume` sends them")
            return report
        }
        guard let secret = alerts.webhookSecret else {
            throw Fault(
                .badPlan,
                "events wait, and nothing to sign them with is set",
                mend: "set \(alerts.webhookSecretName) to whsec_ and the base64 of 32 random bytes"
            )
        }
        let keys = try WebhookKey.keys(secret)
        let networks = alerts.webhookNetworks.compactMap(NetworkRange.init)
        let post = try WebPost()
        let end = milliseconds() + Courier.budget
        var last: Int?
        while milliseconds() < end {
            let moment = now()
            guard
                let (number, entry) = try store.takeEvent(
                    after: last,
                    at: moment,
                    lease: moment + Courier.lease,
                    isForced: isForced
                )
            else { break }
            last = number
            var signatures: [String] = []
            for key in keys {
                signatures.append(try key.signature(id: entry.event.id, timestamp: moment, body: entry.event.body))
            }
            let answer = await post.send(
                entry.event.body,
                to: address,
                headers: [
                    ("Content-Type", "application/json"), ("webhook-id", entry.event.id),
                    ("webhook-timestamp", String(moment.seconds)),
                    ("webhook-signature", signatures.joined(separator: " ")),
                ],
                networks: networks,
                within: .milliseconds(max(1, min(Courier.attemptLimit, end - milliseconds())))
            )
            if try note(answer, number, entry, digest, store, into: &report) { break }
        }
        try store.dropOldEvents(at: now())
        return report
    }

    /// True: the receiver will get nothing more for now.
    private func note(
        _ answer: WebPost.Answer,
        _ number: Int,
        _ entry: OutboxEntry,
        _ digest: String,
        _ store: StateStore,
        into report: inout Report
    ) throws(Fault) -> Bool {
        if answer.isGood {
            try store.markSent(number, answer: answer.text)
            report.sent += 1
            return false
        }
        report.failed += 1
        if answer == .status(410) {
            try store.markFailed(number, answer: answer.text, next: now())
            try store.setStoppedReceiver(
                StoppedReceiver(receiver: digest, reason: "the receiver answered 410: it wants no more", at: now())
            )
            report.notes.append("the webhook's receiver answered 410: nothing more is sent until `cogni alerts resume`")
            return true
        }
        let next = RetrySchedule.next(afterAttempts: entry.attempts, at: now())
        try store.markFailed(number, answer: answer.text, next: next)
        let then = next.map { "tried again from \($0.text) on" } ?? "given up after \(entry.attempts) attempts"
        report.notes.append("the webhook was not taken (\(entry.event.type)): \(answer.text); \(then)")
        // What failed for one event will fail for the next: a receiver that is down must not cost the whole budget.
        return true
    }
}
