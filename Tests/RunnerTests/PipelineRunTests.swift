import Disk
import Extract
import Foundation
import Model
import PipelineFile
import Reporting
import Synchronization
import Testing

@testable import Runner

@Suite struct PipelineRunTests {
    private static func page(_ rows: String, more: Bool = false, last: String = "null", next: String = "null") -> (
        Int, String
    ) {
        (200, #"{"object":"list","data":[\#(rows)],"has_more":\#(more),"last_id":\#(last),"next":\#(next)}"#)
    }

    private static let day1: [String: [(Int, String)]] = [
        "/teams": [page(#"{"id":"b","name":"Beta","seen_at":1},{"id":"a","name":"Alpha"}"#, more: true, last: #""a""#)],
        "/teams?after=a": [page(#"{"id":"a","name":"Alpha"},{"id":"c","name":null}"#)],
        "/teams/a/members": [page(#"{"id":"x"}"#)], "/teams/b/members": [page(#"{"id":"x"},{"id":"y"}"#)],
        "/teams/c/members": [(404, #"{"error":{"message":"no such team"}}"#)],
    ]

    @Test func parentsAndChildrenBecomeSortedSnapshots() async throws {
        let toy = try Toy()
        let summary = try await toy.run(Scripted(Self.day1), now: "2026-01-01")
        #expect(summary.exitCode == 0, "\(summary.faults)")
        #expect(summary.outcome == .published)
        #expect(
            try toy.lines("teams").map { String($0.prefix(10)) } == [#"{"id":"a","#, #"{"id":"b","#, #"{"id":"c","#]
        )
        #expect(try toy.lines("members").count == 3)
        #expect(summary.streams.allSatisfy { $0.tally.balances })
        #expect(summary.streams.first { $0.name == "teams" }?.tally.identical == 1)
    }

    @Test func theSameDataPublishesNothing() async throws {
        let toy = try Toy()
        _ = try await toy.run(Scripted(Self.day1), now: "2026-01-01")
        let again = try await toy.run(Scripted(Self.day1), now: "2026-01-02")
        #expect(again.outcome == .unchanged)
        #expect(again.generation == 1)
    }

    @Test func aReplayGivesTheBytesOfTheLiveRun() async throws {
        let live = try Toy()
        let recordings = live.folder + "/recorded"
        let now = try #require(Instant(text: "2026-01-01"))
        let recorder = try RecordingTransport(
            Scripted(Self.day1),
            directory: recordings,
            connector: live.pipeline.connector,
            now: now,
            sanitize: { $0 }
        )
        let first = try await live.run(recorder, now: "2026-01-01")
        #expect(first.exitCode == 0, "\(first.faults)")
        let replayed = try Toy()
        let replay = try ReplayTransport(directory: recordings, connector: replayed.pipeline.connector)
        let second = try await replayed.run(replay, now: "2026-01-01")
        #expect(second.exitCode == 0, "\(second.faults)")
        func tree(_ toy: Toy) throws -> [String: Data] {
            let current = toy.folder + "/toy/generations/000001"
            let names = try FileManager.default.subpathsOfDirectory(atPath: current)
            return Dictionary(
                uniqueKeysWithValues: names.compactMap { name in
                    FileManager.default.contents(atPath: current + "/" + name).map { (name, $0) }
                }
            )
        }
        #expect(try tree(live) == tree(replayed))
        #expect(try tree(live).count > 6)
    }

    @Test func removedRowsStayAndChangesAreTold() async throws {
        let toy = try Toy()
        _ = try await toy.run(Scripted(Self.day1), now: "2026-01-01")
        var day2 = Self.day1
        day2["/teams"] = [Self.page(#"{"id":"b","name":"Beta 2","seen_at":99},{"id":"d","name":"Delta"}"#)]
        day2["/teams/d/members"] = [Self.page("")]
        let summary = try await toy.run(Scripted(day2), now: "2026-01-02")
        #expect(summary.outcome == .published, "\(summary.faults)")
        let teams = try toy.lines("teams")
        #expect(teams.count == 4)
        #expect(teams[0].contains(#""deleted_at":"2026-01-02T00:00:00Z""#))
        #expect(teams[1].contains("Beta 2"))
        let changes = try toy.lines("teams_changes")
        #expect(changes.count == 4)
        #expect(changes.contains { $0.contains(#""change":"changed","id":"b","fields":["name"]"#) })
        #expect(changes.filter { $0.contains(#""change":"removed""#) }.count == 2)
        #expect(changes.contains { $0.contains(#""change":"added","id":"d""#) })
    }

    @Test func whatTheDiskRefusesOneStreamPublishesNothing() async throws {
        let toy = try Toy()
        _ = try await toy.run(Scripted(Self.day1), now: "2025-11-01T00:00:00Z")
        let folder = toy.folder + "/toy/generations/000001/teams"
        let file = try #require(try FileManager.default.contentsOfDirectory(atPath: folder).first)
        // A list is compared with its last rows, and these can't be read.
        try FileManager.default.removeItem(atPath: folder + "/" + file)
        try FileManager.default.createDirectory(atPath: folder + "/" + file, withIntermediateDirectories: false)
        var changed = Self.day1
        changed["/teams/a/members"] = [Self.page(#"{"id":"z"}"#)]
        let summary = try await toy.run(Scripted(changed), now: "2025-11-02T00:00:00Z")
        #expect(summary.outcome == .failed && summary.exitCode == 6)
        #expect(try FileManager.default.contentsOfDirectory(atPath: toy.folder + "/toy/generations") == ["000001"])
    }

    @Test func whatAKilledRunDidNotDropGoesWithTheNextAlsoWhenNothingChanged() async throws {
        let toy = try Toy(load: ", keep_generations: 1")
        _ = try await toy.run(Scripted(Self.day1), now: "2025-11-01T00:00:00Z")
        let generations = toy.folder + "/toy/generations"
        let old = toy.folder + "/kept"
        try FileManager.default.copyItem(atPath: generations + "/000001", toPath: old)
        var changed = Self.day1
        changed["/teams"] = [Self.page(#"{"id":"a","name":"Alpha"}"#)]
        _ = try await toy.run(Scripted(changed), now: "2025-11-02T00:00:00Z")
        // As a kill between the commit and the dropping leaves it.
        try FileManager.default.moveItem(atPath: old, toPath: generations + "/000001")
        #expect(try await toy.run(Scripted(changed), now: "2025-11-02T00:00:00Z").outcome == .unchanged)
        #expect(try FileManager.default.contentsOfDirectory(atPath: generations) == ["000002"])
    }

    @Test func oldGenerationsGoWhenThereAreMoreThanAreKept() async throws {
        let toy = try Toy(load: ", keep_generations: 2")
        for day in 1...4 {
            var pages = Self.day1
            pages["/teams?after=a"] = [Self.page(#"{"id":"c","name":"version \#(day)"}"#)]
            let summary = try await toy.run(Scripted(pages), now: "2026-01-0\(day)")
            #expect(summary.generation == day)
        }
        let left = try FileManager.default.contentsOfDirectory(atPath: toy.folder + "/toy/generations").sorted()
        #expect(left == ["000003", "000004"])
        #expect(try toy.lines("teams").last?.contains("version 4") == true)
        #expect(try toy.lines("teams_changes").count == 3)
    }

    @Test func aVolatileColumnAloneIsNoChange() async throws {
        let toy = try Toy()
        _ = try await toy.run(Scripted(Self.day1), now: "2026-01-01")
        var day2 = Self.day1
        day2["/teams"] = [
            Self.page(#"{"id":"b","name":"Beta","seen_at":77},{"id":"a","name":"Alpha"}"#, more: true, last: #""a""#)
        ]
        _ = try await toy.run(Scripted(day2), now: "2026-01-02")
        #expect(!FileManager.default.fileExists(atPath: toy.folder + "/toy/current/teams_changes"))
        #expect(try toy.lines("teams")[1].contains("1970-01-01T00:01:17Z"))
    }

    @Test func aStreamThatFailsKeepsItsFilesAndNamesThePage() async throws {
        let toy = try Toy()
        _ = try await toy.run(Scripted(Self.day1), now: "2026-01-01")
        var broken = Self.day1
        broken["/teams/b/members"] = [(200, #"{"object":"list","data":[{"id":"x"#)]
        let summary = try await toy.run(Scripted(broken), now: "2026-01-02")
        #expect(summary.exitCode == 5)
        let fault = try #require(summary.faults.first)
        #expect(fault.place.first == "stream members")
        #expect(fault.place.contains("page 1"), "\(fault.place)")
        #expect(fault.place.contains { $0.hasPrefix("request") }, "\(fault.place)")
        #expect(try toy.lines("members").count == 3)
        let mended = try await toy.run(Scripted(Self.day1), now: "2026-01-03")
        #expect(mended.exitCode == 0)
    }

    /// A run that stops half-way leaves members of teams a and b in staging; the next one goes on from there, or, when someone
    /// emptied staging, begins anew. Either way nothing is missing.
    @Test(arguments: [false, true])
    func whatAStoppedRunLeftIsGoneOnFromOrMadeAnew(isStagingLost: Bool) async throws {
        let toy = try Toy(concurrency: 1)
        var refused = Self.day1
        refused["/teams/c/members"] = [(401, #"{"error":{"message":"revoked","code":"invalid_api_key"}}"#)]
        let stopped = try await toy.run(Scripted(refused), now: "2026-01-01")
        #expect(stopped.exitCode == 3)
        let staging = toy.folder + "/toy/.staging"
        let runs = try FileManager.default.subpathsOfDirectory(atPath: staging).filter { $0.hasSuffix(".runs") }
        #expect(!runs.isEmpty)
        if isStagingLost { for name in runs { try FileManager.default.removeItem(atPath: staging + "/" + name) } }
        let transport = Scripted(Self.day1)
        let summary = try await toy.run(transport, now: "2026-01-01")
        #expect(summary.exitCode == 0, "\(summary.faults)")
        #expect(try toy.lines("members").count == 3)
        #expect(transport.asked.withLock { $0.contains("/teams/a/members") } == isStagingLost)
    }

    /// "Run again" is what the runbook says of exit code 5: what failed must not pass for empty parents then.
    @Test func parentsThatAreAllRefusedAreRefusedAlsoInTheRunThatGoesOn() async throws {
        let toy = try Toy(concurrency: 1)
        _ = try await toy.run(Scripted(Self.day1), now: "2026-01-01")
        var refused = Self.day1
        for team in ["a", "b", "c"] {
            refused["/teams/\(team)/members"] = [(400, #"{"error":{"message":"unknown parameter"}}"#)]
        }
        for attempt in 1...3 {
            // Nothing else is published, so that the next run goes on with this one.
            let summary = try await toy.run(Scripted(refused), now: "2026-01-02", streams: ["members"])
            #expect(summary.exitCode == 5, "attempt \(attempt)")
            #expect(try toy.lines("members").allSatisfy { $0.contains(#""deleted_at":null"#) }, "attempt \(attempt)")
        }
    }

    @Test func aRunThatGoesOnTellsOfTheParentsThatAreGoneAndThoseThatAreRefused() async throws {
        let toy = try Toy(concurrency: 1)
        var day = Self.day1
        day["/teams/a/members"] = [(404, #"{"error":{"message":"no such team"}}"#)]
        day["/teams/b/members"] = [(400, #"{"error":{"message":"archived"}}"#)]
        day["/teams/c/members"] = [(401, #"{"error":{"message":"revoked","code":"invalid_api_key"}}"#)]
        #expect(try await toy.run(Scripted(day), now: "2026-01-01").exitCode == 3)
        day["/teams/c/members"] = [Self.page(#"{"id":"z"}"#)]
        let transport = Scripted(day)
        let summary = try await toy.run(transport, now: "2026-01-01")
        #expect(summary.exitCode == 0, "\(summary.faults)")
        let notes = try #require(summary.streams.first { $0.name == "members" }).notes.joined(separator: "\n")
        #expect(notes.contains("1 of 3 parents have none, or are gone"))
        #expect(notes.contains("1 parents were refused by the API (400)"))
        #expect(transport.asked.withLock { $0.contains("/teams/a/members") } == false)
    }

    /// Replies of another source take the output over, and the disk refuses the swap, or not.
    @Test(arguments: [true, false])
    func anOutputIsTakenOverWithTheSwapAndNotWithoutIt(isSwapped: Bool) async throws {
        let toy = try Toy()
        #expect(try await toy.run(Scripted(Self.day1), now: "2026-01-01").exitCode == 0)
        let gate = DiskGate { call, path throws(DiskError) in
            if call == "symlink", !isSwapped { throw DiskError(call, path, number: 5) }
        }
        var replies = Self.day1
        replies["/teams/a/members"] = [Self.page(#"{"id":"z"}"#)]
        let recorded = Scripted(replies)
        let taken = try? await DiskGate.$current.withValue(gate) {
            try await toy.run(recorded, now: "2026-01-02") {
                $0.isReplay = true
                $0.fullRefresh = true
            }
        }
        #expect(taken?.generation == (isSwapped ? 2 : nil))
        do {
            let summary = try await toy.run(Scripted(Self.day1), now: "2026-01-03")
            #expect(!isSwapped)
            #expect(summary.exitCode == 0, "\(summary.faults)")
        } catch let fault as Fault {
            #expect(isSwapped)
            #expect(fault.what.contains("holds rows of recorded replies"), "\(fault)")
        }
    }

    @Test func aRefusedKeyStopsTheRunAndPublishesNothing() async throws {
        let toy = try Toy()
        let summary = try await toy.run(
            Scripted([
                "/teams": [(401, #"{"error":{"message":"Incorrect API key provided","code":"invalid_api_key"}}"#)]
            ]),
            now: "2026-01-01"
        )
        #expect(summary.exitCode == 3)
        #expect(summary.generation == nil)
    }

    @Test(arguments: [
        ("/teams?after=a", #"{"data":[{"id":"q"}],"has_more":true,"last_id":null}"#),
        ("/teams?after=a", #"{"data":[{"id":"q"}],"has_more":true,"last_id":"a"}"#),
    ])
    func aWalkThatCannotEndIsAFault(key: String, body: String) async throws {
        let toy = try Toy()
        var pages = Self.day1
        pages[key] = [(200, body)]
        let summary = try await toy.run(Scripted(pages), now: "2026-01-01")
        #expect(summary.exitCode == 5)
        #expect(summary.generation == nil || !FileManager.default.fileExists(atPath: toy.folder + "/toy/current/teams"))
    }

    /// A cursor ages, or the row that it names is deleted: the walk begins anew, and rows that come again stand once.
    @Test(arguments: [400, 404, 410])
    func aCursorThatIsRefusedBeginsItsWalkAnew(status: Int) async throws {
        let calm = try Toy()
        _ = try await calm.run(Scripted(Self.day1), now: "2026-01-01")
        let toy = try Toy()
        var rough = Self.day1
        rough["/teams?after=a"] =
            [(status, #"{"error":{"message":"No such cursor"}}"#)] + (Self.day1["/teams?after=a"] ?? [])
        let transport = Scripted(rough)
        let summary = try await toy.run(transport, now: "2026-01-01")
        #expect(summary.exitCode == 0, "\(summary.faults)")
        #expect(transport.asked.withLock { $0.filter { $0 == "/teams" }.count } == 2)
        #expect(
            summary.streams[0].notes.contains { $0.contains("began anew (1 times)") },
            "\(summary.streams[0].notes)"
        )
        #expect(try toy.lines("teams") == calm.lines("teams"))
        #expect(summary.streams.allSatisfy { $0.tally.balances })
    }

    @Test func aCursorThatIsAlwaysRefusedIsAFaultAndNeverAnEmptyParent() async throws {
        let toy = try Toy()
        var rough = Self.day1
        rough["/teams/b/members"] = [Self.page(#"{"id":"x"}"#, more: true, next: #""n1""#)]
        rough["/teams/b/members?after=n1"] = [(400, #"{"error":{"message":"Invalid cursor"}}"#)]
        let transport = Scripted(rough)
        let summary = try await toy.run(transport, now: "2026-01-01")
        #expect(summary.exitCode == 5)
        let fault = try #require(summary.faults.first)
        #expect(fault.place.contains("page 2"), "\(fault.place)")
        #expect(transport.asked.withLock { $0.filter { $0 == "/teams/b/members?after=n1" }.count } == 3)
        #expect(!FileManager.default.fileExists(atPath: toy.folder + "/toy/current/members"))
    }

    @Test func aPageOfAnotherCursorIsAFaultInAList() async throws {
        let toy = try Toy()
        var rough = Self.day1
        rough["/teams?after=a"] = [Self.page(#"{"id":"b","name":"Beta"},{"id":"a","name":"Alpha"}"#)]
        let summary = try await toy.run(Scripted(rough), now: "2026-01-01")
        #expect(summary.exitCode == 5)
        #expect(summary.faults.first?.what == "its 2 items are those of page 1 once more")
    }

    @Test func aListThatFailedFirstHasNoChangesWhenItIsReadAtLast() async throws {
        let calm = try Toy()
        _ = try await calm.run(Scripted(Self.day1), now: "2026-01-01")
        let toy = try Toy()
        var broken = Self.day1
        broken["/teams/b/members"] = [(200, #"{"object":"list","data":[{"id":"x"#)]
        #expect(try await toy.run(Scripted(broken), now: "2026-01-01").exitCode == 5)
        #expect(try await toy.run(Scripted(Self.day1), now: "2026-01-01").exitCode == 0)
        let manifests = [calm, toy].map {
            FileManager.default.contents(atPath: $0.folder + "/toy/current/manifest.json")
        }
        #expect(manifests[0] == manifests[1])
    }

    @Test func theRefusalThatStoppedTheRunIsToldBeforeTheStreamsThatItStopped() async throws {
        let toy = try Toy(concurrency: 1)
        var refused = Self.day1
        refused["/teams/a/members"] = [(401, #"{"error":{"message":"revoked","code":"invalid_api_key"}}"#)]
        let summary = try await toy.run(Scripted(refused), now: "2026-01-01")
        #expect(summary.faults.first?.what.contains("answered 401") == true, "\(summary.faults)")
    }

    @Test func repliesThatFailAreAskedForAgain() async throws {
        let calm = try Toy()
        _ = try await calm.run(Scripted(Self.day1), now: "2026-01-01")
        let toy = try Toy()
        var rough = Self.day1
        rough["/teams"] = [(500, "<html>"), (429, ""), (200, #"{"data":[{"id":"#)] + (Self.day1["/teams"] ?? [])
        let summary = try await toy.run(Scripted(rough), now: "2026-01-01")
        #expect(summary.exitCode == 0, "\(summary.faults)")
        #expect(summary.streams[0].retries == 3)
        let manifests = [calm, toy].map {
            FileManager.default.contents(atPath: $0.folder + "/toy/current/manifest.json")
        }
        #expect(manifests[0] == manifests[1])
    }
}
