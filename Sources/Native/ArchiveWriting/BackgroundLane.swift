internal import Dispatch
internal import Synchronization

/// Takes content from one thread and works on it on another, block by block and in order.
///
/// The caller fills a buffer while the lane's thread compresses and writes the one before; with all buffers
/// under way the caller waits. A failure is kept and told at the next call. The blocks are cut by content offset, so
/// nothing depends on who was faster.
@safe final class BackgroundLane: @unchecked Sendable {
    // Buffers belong to the caller or to the queue, and pass between them through `free` and the queue's order;
    // `current`, `filled` and `hasBuffer` are the caller's alone.
    private static let blockSize = 1 << 20
    private static let bufferCount = 3

    private let queue = DispatchQueue(label: "archive")
    private let free = DispatchSemaphore(value: 0)
    private let buffers: [Scratch]
    private let failure = Mutex<ArchiveError?>(nil)
    private var current = 0
    private var filled = 0
    private var hasBuffer = false

    init() {
        buffers = (0..<BackgroundLane.bufferCount).map { _ in Scratch(BackgroundLane.blockSize) }
        // Counted up from zero: a semaphore that goes away below its first value is a crash.
        for _ in buffers { free.signal() }
    }

    func write(_ content: UnsafeRawBufferPointer, for work: FileWork) throws(ArchiveError) {
        if let failure = failure.withLock({ $0 }) { throw failure }
        var rest = unsafe content
        while unsafe !rest.isEmpty {
            if !hasBuffer {
                free.wait()
                hasBuffer = true
                filled = 0
            }
            let part = unsafe UnsafeRawBufferPointer(rebasing: rest.prefix(BackgroundLane.blockSize - filled))
            unsafe buffers[current].copy(part, at: filled)
            filled += part.count
            unsafe rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(part.count))
            if filled == BackgroundLane.blockSize { submit(work) }
        }
    }

    /// Waits until everything is worked on, and tells of what went wrong. Afterwards the lane is ready for another
    /// file.
    func drain(_ work: FileWork) throws(ArchiveError) {
        if hasBuffer { submit(work) }
        queue.sync {}
        let failed = failure.withLock { failure in
            defer { failure = nil }
            return failure
        }
        if let failed { throw failed }
    }

    private func submit(_ work: FileWork) {
        let index = current
        let count = filled
        current = (current + 1) % buffers.count
        hasBuffer = false
        queue.async {
            // After a failure the rest is only passed through.
            if self.failure.withLock({ $0 == nil }) {
                do throws(ArchiveError) { try unsafe work.compress(self.buffers[index].bytes(0..<count)) } catch {
                    self.failure.withLock { $0 = error }
                }
            }
            self.free.signal()
        }
    }
}
