/// One request, with what the service looks at.
struct Request: Sendable {
    var method: String
    /// Path and query as they were sent.
    var target: String
    var authorization: String?
    var acceptsGzip = false
    /// For the log.
    var userAgent: String?
    /// `x-stainless-retry-count` of the official clients, for the log.
    var retryCount: String?
    var body: [UInt8] = []

    var path: Substring { target.prefix { $0 != "?" } }
    var query: Substring { target.contains("?") ? target.drop { $0 != "?" }.dropFirst() : "" }
}

/// The simulated now: still at an instant, or going with the machine's clock.
struct SimulatedClock: Sendable {
    /// `nil`: the machine's clock.
    var frozen: Int?
    /// The machine's Unix seconds.
    var machine: @Sendable () -> Int

    var now: Int { frozen ?? machine() }
}

/// Who may read what.
struct Credentials: Sendable {
    var admin: String
    /// Reads lists but neither usage nor costs.
    var limited: String

    enum Holder: String, Sendable { case right, limited, wrong, missing }

    func holder(_ authorization: String?) -> Holder {
        guard let authorization, !authorization.isEmpty else { return .missing }
        guard authorization.hasPrefix("Bearer ") else { return .wrong }
        switch authorization.dropFirst(7) {
        case admin: return .right
        case limited: return .limited
        default: return .wrong
        }
    }
}
