internal import COpenSSL

/// One `EVP_CIPHER_CTX`, wiped and freed by OpenSSL when it goes out of scope.
@safe struct CipherContext: ~Copyable {
    let raw: OpaquePointer

    init() throws(SealingError) {
        guard let raw = unsafe EVP_CIPHER_CTX_new() else { throw .of("EVP_CIPHER_CTX_new") }
        unsafe self.raw = raw
    }

    deinit { unsafe EVP_CIPHER_CTX_free(raw) }
}
