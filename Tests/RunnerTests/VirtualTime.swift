import Extract
import Foundation
import Model
import Synchronization

/// Time that passes only while nobody has anything to do: an executor and a clock in one.
///
/// All jobs run on one thread, in the order they came. When none is left, every task waits for the clock: it jumps to the next
/// alarm. Hours of waiting take no time, and two walks through the same work are the same walk.
final class VirtualTime: TaskExecutor, RequestClock, @unchecked Sendable {  // `condition` guards all that changes
    private struct Alarm {
        var at: Duration
        var continuation: CheckedContinuation<Void, Never>
    }

    private let condition = NSCondition()
    private var jobs: [UnownedJob] = []
    private var next = 0
    private var now = Duration.zero
    private var alarms: [Alarm] = []
    private var isEnded = false

    var elapsed: Duration { condition.withLock { now } }
    var wall: Instant { Instant(seconds: 1_760_918_400 + Int64(elapsed.inSeconds)) }

    func enqueue(_ job: consuming ExecutorJob) {
        let unowned = UnownedJob(job)
        condition.withLock {
            jobs.append(unowned)
            condition.signal()
        }
    }

    func sleep(for duration: Duration) async throws(CancellationError) {
        await withCheckedContinuation { continuation in
            condition.withLock { alarms.append(Alarm(at: now + max(duration, .zero), continuation: continuation)) }
        }
        if Task.isCancelled { throw CancellationError() }
    }

    /// Runs `work` on this executor, and says how long it took by this clock.
    func passing<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) async throws -> (
        Value, Duration
    ) {
        let began = elapsed
        Thread { self.turn() }.start()
        let result = await Task(executorPreference: self) {
            let result: Result<Value, any Error>
            do { result = .success(try await work()) } catch { result = .failure(error) }
            return result
        }.value
        let took = elapsed - began
        condition.withLock {
            isEnded = true
            condition.signal()
        }
        return (try result.get(), took)
    }

    private func turn() {
        while let job = nextJob() { unsafe job.runSynchronously(on: asUnownedTaskExecutor()) }
    }

    private func nextJob() -> UnownedJob? {
        condition.lock()
        defer { condition.unlock() }
        while next == jobs.count {
            jobs.removeAll(keepingCapacity: true)
            next = 0
            if isEnded { return nil }
            guard let first = alarms.indices.min(by: { alarms[$0].at < alarms[$1].at }) else {
                condition.wait()
                continue
            }
            let alarm = alarms.remove(at: first)
            now = max(now, alarm.at)
            condition.unlock()
            alarm.continuation.resume()
            condition.lock()
        }
        next += 1
        return jobs[next - 1]
    }
}
