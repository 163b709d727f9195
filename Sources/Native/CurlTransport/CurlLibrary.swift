import CCurl
import Glibc

/// The library itself: made ready once for the whole process, before the first handle.
package enum CurlLibrary {
    /// The oldest libcurl that knows every option we set.
    package static let oldestNumber: UInt32 = 0x07_55_00
    package static let oldest = "7.85.0"

    /// 0 when libcurl is ready, otherwise its `CURLcode`.
    static let status: UInt32 = {
        // Both would act behind our back: one writes TLS session keys to a file, the other changes OpenSSL.
        for name in ["SSLKEYLOGFILE", "OPENSSL_CONF"] { unsafe unsetenv(name) }
        return curl_global_init(Int(CURL_GLOBAL_DEFAULT)).rawValue
    }()

    private static var information: curl_version_info_data { unsafe cogni_curl_information().pointee }

    /// `7.88.1`
    package static var version: String {
        guard let words = unsafe information.version else { return "unknown" }
        return unsafe String(cString: words)
    }

    /// `OpenSSL/3.0.19`
    package static var tls: String {
        guard let words = unsafe information.ssl_version else { return "none" }
        return unsafe String(cString: words)
    }

    package static var isRecentEnough: Bool { unsafe information.version_num >= oldestNumber }
    package static var hasHTTP2: Bool { has(CURL_VERSION_HTTP2) }

    private static func has(_ feature: Int32) -> Bool {
        unsafe information.features & feature != 0
    }
}
