internal import COpenSSL

/// The memory in which a ``TokenSealer`` works: plaintext on one side, sealed body on the other, reused for
/// every value and wiped at the end.
@safe final class SealingScratch {
    private var plainBase: UnsafeMutableRawPointer
    private var bodyBase: UnsafeMutablePointer<UInt8>
    private var capacity = 512
    /// Nonce and tag around the value.
    private static let overhead = 32
    private(set) var plainCount = 0
    /// Random bytes drawn ahead: one call of the generator for 64 nonces.
    private var nonces: [UInt8] = []
    private var nextNonce = 0

    init() {
        unsafe plainBase = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 16)
        unsafe bodyBase = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity + SealingScratch.overhead)
    }

    deinit {
        unsafe OPENSSL_cleanse(plainBase, capacity)
        unsafe plainBase.deallocate()
        unsafe bodyBase.deallocate()
    }

    var plain: UnsafeRawBufferPointer { unsafe UnsafeRawBufferPointer(start: plainBase, count: plainCount) }
    var body: UnsafeMutablePointer<UInt8> { unsafe bodyBase }

    /// The plaintext: the type byte, then the value.
    func setPlain(_ kind: UInt8, _ value: Span<UInt8>) {
        plainCount = value.count + 1
        if plainCount > capacity { grow(to: plainCount * 2) }
        unsafe plainBase.storeBytes(of: kind, as: UInt8.self)
        let target = unsafe plainBase + 1
        unsafe value.withUnsafeBytes { bytes in
            if let source = bytes.baseAddress { unsafe target.copyMemory(from: source, byteCount: bytes.count) }
        }
    }

    private func grow(to room: Int) {
        unsafe OPENSSL_cleanse(plainBase, capacity)
        unsafe plainBase.deallocate()
        unsafe bodyBase.deallocate()
        capacity = room
        unsafe plainBase = UnsafeMutableRawPointer.allocate(byteCount: room, alignment: 16)
        unsafe bodyBase = UnsafeMutablePointer<UInt8>.allocate(capacity: room + SealingScratch.overhead)
    }

    /// Puts a nonce at the start of the body: the one given, or the next random one. False when there is none.
    func setNonce(_ given: [UInt8]?) -> Bool {
        if let given {
            precondition(given.count == GaloisCipher.nonceCount, "a nonce has 12 bytes")
            for index in given.indices { unsafe bodyBase[index] = given[index] }
            return true
        }
        if nextNonce == nonces.count {
            guard let fresh = try? randomBytes(64 * GaloisCipher.nonceCount) else { return false }
            nonces = fresh
            nextNonce = 0
        }
        for index in 0..<GaloisCipher.nonceCount { unsafe bodyBase[index] = nonces[nextNonce + index] }
        nextNonce += GaloisCipher.nonceCount
        return true
    }

    /// Puts HMAC(associated ‖ length of plaintext ‖ plaintext) at the start of the body.
    func setCode(_ code: HMACSHA256, associated: [UInt8]) -> Bool {
        var length: [UInt8] = []
        withBigEndian(UInt32(plainCount)) { length.append($0) }
        return unsafe associated.withUnsafeBytes { associated in
            unsafe length.withUnsafeBytes { length in
                unsafe code.code(
                    [associated, length, plain],
                    into: UnsafeMutableRawBufferPointer(start: bodyBase, count: 32)
                )
            }
        }
    }

    /// Appends the first bytes of the body as base64url.
    func appendBody(_ count: Int, to out: inout [UInt8]) {
        let body = unsafe UnsafeBufferPointer(start: bodyBase, count: count)
        unsafe Base64.url.encode(body.span, into: &out)
    }
}
