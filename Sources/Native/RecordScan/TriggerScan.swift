internal import CRecordScan

/// Finds where any of many three-byte beginnings stands, much faster than one byte at a time. Immutable once made.
@safe package final class TriggerScan: @unchecked Sendable {  // written only in the initialiser
    private let raw: OpaquePointer

    /// - Parameter beginnings: three bytes each. Their order is free; at most 64 groups of neighbours are told apart.
    package init(_ beginnings: Set<[UInt8]>) {
        let sorted = beginnings.filter { $0.count == 3 }.sorted { $0.lexicographicallyPrecedes($1) }
        unsafe raw = cogni_triggers_new(sorted.flatMap(\.self), UInt32(sorted.count))
    }

    deinit { unsafe cogni_triggers_free(raw) }

    /// The first place from `start` on, among the first `count` bytes, or `nil`.
    ///
    /// - Parameter other: also where this scan finds something; little more work than one alone.
    package func next(orOf other: TriggerScan? = nil, _ bytes: [UInt8], count: Int, from start: Int) -> Int? {
        let length = min(count, bytes.count)
        let found = unsafe bytes.withUnsafeBufferPointer { room in
            guard let base = room.baseAddress else { return length }
            return unsafe cogni_triggers_next(raw, other?.raw, base, length, start)
        }
        return found < length ? found : nil
    }
}
