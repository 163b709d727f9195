package import Connector
package import Model
internal import PageMemory
internal import StageClock

/// What the caller found when it looked into a page.
package enum PageVerdict: Sendable {
    case ok
    /// Not what was promised: cut, HTML, no `data`. Worth another try. One sentence without contents.
    case malformed(String)
    /// The same, and perhaps no reply ever is as the connector says: how to mend that.
    case unlike(String, mend: String)
}

/// How a page was come by, for the run log.
package struct Attempts: Sendable, Equatable {
    package var count = 0
    /// Time spent waiting between attempts.
    package var waited: Duration = .zero
    /// Time that the API took for its replies, and for how many that is known.
    package var transfer: Duration = .zero
    package var timed = 0
    /// The last reply's, sanitized.
    package var requestID: String?
    package init() {}
    package var retries: Int { max(0, count - 1) }
}

/// A page that did not come, and what the caller needs to decide what that means for the stream.
package struct FetchFailure: Error, Sendable {
    /// Names stream, place, template, attempts and request id.
    package var fault: Fault
    /// The last reply's status; `nil` when there was none.
    package var status: Int?
    package var envelope: ErrorEnvelope?
    package var attempts: Attempts
    /// The key itself was refused: no other stream can succeed.
    package var stopsRun: Bool

    package init(fault: Fault, status: Int?, envelope: ErrorEnvelope?, attempts: Attempts, stopsRun: Bool) {
        self.fault = fault
        self.status = status
        self.envelope = envelope
        self.attempts = attempts
        self.stopsRun = stopsRun
    }

    package var isCancelled: Bool { fault.code == .interrupted }
}

/// Fetches one page: sends, judges, waits, sends again, until it has a page or a fault.
package struct PageFetcher: Sendable {
    private let transport: any Transport
    private let policy: RetryPolicy
    private let errors: Connector.ErrorRules
    private let credentialName: String
    private let requestIDHeader: String
    private let clock: any RequestClock
    private let random: @Sendable () -> Double
    private let sanitize: @Sendable (String) -> String

    /// - credentialName: what holds the credential, for messages.
    /// - sanitize: every text of the API that may stand in a message goes through it.
    package init(
        transport: any Transport,
        connector: Connector,
        credentialName: String? = nil,
        policy: RetryPolicy = RetryPolicy(),
        clock: any RequestClock = SystemClock(),
        random: @escaping @Sendable () -> Double = { Double.random(in: 0..<1) },
        sanitize: @escaping @Sendable (String) -> String = MessageFilter.clean
    ) {
        self.transport = transport
        self.policy = policy
        errors = connector.errors
        self.credentialName = credentialName ?? connector.credentialVariable
        requestIDHeader = connector.requestIDHeader.lowercased()
        self.clock = clock
        self.random = random
        self.sanitize = sanitize
    }

    /// Sends a request that is likely to be wanted next, without waiting for the reply.
    package func sendEarly(_ request: Request) -> EarlyReply { EarlyReply(request, over: transport) }

    /// - early: this very request, sent before: its reply is the first attempt's.
    /// - scope: what the stream's key must be allowed to, for messages.
    /// - place: what stands between stream and request in a fault: window, parent, page.
    /// - validate: called with each reply of status 200 that is not plainly something else.
    package func fetch(
        _ request: Request,
        early: EarlyReply? = nil,
        scope: String = "",
        at place: [String] = [],
        validate: (Reply) async -> PageVerdict = { _ in .ok }
    ) async throws(FetchFailure) -> (reply: Reply, attempts: Attempts) {
        let words = FaultWords(
            stream: request.stream,
            template: request.template,
            place: place,
            credentialName: credentialName,
            scope: scope,
            requestIDHeader: requestIDHeader,
            sanitize: sanitize
        )
        var machine = RetryMachine(policy: policy, words: words, errors: errors)
        var attempts = Attempts()
        // The budget is for trying again: a request's turn in the queue before its first attempt is not on it.
        var start: Duration?
        var early = early
        while true {
            var reply: Reply?
            var envelope: ErrorEnvelope?
            let outcome: RetryMachine.Outcome
            do throws(TransportError) {
                if Task.isCancelled { throw TransportError(.cancelled, "the run was stopped") }
                let begun = StageClock.now
                let answer: Reply
                if let sent = early {
                    early = nil
                    answer = try await sent.value()
                } else {
                    answer = try await transport.send(request)
                }
                StageClock.current?.add(.network, nanoseconds: StageClock.now - begun, bytes: answer.body.count)
                reply = answer
                if let took = answer.took {
                    attempts.transfer += took
                    attempts.timed += 1
                }
                outcome = await look(at: answer, envelope: &envelope, validate: validate)
            } catch {
                outcome = .failed(TransportError(error.kind, MessageFilter.bounded(sanitize(error.reason))))
            }
            attempts.count += 1
            attempts.requestID = reply?.headers[requestIDHeader].map { MessageFilter.bounded(sanitize($0)) }
            let now = clock.elapsed
            let elapsed = now - (start ?? now)
            start = start ?? now
            let verdict = machine.judge(outcome, elapsed: elapsed, wall: clock.wall, random: random())
            switch verdict {
            case .accept:
                if let reply { return (reply, attempts) }
            case .retry(let delay):
                reply = nil  // a large page must not stay in memory while we wait for its better self
                do throws(CancellationError) {
                    try await clock.sleep(for: delay)
                    attempts.waited += delay
                } catch {
                    let stopped = words.fault(TransportError(.cancelled, ""), attempts: 1, after: .zero)
                    throw FetchFailure(fault: stopped, status: nil, envelope: nil, attempts: attempts, stopsRun: false)
                }
            case .fail(let fault):
                let isKeyRefused = reply?.status == 401 && !words.isAboutScope(envelope ?? ErrorEnvelope())
                throw FetchFailure(
                    fault: fault,
                    status: reply?.status,
                    envelope: envelope,
                    attempts: attempts,
                    stopsRun: isKeyRefused
                )
            }
        }
    }

    private func look(
        at reply: Reply,
        envelope: inout ErrorEnvelope?,
        validate: (Reply) async -> PageVerdict
    ) async -> RetryMachine.Outcome {
        guard reply.status == 200 else {
            let said = ErrorEnvelope(body: reply.body, sanitize: sanitize)
            envelope = said
            return .reply(status: reply.status, headers: reply.headers, envelope: said)
        }
        var verdict = ReplyShape.verdict(reply, sanitize: sanitize)
        if case .ok = verdict { verdict = await validate(reply) }
        let hint = reply.isDelimited ? "" : " (the connection was closed without marking the end of the body)"
        switch verdict {
        case .ok: return .reply(status: 200, headers: reply.headers, envelope: ErrorEnvelope())
        case .malformed(let reason): return .malformed(reason: reason + hint, headers: reply.headers)
        case .unlike(let reason, let mend):
            return .malformed(reason: reason + hint, mend: mend, headers: reply.headers)
        }
    }
}
