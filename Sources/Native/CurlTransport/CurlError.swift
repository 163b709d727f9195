/// Why a transfer ended without a whole reply.
package struct CurlError: Error, Sendable, Equatable, CustomStringConvertible {
    package enum Cause: String, Sendable {
        /// libcurl gave up; `number` says why.
        case library
        /// The decompressed body is over ``CurlLimits/bodyBytes``.
        case bodyTooLarge
        /// The headers are over ``CurlLimits/headerBytes`` or ``CurlLimits/headerCount``.
        case headersTooLarge
        /// A header or the URL can't be sent as it is.
        case badRequest
        /// The server's address is not a public one, and only those were allowed.
        case privateAddress
        /// The task was cancelled, or the engine went away.
        case cancelled
    }

    package let cause: Cause
    /// A `CURLcode`, or 0.
    package let number: UInt32
    /// libcurl's own words, without URLs' queries and without control characters. Never a header.
    package let reason: String
    /// The status that had been read when it ended, or 0.
    package let status: Int
    package var hadStatus: Bool { status > 0 }

    init(_ cause: Cause, number: UInt32 = 0, _ reason: String, status: Int = 0) {
        self.cause = cause
        self.number = number
        self.reason = CurlError.clean(reason)
        self.status = status
    }

    package var description: String { number == 0 ? reason : "\(reason) (libcurl \(number))" }

    /// Cuts the query off whatever looks like a URL or a request target, and bounds the length.
    static func clean(_ words: String) -> String {
        var out = ""
        var skipping = false
        for scalar in words.unicodeScalars.prefix(400) {
            let isSpace = scalar.value <= 0x20 || scalar.value == 0x7F
            if isSpace { skipping = false }
            if skipping { continue }
            if scalar == "?" { skipping = true }
            out.unicodeScalars.append(isSpace ? " " : scalar)
        }
        return String(out.prefix(200))
    }
}
