import ArchiveWriting
import Disk
import Foundation
import Load
import Model
import Synchronization
import Testing

/// Counts calls that change the disk, and fails from the `first` on: one call only, or all that follow (a crash).
private final class Failing: Sendable {
    private let state = Mutex(0)
    let first: Int
    let isCrash: Bool
    let number: Int32

    init(first: Int, isCrash: Bool, number: Int32) {
        self.first = first
        self.isCrash = isCrash
        self.number = number
    }

    var calls: Int { state.withLock { $0 } }

    var gate: DiskGate {
        DiskGate { call, path throws(DiskError) in
            let index = self.state.withLock { (count: inout Int) -> Int in
                count += 1
                return count
            }
            if index == self.first || (self.isCrash && index > self.first) {
                throw DiskError(call, path, number: self.number)
            }
        }
    }
}

private func invariants(_ root: OutputRoot, at place: String) throws {
    // P-01: whatever manifest a reader can reach names complete files only.
    guard let generation = try? root.current() else {
        let isLinked = try Disk.exists(root.currentPath)
        #expect(!isLinked, "\(place)")
        return
    }
    for file in generation.manifest.files {
        #expect(try ArchiveReader.facts(of: generation.path + "/" + file.path) == file.facts, "\(place)")
    }
}

@Suite struct CrashTests {
    private static let first = Sample(costs: ["2025-11-03": ["1"], "2025-11-04": ["2"]], bundle: .zip)
    private static let second = Sample(costs: ["2025-11-03": ["1"], "2025-11-05": ["3", "4"]], bundle: .zip)

    private func undisturbed() throws -> [String: String] {
        var tree: [String: String] = [:]
        try withRoot { root throws in
            try Self.first.publish(root)
            try Self.second.publish(root)
            tree = try golden(root)
        }
        return tree
    }

    private func calls() throws -> Int {
        let counter = Failing(first: .max, isCrash: false, number: 0)
        try withRoot { root throws in
            try counter.gate.watching {
                try Self.first.publish(root)
                try Self.second.publish(root)
            }
        }
        return counter.calls
    }

    /// One run as the runner makes it: recover, then publish.
    private func attempt(_ sample: Sample, _ root: OutputRoot) throws {
        _ = try root.recover()
        try sample.publish(root)
    }

    /// Runs what had not been committed; whether the first had shows in what is there.
    private func again(_ root: OutputRoot) throws {
        _ = try root.recover()
        if try root.currentNumber() == nil { try attempt(Self.first, root) }
        try attempt(Self.second, root)
    }

    @Test func afterACrashAtAnyCallRunningAgainGivesTheUndisturbedTree() throws {
        let tree = try undisturbed()
        let total = try calls()
        #expect(total > 100)
        for call in 1...total {
            try withRoot { root throws in
                let crash = Failing(first: call, isCrash: true, number: 5)
                #expect(throws: (any Error).self, "call \(call)") {
                    try crash.gate.watching {
                        try attempt(Self.first, root)
                        try attempt(Self.second, root)
                    }
                }
                try invariants(root, at: "crash at call \(call)")
                try again(root)
                #expect(try golden(root) == tree, "crash at call \(call)")
            }
        }
    }

    @Test(arguments: [Int32(28), 5, 122, 24])
    func anySingleFailedCallIsToldAndLeavesTheCurrentGeneration(number: Int32) throws {
        let tree = try undisturbed()
        let total = try calls()
        for call in stride(from: Int(number) % 3 + 1, through: total, by: 3) {
            try withRoot { root throws in
                let failing = Failing(first: call, isCrash: false, number: number)
                let error = #expect(throws: (any Error).self, "call \(call)") {
                    try failing.gate.watching {
                        try attempt(Self.first, root)
                        try attempt(Self.second, root)
                    }
                }
                let fault = try #require(error as? Fault, "call \(call): \(error.map { "\($0)" } ?? "none")")
                #expect(fault.code == .cannotWrite && fault.what.contains("errno \(number)"), "\(fault)")
                #expect(!fault.mend.isEmpty)
                try invariants(root, at: "failure of call \(call)")
                try again(root)
                #expect(try golden(root) == tree, "failure of call \(call)")
            }
        }
    }

    @Test func aRolledBackGenerationIsNotTakenForALeftover() throws {
        try withRoot { root throws in
            try Self.first.publish(root)
            try Self.second.publish(root)
            _ = try Rollback.perform(root, to: 1, at: Instant(seconds: 0))
            #expect(try root.recover() == [])
            #expect(try root.generations() == [1, 2])
            #expect(try Sample(costs: ["2025-11-09": ["1"]]).publish(root) == .published(3))
            let success = try JSONValue(parsing: Disk.contents(root.generationPath(3) + "/_SUCCESS"))
            #expect(success["previous_generation"]?.integer == 1)
        }
    }
}
