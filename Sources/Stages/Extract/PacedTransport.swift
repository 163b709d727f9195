import Model

/// Spreads requests over time: so many a minute in all, and so many for each path template.
///
/// APIs count by endpoint and say little about it, so each path has a bucket of its own. A reply that
/// names a wait holds back all requests of its path, not only the one that was refused. Whatever bounds the requests
/// in flight belongs inside of this, so that a held-back path takes no place from others.
package struct PacedTransport: Transport {
    private let inner: any Transport
    private let clock: any RequestClock
    private let pacer: Pacer

    /// `nil`: no such limit.
    package init(
        _ inner: any Transport,
        requestsPerMinute total: Int?,
        perPath: Int?,
        clock: any RequestClock = SystemClock()
    ) {
        self.inner = inner
        self.clock = clock
        pacer = Pacer(total: total, perPath: perPath, now: clock.elapsed)
    }

    package func send(_ request: Request) async throws(TransportError) -> Reply {
        let wait = await pacer.turn(for: request.template, at: clock.elapsed)
        if wait > .zero {
            do throws(CancellationError) {
                try await clock.sleep(for: wait)
            } catch {
                throw TransportError(.cancelled, "the run was stopped")
            }
        }
        let reply = try await inner.send(request)
        if reply.status == 429 || reply.status == 503 {
            let advice = RetryAdvice(headers: reply.headers, wall: clock.wall)
            // A longer wait may be over the budget, and is then for each page's retry machine to refuse.
            if let wait = advice.wait, wait <= .seconds(120) {
                await pacer.hold(request.template, until: clock.elapsed + wait)
            }
        }
        return reply
    }
}

private actor Pacer {
    private var total: TokenBucket?
    private let perPath: Int?
    private var paths: [String: TokenBucket] = [:]
    private var holds: [String: Duration] = [:]

    init(total: Int?, perPath: Int?, now: Duration) {
        self.total = total.map { TokenBucket(perMinute: $0, at: now) }
        self.perPath = perPath
    }

    func turn(for template: String, at now: Duration) -> Duration {
        var wait = total?.take(at: now) ?? .zero
        if let perPath {
            wait = max(wait, paths[template, default: TokenBucket(perMinute: perPath, at: now)].take(at: now))
        }
        if let hold = holds[template] {
            wait = max(wait, hold - now)
            if hold <= now { holds[template] = nil }
        }
        return wait
    }

    func hold(_ template: String, until time: Duration) {
        holds[template] = max(holds[template] ?? time, time)
    }
}
