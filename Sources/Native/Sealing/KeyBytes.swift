internal import COpenSSL
internal import Glibc

/// A key's bytes, in pages of their own that are not swapped, not dumped, and wiped when the last
/// reference goes. Arrays and strings can't promise that: they copy themselves.
///
/// Immutable once made, so it may be shared between tasks. Locking is asked for, not demanded: a
/// container with a tiny memlock limit still runs.
@safe package final class KeyBytes: @unchecked Sendable {  // written only in the initialiser
    package let count: Int
    private let base: UnsafeMutableRawPointer
    private let pageBytes: Int

    /// `fill` writes `count` bytes and says whether it could.
    init(count: Int, fill: (UnsafeMutableRawBufferPointer) -> Bool) throws(SealingError) {
        let page = max(Int(sysconf(Int32(_SC_PAGESIZE))), 4096)
        pageBytes = (max(count, 1) + page - 1) / page * page
        let mapped = unsafe mmap(nil, pageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped = unsafe mapped, Int(bitPattern: mapped) != -1 else {
            throw .openSSL(call: "mmap", reasons: ["out of memory"])
        }
        unsafe base = mapped
        self.count = count
        unsafe _ = mlock(base, pageBytes)
        unsafe _ = madvise(base, pageBytes, MADV_DONTDUMP)
        guard unsafe fill(UnsafeMutableRawBufferPointer(start: base, count: count)) else { throw .of("key") }
    }

    deinit {
        unsafe OPENSSL_cleanse(base, count)
        unsafe _ = munmap(base, pageBytes)
    }

    package convenience init(copying bytes: Span<UInt8>) throws(SealingError) {
        try unsafe self.init(count: bytes.count) { target in
            unsafe bytes.withUnsafeBytes { unsafe target.copyMemory(from: $0) }
            return true
        }
    }

    /// Byte by byte, asked for in order.
    package convenience init(count: Int, each: (Int) -> UInt8) throws(SealingError) {
        try unsafe self.init(count: count) { target in
            for index in 0..<count { unsafe target[index] = each(index) }
            return true
        }
    }

    /// A text with a key in its middle.
    package convenience init(_ head: [UInt8], _ middle: KeyBytes, _ tail: [UInt8]) throws(SealingError) {
        try unsafe self.init(count: head.count + middle.count + tail.count) { target in
            unsafe target.copyBytes(from: head)
            unsafe UnsafeMutableRawBufferPointer(rebasing: target[(head.count + middle.count)...]).copyBytes(from: tail)
            return unsafe middle.withRaw { source in
                unsafe UnsafeMutableRawBufferPointer(rebasing: target[head.count...]).copyMemory(from: source)
                return true
            }
        }
    }

    /// Fresh bytes for a key, from the generator that OpenSSL keeps for private values.
    package convenience init(randomCount count: Int) throws(SealingError) {
        try unsafe self.init(count: count) { unsafe RAND_priv_bytes($0.baseAddress, Int32(count)) == 1 }
    }

    /// The bytes, to look at. They must not leave the closure.
    package func withSpan<R>(_ body: (Span<UInt8>) -> R) -> R {
        unsafe withRaw { unsafe body(Span(_unsafeBytes: $0)) }
    }

    func withRaw<R>(_ body: (UnsafeRawBufferPointer) -> R) -> R {
        unsafe body(UnsafeRawBufferPointer(start: base, count: count))
    }

    /// Compares in a time that depends on the lengths only.
    package static func matches(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        return unsafe a.withUnsafeBytes { a in
            unsafe b.withUnsafeBytes { b in unsafe CRYPTO_memcmp(a.baseAddress, b.baseAddress, a.count) == 0 }
        }
    }
}

extension KeyBytes: CustomStringConvertible, CustomReflectable {
    package var description: String { "‹key, \(count) bytes›" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Random bytes for everything that is not a key: nonces, salts, identifiers.
package func randomBytes(_ count: Int) throws(SealingError) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    let done = unsafe bytes.withUnsafeMutableBytes { unsafe RAND_bytes($0.baseAddress, Int32(count)) == 1 }
    guard done else { throw .of("RAND_bytes") }
    return bytes
}
