/// A whole answer before it goes to the wire.
struct Reply: Sendable {
    var status = 200
    var contentType = "application/json"
    /// Further headers, in order.
    var headers: [(name: String, value: String)] = []
    var body: [UInt8] = []
    var wire = WirePlan()

    init(body: [UInt8], status: Int = 200) {
        self.body = body
        self.status = status
    }

    init(_ value: Value, status: Int = 200) {
        self.init(body: value.json, status: status)
    }

    init(_ refusal: Refusal) {
        self.init(body: refusal.body, status: refusal.status)
    }

    static let reasons = [
        200: "OK", 204: "No Content", 206: "Partial Content", 301: "Moved Permanently", 302: "Found",
        304: "Not Modified", 307: "Temporary Redirect", 308: "Permanent Redirect",
        400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
        408: "Request Timeout", 409: "Conflict", 429: "Too Many Requests", 500: "Internal Server Error",
        502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
    ]
}

/// How an answer's bytes leave: framing, and where the connection breaks.
struct WirePlan: Sendable, Equatable {
    enum Break: Sendable, Equatable {
        case none
        /// RST before the first byte.
        case resetAtOnce
        /// RST after the headers and so many bytes of the body.
        case reset(after: Int)
        /// FIN after so many bytes of the body.
        case finish(after: Int)
        /// So many bytes of headers and body at a time, with pauses.
        case drip(bytes: Int, milliseconds: Int)
        /// Chunks of spaces until the client hangs up.
        case endless
        /// Silence for so long, after all headers and half the body, after the headers, or from the start; then FIN.
        case stall(Stage, seconds: Int)
    }

    enum Stage: String, Sendable { case accept, headers, body }

    enum Framing: Sendable, Equatable { case length, chunked, untilClose }

    var end = Break.none
    var framing = Framing.length
    /// So many `103 Early Hints` go before the answer.
    var hints = 0
}
