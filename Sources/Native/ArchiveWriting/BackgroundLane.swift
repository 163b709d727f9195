internal import Dispatch
internal import Synchronization

/// Hashes and compresses a file's blocks on another thread, in order.
///
/// The blocks are kept, not copied, until that is done; with ``depth`` of them under way the caller waits. A failure is kept and
/// told at the next call.
@safe final class BackgroundLane: Sendable {
    private static let depth = 2

    private let queue = DispatchQueue(label: "archive")
    private let free = DispatchSemaphore(value: 0)
    private let failure = Mutex<ArchiveError?>(nil)

    init() {
        // Counted up from zero: a semaphore that goes away below its first value is a crash.
        for _ in 0..<BackgroundLane.depth { free.signal() }
    }

    /// Takes the first `count` bytes of a block.
    func write(_ block: [UInt8], count: Int, repeats: [UInt32], for work: FileWork) throws(ArchiveError) {
        if let failure = failure.withLock({ $0 }) { throw failure }
        free.wait()
        queue.async {
            // After a failure the rest is only passed through.
            if self.failure.withLock({ $0 == nil }) {
                do throws(ArchiveError) { try work.take(block, count: count, repeats: repeats) } catch {
                    self.failure.withLock { $0 = error }
                }
            }
            self.free.signal()
        }
    }

    /// Waits until everything is worked on, and tells of what went wrong. Afterwards the lane is ready for another
    /// file.
    func drain() throws(ArchiveError) {
        queue.sync {}
        let failed = failure.withLock { failure in
            defer { failure = nil }
            return failure
        }
        if let failed { throw failed }
    }
}
