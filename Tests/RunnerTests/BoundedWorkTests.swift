import Disk
import Extract
import Foundation
import Model
import PageMemory
import PipelineFile
import Reporting
import Synchronization
import Testing

@testable import Runner

/// What is under way at a time is bounded, and a run that is stopped leaves nothing of it behind.
@Suite struct BoundedWorkTests {
    /// Waits at one request until it is cancelled.
    private final class Stalling: Transport {
        let pages: Scripted
        let place: String
        let begun = Mutex(0)
        let ended = Mutex(0)

        init(_ pages: Scripted, at place: String) {
            self.pages = pages
            self.place = place
        }

        func send(_ request: Request) async throws(TransportError) -> Reply {
            guard request.query.contains(where: { $0.value == place }) else { return try await pages.send(request) }
            begun.withLock { $0 += 1 }
            try? await Task.sleep(for: .seconds(60))
            ended.withLock { $0 += 1 }
            throw TransportError(.cancelled, "the run was stopped")
        }
    }

    private static func page(_ id: String, more: Bool) -> (Int, String) {
        (200, #"{"data":[{"id":"\#(id)","name":"N"}],"has_more":\#(more),"last_id":"\#(id)"}"#)
    }

    private static let nobody = [(200, #"{"data":[],"next":null}"#)]

    private static let pages: [String: [(Int, String)]] = [
        "/teams": [page("a", more: true)], "/teams?after=a": [page("b", more: true)],
        "/teams?after=b": [page("c", more: false)],
        "/teams/a/members": nobody, "/teams/b/members": nobody, "/teams/c/members": nobody,
    ]

    @Test func aRunThatIsStoppedWhileAPageIsFetchedAheadLeavesNothingUnderWay() async throws {
        let toy = try Toy()
        let transport = Stalling(Scripted(Self.pages), at: "b")
        let run = Task { try await toy.run(transport, now: "2026-01-01", fetchAheadFrom: 0) }
        while transport.begun.withLock({ $0 }) == 0 { try await Task.sleep(for: .milliseconds(2)) }
        let stopped = ContinuousClock.now
        run.cancel()
        let summary = try await run.value
        #expect(ContinuousClock.now - stopped < .seconds(30))
        #expect(summary.outcome == .interrupted, "\(summary.faults)")
        #expect(transport.begun.withLock { $0 } == transport.ended.withLock { $0 })
        #expect(!FileManager.default.fileExists(atPath: toy.folder + "/toy/current"))

        let next = try await toy.run(Scripted(Self.pages), now: "2026-01-01", fetchAheadFrom: 0)
        let undisturbed = try Toy()
        _ = try await undisturbed.run(Scripted(Self.pages), now: "2026-01-01")
        #expect(next.exitCode == 0, "\(next.faults)")
        #expect(try toy.lines("teams") == undisturbed.lines("teams"))
    }

    /// One page a day, and none of them waits.
    private struct Days: Transport {
        static let count = 12
        static let start = 1_735_689_600  // 2025-01-01

        func send(_ request: Request) async throws(TransportError) -> Reply {
            let day = request.query.first { $0.name == "page" }.flatMap { Int($0.value) } ?? 0
            let from = Days.start + day * 86400
            let bucket = #"{"start_time":\#(from),"end_time":\#(from + 86400),"results":[{"n":\#(day)}]}"#
            let more = day + 1 < Days.count
            let next = more ? #""\#(day + 1)""# : "null"
            let text = #"{"data":[\#(bucket)],"has_more":\#(more),"next_page":\#(next)}"#
            return Reply(status: 200, headers: [:], body: PageBytes(Array(text.utf8)))
        }
    }

    private static let connector = """
        connector: days
        base_url: https://days.example/v1
        auth: { header: Authorization, prefix: "Bearer ", variable: DAYS_KEY }
        streams:
          - name: usage
            mode: report
            path: /usage
            pagination: { style: bucket_page, limit: 31 }
            rows: "data[].results[]"
            window: { start: start_time, end: end_time, width: bucket_width, widths: [1d], default_width: 1d, lookback: 3d }
            time: start_time
            primary_key: [start_time]
            columns:
              - { name: start_time, from: bucket, type: timestamp }
              - { name: end_time, from: bucket, type: timestamp }
              - { name: n, type: integer }
        """

    /// Files without a name of their own are partitions that are being written, or wait for the medium.
    @Test func noMoreThanFourPartitionsAreWrittenAtATime() async throws {
        let text = """
            pipeline: days
            source: { connector: ./days.yaml }
            streams: { usage: { bucket_width: 1d, since: 2025-01-01, until: 2025-01-13 } }
            load: { compression: none }
            """
        let reading = PipelineReader.read(file: "p.yaml", bytes: Array(text.utf8), environment: [:]) { _ in
            Array(Self.connector.utf8)
        }
        let pipeline = try reading.get()
        let folder = FileManager.default.temporaryDirectory.path + "/days-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let now = try #require(Instant(text: "2026-01-01"))
        let options = RunOptions(now: now, output: folder + "/days", runID: "run-1")
        let fetcher = PageFetcher(
            transport: Days(),
            connector: pipeline.connector,
            policy: RetryPolicy(budget: .seconds(5), maxDelay: .seconds(1)),
            clock: Hasty(),
            random: { 0.5 }
        )
        let doors = RunDoors(
            fetcher: fetcher,
            key: nil,
            tenant: "days",
            maskSecrets: { _ in nil },
            progress: { _ in },
            milliseconds: { 0 }
        )
        let open = Mutex<(now: Int, most: Int, all: Int)>((0, 0, 0))
        let gate = DiskGate { call, path throws(DiskError) in
            guard path.contains("/.staging/") else { return }
            if call == "open", path.hasSuffix(".part") {
                open.withLock { $0 = ($0.now + 1, max($0.most, $0.now + 1), $0.all + 1) }
                // The walk has time to come with more.
                Disk.pause(milliseconds: 5)
            } else if call == "rename" {
                open.withLock { $0.now -= 1 }
            }
        }
        let summary = try await DiskGate.$current.withValue(gate) {
            try await PipelineRun(pipeline: pipeline, options: options, doors: doors).run()
        }
        #expect(summary.exitCode == 0, "\(summary.faults)")
        let (left, most, all) = open.withLock { ($0.now, $0.most, $0.all) }
        #expect(left == 0)
        #expect(all == Days.count)
        #expect((1...4).contains(most), "\(most)")
    }
}
