package import Extract

/// Lets a bounded number of tasks through at a time, first come, first served.
actor AsyncGate {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(width: Int) { free = max(1, width) }

    func enter() async {
        if free > 0 {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    func leave() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}

/// Bounds how many requests are on their way at once, over all streams. Waiting for a retry takes no place.
package struct GatedTransport: Transport {
    private let inner: any Transport
    private let gate: AsyncGate

    package init(_ inner: any Transport, width: Int) {
        self.inner = inner
        gate = AsyncGate(width: width)
    }

    package func send(_ request: Request) async throws(TransportError) -> Reply {
        await gate.enter()
        let outcome: Result<Reply, TransportError>
        do throws(TransportError) { outcome = .success(try await inner.send(request)) } catch { outcome = .failure(error) }
        await gate.leave()
        return try outcome.get()
    }
}
