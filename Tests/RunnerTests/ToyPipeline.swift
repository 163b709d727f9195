import Extract
import Foundation
import Model
import PageMemory
import PipelineFile
import Reporting
import Synchronization
import Testing

@testable import Runner

/// Answers from a table of path?query → reply, and remembers what was asked.
final class Scripted: Transport {
    let asked = Mutex<[String]>([])
    private let answers: Mutex<[String: [(Int, String)]]>

    init(_ answers: [String: [(Int, String)]]) { self.answers = Mutex(answers) }

    func send(_ request: Request) async throws(TransportError) -> Reply {
        let query = request.query.filter { $0.name != "limit" }.map { "\($0.name)=\($0.value)" }.joined(separator: "&")
        let key = query.isEmpty ? request.path : "\(request.path)?\(query)"
        asked.withLock { $0.append(key) }
        let answer = answers.withLock { answers -> (Int, String)? in
            guard var list = answers[key], !list.isEmpty else { return nil }
            let first = list.removeFirst()
            answers[key] = list.isEmpty ? [first] : list
            return first
        }
        guard let answer else { throw TransportError(.notRecorded, "nothing is scripted for \(key)") }
        return Reply(
            status: answer.0,
            headers: ["x-request-id": "req_\(key.count)"],
            body: PageBytes(Array(answer.1.utf8))
        )
    }
}

/// Does not wait.
struct Hasty: RequestClock {
    let time = Mutex2()
    var elapsed: Duration { time.value.withLock { $0 } }
    var wall: Instant { Instant(seconds: 0) }
    func sleep(for duration: Duration) async throws(CancellationError) { time.value.withLock { $0 += duration } }
    final class Mutex2: Sendable { let value = Mutex<Duration>(.zero) }
}

private let connectorText = """
    connector: toy
    base_url: https://toy.example/v1
    auth: { header: Authorization, prefix: "Bearer ", variable: TOY_KEY }
    streams:
      - name: teams
        mode: snapshot
        path: /teams
        pagination: { style: cursor_after_last_id }
        rows: "data[]"
        primary_key: [id]
        columns:
          - { name: id, type: string }
          - { name: name, type: string, nullable: true }
          - { name: seen_at, type: timestamp, nullable: true, volatile: true }
      - name: members
        mode: snapshot
        path: /teams/{team_id}/members
        parents: [{ parameter: team_id, of: teams.id }]
        pagination: { style: cursor_after_next }
        rows: "data[]"
        absent: empty
        primary_key: [team_id, id]
        columns:
          - { name: team_id, type: string, from: team_id }
          - { name: id, type: string }
    """

/// A pipeline over the toy connector, in a fresh folder.
struct Toy {
    let folder = FileManager.default.temporaryDirectory.path + "/toy-\(UUID().uuidString)"
    let pipeline: Pipeline

    init(load: String = "", concurrency: Int = 4) throws {
        let text =
            "pipeline: toy\nsource: { connector: ./toy.yaml, retry: { budget: 5s }, concurrency: \(concurrency) }\nload: { compression: none\(load) }\n"
        let reading = PipelineReader.read(file: "p.yaml", bytes: Array(text.utf8), environment: [:]) { _ in
            Array(connectorText.utf8)
        }
        pipeline = try reading.get()
    }

    func run(
        _ transport: any Transport,
        now: String,
        streams: Set<String>? = nil,
        fetchAheadFrom: Int? = nil,
        change: (inout RunOptions) -> Void = { _ in }
    )
        async throws -> RunSummary
    {
        var options = RunOptions(
            now: try #require(Instant(text: now)),
            output: folder + "/toy",
            runID: "run-\(UUID().uuidString.prefix(8))"
        )
        options.checkpointInterval = .zero
        options.streams = streams
        if let fetchAheadFrom { options.fetchAheadFrom = fetchAheadFrom }
        change(&options)
        return try await PipelineRun(pipeline: pipeline, options: options, doors: doors(transport)).run()
    }

    func doors(_ transport: any Transport) -> RunDoors {
        RunDoors(
            fetcher: PageFetcher(
                transport: transport,
                connector: pipeline.connector,
                policy: RetryPolicy(budget: .seconds(5), maxDelay: .seconds(1)),
                clock: Hasty(),
                random: { 0.5 }
            ),
            key: nil,
            tenant: "toy",
            maskSecrets: { _ in nil },
            progress: { _ in },
            milliseconds: { 0 }
        )
    }

    /// The lines of a stream's files in the current generation.
    func lines(_ stream: String) throws -> [String] {
        let current = folder + "/toy/current/" + stream
        let files = try FileManager.default.subpathsOfDirectory(atPath: current).filter { $0.hasSuffix(".ndjson") }
            .sorted()
        return try files.flatMap {
            try String(contentsOfFile: current + "/" + $0, encoding: .utf8).split(separator: "\n").map(String.init)
        }
    }
}
