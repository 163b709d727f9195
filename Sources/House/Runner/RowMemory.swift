internal import Synchronization

/// The memory that waiting rows of all streams take together, in bytes.
final class RowMemory: Sendable {
    let limit: Int
    private let used = Atomic<Int>(0)

    init(limit: Int) { self.limit = limit }

    /// Notes that a stream now uses `now` bytes where it used `before`; says whether all together are over the limit.
    func isOver(before: Int, now: Int) -> Bool {
        used.wrappingAdd(now - before, ordering: .relaxed).newValue > limit
    }
}
