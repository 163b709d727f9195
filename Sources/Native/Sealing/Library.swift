internal import COpenSSL

/// The algorithms of libcrypto that this room uses, fetched once for the process: a fetch walks the
/// providers and takes longer than sealing a value.
@safe struct Library: @unchecked Sendable {  // the objects are immutable and counted by OpenSSL itself
    let siv: OpaquePointer
    let gcm: OpaquePointer
    let sha256: OpaquePointer
    let hmac: OpaquePointer
    let hkdf: OpaquePointer

    private static let shared: Result<Library, SealingError> = load()

    static func get() throws(SealingError) -> Library { try shared.get() }

    private static func load() -> Result<Library, SealingError> {
        guard OpenSSL_version_num() >= 0x3000_00C0 else { return .failure(.libraryTooOld(libraryVersion)) }
        guard let siv = unsafe EVP_CIPHER_fetch(nil, "AES-256-SIV", nil),
            let gcm = unsafe EVP_CIPHER_fetch(nil, "AES-256-GCM", nil),
            let sha256 = unsafe EVP_MD_fetch(nil, "SHA256", nil),
            let hmac = unsafe EVP_MAC_fetch(nil, "HMAC", nil),
            let hkdf = unsafe EVP_KDF_fetch(nil, "HKDF", nil),
            unsafe EVP_CIPHER_get_key_length(siv) == 64, unsafe EVP_CIPHER_get_iv_length(siv) == 0,
            unsafe EVP_CIPHER_get_key_length(gcm) == 32, unsafe EVP_CIPHER_get_iv_length(gcm) == 12
        else { return .failure(.of("EVP fetch")) }
        return .success(unsafe Library(siv: siv, gcm: gcm, sha256: sha256, hmac: hmac, hkdf: hkdf))
    }
}

/// What `version --verbose` prints: `OpenSSL 3.0.19 27 Jan 2026`.
package var libraryVersion: String { unsafe String(cString: OpenSSL_version(OPENSSL_VERSION)) }
