package import CurlTransport
package import Model

/// Sends one body to a service that is told something: a webhook's receiver, a Pushgateway, a lineage server.
///
/// No redirect is followed, no proxy used, at most 4 KiB of the answer read, and none of it shown.
package struct WebPost: Sendable {
    package enum Answer: Sendable, Equatable {
        case status(Int)
        /// Why there was none.
        case none(String)

        package var isGood: Bool { if case .status(200..<300) = self { true } else { false } }

        /// For people: `answered 503`.
        package var text: String {
            switch self {
            case .status(let code) where (300..<400).contains(code):
                "answered \(code), a redirect, which is not followed"
            case .status(let code): "answered \(code)"
            case .none(let reason): reason
            }
        }
    }

    private let engine: CurlEngine

    package init() throws(Fault) {
        do throws(CurlError) { engine = try CurlEngine() } catch {
            throw Fault(.unreachable, "libcurl could not be started: \(error)", mend: "install libcurl 7.85 or newer")
        }
    }

    /// - Parameter networks: what may be talked to beside public addresses.
    package func send(
        _ body: String,
        to url: String,
        headers: [(String, String)],
        networks: [NetworkRange],
        within time: Duration
    ) async -> Answer {
        let limits = CurlLimits(
            bodyBytes: 4096,
            headerBytes: 16 << 10,
            headerCount: 64,
            connect: min(time, .seconds(3)),
            total: time
        )
        let request = CurlRequest(
            url: url,
            headers: [CurlHeader("User-Agent", "cogni/1"), CurlHeader("Accept", "*/*")]
                + headers.map { CurlHeader($0.0, $0.1) },
            limits: limits,
            // Where the connection leads is judged by its address: plain http gets no further than the networks allowed.
            allowsPlainHTTP: url.lowercased().hasPrefix("http:"),
            body: Array(body.utf8),
            publicAddressesOnly: true,
            allowedNetworks: networks
        )
        do throws(CurlError) { return .status(try await engine.perform(request).status) } catch {
            switch error.cause {
            // Its status had come before the body became too long; a receiver that talks has taken the event all the same.
            case .bodyTooLarge: return .status(error.status)
            case .privateAddress: return .none("its address is not public, and not among the networks allowed")
            case .badRequest, .cancelled, .headersTooLarge, .library: return .none(error.reason)
            }
        }
    }
}
