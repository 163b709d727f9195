internal import COpenSSL

/// HMAC-SHA-256 under one key. The keyed context is kept, so each message costs only its own bytes.
/// One owner at a time; not `Sendable`.
@safe package final class HMACSHA256 {
    private let context: OpaquePointer

    package init(key: KeyBytes) throws(SealingError) {
        let library = try Library.get()
        guard let context = unsafe EVP_MAC_CTX_new(library.hmac) else { throw .of("EVP_MAC_CTX_new") }
        unsafe self.context = context
        let done = unsafe key.withRaw { key in
            var parameters = unsafe [Parameter.sha256(), OSSL_PARAM_construct_end()]
            let bytes = unsafe key.baseAddress?.assumingMemoryBound(to: UInt8.self)
            return unsafe EVP_MAC_init(context, bytes, key.count, &parameters)
        }
        guard done == 1 else { throw .of("EVP_MAC_init") }
    }

    deinit { unsafe EVP_MAC_CTX_free(context) }

    /// The 32 bytes for the parts, as if they were one message.
    package func code(_ message: Span<UInt8>) throws(SealingError) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: 32)
        let done = unsafe message.withUnsafeBytes { message in
            unsafe out.withUnsafeMutableBytes { out in unsafe code([message], into: out) }
        }
        guard done else { throw .of("EVP_MAC") }
        return out
    }

    /// Writes 32 bytes. False when OpenSSL refused.
    func code(_ parts: [UnsafeRawBufferPointer], into out: UnsafeMutableRawBufferPointer) -> Bool {
        // A null key starts over with the key that the context already has.
        guard unsafe EVP_MAC_init(context, nil, 0, nil) == 1 else { return false }
        for index in unsafe parts.indices {
            let part = unsafe parts[index]
            if part.count == 0 { continue }
            let bytes = unsafe part.baseAddress?.assumingMemoryBound(to: UInt8.self)
            guard unsafe EVP_MAC_update(context, bytes, part.count) == 1 else { return false }
        }
        var length = 0
        let target = unsafe out.baseAddress?.assumingMemoryBound(to: UInt8.self)
        return unsafe EVP_MAC_final(context, target, &length, out.count) == 1 && length == 32
    }
}
