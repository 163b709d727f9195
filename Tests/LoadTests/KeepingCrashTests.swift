import ArchiveWriting
import Disk
import Foundation
import Load
import Model
import Synchronization
import Testing

/// Ends the work at one call that changes the disk: that call and all that follow fail.
private final class Crash: Sendable {
    private let state = Mutex(0)
    let first: Int

    init(at first: Int) { self.first = first }

    var calls: Int { state.withLock { $0 } }

    var gate: DiskGate { DiskGate { call, path throws(DiskError) in try self.pass(call, path) } }

    func pass(_ call: String, _ path: String) throws(DiskError) {
        let index = state.withLock { (count: inout Int) -> Int in
            count += 1
            return count
        }
        if index >= first { throw DiskError(call, path, number: 5) }
    }
}

/// A disk without room for the vacuum's log until so many files have gone; what it lets pass, `crash` counts and may end.
private final class FullDisk: Sendable {
    private let removed = Mutex(0)
    let needed: Int
    let crash: Crash

    init(freedBy needed: Int, _ crash: Crash) {
        self.needed = needed
        self.crash = crash
    }

    var gate: DiskGate {
        DiskGate { call, path throws(DiskError) in
            try self.crash.pass(call, path)
            if call == "unlink", path.contains(".untold-") { self.removed.withLock { $0 += 1 } }
            let isFull = self.removed.withLock { $0 < self.needed }
            if isFull, call == "write", path.contains("vacuum_log") { throw DiskError(call, path, number: 28) }
        }
    }
}

private final class Counter: Sendable {
    private let state = Mutex(0)

    var count: Int { state.withLock { $0 } }

    /// - Returns: how many there are now.
    @discardableResult func add() -> Int {
        state.withLock { count in
            count += 1
            return count
        }
    }
}

/// Rollback, vacuum and retention, cut off at every call that changes the disk.
@Suite struct KeepingCrashTests {
    private static let now = Instant(text: "2025-12-01")!

    private func made(_ root: OutputRoot) throws {
        for amount in 1...4 { try Sample(costs: ["2025-11-03": ["1"], "2025-11-04": ["\(amount)"]]).publish(root) }
    }

    /// Whatever a reader reaches is whole, and the chain has no hole.
    private func isWhole(_ root: OutputRoot, _ place: String) throws {
        let generation = try #require(try root.current(), "\(place)")
        for file in generation.manifest.files {
            #expect(try ArchiveReader.facts(of: generation.path + "/" + file.path) == file.facts, "\(place)")
        }
        var verifier = Verifier(root)
        #expect(try verifier.verify(.all).findings == [], "\(place)")
    }

    @Test func aRollbackCutOffAnywhereIsDoneOrNotDoneAndDeletesNothing() throws {
        let count = Crash(at: .max)
        try withRoot { root throws in
            try made(root)
            try count.gate.watching { _ = try Rollback.perform(root, to: 2, at: Self.now) }
        }
        #expect(count.calls >= 5)
        for call in 1...count.calls {
            try withRoot { root throws in
                try made(root)
                let before = try golden(root)
                #expect(throws: (any Error).self, "call \(call)") {
                    try Crash(at: call).gate.watching { _ = try Rollback.perform(root, to: 2, at: Self.now) }
                }
                let current = try root.currentNumber()
                #expect(current == 4 || current == 2, "call \(call)")
                #expect(try root.generations() == [1, 2, 3, 4], "call \(call)")
                try isWhole(root, "call \(call)")
                // The next run takes none of them for a leftover; the rollback asked for again comes to its end.
                _ = try root.recover()
                #expect(try root.generations() == [1, 2, 3, 4], "call \(call)")
                _ = try Rollback.perform(root, to: 2, at: Self.now)
                #expect(try root.currentNumber() == 2)
                _ = try Rollback.perform(root, to: 4, at: Self.now)
                let after = try golden(root).filter { !$0.key.hasPrefix("rollback_log") }
                #expect(after == before, "call \(call)")
            }
        }
    }

    @Test func aHealingCutOffAnywhereLeavesSoundOrDamagedFilesAndIsFinishedByTheNext() throws {
        let last = Sample(costs: ["2025-11-03": ["1"], "2025-11-04": ["4"]])
        /// Damages what all four generations share, and what only the last one has.
        func damage(_ root: OutputRoot) throws {
            for file in try #require(try root.current()).manifest.files where file.path.hasPrefix("costs/") {
                let path = root.currentPath + "/" + file.path
                let handle = try #require(FileHandle(forUpdatingAtPath: path))
                try handle.seek(toOffset: UInt64(file.facts.bytes / 2))
                try handle.write(contentsOf: Data("rot".utf8))
                try handle.close()
            }
        }
        func heal(_ root: OutputRoot, _ gate: DiskGate? = nil) throws {
            var publication = try last.publication(root)
            let current = try #require(try root.current())
            if let gate {
                try gate.watching { _ = try root.mend(with: &publication, over: current) }
            } else {
                _ = try root.mend(with: &publication, over: current)
            }
            #expect(try root.publish(publication) == .unchanged)
        }
        let count = Crash(at: .max)
        try withRoot { root throws in
            try made(root)
            try damage(root)
            try heal(root, count.gate)
        }
        #expect(count.calls >= 10)
        for call in 1...count.calls {
            try withRoot { root throws in
                try made(root)
                let before = try golden(root)
                try damage(root)
                #expect(throws: (any Error).self, "call \(call)") { try heal(root, Crash(at: call).gate) }
                #expect(try golden(root).keys == before.keys, "call \(call): no name more or less")
                try Disk.removeTree(root.stagingPath)
                try root.prepare()
                try heal(root)
                #expect(try golden(root) == before, "call \(call)")
                try isWhole(root, "call \(call)")
            }
        }
    }

    @Test func aVacuumCutOffAnywhereLeavesAWholeOutputAndIsFinishedByTheNext() throws {
        var done: [String: String] = [:]
        let count = Crash(at: .max)
        try withRoot { root throws in
            try made(root)
            try count.gate.watching { _ = try Vacuum.perform(root, keep: 2, at: Self.now) }
            done = try golden(root).filter { !$0.key.hasPrefix("vacuum_log") }
        }
        #expect(count.calls > 20)
        for call in 1...count.calls {
            try withRoot { root throws in
                try made(root)
                #expect(throws: (any Error).self, "call \(call)") {
                    try Crash(at: call).gate.watching { _ = try Vacuum.perform(root, keep: 2, at: Self.now) }
                }
                #expect(try root.currentNumber() == 4, "call \(call)")
                try isWhole(root, "call \(call)")
                _ = try root.recover()
                _ = try Vacuum.perform(root, keep: 2, at: Self.now)
                let after = try golden(root).filter { !$0.key.hasPrefix("vacuum_log") }
                #expect(after == done, "call \(call)")
                try isWhole(root, "after call \(call)")
            }
        }
    }

    @Test func aVacuumOnAFullDiskMakesTheRoomThatItsLogNeeds() throws {
        var (plain, done): ([String: String], [String: String]) = ([:], [:])
        try withRoot { root throws in
            try made(root)
            _ = try Vacuum.perform(root, keep: 2, at: Self.now)
            plain = try golden(root)
        }
        // In the order of calls, and cut off at each of them.
        let count = Crash(at: .max)
        try withRoot { root throws in
            try made(root)
            let plan = try Vacuum.plan(root, keep: 2)
            let found = try FullDisk(freedBy: 1, count).gate.watching {
                try Vacuum.perform(root, keep: 2, at: Self.now)
            }
            #expect(found == plan)
            done = try golden(root)
        }
        #expect(done == plain, "the log's lines as well")
        for call in 1...count.calls {
            try withRoot { root throws in
                try made(root)
                #expect(throws: (any Error).self, "call \(call)") {
                    try FullDisk(freedBy: 1, Crash(at: call)).gate.watching {
                        _ = try Vacuum.perform(root, keep: 2, at: Self.now)
                    }
                }
                try isWhole(root, "call \(call)")
                _ = try root.recover()
                _ = try Vacuum.perform(root, keep: 2, at: Self.now)
                let log = String(decoding: try Disk.contents(root.vacuumLogPath), as: UTF8.self)
                #expect(Set(log.split(separator: "\n")).count == 2, "call \(call)")
                let (after, wanted) = (try golden(root).keys.sorted(), done.keys.sorted())
                #expect(after == wanted, "call \(call)")
                try isWhole(root, "after call \(call)")
            }
        }
    }

    @Test func aVacuumThatFreesNothingSaysSoAndTheNextTellsOfWhatWentMeanwhile() throws {
        try withRoot { root throws in
            try made(root)
            let fault = #expect(throws: Fault.self) {
                try FullDisk(freedBy: .max, Crash(at: .max)).gate.watching {
                    _ = try Vacuum.perform(root, keep: 2, at: Self.now)
                }
            }
            #expect(fault?.code == .cannotWrite)
            #expect(try root.generations() == [3, 4])
            try isWhole(root, "without a line")
            #expect(try Vacuum.perform(root, keep: 2, at: Self.now).dropped == [])
            let log = String(decoding: try Disk.contents(root.vacuumLogPath), as: UTF8.self)
            #expect(log.split(separator: "\n").count == 2)
            #expect(try Disk.list(root.path + "/generations") == ["000003", "000004"])
            try isWhole(root, "told")
        }
    }

    /// From the rename on the log may hold the line: what fails there is told, and the line comes once.
    @Test(arguments: [28, 122]) func aLogThatMayHoldTheLineIsNotWrittenTwice(_ number: Int32) throws {
        let fired = Counter()
        for named in ["rename", "fsync"] {
            for telling in 1...2 {
                try withRoot { root throws in
                    try made(root)
                    let calls = Counter()
                    let gate = DiskGate { call, path throws(DiskError) in
                        let isLog = call == "rename" ? path == root.vacuumLogPath : path == root.path
                        guard call == named, isLog, calls.add() == telling else { return }
                        fired.add()
                        throw DiskError(call, path, number: number)
                    }
                    let fault = #expect(throws: Fault.self) {
                        try gate.watching { _ = try Vacuum.perform(root, keep: 2, at: Self.now) }
                    }
                    #expect(fault?.code == .cannotWrite)
                    try isWhole(root, "\(named) \(telling)")
                    _ = try root.recover()
                    _ = try Vacuum.perform(root, keep: 2, at: Self.now)
                    let log = String(decoding: try Disk.contents(root.vacuumLogPath), as: UTF8.self)
                    #expect(log.split(separator: "\n").count == 2, "\(named) \(telling)")
                    #expect(try Disk.list(root.path + "/generations") == ["000003", "000004"])
                }
            }
        }
        #expect(fired.count == 4)
    }

    @Test func planAndDeedOfARollbackAreTheSame() throws {
        try withRoot { root throws in
            try made(root)
            let before = try golden(root)
            let plan = try Rollback.plan(root, to: 1, at: Self.now)
            #expect(try golden(root) == before)
            #expect(try Rollback.perform(root, to: 1, at: Self.now) == plan)
            #expect(try Rollback.plan(root, to: 1, at: Self.now) == nil)
        }
    }

    @Test func generationsBehindALinkAreNotDeleted() throws {
        try withRoot { root throws in
            try made(root)
            let outside = root.path + "/../elsewhere"
            try FileManager.default.moveItem(atPath: root.path + "/generations", toPath: outside)
            try FileManager.default.createSymbolicLink(
                atPath: root.path + "/generations",
                withDestinationPath: outside
            )
            let before = try Disk.walk(outside).map(\.path)
            #expect(throws: Fault.self) { try Vacuum.perform(root, keep: 1, at: Self.now) }
            #expect(try Disk.walk(outside).map(\.path) == before)
        }
    }

    /// Retention by hard links: a file goes from the disk when the last generation that names it goes, and not before.
    @Test func everyFileThatAKeptManifestNamesStays() throws {
        try withRoot { root throws in
            try made(root)
            _ = try Rollback.perform(root, to: 2, at: Self.now)
            let plan = try Vacuum.plan(root, keep: 1)
            let kept = try plan.kept.flatMap { number in
                try root.generation(number).manifest.files.map { root.generationPath(number) + "/" + $0.path }
            }
            let before = try kept.map { try Disk.contents($0) }
            #expect(try Vacuum.perform(root, keep: 1, at: Self.now) == plan)
            #expect(try kept.map { try Disk.contents($0) } == before)
            #expect(try root.generations() == plan.kept)
        }
    }
}
