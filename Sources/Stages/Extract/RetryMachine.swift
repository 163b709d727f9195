package import Connector
package import Model

/// How long and how often a page is tried again.
package struct RetryPolicy: Sendable, Equatable {
    /// From the end of the first attempt on, waits and transfers together.
    package var budget: Duration
    /// The most that we wait by ourselves. A wait that the server names is kept in full.
    package var maxDelay: Duration
    package var firstDelay: Duration
    /// Bounds the attempts even when every one fails at once and chance gives no wait at all.
    package var maxAttempts: Int
    /// A reply that is cut or malformed again and again is how the source is, not bad luck.
    package var maxMalformed: Int

    package init(
        budget: Duration = .seconds(300),
        maxDelay: Duration = .seconds(75),
        firstDelay: Duration = .milliseconds(500),
        maxAttempts: Int = 24,
        maxMalformed: Int = 6
    ) {
        self.budget = budget
        self.maxDelay = maxDelay
        self.firstDelay = firstDelay
        self.maxAttempts = maxAttempts
        self.maxMalformed = maxMalformed
    }
}

/// Decides after each attempt at one page: take it, try again after a wait, or give up with which fault.
///
/// Pure: time, chance and outcomes come in, a verdict goes out. Always ends, since both the budget and the number of
/// attempts are bounded.
package struct RetryMachine: Sendable {
    package enum Outcome: Sendable {
        case reply(status: Int, headers: [String: String], envelope: ErrorEnvelope)
        /// Status 200, but its body is not what was promised.
        case malformed(reason: String, mend: String? = nil, headers: [String: String])
        case failed(TransportError)
    }

    package enum Verdict: Sendable, Equatable {
        case accept
        case retry(after: Duration)
        case fail(Fault)
    }

    package let policy: RetryPolicy
    package let words: FaultWords
    package let errors: Connector.ErrorRules
    /// Attempts judged so far.
    package private(set) var attempts = 0
    private var malformed = 0

    package init(policy: RetryPolicy, words: FaultWords, errors: Connector.ErrorRules) {
        self.policy = policy
        self.words = words
        self.errors = errors
    }

    /// - elapsed: since the first attempt ended; zero after it. - random: from 0 up to but not including 1.
    package mutating func judge(_ outcome: Outcome, elapsed: Duration, wall: Instant, random: Double) -> Verdict {
        attempts += 1
        switch outcome {
        case .reply(200, _, _):
            return .accept
        case .reply(let status, let headers, let envelope):
            let advice = RetryAdvice(headers: headers, wall: wall)
            let fault = words.fault(
                status: status,
                headers: headers,
                envelope: envelope,
                isFinal: status == 429 && isFinalCode(envelope),
                attempts: attempts,
                after: elapsed
            )
            guard isWorthAnotherTry(status, envelope, advice) else { return .fail(fault) }
            return again(fault, wait: advice.wait, elapsed, random)
        case .malformed(let reason, let mend, let headers):
            malformed += 1
            let fault = words.malformed(reason, mend: mend, headers: headers, attempts: attempts, after: elapsed)
            return malformed < policy.maxMalformed ? again(fault, wait: nil, elapsed, random) : .fail(fault)
        case .failed(let error):
            let fault = words.fault(error, attempts: attempts, after: elapsed)
            switch error.kind {
            case .unreachable, .timeout:
                return again(fault, wait: nil, elapsed, random)
            case .cut:
                malformed += 1
                return malformed < policy.maxMalformed ? again(fault, wait: nil, elapsed, random) : .fail(fault)
            case .untrusted, .tooLarge, .notRecorded, .cancelled:
                return .fail(fault)
            }
        }
    }

    private func isWorthAnotherTry(_ status: Int, _ envelope: ErrorEnvelope, _ advice: RetryAdvice) -> Bool {
        switch status {
        case 401, 403, 100..<400: return false  // no advice makes a refused key or a redirect acceptable
        case 429 where isFinalCode(envelope): return false
        default: break
        }
        if let verdict = advice.shouldRetry { return verdict }
        return [408, 409, 425, 429].contains(status) || status >= 500
    }

    private func isFinalCode(_ envelope: ErrorEnvelope) -> Bool {
        [envelope.code, envelope.type].contains { $0.map(errors.finalCodes.contains) ?? false }
    }

    private func again(_ fault: Fault, wait: Duration?, _ elapsed: Duration, _ random: Double) -> Verdict {
        let left = policy.budget - elapsed
        guard left > .zero, attempts < policy.maxAttempts else { return .fail(fault) }
        if let wait {
            guard wait <= left else {
                var late = fault
                late.what +=
                    "; it asks to wait \(wait.text), but only \(left.text) of the retry budget of \(policy.budget.text) are left"
                return .fail(late)
            }
            return .retry(after: wait)
        }
        // Full jitter: anything from nothing to the doubled step, so that many clients never come back as one.
        let step = min(policy.firstDelay * (1 << min(attempts - 1, 20)), policy.maxDelay)
        let delay = step * min(max(random, 0), 1)
        return .retry(after: min(delay, left))
    }
}
