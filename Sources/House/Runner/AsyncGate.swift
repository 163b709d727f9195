package import Extract

/// Lets a bounded number of tasks through at a time, first come, first served.
actor AsyncGate {
    private var free: Int
    private var waiting: [(ticket: Int, continuation: CheckedContinuation<Bool, Never>)] = []
    private var lastTicket = 0

    init(width: Int) { free = max(1, width) }

    /// `false`: the task was cancelled while it waited, and holds no place.
    func enter() async -> Bool {
        if Task.isCancelled { return false }
        if free > 0 {
            free -= 1
            return true
        }
        lastTicket += 1
        let ticket = lastTicket
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiting.append((ticket, $0)) }
        } onCancel: {
            Task { await self.giveUp(ticket) }
        }
    }

    private func giveUp(_ ticket: Int) {
        guard let index = waiting.firstIndex(where: { $0.ticket == ticket }) else { return }
        waiting.remove(at: index).continuation.resume(returning: false)
    }

    func leave() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().continuation.resume(returning: true) }
    }
}

/// Bounds how many requests are on their way at once, over all streams. Waiting for a retry takes no place.
package struct GatedTransport: Transport {
    private let inner: any Transport
    private let gate: AsyncGate
    private let clock: (any RequestClock)?

    /// - clock: by which each reply says how long it took; without one it does not say.
    package init(_ inner: any Transport, width: Int, clock: (any RequestClock)? = nil) {
        self.inner = inner
        self.clock = clock
        gate = AsyncGate(width: width)
    }

    package func send(_ request: Request) async throws(TransportError) -> Reply {
        guard await gate.enter() else { throw TransportError(.cancelled, "the run was stopped") }
        let begun = clock?.elapsed
        let outcome: Result<Reply, TransportError>
        do throws(TransportError) {
            var reply = try await inner.send(request)
            if let clock, let begun { reply.took = clock.elapsed - begun }
            outcome = .success(reply)
        } catch {
            outcome = .failure(error)
        }
        await gate.leave()
        return try outcome.get()
    }
}
