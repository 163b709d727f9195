internal import Dispatch
internal import Glibc
internal import Synchronization

/// Memory of large pages that were read and dropped, kept for the next ones.
///
/// Memory fresh from the system costs a fault every 4 KiB, for a page of 14 MB as much time as scanning it: buffers
/// are used again. At most two wait here, and none larger than 32 MiB, so that one large page does not stay for the rest of the run.
/// The system's huge pages are not asked for: a virtual machine often has to fetch them from its host first, which was seen to
/// take four times as long as the faults.
@safe package final class PageStock: Sendable {
    static let shared = PageStock()

    private static let smallest = 1 << 20
    private static let largest = 32 << 20
    private static let limit = 2
    static let touched = 4 << 20...32 << 20
    /// MADV_POPULATE_WRITE, which C libraries before 2.35 do not name.
    private static let populateForWriting: Int32 = 23
    private static let systemPage = 4096
    /// So much is asked for at once: until it is there, no other thread of the process can change the map of its memory, as each does
    /// whose heap grows.
    private static let piece = 256 << 10

    @safe private struct Buffer: @unchecked Sendable {  // owned by the stock while it lies here
        var base: UnsafeMutableRawPointer
        var capacity: Int
    }

    private let waiting = Mutex<[Buffer]>([])

    /// Memory for at least `capacity` bytes and the padding.
    func take(_ capacity: Int) -> (base: UnsafeMutableRawPointer, capacity: Int) {
        let found = waiting.withLock { waiting -> Buffer? in
            // A much larger one is left for a page that needs it.
            let index = waiting.firstIndex { $0.capacity >= capacity && $0.capacity / 4 <= capacity }
            return index.map { waiting.remove(at: $0) }
        }
        if let found { return unsafe (found.base, found.capacity) }
        // Pages of one walk differ a little in size: room for the next one too.
        guard capacity >= PageStock.smallest else {
            return (.allocate(byteCount: capacity + PageBytes.padding, alignment: 64), capacity)
        }
        let whole =
            (capacity + capacity / 16 + PageBytes.padding + PageStock.systemPage - 1) & ~(PageStock.systemPage - 1)
        let base = UnsafeMutableRawPointer.allocate(byteCount: whole, alignment: PageStock.systemPage)
        PageStock.touch(UInt(bitPattern: base), capacity)
        return unsafe (base, whole - PageBytes.padding)
    }

    /// Has the system give fresh memory its pages while the first bytes of a body come in: whoever receives them would otherwise
    /// wait for each, which is a third of a large first page's time.
    ///
    /// Of the first 32 MiB only, which is more than a plausible page: how much is asked for, the server has said, and may not send.
    ///
    /// By address and not by pointer: what stands there is neither read nor changed, so it may even be gone meanwhile.
    private static func touch(_ address: UInt, _ capacity: Int) {
        guard capacity >= touched.lowerBound else { return }
        let count = min(capacity, touched.upperBound)
        DispatchQueue.global().async {
            for offset in stride(from: 0, to: count & ~(systemPage - 1), by: piece) {
                let start = unsafe UnsafeMutableRawPointer(bitPattern: address + UInt(offset))
                // From Linux 5.14 on; elsewhere it fails, and nothing is lost.
                guard unsafe madvise(start, min(piece, count - offset) & ~(systemPage - 1), populateForWriting) == 0
                else { return }
            }
        }
    }

    /// Gives what waits here back to the system.
    package static func drop() {
        let dropped = shared.waiting.withLock { waiting in
            defer { waiting = [] }
            return waiting
        }
        for buffer in dropped { unsafe buffer.base.deallocate() }
    }

    func give(_ base: UnsafeMutableRawPointer, capacity: Int) {
        let dropped: Buffer? = waiting.withLock { waiting in
            let given = unsafe Buffer(base: base, capacity: capacity)
            guard capacity >= PageStock.smallest, capacity <= PageStock.largest else { return given }
            waiting.append(given)
            return waiting.count > PageStock.limit ? waiting.removeFirst() : nil
        }
        unsafe dropped?.base.deallocate()
    }
}
