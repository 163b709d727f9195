internal import COpenSSL

/// SHA-256 over bytes that come in pieces. Used again and again: ``finish()`` starts anew.
@safe package final class SHA256 {
    private let context: OpaquePointer

    package init() {
        guard let context = unsafe EVP_MD_CTX_new() else { fatalError("OpenSSL: out of memory") }
        unsafe self.context = context
        start()
    }

    deinit { unsafe EVP_MD_CTX_free(context) }

    private func start() {
        // Fails only when the provider has no SHA-256, which no OpenSSL 3 lacks; a run without hashes has no sense.
        guard unsafe EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else { fatalError("OpenSSL: no SHA-256") }
    }

    package func update(_ bytes: Span<UInt8>) { unsafe bytes.withUnsafeBytes { unsafe update($0) } }

    /// For the rooms of `Native`.
    package func update(_ bytes: UnsafeRawBufferPointer) {
        guard unsafe EVP_DigestUpdate(context, bytes.baseAddress, bytes.count) == 1 else {
            fatalError("OpenSSL: EVP_DigestUpdate failed")
        }
    }

    /// The digest so far as 64 lower-case hex digits; the next byte begins another one.
    package func finish() -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        guard unsafe EVP_DigestFinal_ex(context, &digest, nil) == 1 else {
            fatalError("OpenSSL: EVP_DigestFinal_ex failed")
        }
        start()
        return SHA256.hexText(digest)
    }

    package static func hex(of bytes: [UInt8]) -> String {
        let hasher = SHA256()
        hasher.update(bytes.span)
        return hasher.finish()
    }

    static func hexText(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
