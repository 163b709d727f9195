import FoundationEssentials
package import Model

/// Time, as the fetching side sees it. Tests put a virtual one in its place.
package protocol RequestClock: Sendable {
    /// Monotonic, from an origin of its own: budgets and pacing count by it, whatever the wall clock does.
    var elapsed: Duration { get }
    /// Only for HTTP dates in replies that carry no date of their own.
    var wall: Instant { get }
    func sleep(for duration: Duration) async throws(CancellationError)
}

package struct SystemClock: RequestClock {
    private let origin = ContinuousClock.now

    package init() {}

    package var elapsed: Duration { ContinuousClock.now - origin }
    package var wall: Instant { Instant(seconds: Int64(Date().timeIntervalSince1970)) }

    package func sleep(for duration: Duration) async throws(CancellationError) {
        do {
            try await Task.sleep(for: duration)
        } catch {
            throw CancellationError()
        }
    }
}

extension Duration {
    package var inSeconds: Double {
        let (seconds, attoseconds) = components
        return Double(seconds) + Double(attoseconds) / 1e18
    }

    /// `0.5 s`, `75 s`: at most one decimal, for messages.
    package var text: String {
        let tenths = Int64((min(max(inSeconds, 0), 1e12) * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10) s" : "\(tenths / 10).\(tenths % 10) s"
    }
}
