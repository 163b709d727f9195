import ArchiveWriting
import Disk
import Foundation
import Load
import Model
import Testing

@Suite struct RollbackTests {
    @Test func rollingBackAndForwardRestoresWhatReadersSee() throws {
        try withRoot { root throws in
            for amount in ["1", "2"] { try Sample(costs: ["2025-11-03": [amount]]).publish(root) }
            let seen = try Disk.contents(root.currentPath + "/manifest.json")
            let entry = try Rollback.perform(root, to: 1, at: Instant(text: "2025-12-01")!)
            #expect(entry?.from == 2 && entry?.to == 1)
            #expect(try Disk.contents(root.currentPath + "/manifest.json") != seen)
            #expect(try Rollback.perform(root, to: 1, at: Instant(seconds: 0)) == nil)
            _ = try Rollback.perform(root, to: 2, at: Instant(text: "2025-12-02")!)
            #expect(try Disk.contents(root.currentPath + "/manifest.json") == seen)
            #expect(try Rollback.log(root).map(\.to) == [1, 2])
            #expect(try Rollback.log(root).first?.at.text == "2025-12-01T00:00:00Z")
            #expect(try root.generations() == [1, 2])
        }
    }

    @Test func aGenerationThatIsNotThereIsToldWithThoseThatAre() throws {
        try withRoot { root throws in
            try Sample().publish(root)
            let fault = #expect(throws: Fault.self) { try Rollback.perform(root, to: 9, at: Instant(seconds: 0)) }
            #expect(fault?.code == .badPlan)
            #expect(fault?.mend == "use one of: 1")
        }
    }
}

@Suite struct VacuumTests {
    private func generations(_ root: OutputRoot, _ count: Int) throws {
        for amount in 1...count { try Sample(costs: ["2025-11-03": ["1"], "2025-11-04": ["\(amount)"]]).publish(root) }
    }

    @Test func thePlanIsExactlyWhatGoes() throws {
        try withRoot { root throws in
            try generations(root, 5)
            let before = try golden(root)
            let plan = try Vacuum.plan(root, keep: 2)
            #expect(try golden(root) == before)
            #expect(plan.dropped.map(\.generation) == [1, 2, 3])
            let done = try Vacuum.perform(root, keep: 2, at: Instant(seconds: 0))
            #expect(done == plan)
            let gone = Set(before.keys).subtracting(try golden(root).keys)
            #expect(gone.allSatisfy { path in plan.dropped.contains { path.hasPrefix($0.path) } })
            #expect(try root.generations() == [4, 5])
        }
    }

    @Test func oneThatIsCutOffAfterItsLogLineIsToldOnce() throws {
        try withRoot { root throws in
            try generations(root, 2)
            let gate = DiskGate { call, path throws(DiskError) in
                if call == "rename", path.contains(".vacuum-") { throw DiskError(call, path, number: 5) }
            }
            #expect(throws: Fault.self) {
                try gate.watching { _ = try Vacuum.perform(root, keep: 1, at: Instant(seconds: 0)) }
            }
            #expect(try root.generations() == [1, 2])
            _ = try Vacuum.perform(root, keep: 1, at: Instant(seconds: 0))
            #expect(try Disk.contents(root.vacuumLogPath).count { $0 == 10 } == 1)
        }
    }

    @Test func currentAndNewestStay() throws {
        try withRoot { root throws in
            try generations(root, 5)
            _ = try Rollback.perform(root, to: 2, at: Instant(seconds: 0))
            _ = try Vacuum.perform(root, keep: 1, at: Instant(seconds: 0))
            #expect(try root.generations() == [2, 5])
            #expect(try root.currentNumber() == 2)
            // The number after the newest: none comes to mean another generation.
            #expect(try Sample(costs: ["2025-11-09": ["9"]]).publish(root) == .published(6))
        }
    }

    @Test func filesOfKeptGenerationsStayWhole() throws {
        try withRoot { root throws in
            try generations(root, 4)
            _ = try Vacuum.perform(root, keep: 1, at: Instant(seconds: 0))
            var verifier = Verifier(root)
            #expect(try verifier.verify(.all).findings == [])
        }
    }

    @Test func nothingOutsideIsTouchedThroughLinks() throws {
        try withRoot { root throws in
            try generations(root, 3)
            let outside = root.path + "/../outside"
            try Disk.makeFolders(outside)
            try Disk.replace(outside + "/f", with: [1])
            try FileManager.default.createSymbolicLink(
                atPath: root.generationPath(1) + "/way",
                withDestinationPath: outside
            )
            try FileManager.default.createSymbolicLink(
                atPath: root.path + "/generations/000009",
                withDestinationPath: outside
            )
            _ = try Vacuum.perform(root, keep: 1, at: Instant(seconds: 0))
            #expect(try Disk.contents(outside + "/f") == [1])
            #expect(try root.generations() == [3])
        }
    }

    @Test func keepingNoneIsRefused() throws {
        try withRoot { root throws in
            try generations(root, 1)
            #expect(throws: Fault.self) { try Vacuum.perform(root, keep: 0, at: Instant(seconds: 0)) }
        }
    }
}

@Suite struct DiffTests {
    @Test func anotherCompressorIsNoDifference() throws {
        try withRoot { one throws in
            try withRoot { other throws in
                try Sample(codec: .gzip).publish(one)
                try Sample(codec: .zstd).publish(other)
                let diff = ManifestDiff(try Manifest(at: one.path), try Manifest(at: other.path))
                #expect(diff.isSame)
                #expect(diff.text == "same data")
            }
        }
    }

    @Test func everyChangeIsToldWithItsRows() throws {
        try withRoot { root throws in
            try Sample().publish(root)
            try Sample(costs: ["2025-11-04": ["1"], "2025-11-05": ["1", "2"]], projects: []).publish(root)
            let old = try Manifest(at: root.generationPath(1))
            let new = try Manifest(at: root.currentPath + "/manifest.json")
            let diff = ManifestDiff(old, new)
            #expect(
                diff.text == """
                    ~ costs  rows 3 → 3
                        - dt=2025-11-03  rows 2 → 0
                        ~ dt=2025-11-04  rows 1 → 1
                        + dt=2025-11-05  rows 0 → 2
                    ~ projects  rows 2 → 0
                        - (all)  rows 2 → 0
                    · costs: watermark 2025-11-04T00:00:00Z → 2025-11-05T00:00:00Z
                    · costs: covered from 2025-11-03T00:00:00Z → 2025-11-04T00:00:00Z
                    · costs: covered to 2025-11-05T00:00:00Z → 2025-11-06T00:00:00Z
                    """
            )
            #expect(diff.json["same"] == false)
            #expect(diff.json["streams"]?.elements?.first?["partitions"]?.elements?.count == 3)
        }
    }

    @Test func aStreamThatCameAndADefinitionThatChangedAreTold() throws {
        var old = Manifest(pipeline: "demo", streams: [.init(name: "a", mode: "report", primaryKey: ["x"])])
        var new = old
        new.streams[0].primaryKey = ["x", "y"]
        new.streams.append(.init(name: "b", mode: "snapshot", primaryKey: ["id"]))
        #expect(ManifestDiff(old, new).streams.map(\.kind) == [.changed, .added])
        #expect(ManifestDiff(old, new).streams[0].definition == ["primary_key"])
        #expect(ManifestDiff(new, old).streams.map(\.kind) == [.changed, .removed])
        old.streams[0].isStale = true
        #expect(ManifestDiff(old, old).isSame)
    }

    @Test func nothingThereIsABadCommandLine() throws {
        let fault = #expect(throws: Fault.self) { try Manifest(at: "/nowhere/at/all") }
        #expect(fault?.code == .badPlan)
    }
}

@Suite struct RunFileTests {
    @Test func runsComeBackInTheOrderOfTheirIdsAndDamageIsTold() throws {
        try withRoot { root throws in
            try RunFile.write(root, id: "20251104T000000Z-b", ["status": "done"])
            try RunFile.write(root, id: "20251103T000000Z-a", ["status": "failed"])
            try RunFile.write(root, id: "20251103T000000Z-a", ["status": "again"])
            try Disk.replace(root.runsPath + "/20251105T000000Z-c.json", with: Array("{".utf8))
            let history = try History(root)
            #expect(history.runs.map(\.id) == ["20251103T000000Z-a", "20251104T000000Z-b"])
            #expect(history.runs.first?.json["status"] == "again")
            #expect(history.unreadable.count == 1)
            #expect(history.unreadable.first?.hasPrefix("20251105T000000Z-c.json") == true)
        }
    }
}
