import Disk
import Synchronization
import TestKit
import Testing

/// Gathers what threads did.
private final class Log: Sendable {
    let paths = Mutex<[String]>([])
    func note(_ path: String) { paths.withLock { $0.append(path) } }
}

@Suite struct MediumThreadsTests {
    @Test(arguments: [0, 1, 7, 8, 9, 200]) func eachIsSyncedOnce(count: Int) throws {
        let log = Log()
        let paths = (0..<count).map { "p\($0)" }
        try MediumThreads.sync(paths) { path throws(DiskError) in log.note(path) }
        #expect(log.paths.withLock { $0.sorted() } == paths.sorted())
    }

    @Test func theFirstFailureIsToldAndTheGateIsTheCallers() throws {
        try withFolder { folder throws in
            let names = (0..<20).map { folder + "/f\($0 + 100)" }
            for name in names { try Disk.makeFolder(name) }
            let gate = DiskGate { call, path throws(DiskError) in
                if call == "fsync", path.hasSuffix("7") { throw DiskError(call, path, number: 5) }
            }
            let error = #expect(throws: DiskError.self) {
                try gate.watching {
                    try MediumThreads.sync(names) { path throws(DiskError) in try Disk.syncFolder(path) }
                }
            }
            #expect(error?.path.hasSuffix("/f107") == true && error?.number == 5)
        }
    }

    @Test func aStoppedTaskWaitsForNoMore() async {
        let log = Log()
        let paths = (0..<1000).map(String.init)
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            try? MediumThreads.sync(paths) { path throws(DiskError) in log.note(path) }
        }
        task.cancel()
        await task.value
        #expect(log.paths.withLock { $0.isEmpty })
    }

    @Test(.timeLimit(.minutes(10))) func manyWaitAtATime() async {
        // Each waits for all others to have come: with fewer threads this would never end.
        let log = Log()
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<8 {
                group.addTask {
                    await MediumThreads.run {
                        log.note("\(number)")
                        while log.paths.withLock({ $0.count }) < 8 { Disk.pause(milliseconds: 1) }
                    }
                }
            }
        }
        #expect(log.paths.withLock { $0.count } == 8)
    }
}
