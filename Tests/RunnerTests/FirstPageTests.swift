import Disk
import Extract
import Foundation
import Load
import Model
import PageMemory
import PipelineFile
import Reporting
import Synchronization
import Testing

@testable import Runner

@Suite struct FirstPageTests {
    private static let pages: [String: [(Int, String)]] = [
        "/teams": [(200, #"{"object":"list","data":[{"id":"a","name":"A"}],"has_more":false,"last_id":"a"}"#)],
        "/teams/a/members": [(200, #"{"data":[{"id":"m"}],"has_more":false,"next":null}"#)],
    ]

    private func options(_ toy: Toy) throws -> RunOptions {
        RunOptions(now: try #require(Instant(text: "2026-01-01")), output: toy.folder + "/toy", runID: "run-1")
    }

    private func first(_ toy: Toy, _ transport: any Transport, _ options: RunOptions? = nil) throws -> FirstPage? {
        let options = try options ?? self.options(toy)
        return FirstPage(toy.pipeline, options, toy.doors(transport), of: OutputRoot(options.output), current: nil)
    }

    @Test func aNewOutputsFirstPageIsAskedForOnce() async throws {
        let toy = try Toy()
        let transport = Scripted(Self.pages)
        let summary = try await toy.run(transport, now: "2026-01-01")
        #expect(summary.exitCode == 0, "\(summary.faults)")
        #expect(transport.asked.withLock { $0 } == ["/teams", "/teams/a/members"])
        #expect(summary.streams.map(\.requests) == [1, 1])
        #expect(summary.streams.map(\.retries) == [0, 0])
    }

    @Test func itIsTheRequestThatTheRunBeginsWith() throws {
        let toy = try Toy()
        let (stream, request) = try #require(FirstPage.request(toy.pipeline, options(toy)))
        #expect(stream == "teams")
        #expect(request.path == "/teams")
    }

    @Test func whatStandsBelowAnotherStreamIsNotAskedForEarly() throws {
        let toy = try Toy()
        var options = try options(toy)
        options.streams = ["members"]
        #expect(FirstPage.request(toy.pipeline, options) == nil)
    }

    @Test func aStreamThatIsNotInThePipelineIsNotAskedForEarly() throws {
        let toy = try Toy(load: " }\nstreams: { members: {}")
        #expect(FirstPage.request(toy.pipeline, try options(toy)) == nil)
    }

    @Test func nothingIsAskedForBeforeAStateIsLookedInto() throws {
        let toy = try Toy()
        let transport = Scripted(Self.pages)
        try Disk.makeFolders(toy.folder + "/toy")
        #expect(FileManager.default.createFile(atPath: toy.folder + "/toy/state.sqlite", contents: Data()))
        #expect(try first(toy, transport) == nil)
        #expect(transport.asked.withLock { $0 } == [])
    }

    @Test func recordedRepliesAreNotAskedForEarly() throws {
        let toy = try Toy()
        var options = try options(toy)
        options.isReplay = true
        #expect(try first(toy, Scripted(Self.pages), options) == nil)
    }

    /// Answers nobody, and ends when the asking is cancelled.
    private final class Silent: Transport {
        let isOver = Mutex(false)
        func send(_ request: Request) async throws(TransportError) -> Reply {
            while !Task.isCancelled { await Task.yield() }
            isOver.withLock { $0 = true }
            throw TransportError(.cancelled, "cancelled")
        }
    }

    @Test func whatNobodyTakesIsTakenOffTheWire() async throws {
        let (toy, transport) = (try Toy(), Silent())
        let page = try #require(try first(toy, transport))
        #expect(await page.take(for: "members") == nil)
        await page.drop()
        #expect(transport.isOver.withLock { $0 })
    }

    @Test func onlyOneWalkTakesIt() async throws {
        let toy = try Toy()
        let page = try #require(try first(toy, Scripted(Self.pages)))
        #expect(await page.take(for: "teams") != nil)
        #expect(await page.take(for: "teams") == nil)
    }
}
