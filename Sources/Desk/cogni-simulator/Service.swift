/// The simulated service: takes requests, gives replies, remembers what it did. No sockets here.
///
/// One event loop owns it after the start; nothing else touches it.
final class Service: @unchecked Sendable {  // confined to the one event loop thread that the server runs on
    private(set) var organization: Organization
    var clock: SimulatedClock
    private(set) var plan: FaultPlan
    private let credentials: Credentials
    private let cachesPages: Bool
    private let log: @Sendable (Value) -> Void
    private let milliseconds: @Sendable () -> Int
    private var requestCount = 0
    private(set) var requests: [String: Int] = [:]
    private var spaces: [String: DimensionSpace] = [:]
    private var pages: [String: [UInt8]] = [:]
    private var trails: [String: Listing] = [:]
    private var lastRequestID = ""

    /// - `milliseconds`: a clock that never goes back, for rate windows.
    /// - `log`: called once per request.
    init(
        _ organization: Organization,
        scenario: Scenario,
        clock: SimulatedClock,
        credentials: Credentials,
        cachesPages: Bool = false,
        milliseconds: @escaping @Sendable () -> Int,
        log: @escaping @Sendable (Value) -> Void
    ) {
        self.organization = organization
        self.clock = clock
        self.credentials = credentials
        self.cachesPages = cachesPages
        self.milliseconds = milliseconds
        self.log = log
        plan = FaultPlan(scenario)
    }

    func answer(_ request: Request) -> Reply {
        if request.path.hasPrefix("/_simulator/") { return control(request) }
        requestCount += 1
        let found = find(request.path)
        let path = request.path.hasPrefix("/v1/") ? String(request.path.dropFirst(3)) : String(request.path)
        let target = PlannedFault.Target(
            template: found?.endpoint.path ?? path,
            path: path,
            query: String(request.query)
        )
        requests[target.template, default: 0] += 1
        let query = Query(request.query)
        var page: Int?
        if let found, let query, plan.needsPage(target) {
            page = try? self.page(found.endpoint, found.values, query, String(request.path), []).page
        }
        let struck = plan.strike(target, page: page, milliseconds: milliseconds())
        let hasCursor = query?.has("page") ?? false || query?.has("after") ?? false
        let substitute = struck.lazy.compactMap { $0.answer(hasCursor: hasCursor, realNow: self.clock.machine()) }.first
        var reply: Reply
        if let substitute {
            reply = substitute
        } else {
            let twist = PageTwist(struck.compactMap(\.kind.twist))
            do {
                try change(struck)
                reply = try self.reply(to: request, found, query, twist)
            } catch {
                reply = Reply(error)
            }
        }
        if organization.settings.switches.gzip, request.acceptsGzip { reply.compress() }
        for fault in struck { fault.spoil(&reply) }
        addHeaders(&reply, struck)
        write(request, target, reply, struck)
        return reply
    }

    /// Makes the changes of the faults that struck. One that can't be made is answered with what is wrong: the test that
    /// planned it would otherwise go on as if it had been.
    private func change(_ struck: [PlannedFault]) throws(Refusal) {
        for fault in struck where fault.kind == .mutate {
            do throws(Scenario.Mistake) { _ = try mutate(fault.parameters["change"] ?? ["seed": 1]) } catch {
                throw Refusal(status: 500, message: "The scenario's change can't be made: \(error)")
            }
        }
    }

    private func find(_ path: Substring) -> (endpoint: Endpoint, values: [String: String])? {
        guard path.hasPrefix("/v1/") else { return nil }
        let segments = path.dropFirst(4).split(separator: "/", omittingEmptySubsequences: false)
            .map { Query.decode($0.replacing("+", with: "%2B")) ?? "" }
        for endpoint in Endpoint.all {
            if let values = endpoint.match(segments) { return (endpoint, values) }
        }
        return nil
    }

    private func reply(
        to request: Request,
        _ found: (endpoint: Endpoint, values: [String: String])?,
        _ query: Query?,
        _ twist: PageTwist
    ) throws(Refusal) -> Reply {
        let holder = credentials.holder(request.authorization)
        if holder == .missing { throw .missingKey }
        if holder == .wrong { throw .wrongKey(String(request.authorization?.dropFirst(7) ?? "")) }
        guard let found else {
            throw Refusal(status: 404, message: "Invalid URL (\(request.method) \(request.path))")
        }
        guard request.method == "GET" else {
            throw Refusal(status: 405, message: "The simulator only reads: \(request.method) is not allowed.")
        }
        if holder == .limited, found.endpoint.style == .bucketPage { throw .missingScope("api.usage.read") }
        guard let query else { throw Refusal(status: 400, message: "The query is not valid percent-encoded UTF-8.") }
        if !organization.settings.switches.lenientParameters,
            let unknown = query.fields.first(where: { !found.endpoint.known.contains($0.name) })
        {
            throw Refusal(
                status: 400,
                message: "Unknown parameter: '\(unknown.name)'.",
                parameter: unknown.name,
                code: "unknown_parameter"
            )
        }
        let key = "\(clock.now) \(request.target)"
        if cachesPages, twist.isEmpty, let body = pages[key] { return Reply(body: body) }
        let body = try page(found.endpoint, found.values, query, String(request.path), twist).body
        if cachesPages, twist.isEmpty { pages[key] = body }
        return Reply(body: body)
    }

    /// The body that answers, and which page of its walk it is.
    private func page(
        _ endpoint: Endpoint,
        _ values: [String: String],
        _ query: Query,
        _ path: String,
        _ twist: PageTwist
    ) throws(Refusal) -> (body: [UInt8], page: Int) {
        let directory = Directory(organization: organization, now: clock.now)
        switch endpoint.style {
        case .bucketPage:
            guard let report = Report.named(endpoint.name) else { throw .notFound("report", endpoint.name) }
            return try ReportPage(organization: organization, now: clock.now)
                .page(report, query, space: space(report), twist: twist)
        case .single: return (try directory.single(endpoint.name, path: values).json, 1)
        case .item: return (try directory.item(endpoint.name, path: values, query: query).json, 1)
        case .lastID, .itemID, .next:
            let listing = try listing(endpoint, directory, values, query)
            return try ListPage(
                endpoint: endpoint,
                listing: listing,
                query: query,
                path: path,
                switches: organization.settings.switches,
                twist: twist
            ).page()
        }
    }

    /// The audit trail is the one list that is long and dear to make: its last walks are kept until something changes.
    private func listing(
        _ endpoint: Endpoint,
        _ directory: Directory,
        _ values: [String: String],
        _ query: Query
    ) throws(Refusal) -> Listing {
        let make = { () throws(Refusal) in try directory.listing(endpoint.name, path: values, query: query) }
        guard endpoint.name == "audit_logs" else { return try make() }
        let key = "\(directory.now) \(query.identity)"
        if let trail = trails[key] { return trail }
        let trail = try make()
        if trails.count >= 4 { trails = [:] }
        trails[key] = trail
        return trail
    }

    private func space(_ report: Report) -> DimensionSpace {
        if let space = spaces[report.name] { return space }
        let space = DimensionSpace(report, organization)
        spaces[report.name] = space
        return space
    }

    private func addHeaders(_ reply: inout Reply, _ struck: [PlannedFault]) {
        let skew = struck.first { $0.kind == .dateSkew }?.parameters["seconds"]?.whole ?? 0
        let noise = organization.noise.with("requests").with(requestCount)
        let id = "req_" + noise.hexadecimal(32)
        reply.headers.append(("date", Moment.http(clock.now + skew)))
        reply.headers.append(("openai-organization", organization.id))
        reply.headers.append(("openai-version", "2020-10-01"))
        reply.headers.append(("openai-processing-ms", String(10 + noise.below(90))))
        guard !struck.contains(where: { $0.kind == .noRequestID }) else { return }
        let repeated = struck.contains { $0.kind == .sameRequestID } && !lastRequestID.isEmpty
        if !repeated { lastRequestID = id }
        reply.headers.append(("x-request-id", lastRequestID))
    }

    private func write(_ request: Request, _ target: PlannedFault.Target, _ reply: Reply, _ struck: [PlannedFault]) {
        log([
            "n": .integer(requestCount),
            "ms": .integer(milliseconds()),
            "method": .string(request.method),
            "template": .string(target.template),
            "path": .string(target.path),
            "query": .string(target.query),
            "status": .integer(reply.status),
            "bytes": .integer(reply.body.count),
            "faults": .array(struck.map { .string($0.kind.rawValue) }),
            "key": .string(credentials.holder(request.authorization).rawValue),
            "request_id": .optional(reply.headers.last { $0.name == "x-request-id" }?.value),
            "accepts_gzip": .bool(request.acceptsGzip),
            "user_agent": .optional(request.userAgent),
            "retry_count": .optional(request.retryCount),
        ])
    }
}

// What `/_simulator` needs to reach.
extension Service {
    func mutate(_ change: Value) throws(Scenario.Mistake) -> Value {
        pages = [:]
        trails = [:]
        guard let seconds = change["advance"]?.whole else { return try organization.mutate(change, now: clock.now) }
        // Time goes on by itself, or beside another change.
        let now = clock.now &+ seconds
        guard Moment.sane.contains(now) else { throw Scenario.Mistake(description: "advance leaves the calendar") }
        clock.frozen = now
        guard (change.members ?? []).count > 1 else { return ["advanced": .integer(seconds)] }
        return try organization.mutate(change, now: clock.now)
    }

    func load(_ scenario: Scenario) {
        plan = FaultPlan(scenario)
    }

    /// How much a whole walk of this address gives, however it is paged.
    func count(_ target: String) throws(Refusal) -> Value {
        let request = Request(method: "GET", target: target.hasPrefix("/v1/") ? target : "/v1" + target)
        guard let (endpoint, values) = find(request.path), let query = Query(request.query) else {
            throw Refusal(status: 404, message: "Invalid URL (\(target))")
        }
        switch endpoint.style {
        case .bucketPage:
            guard let report = Report.named(endpoint.name) else { throw .notFound("report", endpoint.name) }
            return try ReportPage(organization: organization, now: clock.now)
                .totals(report, query, space: space(report))
        case .single, .item: return ["items": 1]
        case .lastID, .itemID, .next:
            let directory = Directory(organization: organization, now: clock.now)
            return ["items": .integer(try directory.listing(endpoint.name, path: values, query: query).ids.count)]
        }
    }
}
