package import Connector
package import CurlTransport
package import Model

/// The API itself, over libcurl.
///
/// Every request goes to the base URL's origin and nowhere else; redirects come back as they are. The
/// credential is a header of each request and stands in no message.
package struct LiveTransport: Transport {
    package let address: WebAddress
    private let prefix: String
    private let headers: [CurlHeader]
    private let limits: CurlLimits
    private let allowsPlainHTTP: Bool
    private let engine: CurlEngine

    /// - options: values for the connector's `optionHeaders`, by option name; empty ones are left out.
    /// - allowPlainHTTP: `http:` to others than loopback. Throws `.badPlan` for a base URL that can't be used.
    package init(
        connector: Connector,
        baseURL: String,
        credential: Secret?,
        options: [String: String] = [:],
        limits: CurlLimits = CurlLimits(),
        allowPlainHTTP: Bool = false,
        engine: CurlEngine
    ) throws(Fault) {
        var headers = [CurlHeader("Accept", "application/json"), CurlHeader("User-Agent", "cogni/1")]
        if let credential, !credential.isEmpty {
            headers.append(CurlHeader(connector.credentialHeader, connector.credentialPrefix + credential.reveal()))
        }
        for (option, name) in connector.optionHeaders.sorted(by: { $0.key < $1.key }) {
            if let value = options[option], !value.isEmpty { headers.append(CurlHeader(name, value)) }
        }
        headers += connector.fixedHeaders.map { CurlHeader($0.name, $0.value) }
        try self.init(
            baseURL: baseURL,
            headers: headers,
            limits: limits,
            allowPlainHTTP: allowPlainHTTP,
            engine: engine
        )
    }

    package init(
        baseURL: String,
        headers: [CurlHeader],
        limits: CurlLimits = CurlLimits(),
        allowPlainHTTP: Bool = false,
        engine: CurlEngine
    ) throws(Fault) {
        guard let address = WebAddress(baseURL), !address.target.contains("?") else {
            throw Fault(
                .badPlan,
                "the base URL is not an absolute https address without user name and query",
                mend: "set source.base_url to an address such as https://api.example.com/v1"
            )
        }
        let isPlain = address.origin.scheme == "http"
        guard !isPlain || address.origin.isLoopback || allowPlainHTTP else {
            throw Fault(
                .badPlan,
                "the base URL sends the credential to \(address.origin.host) over plain http",
                mend: "use https in source.base_url, or set source.allow_plain_http: true if the network is trusted"
            )
        }
        self.address = address
        prefix = String(baseURL.prefix { $0 != "#" }.reversed().drop { $0 == "/" }.reversed())
        self.headers = headers
        self.limits = limits
        allowsPlainHTTP = isPlain
        self.engine = engine
    }

    package func send(_ request: Request) async throws(TransportError) -> Reply {
        let sent = CurlRequest(
            url: try url(for: request),
            headers: headers,
            limits: limits,
            allowsPlainHTTP: allowsPlainHTTP
        )
        do throws(CurlError) {
            let reply = try await engine.perform(sent)
            return Reply(
                status: reply.status,
                headers: LiveTransport.merged(reply.headers),
                body: reply.body,
                isDelimited: reply.isDelimited
            )
        } catch {
            throw TransportError(error)
        }
    }

    /// The absolute URL of a request; throws `.untrusted` for one that would leave the base URL's origin.
    package func url(for request: Request) throws(TransportError) -> String {
        guard let absolute = request.absoluteURL else {
            let query = PercentEncoding.query(request.query)
            return prefix + request.path + (query.isEmpty ? "" : "?\(query)")
        }
        if absolute.hasPrefix("/"), !absolute.hasPrefix("//"), let own = WebAddress(root + absolute) {
            return root + own.target
        }
        guard let other = WebAddress(absolute) else {
            throw TransportError(.untrusted, "the next page's address is not an absolute http address")
        }
        guard other.origin == address.origin else {
            throw TransportError(
                .untrusted,
                "the next page lies on \(other.origin.scheme)://\(other.origin.host):\(other.origin.port), not on the base URL's host"
            )
        }
        return root + other.target
    }

    private var root: String {
        "\(address.origin.scheme)://\(address.origin.host):\(address.origin.port)"
    }

    private static func merged(_ list: [(name: String, value: String)]) -> [String: String] {
        var headers: [String: String] = [:]
        for (name, value) in list {
            if name == "link", let before = headers[name] {
                headers[name] = "\(before), \(value)"
            } else {
                headers[name] = value
            }
        }
        return headers
    }
}

extension TransportError {
    /// What a `CURLcode` means for the next try.
    init(_ error: CurlError) {
        let kind: Kind =
            switch error.cause {
            case .cancelled: .cancelled
            case .bodyTooLarge, .headersTooLarge: .tooLarge
            case .badRequest, .privateAddress: .untrusted
            case .library: Kind(libcurl: error.number, words: error.reason, hadStatus: error.hadStatus)
            }
        self.init(kind, error.description)
    }
}

extension TransportError.Kind {
    /// Numbers are libcurl's, stable since its version 7.
    fileprivate init(libcurl number: UInt32, words: String, hadStatus: Bool) {
        switch number {
        case 18, 61: self = .cut  // partial file, bad content encoding
        case 56 where words.contains("unexpected eof"): self = .cut  // TLS closed without close_notify
        case 56 where words.contains("Too large response headers"): self = .tooLarge
        case 28: self = .timeout
        case 35:
            // A handshake that was cut is like any connection that was cut; a refused one stays refused.
            let wasCut = words.contains("SYSCALL") || words.contains("unexpected eof") || words.contains("reset")
            self = wasCut ? .unreachable : .untrusted
        case 1, 3, 4, 47, 48, 53, 54, 58, 59, 60, 64, 66, 77, 80, 82, 83, 90, 91, 98: self = .untrusted
        default: self = .unreachable
        }
    }
}
