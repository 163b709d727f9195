import Connector
import Extract
import Foundation
import Ledger
import Load
import Model
import PageMemory
import PipelineFile
import Reporting
import Synchronization
import Testing

@testable import Runner

/// An organization that answers in virtual time: projects, and ten lists under each.
private final class Organization: Transport {
    let projects: Int
    let clock: VirtualTime
    /// Replies take from `fastest` to `fastest + spread` milliseconds, by path.
    let fastest: Int
    let spread: Int
    let answered = Mutex(0)
    /// Every so many replies, one is 503 and asks for patience.
    let failsEvery: Int
    private static let pageSize = 100

    init(projects: Int, clock: VirtualTime, fastest: Int, spread: Int, failsEvery: Int = .max) {
        self.projects = projects
        self.clock = clock
        self.fastest = fastest
        self.spread = spread
        self.failsEvery = failsEvery
    }

    func send(_ request: Request) async throws(TransportError) -> Reply {
        let place = request.path + (request.query.first { $0.name == "after" }?.value ?? "")
        let hash = place.utf8.reduce(UInt64(0xCBF2_9CE4_8422_2325)) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 } >> 16
        do throws(CancellationError) {
            try await clock.sleep(for: .milliseconds(fastest + Int(hash % UInt64(max(1, spread)))))
        } catch {
            throw TransportError(.cancelled, "the run was stopped")
        }
        let number = answered.withLock { count in
            count += 1
            return count
        }
        if number % failsEvery == 0 {
            let body = #"{"error":{"message":"overloaded"}}"#
            return Reply(status: 503, headers: ["retry-after": "2"], body: PageBytes(Array(body.utf8)))
        }
        return Reply(status: 200, headers: [:], body: PageBytes(Array(body(request).utf8)))
    }

    private func body(_ request: Request) -> String {
        guard request.template == "/projects" else {
            // One project in a hundred has a second page.
            let isLong = request.path.hasSuffix("0/list_3") && request.path.contains("50/")
            let isSecond = request.query.contains { $0.name == "after" }
            let id = isSecond ? "b" : "a"
            let more = isLong && !isSecond
            return #"{"object":"list","data":[{"id":"\#(id)"}],"has_more":\#(more),"last_id":"\#(id)"}"#
        }
        let first =
            request.query.first { $0.name == "after" }.flatMap { Int($0.value.dropFirst(2)) }.map { $0 + 1 } ?? 0
        let last = min(first + Organization.pageSize, projects) - 1
        let rows = (first...last).map { #"{"id":"p_\#($0)"}"# }.joined(separator: ",")
        return #"{"object":"list","data":[\#(rows)],"has_more":\#(last + 1 < projects),"last_id":"p_\#(last)"}"#
    }
}

/// `cogni plan`, held against runs of the real fetching side in virtual time.
@Suite struct ForecastTests {
    /// Enough for a debug build in CI; `make bench-scale` sets 5,000.
    private static var projects: Int {
        ProcessInfo.processInfo.environment["COGNI_PROJECTS"].flatMap { Int($0) } ?? 1000
    }

    private static let connector =
        """
        connector: wide
        base_url: https://wide.example/v1
        auth: { header: Authorization, prefix: "Bearer ", variable: WIDE_KEY }
        streams:
          - name: projects
            mode: snapshot
            path: /projects
            pagination: { style: cursor_after_last_id, limit: 100 }
            rows: "data[]"
            primary_key: [id]
            columns: [ { name: id, type: string } ]

        """
        + (0..<10).map { number in
            """
              - name: list_\(number)
                mode: snapshot
                path: /projects/{project_id}/list_\(number)
                parents: [{ parameter: project_id, of: projects.id }]
                pagination: { style: cursor_after_last_id, limit: 100 }
                rows: "data[]"
                absent: empty
                primary_key: [project_id, id]
                columns:
                  - { name: project_id, type: string, from: project_id }
                  - { name: id, type: string }

            """
        }.joined()

    private struct World {
        let folder = FileManager.default.temporaryDirectory.path + "/forecast-\(UUID().uuidString)"
        let pipeline: Pipeline

        init(requestsPerMinute: Int, concurrency: Int) throws {
            let text = """
                pipeline: wide
                source: { connector: ./wide.yaml, requests_per_minute: \(requestsPerMinute), concurrency: \(concurrency) }
                load: { compression: none }
                """
            let reading = PipelineReader.read(file: "p.yaml", bytes: Array(text.utf8), environment: [:]) { _ in
                Array(ForecastTests.connector.utf8)
            }
            pipeline = try reading.get()
        }

        var output: String { folder + "/wide" }

        func options(_ day: Int, _ streams: Set<String>?) -> RunOptions {
            var options = RunOptions(
                now: Instant(seconds: 1_767_225_600 + Int64(day) * 86_400),
                output: output,
                runID: "run-\(day)"
            )
            // Virtual time knows of the tasks of one executor only.
            options.asksEarly = false
            options.streams = streams
            return options
        }

        /// The real run, with the real pacing, gate, retries and walks; only clock and wire are ours.
        func run(_ day: Int, _ streams: Set<String>? = nil, _ organization: Organization) async throws -> (
            RunSummary, Duration
        ) {
            let clock = organization.clock
            let transport = PacedTransport(
                GatedTransport(organization, width: pipeline.source.concurrency, clock: clock),
                requestsPerMinute: pipeline.source.requestsPerMinute,
                perPath: pipeline.connector.pacing.perPath,
                clock: clock
            )
            let doors = RunDoors(
                fetcher: PageFetcher(
                    transport: transport,
                    connector: pipeline.connector,
                    clock: clock,
                    random: { 0.5 }
                ),
                key: nil,
                tenant: "wide",
                maskSecrets: { _ in nil },
                progress: { _ in },
                milliseconds: { 0 }
            )
            let run = PipelineRun(pipeline: pipeline, options: options(day, streams), doors: doors)
            return try await clock.passing { try await run.run() }
        }

        func forecast(_ day: Int, _ streams: Set<String>? = nil) throws -> RunForecast {
            let root = OutputRoot(output)
            let store = try StateStore.openToRead(root.statePath, pipeline: pipeline.name)
            defer { try? store?.close() }
            return try RunForecast(
                pipeline,
                options: options(day, streams),
                current: try root.current(),
                past: PastRuns(try store?.runs() ?? [])
            )
        }
    }

    /// Whether a forecast is within a tenth of what came.
    private func check(_ forecast: RunForecast, _ summary: RunSummary, _ took: Duration, _ what: String) {
        let asked = summary.streams.reduce(0) { $0 + $1.requests }
        let difference = abs(Double(forecast.seconds) - took.inSeconds) / took.inSeconds
        print(
            "forecast \(what): \(forecast.requests) requests in \(forecast.seconds) s; came: \(asked) in \(took.inSeconds) s of virtual time"
        )
        #expect(forecast.isComplete)
        #expect(difference <= 0.1, "\(what): \(forecast.seconds) s foretold, \(took.inSeconds) s came")
        #expect(abs(forecast.requests - asked) * 50 <= asked, "\(what): \(forecast.requests) foretold, \(asked) came")
    }

    @Test func thePlanOfManyProjectsComesTrueWithinATenth() async throws {
        let world = try World(requestsPerMinute: 600, concurrency: 4)
        defer { try? FileManager.default.removeItem(atPath: world.folder) }
        func organization() -> Organization {
            Organization(projects: Self.projects, clock: VirtualTime(), fastest: 150, spread: 200, failsEvery: 500)
        }
        // Before the first run nobody knows how many projects there are.
        #expect(try !world.forecast(0).isComplete)
        let (first, _) = try await world.run(0, ["projects"], organization())
        #expect(first.exitCode == 0, "\(first.faults)")

        // The projects are known now, what is below them is not.
        let second = try world.forecast(1)
        let (summary, took) = try await world.run(1, nil, organization())
        #expect(summary.exitCode == 0, "\(summary.faults)")
        #expect(summary.streams.reduce(0) { $0 + $1.pages } >= Self.projects * 10)
        check(second, summary, took, "with known projects")

        // And with what the last run took.
        let third = try world.forecast(2)
        let (again, tookAgain) = try await world.run(2, nil, organization())
        check(third, again, tookAgain, "after a whole run")
    }

    @Test func aSlowAPIIsForetoldByItsRepliesNotByThePace() async throws {
        let world = try World(requestsPerMinute: 6000, concurrency: 4)
        defer { try? FileManager.default.removeItem(atPath: world.folder) }
        let projects = Self.projects / 10
        func organization() -> Organization {
            Organization(projects: projects, clock: VirtualTime(), fastest: 900, spread: 600)
        }
        _ = try await world.run(0, nil, organization())
        let forecast = try world.forecast(1)
        #expect(forecast.isMeasured)
        let (summary, took) = try await world.run(1, nil, organization())
        check(forecast, summary, took, "of a slow API")
    }

    @Test func oneStreamWithOneWalkGoesPageByPage() async throws {
        let world = try World(requestsPerMinute: 6000, concurrency: 4)
        defer { try? FileManager.default.removeItem(atPath: world.folder) }
        func organization() -> Organization {
            Organization(projects: 20_000, clock: VirtualTime(), fastest: 300, spread: 100)
        }
        _ = try await world.run(0, ["projects"], organization())
        let forecast = try world.forecast(1, ["projects"])
        let (summary, took) = try await world.run(1, ["projects"], organization())
        check(forecast, summary, took, "of one walk")
    }
}
