internal import COpenSSL

/// AES-256-GCM under one 32-byte key with 96-bit nonces. A nonce must never serve twice: draw it from
/// ``randomBytes(_:)``. The key stays in the context, each value only brings its nonce.
/// One owner at a time; not `Sendable`.
@safe package final class GaloisCipher {
    package static let keyCount = 32
    package static let nonceCount = 12
    package static let tagCount = 16

    private let sealing: CipherContext
    private let opening: CipherContext

    package init(key: KeyBytes) throws(SealingError) {
        guard key.count == GaloisCipher.keyCount else {
            throw .wrongKeyLength(count: key.count, needed: GaloisCipher.keyCount)
        }
        let library = try Library.get()
        sealing = try CipherContext()
        opening = try CipherContext()
        let done = unsafe key.withRaw { key in
            let bytes = unsafe key.baseAddress?.assumingMemoryBound(to: UInt8.self)
            return unsafe EVP_CipherInit_ex2(sealing.raw, library.gcm, bytes, nil, 1, nil) == 1
                && EVP_CipherInit_ex2(opening.raw, library.gcm, bytes, nil, 0, nil) == 1
        }
        guard done else { throw .of("AES-256-GCM key") }
    }

    /// Writes nonce ‖ ciphertext ‖ tag: 28 bytes more than `plain`, whose nonce already stands at `out`.
    func seal(
        _ plain: UnsafeRawBufferPointer,
        associated: UnsafeRawBufferPointer,
        into out: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        var moved: CInt = 0
        var rest: CInt = 0
        let context = unsafe sealing.raw
        let body = unsafe out + GaloisCipher.nonceCount
        let tag = unsafe body + plain.count
        guard unsafe EVP_EncryptInit_ex2(context, nil, nil, out, nil) == 1,
            unsafe GaloisCipher.feed(associated, to: context)
        else { return false }
        if plain.count > 0 {
            let bytes = unsafe plain.baseAddress?.assumingMemoryBound(to: UInt8.self)
            guard unsafe EVP_EncryptUpdate(context, body, &moved, bytes, CInt(plain.count)) == 1 else { return false }
        }
        return unsafe EVP_EncryptFinal_ex(context, tag, &rest) == 1 && Int(moved) + Int(rest) == plain.count
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, CInt(GaloisCipher.tagCount), tag) == 1
    }

    /// Opens nonce ‖ ciphertext ‖ tag into `out`. On `false` what stands in `out` is wiped.
    func open(
        _ sealed: UnsafeRawBufferPointer,
        associated: UnsafeRawBufferPointer,
        into out: UnsafeMutablePointer<UInt8>
    ) -> Bool {
        let count = sealed.count - GaloisCipher.nonceCount - GaloisCipher.tagCount
        guard count >= 0, let start = unsafe sealed.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
            return false
        }
        var moved: CInt = 0
        var rest: CInt = 0
        let context = unsafe opening.raw
        let body = unsafe start + GaloisCipher.nonceCount
        let tag = unsafe UnsafeMutableRawPointer(mutating: body + count)
        let done =
            unsafe EVP_DecryptInit_ex2(context, nil, nil, start, nil) == 1
            && GaloisCipher.feed(associated, to: context)
            && (count == 0 || EVP_DecryptUpdate(context, out, &moved, body, CInt(count)) == 1)
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, CInt(GaloisCipher.tagCount), tag) == 1
            && EVP_DecryptFinal_ex(context, out + Int(moved), &rest) == 1
            && Int(moved) + Int(rest) == count
        if !done {
            unsafe OPENSSL_cleanse(out, count)
            drainErrorQueue()
        }
        return done
    }

    private static func feed(_ associated: UnsafeRawBufferPointer, to context: OpaquePointer) -> Bool {
        guard associated.count > 0 else { return true }
        var moved: CInt = 0
        let bytes = unsafe associated.baseAddress?.assumingMemoryBound(to: UInt8.self)
        return unsafe EVP_CipherUpdate(context, nil, &moved, bytes, CInt(associated.count)) == 1
    }
}

extension GaloisCipher {
    /// nonce ‖ ciphertext ‖ tag.
    package func seal(
        _ plain: Span<UInt8>,
        associated: [UInt8],
        nonce: [UInt8]
    ) throws(SealingError) -> [UInt8] {
        precondition(nonce.count == GaloisCipher.nonceCount, "a nonce has 12 bytes")
        var out = nonce + [UInt8](repeating: 0, count: plain.count + GaloisCipher.tagCount)
        let done = unsafe plain.withUnsafeBytes { plain in
            unsafe associated.withUnsafeBytes { associated in
                unsafe out.withUnsafeMutableBufferPointer { out in
                    unsafe out.baseAddress.map { unsafe seal(plain, associated: associated, into: $0) } ?? false
                }
            }
        }
        guard done else { throw .of("AES-256-GCM") }
        return out
    }

    /// The plain bytes in wiped memory, or `.cannotOpen`.
    package func open(_ sealed: [UInt8], associated: [UInt8]) throws(SealingError) -> KeyBytes {
        let count = sealed.count - GaloisCipher.nonceCount - GaloisCipher.tagCount
        guard count >= 0 else { throw .cannotOpen }
        do {
            return try unsafe KeyBytes(count: count) { out in
                unsafe sealed.withUnsafeBytes { sealed in
                    unsafe associated.withUnsafeBytes { associated in
                        let target = unsafe out.baseAddress?.assumingMemoryBound(to: UInt8.self)
                        return unsafe target.map {
                            unsafe open(sealed, associated: associated, into: $0)
                        } ?? false
                    }
                }
            }
        } catch { throw .cannotOpen }
    }
}
