import CCurl

/// Sets a handle's options and remembers the first one that libcurl refused.
///
/// An old libcurl answers an option it does not know with an error and goes on without it; for
/// certificate checks that would be the wrong thing to overlook.
@safe struct CurlOptions {
    private let handle: UnsafeMutableRawPointer
    private(set) var refused: (name: String, code: UInt32)?

    init(handle: UnsafeMutableRawPointer) { unsafe self.handle = handle }

    mutating func check(_ code: CURLcode, _ name: String) {
        if code != CURLE_OK, refused == nil { refused = (name, code.rawValue) }
    }

    private mutating func set(_ option: CURLoption, _ name: String, _ value: Int) {
        unsafe check(cogni_curl_set_long(handle, option, value), name)
    }

    private mutating func set(_ option: CURLoption, _ name: String, _ value: String) {
        unsafe check(cogni_curl_set_string(handle, option, value), name)
    }

    private mutating func setBody(_ body: [UInt8]?) {
        guard let body else { return set(CURLOPT_HTTPGET, "HTTPGET", 1) }
        set(CURLOPT_POST, "POST", 1)
        set(CURLOPT_POSTFIELDSIZE, "POSTFIELDSIZE", body.count)  // before the copy, which goes by it
        let code = unsafe body.withUnsafeBytes { bytes in
            unsafe cogni_curl_set_pointer(
                handle,
                CURLOPT_COPYPOSTFIELDS,
                UnsafeMutableRawPointer(mutating: bytes.baseAddress)
            )
        }
        check(code, "COPYPOSTFIELDS")
    }

    mutating func apply(_ request: CurlRequest, certificateAuthorities: String?) {
        set(CURLOPT_URL, "URL", request.url)
        setBody(request.body)
        set(CURLOPT_NOSIGNAL, "NOSIGNAL", 1)

        // Where it may go, and what it may carry there.
        set(CURLOPT_PROTOCOLS_STR, "PROTOCOLS_STR", request.allowsPlainHTTP ? "http,https" : "https")
        set(CURLOPT_REDIR_PROTOCOLS_STR, "REDIR_PROTOCOLS_STR", "https")
        set(CURLOPT_FOLLOWLOCATION, "FOLLOWLOCATION", 0)
        set(CURLOPT_MAXREDIRS, "MAXREDIRS", 0)
        set(CURLOPT_UNRESTRICTED_AUTH, "UNRESTRICTED_AUTH", 0)
        set(CURLOPT_PROXY, "PROXY", "")  // not even one from the environment
        set(CURLOPT_NETRC, "NETRC", Int(CURL_NETRC_IGNORED.rawValue))
        set(CURLOPT_PATH_AS_IS, "PATH_AS_IS", 1)

        set(CURLOPT_SSL_VERIFYPEER, "SSL_VERIFYPEER", 1)
        set(CURLOPT_SSL_VERIFYHOST, "SSL_VERIFYHOST", 2)
        set(CURLOPT_SSLVERSION, "SSLVERSION", Int(CURL_SSLVERSION_TLSv1_2) | Int(CURL_SSLVERSION_MAX_DEFAULT))
        if let certificateAuthorities { set(CURLOPT_CAINFO, "CAINFO", certificateAuthorities) }

        let limits = request.limits
        set(CURLOPT_CONNECTTIMEOUT_MS, "CONNECTTIMEOUT_MS", limits.connect.milliseconds)
        set(CURLOPT_TIMEOUT_MS, "TIMEOUT_MS", limits.total.milliseconds)
        set(CURLOPT_LOW_SPEED_LIMIT, "LOW_SPEED_LIMIT", limits.stallBytesPerSecond)
        set(CURLOPT_LOW_SPEED_TIME, "LOW_SPEED_TIME", max(1, limits.stall.milliseconds / 1000))

        // How it goes fast: HTTP/2 where TLS offers it, connections kept.
        set(CURLOPT_HTTP_VERSION, "HTTP_VERSION", Int(CURL_HTTP_VERSION_2TLS))
        // Bodies stay as they came; ``ContentDecoder`` unpacks them.
        set(CURLOPT_ACCEPT_ENCODING, "ACCEPT_ENCODING", ContentDecoder.offered)
        set(CURLOPT_HTTP_CONTENT_DECODING, "HTTP_CONTENT_DECODING", 0)
        set(CURLOPT_BUFFERSIZE, "BUFFERSIZE", 128 << 10)  // more does not stay in a core's own cache until it is copied
        set(CURLOPT_TCP_NODELAY, "TCP_NODELAY", 1)
        set(CURLOPT_TCP_KEEPALIVE, "TCP_KEEPALIVE", 1)
        // Over TLS wait for the first connection, which may turn out to carry all requests at once.
        set(CURLOPT_PIPEWAIT, "PIPEWAIT", request.allowsPlainHTTP ? 0 : 1)
    }
}

extension Duration {
    /// Whole milliseconds, at least 1: libcurl reads 0 as "for ever".
    fileprivate var milliseconds: Int {
        let (seconds, attoseconds) = components
        return max(1, Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000))
    }
}
