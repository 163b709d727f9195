import CCurl
import Glibc

/// The library itself: made ready once for the whole process, before the first handle.
enum CurlLibrary {
    /// The oldest libcurl that knows every option we set.
    private static let oldestNumber: UInt32 = 0x07_55_00
    private static let oldest = "7.85.0"

    /// 0 when libcurl is ready, otherwise its `CURLcode`.
    static let status: UInt32 = {
        // Both would act behind our back: one writes TLS session keys to a file, the other changes OpenSSL.
        for name in ["SSLKEYLOGFILE", "OPENSSL_CONF"] { unsafe unsetenv(name) }
        return curl_global_init(Int(CURL_GLOBAL_DEFAULT)).rawValue
    }()

    private static var information: curl_version_info_data { unsafe cogni_curl_information().pointee }

    /// `7.88.1`
    static var version: String {
        guard let words = unsafe information.version else { return "unknown" }
        return unsafe String(cString: words)
    }

    /// Why no engine may start with this libcurl; `nil` when it may. An older one takes some options for unknown, one request after another.
    static func refusal(
        ofNumber number: UInt32 = unsafe information.version_num,
        version: String = version
    ) -> CurlError? {
        guard number < oldestNumber else { return nil }
        return CurlError(.library, "libcurl \(version) is older than \(oldest)")
    }
}
