import Extract
import Foundation
import Model
import Reporting
import StageClock
import Synchronization
import Testing

@testable import Runner

@Suite struct FetchAheadTests {
    private static func page(_ rows: String, more: Bool = false, last: String = "null") -> (Int, String) {
        (200, #"{"object":"list","data":[\#(rows)],"has_more":\#(more),"last_id":\#(last)}"#)
    }

    private static let pages: [String: [(Int, String)]] = [
        "/teams": [page(#"{"id":"a","name":"A"}"#, more: true, last: #""a""#)],
        "/teams?after=a": [page(#"{"id":"b","name":"B"}"#, more: true, last: #""b""#)],
        "/teams?after=b": [page(#"{"id":"c","name":"C"}"#)],
        "/teams/a/members": [page("")], "/teams/b/members": [page("")], "/teams/c/members": [page("")],
    ]

    @Test func aWalkThatFetchesAheadAsksTheSameAndWritesTheSame() async throws {
        let (plain, eager) = (try Toy(), try Toy())
        let (first, second) = (Scripted(Self.pages), Scripted(Self.pages))
        let slow = try await plain.run(first, now: "2026-01-01")
        let fast = try await eager.run(second, now: "2026-01-01", fetchAheadFrom: 0)
        #expect(fast.exitCode == 0, "\(fast.faults)")
        #expect(try eager.lines("teams") == plain.lines("teams"))
        #expect(second.asked.withLock { $0.sorted() } == first.asked.withLock { $0.sorted() })
        #expect(fast.streams.map(\.requests) == slow.streams.map(\.requests))
    }

    /// The first reply is broken, and its end names a page that the walk never comes to.
    @Test func whatABrokenPageForetoldIsDropped() async throws {
        var pages = Self.pages
        pages["/teams"] = [
            (200, #"{"object":"list","data":[{"id":01}],"has_more":true,"last_id":"astray"}"#), pages["/teams"]![0],
        ]
        pages["/teams?after=astray"] = [Self.page(#"{"id":"stranger","name":"S"}"#)]
        let toy = try Toy()
        let transport = Scripted(pages)
        let summary = try await toy.run(transport, now: "2026-01-01", fetchAheadFrom: 0)
        #expect(summary.exitCode == 0, "\(summary.faults)")
        let lines = try toy.lines("teams")
        #expect(lines.count == 3)
        #expect(!lines.contains { $0.contains("stranger") })
        #expect(summary.streams.first { $0.name == "teams" }?.tally.balances == true)
    }

    @Test func smallPagesAreNotWorthIt() async throws {
        let toy = try Toy()
        let transport = Scripted(Self.pages)
        _ = try await toy.run(transport, now: "2026-01-01")
        #expect(transport.asked.withLock { $0.prefix(3) } == ["/teams", "/teams?after=a", "/teams?after=b"])
    }

    /// A page that can't be had is told as such, whoever asked for it first.
    @Test func anEarlyReplyThatFailsIsTriedAgain() async throws {
        var pages = Self.pages
        pages["/teams?after=a"] = [(503, "busy"), pages["/teams?after=a"]![0]]
        let toy = try Toy()
        let summary = try await toy.run(Scripted(pages), now: "2026-01-01", fetchAheadFrom: 0)
        #expect(summary.exitCode == 0, "\(summary.faults)")
        #expect(summary.streams.first { $0.name == "teams" }?.retries == 1)
        #expect(try toy.lines("teams").count == 3)
    }

    @Test func theStagesBytesAddUp() async throws {
        let toy = try Toy()
        let clock = StageClock()
        let summary = try await StageClock.$current.withValue(clock) {
            try await toy.run(Scripted(Self.pages), now: "2026-01-01")
        }
        #expect(summary.exitCode == 0, "\(summary.faults)")
        let bytes = Dictionary(uniqueKeysWithValues: clock.readings.map { ($0.stage, $0.bytes) })
        let bodies = Self.pages.values.reduce(0) { $0 + $1[0].1.utf8.count }
        let contents = try toy.lines("teams").reduce(0) { $0 + $1.utf8.count + 1 }
        #expect(bytes[.network] == bodies)
        #expect(bytes[.scan] == bodies)
        #expect(bytes[.compress] == contents)
        #expect(bytes[.hash] == contents)
        #expect(bytes[.encode] == bytes[.sort])
        #expect(clock.readings.allSatisfy { $0.nanoseconds >= 0 })
        #expect(clock.readings.first { $0.stage == .sync }.map { $0.nanoseconds > 0 } == true)
    }
}
