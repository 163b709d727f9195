internal import Dispatch
internal import StageClock
internal import Synchronization

/// Threads that wait for the medium, besides those that compute.
///
/// Waiting keeps a thread but no processor, and Swift's shared threads are only as many as there are processors. Several wait at
/// a time: a medium takes many syncs together in little more time than one.
package enum MediumThreads {
    /// Serial ones, which have a thread each when they work; the work of a concurrent queue takes Swift's shared threads.
    private static let queues = (0..<8).map { DispatchQueue(label: "medium \($0)") }
    private static let turn = Atomic<Int>(0)

    /// Runs `body` on one of the threads, with the gate and the clock of the task that asks for it.
    package static func run<R: Sendable>(_ body: @escaping @Sendable () -> R) async -> R {
        let (gate, clock) = (DiskGate.current, StageClock.current)
        let queue = queues[turn.wrappingAdd(1, ordering: .relaxed).oldValue % queues.count]
        return await withCheckedContinuation { done in
            queue.async { done.resume(returning: inherited(gate, clock, body)) }
        }
    }

    /// Syncs files or folders, several at a time. Of what fails, the first in the order given is told.
    ///
    /// Stops between two handfuls when the task is cancelled: a signal must not wait for a thousand of them.
    package static func sync(_ paths: [String], _ sync: @escaping @Sendable (String) throws(DiskError) -> Void)
        throws(DiskError)
    {
        let (gate, clock) = (DiskGate.current, StageClock.current)
        let handful = 8 * queues.count
        for start in stride(from: 0, to: paths.count, by: handful) where !Task.isCancelled {
            let part = paths[start..<min(start + handful, paths.count)]
            let failures = Mutex<[Int: DiskError]>([:])
            let group = DispatchGroup()
            for (number, queue) in queues.enumerated() where part.startIndex + number < part.endIndex {
                queue.async(group: group) {
                    inherited(gate, clock) {
                        for index in stride(from: part.startIndex + number, to: part.endIndex, by: queues.count) {
                            do throws(DiskError) { try sync(part[index]) } catch {
                                failures.withLock { $0[index] = error }
                            }
                        }
                    }
                }
            }
            group.wait()
            if let first = failures.withLock({ $0.min { $0.key < $1.key } }) { throw first.value }
        }
    }

    private static func inherited<R>(_ gate: DiskGate?, _ clock: StageClock?, _ body: () -> R) -> R {
        DiskGate.$current.withValue(gate) { StageClock.$current.withValue(clock, operation: body) }
    }
}
