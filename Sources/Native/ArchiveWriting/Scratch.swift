/// Memory for bytes on their way, made once and used for every block.
@safe final class Scratch {
    private(set) var all: UnsafeMutableRawBufferPointer

    init(_ count: Int) { unsafe all = .allocate(byteCount: count, alignment: 64) }

    deinit { unsafe all.deallocate() }

    var count: Int { unsafe all.count }

    func bytes(_ range: Range<Int>) -> UnsafeRawBufferPointer {
        unsafe UnsafeRawBufferPointer(rebasing: all[range])
    }

    func room(from start: Int) -> UnsafeMutableRawBufferPointer {
        unsafe UnsafeMutableRawBufferPointer(rebasing: all[start...])
    }

    func copy(_ bytes: UnsafeRawBufferPointer, at offset: Int) {
        if unsafe !bytes.isEmpty { unsafe room(from: offset).copyMemory(from: bytes) }
    }

    /// Moves `range` to the front.
    func keep(_ range: Range<Int>) {
        guard range.lowerBound > 0, !range.isEmpty else { return }
        unsafe all.baseAddress!.copyMemory(from: all.baseAddress! + range.lowerBound, byteCount: range.count)
    }

    /// At least `count` bytes; the first `kept` stay.
    func grow(to count: Int, keeping kept: Int) {
        guard unsafe count > all.count else { return }
        let bigger = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 64)
        if kept > 0 { unsafe bigger.copyMemory(from: bytes(0..<kept)) }
        unsafe all.deallocate()
        unsafe all = bigger
    }
}
