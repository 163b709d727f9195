internal import COpenSSL

/// An `OSSL_PARAM` keeps the pointers that it is given, so names must outlive the call that makes it:
/// these are literals, which live as long as the program. A Swift string would be gone by then.
@safe enum Parameter {
    /// The digest that HMAC and HKDF stand on.
    static func sha256() -> OSSL_PARAM {
        let value = unsafe UnsafeMutablePointer(mutating: literal("SHA256"))
        return unsafe OSSL_PARAM_construct_utf8_string(literal("digest"), value, 0)
    }

    /// `memory` must outlive the parameter; OpenSSL only reads it.
    static func octets(_ name: StaticString, _ memory: UnsafeRawBufferPointer) -> OSSL_PARAM {
        let start = unsafe UnsafeMutableRawPointer(mutating: memory.baseAddress)
        return unsafe OSSL_PARAM_construct_octet_string(literal(name), start, memory.count)
    }

    private static func literal(_ text: StaticString) -> UnsafePointer<CChar> {
        unsafe UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self)
    }
}
