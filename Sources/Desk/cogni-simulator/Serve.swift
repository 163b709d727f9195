import ArgumentParser
import Dispatch
import Foundation

struct Serve: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve the Admin API over HTTP until SIGTERM or SIGINT.",
        discussion: """
            Prints one line, "listening on http://HOST:PORT/v1", when it is ready. Replies depend only on the options and on
            what was posted to /_simulator: the same seed, clock and query give the same bytes.
            """
    )

    @Option(help: "Address to listen on.") var host = "127.0.0.1"
    @Option(help: "Port; 0 takes a free one.") var port = 8080
    @Option(help: "Also write the port to this file, once listening.") var portFile: String?
    @Option(help: "Of everything that is made up.") var seed: UInt64 = 7
    @Option(help: "Every seventh is archived.") var projects = 12
    @Option var users = 30
    @Option(help: "Keys per project.") var keys = 3
    @Option var groups = 4
    @Option(help: "How far back usage, costs and audit events go.") var days = 30
    @Option(help: "Rows of a bucket before grouping merges them.") var rowsPerBucket = 20
    @Option var models = 6
    @Option(help: "Audit events within --days; later clocks find more.") var auditEvents = 500
    @Option(help: "One bucket in this many has no rows; 0: every bucket has some.") var emptyEvery = 11
    @Option(help: "The simulated time, which then stands still (2026-11-20T12:00:00Z); default: the machine's clock.")
    var now: String?
    @Option(help: "The key that may read everything.")
    var adminKey = "sk-admin-simulator-000000000000000000000000000000000000"
    @Option(help: "A key that may read lists but neither usage nor costs.")
    var limitedKey = "sk-admin-simulator-limited-0000000000000000000000000000"
    @Option(help: "JSON file with switches and faults.") var scenario: String?
    @Option(help: "Write one JSON line per request to this file.") var log: String?
    @Flag(help: "Send fields that no published schema has, e-mail addresses among them.") var undocumentedFields = false
    @Option(help: "How amounts are written: number, string or mixed.") var costValues = "mixed"
    @Flag(help: "Keep the bodies of pages in memory and send them again.") var cachePages = false

    func validate() throws {
        let counts = [projects, users, keys, groups, days, rowsPerBucket, models, auditEvents, emptyEvery]
        guard counts.allSatisfy({ $0 >= 0 }) else { throw ValidationError("Counts cannot be negative.") }
        if let now, Moment.parse(now) == nil {
            throw ValidationError("--now must be like 2026-11-20T12:00:00Z, 2026-11-20 or Unix seconds: '\(now)'")
        }
        guard Switches.CostValues(rawValue: costValues) != nil else {
            throw ValidationError("--cost-values must be number, string or mixed: '\(costValues)'")
        }
    }

    func run() throws {
        let plan = try readScenario()
        let machine: @Sendable () -> Int = { Int(Date().timeIntervalSince1970) }
        let frozen = now.flatMap(Moment.parse)
        var settings = Settings(now: frozen ?? machine())
        settings.seed = seed
        (settings.projects, settings.users, settings.keys, settings.groups) = (projects, users, keys, groups)
        (settings.days, settings.rowsPerBucket, settings.models) = (days, rowsPerBucket, models)
        (settings.auditEvents, settings.emptyEvery) = (auditEvents, emptyEvery)
        settings.switches.undocumentedFields = undocumentedFields
        settings.switches.costValues = Switches.CostValues(rawValue: costValues) ?? .mixed
        try settings.resize(plan.switches)
        try settings.switches.apply(plan.switches)
        let service = Service(
            Organization(settings),
            scenario: plan,
            clock: SimulatedClock(frozen: frozen, machine: machine),
            credentials: Credentials(admin: adminKey, limited: limitedKey),
            cachesPages: cachePages,
            milliseconds: { Int(DispatchTime.now().uptimeNanoseconds / 1_000_000) },
            log: try RequestLog.writer(log)
        )
        let server = try Server.start(host: host, port: port, service: service)
        // Whoever reads that it listens may end it at once: by then signals must be listened to as well.
        let heard = DispatchGroup()
        let signals = [SIGTERM, SIGINT].map { signal in
            let source = DispatchSource.makeSignalSource(signal: signal, queue: .global())
            heard.enter()
            source.setRegistrationHandler { heard.leave() }
            source.setEventHandler { server.stop() }
            source.resume()
            return source
        }
        heard.wait()
        if let portFile { try Data("\(server.port)\n".utf8).write(to: URL(filePath: portFile), options: .atomic) }
        try FileHandle.standardOutput.write(contentsOf: Data("listening on http://\(host):\(server.port)/v1\n".utf8))
        try server.waitUntilClosed()
        for source in signals { source.cancel() }
    }

    private func readScenario() throws -> Scenario {
        guard let scenario else { return Scenario() }
        guard let bytes = try? Data(contentsOf: URL(filePath: scenario)) else {
            throw ValidationError("--scenario: cannot read \(scenario)")
        }
        do {
            return try Scenario(Array(bytes))
        } catch {
            throw ValidationError("\(scenario): \(error)")
        }
    }
}

/// One JSON line per request, written at once.
enum RequestLog {
    static func writer(_ path: String?) throws -> @Sendable (Value) -> Void {
        guard let path else { return { _ in } }
        try Data().write(to: URL(filePath: path))
        let file = try FileHandle(forWritingTo: URL(filePath: path))
        return { entry in
            // A full disk must not stop the service: the line is lost.
            try? file.write(contentsOf: Data(entry.json + [10]))
        }
    }
}
