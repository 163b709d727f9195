internal import CRecordScan

/// What pages of one stream look like: the levels of objects on the way to a row, and the fields to note of each.
///
/// Level 0 is the reply, the last level the row; between them stand the elements of arrays (a report's
/// buckets). Built once for a stream, then only read.
@safe package final class PageShape: @unchecked Sendable {  // not changed after the encoder that built it has started
    let raw: OpaquePointer
    package private(set) var levelCount = 1
    private var slots: [[[String]: Int]] = [[:]]

    /// - Parameter members: keys of the arrays on the way to the rows: `["data"]`, `["data", "results"]`; empty when
    ///   the reply itself is the row.
    package init(members: [String]) {
        unsafe raw = cogni_shape_new()
        for member in members {
            let bytes = Array(member.utf8)
            unsafe cogni_shape_add_level(raw, bytes, UInt32(bytes.count))
            levelCount += 1
            slots.append([:])
        }
    }

    deinit { unsafe cogni_shape_free(raw) }

    package var rowLevel: Int { levelCount - 1 }

    /// Declares a field and says in which slot its cell will stand. Asking again for a path gives the same slot.
    package func slot(level: Int, path: [String]) -> Int {
        if let known = slots[level][path] { return known }
        let slot = slots[level].count
        slots[level][path] = slot
        declare(level: level, path: path, slot: Int32(slot))
        return slot
    }

    /// Declares a field that is known and not wanted, so that it does not count as unknown.
    package func ignore(level: Int, path: [String]) {
        guard slots[level][path] == nil else { return }
        declare(level: level, path: path, slot: -1)
    }

    private func declare(level: Int, path: [String], slot: Int32) {
        let keys = path.flatMap { Array($0.utf8) }
        let lengths = path.map { UInt32($0.utf8.count) }
        unsafe cogni_shape_add_field(raw, UInt32(level), keys, lengths, UInt32(path.count), slot)
    }

    /// Keys from the row inwards to an object that holds an unknown member.
    func path(node: UInt32) -> [String] {
        var bytes = [UInt8](repeating: 0, count: 1024)
        let length = unsafe cogni_shape_node_path(raw, node, &bytes, UInt32(bytes.count))
        return bytes[..<Int(length)].split(separator: 0).map { String(decoding: $0, as: UTF8.self) }
    }
}
