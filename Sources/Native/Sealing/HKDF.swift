internal import COpenSSL

/// HKDF-SHA-256 (RFC 5869): one key in, any number of unrelated keys out.
@safe package enum HKDF {
    /// - Parameters:
    ///   - key: The input keying material.
    ///   - count: 1 to 8160 bytes; more is refused by the RFC and by OpenSSL.
    package static func derive(
        from key: KeyBytes,
        salt: [UInt8],
        info: [UInt8],
        count: Int
    ) throws(SealingError) -> KeyBytes {
        let library = try Library.get()
        guard count >= 1, count <= 255 * 32 else { throw .wrongKeyLength(count: count, needed: 32) }
        guard let context = unsafe EVP_KDF_CTX_new(library.hkdf) else { throw .of("EVP_KDF_CTX_new") }
        defer { unsafe EVP_KDF_CTX_free(context) }
        return try unsafe KeyBytes(count: count) { out in
            unsafe key.withRaw { key in
                unsafe salt.withUnsafeBytes { salt in
                    unsafe info.withUnsafeBytes { info in
                        var parameters = unsafe [Parameter.sha256(), Parameter.octets("key", key)]
                        // An absent salt and an absent info mean the same as empty ones.
                        if salt.count > 0 { unsafe parameters.append(Parameter.octets("salt", salt)) }
                        if info.count > 0 { unsafe parameters.append(Parameter.octets("info", info)) }
                        unsafe parameters.append(OSSL_PARAM_construct_end())
                        let target = unsafe out.baseAddress?.assumingMemoryBound(to: UInt8.self)
                        return unsafe EVP_KDF_derive(context, target, out.count, &parameters) == 1
                    }
                }
            }
        }
    }
}
