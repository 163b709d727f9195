internal import CDigest
internal import Glibc
internal import Synchronization

/// SHA-256 of a file's content, block by block, two files at a time where the processor can.
///
/// A block is offered with ``offer(_:count:)`` and kept while its owner compresses it and makes the next one. Whoever comes with
/// another file's block meanwhile hashes both at once, which takes little longer than one; nobody waits for a second block to come.
@safe final class ContentHasher: @unchecked Sendable {
    // One owner. Another thread has `digest` and `held` only between offer and settle, and only after it took the hasher out of
    // `waiting`.

    /// Below this a meeting costs more than it saves.
    private static let worthwhile = 64
    private static let isThere = cogni_digest_is_there() != 0
    private static let waiting = Mutex<ContentHasher?>(nil)

    private let plain: SHA256?
    private let digest: UnsafeMutablePointer<cogni_digest>
    /// What was offered last, and which of it are whole blocks of the digest that nobody has hashed yet.
    private var held: [UInt8] = []
    private var start = 0
    private var count = 0
    private let isHashed = Atomic<Bool>(true)

    /// - Parameter inPairs: with the processor's own instructions; without, by OpenSSL, each for itself.
    init(inPairs: Bool = true) {
        plain = inPairs && ContentHasher.isThere ? nil : SHA256()
        unsafe digest = UnsafeMutablePointer<cogni_digest>.allocate(capacity: 1)
        unsafe cogni_digest_start(digest)
    }

    deinit { unsafe digest.deallocate() }

    /// Takes the first `length` bytes of a block. It is kept until ``settle()``: an owner that fills it again before that fills a
    /// copy.
    func offer(_ block: [UInt8], count length: Int) {
        settle()
        if let plain { return plain.update(block.span.extracting(first: length)) }
        unsafe block.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return }
            var first = unsafe base
            count = unsafe cogni_digest_take(digest, base, length, &first)
            start = unsafe first - base
        }
        guard count > 0 else { return }
        held = block
        isHashed.store(false, ordering: .relaxed)
        guard count >= ContentHasher.worthwhile else { return hash() }
        let other = ContentHasher.waiting.withLock { waiting -> ContentHasher? in
            let other = waiting
            waiting = other == nil ? self : nil
            return other
        }
        if let other { hash(with: other) }
    }

    /// Returns when all that was offered is hashed.
    func settle() {
        defer { held = [] }
        guard !isHashed.load(ordering: .acquiring) else { return }
        let isMine = ContentHasher.waiting.withLock { waiting in
            guard waiting === self else { return false }
            waiting = nil
            return true
        }
        if isMine { return hash() }
        // Somebody is at it: a matter of microseconds, unless the system has taken the core from them.
        var looks = 0
        while !isHashed.load(ordering: .acquiring) {
            looks += 1
            if looks < 10 { sched_yield() } else { usleep(50) }
        }
    }

    /// The digest so far as 64 lower-case hex digits; the next byte begins another one.
    func finish() -> String {
        if let plain { return plain.finish() }
        settle()
        var bytes = [UInt8](repeating: 0, count: 32)
        unsafe cogni_digest_finish(digest, &bytes)
        unsafe cogni_digest_start(digest)
        return SHA256.hexText(bytes)
    }

    private func hash() {
        unsafe withBlocks { unsafe cogni_digest_blocks(digest, $0, count) }
        isHashed.store(true, ordering: .releasing)
    }

    private func hash(with other: ContentHasher) {
        unsafe withBlocks { own in
            unsafe other.withBlocks { others in
                unsafe cogni_digest_two(digest, own, count, other.digest, others, other.count)
            }
        }
        isHashed.store(true, ordering: .releasing)
        other.isHashed.store(true, ordering: .releasing)
    }

    private func withBlocks(_ body: (UnsafePointer<UInt8>) -> Void) {
        unsafe held.withUnsafeBufferPointer { bytes in
            if let base = bytes.baseAddress { unsafe body(base + start) }
        }
    }
}
