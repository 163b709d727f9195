import CCurl
import Glibc

/// The library itself: opened and made ready once for the whole process, before the first handle.
enum CurlLibrary {
    /// The oldest libcurl that knows every option we set.
    private static let oldestNumber: UInt32 = 0x07_55_00
    private static let oldest = "7.85.0"

    /// Why no engine may start; `nil` when libcurl is ready. The first look opens it, which takes some milliseconds.
    static let refusal: CurlError? = {
        forgetVariables()
        if let words = unsafe cogni_curl_open() {
            return unsafe CurlError(.library, "libcurl could not be opened: \(String(cString: words))")
        }
        let information = unsafe cogni_curl_information()
        let version = unsafe information.pointee.version.map { unsafe String(cString: $0) } ?? "unknown"
        if let refusal = unsafe refusal(ofNumber: information.pointee.version_num, version: version) { return refusal }
        let status = cogni_curl_global_init(Int(CURL_GLOBAL_DEFAULT)).rawValue
        return status == 0 ? nil : CurlError(.library, number: status, "libcurl could not be made ready")
    }()

    /// Both would act behind our back: one writes TLS session keys to a file, the other changes OpenSSL.
    static func forgetVariables() {
        for name in ["SSLKEYLOGFILE", "OPENSSL_CONF"] { unsafe unsetenv(name) }
    }

    /// An older one takes some options for unknown, one request after another.
    /// - Parameter version: as people write it: `7.88.1`.
    static func refusal(ofNumber number: UInt32, version: String) -> CurlError? {
        guard number < oldestNumber else { return nil }
        return CurlError(.library, "libcurl \(version) is older than \(oldest)")
    }
}
