/// The bytes of one reply body: written once by a transport, then only read.
///
/// Memory of our own, not an array: a 100 MB page is neither copied on its way from libcurl to the
/// scanner nor zeroed first. 64 bytes past the end can be read (they are zero), so that a scanner may load whole
/// vectors.
@safe package final class PageBytes: @unchecked Sendable {  // one writer until `freeze`, immutable afterwards
    package static let padding = 64

    private var base: UnsafeMutableRawPointer
    private var capacity: Int
    package private(set) var count = 0

    package init(capacity: Int = 64 * 1024) {
        let room = unsafe PageStock.shared.take(max(capacity, 256))
        unsafe base = room.base
        self.capacity = unsafe room.capacity
    }

    package convenience init(_ bytes: some Collection<UInt8>) {
        self.init(capacity: bytes.count)
        // At once where the bytes lie side by side; one by one where they do not.
        let isDone: Void? = bytes.withContiguousStorageIfAvailable { unsafe append(UnsafeRawBufferPointer($0)) }
        if isDone == nil { for byte in bytes { append(byte) } }
        freeze()
    }

    deinit { unsafe PageStock.shared.give(base, capacity: capacity) }

    private func append(_ byte: UInt8) {
        unsafe withUnsafeBytes(of: byte) { unsafe append($0) }
    }

    /// Adds bytes at the end. Only before ``freeze()``.
    package func append(_ bytes: UnsafeRawBufferPointer) {
        let needed = count + bytes.count
        if needed > capacity { grow(to: max(needed, capacity * 2)) }
        if let source = bytes.baseAddress {
            unsafe (base + count).copyMemory(from: source, byteCount: bytes.count)
        }
        count = needed
    }

    /// Bytes that can be added before more memory is needed.
    package var room: Int { capacity - count }

    /// Makes room for `bytes` more and lets `write` put as many of them there as it says. Only before ``freeze()``.
    package func fill<R>(_ bytes: Int, _ write: (UnsafeMutableRawBufferPointer) -> (written: Int, result: R)) -> R {
        if room < bytes { grow(to: count + bytes) }
        let (written, result) = unsafe write(UnsafeMutableRawBufferPointer(start: base + count, count: bytes))
        count += written
        return result
    }

    /// Ends writing: zeroes the padding.
    package func freeze() {
        unsafe (base + count).initializeMemory(as: UInt8.self, repeating: 0, count: PageBytes.padding)
    }

    private func grow(to room: Int) {
        let bigger = unsafe PageStock.shared.take(room)
        unsafe bigger.base.copyMemory(from: base, byteCount: count)
        unsafe PageStock.shared.give(base, capacity: capacity)
        unsafe base = bigger.base
        capacity = unsafe bigger.capacity
    }

    /// The body, for scanners in `Native`. The pointer must not leave the closure.
    package func withBytes<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        unsafe body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// A copy as an array, for small bodies: error envelopes, tests.
    package var array: [UInt8] { prefix(count) }

    /// A copy of at most `length` bytes from the start.
    package func prefix(_ length: Int) -> [UInt8] {
        unsafe withBytes { unsafe Array(UnsafeRawBufferPointer(rebasing: $0.prefix(length))) }
    }

    /// A copy of at most `length` bytes from the end.
    package func suffix(_ length: Int) -> [UInt8] {
        unsafe withBytes { unsafe Array(UnsafeRawBufferPointer(rebasing: $0.suffix(length))) }
    }
}
