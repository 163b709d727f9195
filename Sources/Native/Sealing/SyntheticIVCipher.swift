internal import COpenSSL

/// AES-256-SIV (RFC 5297) under one 64-byte key and one associated string: equal values give equal
/// bytes, and nothing else about them shows.
///
/// A context that has sealed once is spent: OpenSSL would hand back the tag of the value before. So a
/// keyed context that has already taken the associated string is kept and copied for each value, which
/// is also three times as fast as giving the key again. One owner at a time; not `Sendable`.
@safe package final class SyntheticIVCipher {
    package static let keyCount = 64
    package static let tagCount = 16

    private let sealing: CipherContext
    private let opening: CipherContext
    private let scratch: CipherContext

    /// - Parameter associated: One component of S2V, always: joined parts, never several updates.
    package init(key: KeyBytes, associated: [UInt8]) throws(SealingError) {
        guard key.count == SyntheticIVCipher.keyCount else {
            throw .wrongKeyLength(count: key.count, needed: SyntheticIVCipher.keyCount)
        }
        let library = try Library.get()
        sealing = try CipherContext()
        opening = try CipherContext()
        scratch = try CipherContext()
        for encrypts in [true, false] {
            let context = unsafe encrypts ? sealing.raw : opening.raw
            let done = unsafe key.withRaw { key in
                unsafe associated.withUnsafeBytes { associated in
                    var moved: CInt = 0
                    // A pointer even when there is nothing: a null input would mean "finish".
                    var nothing: UInt8 = 0
                    let keyBytes = unsafe key.baseAddress?.assumingMemoryBound(to: UInt8.self)
                    let start = unsafe EVP_CipherInit_ex2(context, library.siv, keyBytes, nil, encrypts ? 1 : 0, nil)
                    return unsafe withUnsafePointer(to: &nothing) { nothing in
                        let bytes = unsafe associated.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? nothing
                        return unsafe start == 1
                            && EVP_CipherUpdate(context, nil, &moved, bytes, CInt(associated.count)) == 1
                    }
                }
            }
            guard done else { throw .of("AES-256-SIV key") }
        }
    }

    /// Writes tag (16 bytes) and ciphertext (as long as `plain`) to `out`. `plain` must not be empty:
    /// OpenSSL 3.0 gives an all-zero tag for it. False when OpenSSL refused.
    func seal(_ plain: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<UInt8>) -> Bool {
        precondition(plain.count > 0, "AES-SIV in OpenSSL 3.0 can't seal an empty value")
        var moved: CInt = 0
        var rest: CInt = 0
        let context = unsafe scratch.raw
        let body = unsafe out + SyntheticIVCipher.tagCount
        let bytes = unsafe plain.baseAddress?.assumingMemoryBound(to: UInt8.self)
        return unsafe EVP_CIPHER_CTX_copy(context, sealing.raw) == 1
            && EVP_EncryptUpdate(context, body, &moved, bytes, CInt(plain.count)) == 1
            && EVP_EncryptFinal_ex(context, body + Int(moved), &rest) == 1
            && Int(moved) + Int(rest) == plain.count
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, CInt(SyntheticIVCipher.tagCount), out) == 1
    }

    /// Opens tag ‖ ciphertext into `out`, which has room for the ciphertext. On `false` what stands in `out` is
    /// not authentic and has been wiped.
    func open(_ sealed: UnsafeRawBufferPointer, into out: UnsafeMutablePointer<UInt8>) -> Bool {
        let count = sealed.count - SyntheticIVCipher.tagCount
        guard count > 0, let start = unsafe sealed.baseAddress?.assumingMemoryBound(to: UInt8.self) else {
            return false
        }
        var moved: CInt = 0
        var rest: CInt = 0
        let context = unsafe scratch.raw
        let tag = unsafe UnsafeMutableRawPointer(mutating: start)
        let done =
            unsafe EVP_CIPHER_CTX_copy(context, opening.raw) == 1
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, CInt(SyntheticIVCipher.tagCount), tag) == 1
            && EVP_DecryptUpdate(context, out, &moved, start + SyntheticIVCipher.tagCount, CInt(count)) == 1
            && EVP_DecryptFinal_ex(context, out + Int(moved), &rest) == 1
            && Int(moved) + Int(rest) == count
        if !done {
            unsafe OPENSSL_cleanse(out, count)
            drainErrorQueue()
        }
        return done
    }
}

extension SyntheticIVCipher {
    /// Tag ‖ ciphertext, for values that are no field tokens.
    package func seal(_ plain: [UInt8]) throws(SealingError) -> [UInt8] {
        var out = [UInt8](repeating: 0, count: SyntheticIVCipher.tagCount + plain.count)
        let done = unsafe plain.withUnsafeBytes { plain in
            unsafe out.withUnsafeMutableBufferPointer { out in
                unsafe out.baseAddress.map { unsafe seal(plain, into: $0) } ?? false
            }
        }
        guard done else { throw .of("AES-256-SIV") }
        return out
    }

    /// The plain bytes, or `.cannotOpen`.
    package func open(_ sealed: [UInt8]) throws(SealingError) -> [UInt8] {
        guard sealed.count > SyntheticIVCipher.tagCount else { throw .cannotOpen }
        var out = [UInt8](repeating: 0, count: sealed.count - SyntheticIVCipher.tagCount)
        let done = unsafe sealed.withUnsafeBytes { sealed in
            unsafe out.withUnsafeMutableBufferPointer { out in
                unsafe out.baseAddress.map { unsafe open(sealed, into: $0) } ?? false
            }
        }
        guard done else { throw .cannotOpen }
        return out
    }
}
