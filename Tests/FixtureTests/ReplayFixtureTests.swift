import Connector
import Extract
import Foundation
import Model
import PipelineFile
import Testing

private let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
private let replay = root.appending(path: "Fixtures/openai-admin/replay").path(percentEncoded: false)

private func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: root.appending(path: path))) }

private func pipeline(_ name: String) throws -> Pipeline {
    let file = "pipelines/\(name).yaml"
    let reading = PipelineReader.read(file: file, bytes: try bytes(file), environment: [:], readFile: { _ in nil })
    return try reading.get()
}

@Suite struct ReplayFixtureTests {
    @Test(arguments: ["openai-admin", "usage-and-costs"])
    func theReplayAnswersAllThatAPipelineAsksAndHoldsWhatItsCountsSay(name: String) async throws {
        let pipeline = try pipeline(name)
        let expected = try #require(try JSONValue(parsing: bytes("Fixtures/openai-admin/replay-counts.json")).elements)
        let now = try #require(try ReplayTransport.recordedNow(directory: replay))
        let transport = try ReplayTransport(directory: replay, connector: pipeline.connector)
        var walk = ReplayWalk(transport: transport, since: Instant(year: 2025, month: 11, day: 1), now: now)
        // Fewer parents first, so that they are known when their children are asked for.
        for plan in pipeline.streams.sorted(by: { $0.spec.parents.count < $1.spec.parents.count }) {
            let count = try await walk.count(plan)
            let entry = expected.first { entry in
                guard entry["stream"]?.text == plan.spec.name else { return false }
                guard plan.spec.mode == .report else { return true }
                let grouped = entry["group_by"]?.elements?.compactMap(\.text) ?? []
                return entry["bucket_width"]?.text == plan.bucketWidth && Set(grouped) == Set(plan.groupBy)
            }
            let wanted = try #require(entry, "\(plan.spec.name) by \(plan.groupBy) is not in the fixture")
            #expect(count.fetched == wanted["fetched"]?.integer, "\(plan.spec.name)")
            #expect(count.identical == wanted["identical"]?.integer, "\(plan.spec.name)")
            #expect(count.conflicts == wanted["conflicts"]?.integer, "\(plan.spec.name)")
            #expect(count.kept == wanted["kept"]?.integer, "\(plan.spec.name)")
        }
    }

    @Test func noReadableKeyStandsInTheFixture() throws {
        let files = try #require(FileManager.default.subpaths(atPath: replay)).filter { $0.hasSuffix(".json") }
        #expect(files.count > 150)
        // In two parts, for the same reason.
        let readable = Data(("sk-" + "proj-Invented").utf8)
        var escaped = 0
        for file in files {
            let data = try Data(contentsOf: URL(filePath: "\(replay)/\(file)"))
            #expect(data.range(of: readable) == nil, "\(file)")
            if data.range(of: Data(#"sk\u002dproj\u002dInvented"#.utf8)) != nil { escaped += 1 }
        }
        #expect(escaped == 2, "the pasted key is there for the sanitizer to find: in a project and in an event")
    }
}
