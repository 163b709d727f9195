import Disk
import Foundation
import Model
import Synchronization
import Testing

@testable import KeyRing

@Test func recordsAreChainedFromTheOriginOn() throws {
    let folder = try Folder()
    let trail = AuditTrail(folder.path("t"))
    #expect(try trail.verify() == AuditTrail.Report())
    for number in 1...3 { #expect(try trail.append([.init("reason", .integer(number))]) == number) }
    let report = try trail.verify()
    #expect(report.isGood && report.records == 3)
    let lines = try folder.text("t").split(separator: "\n").map { try JSONValue(parsing: String($0)) }
    #expect(lines[0]["previous"]?.text == AuditTrail.origin && lines.map { $0["number"]?.integer } == [1, 2, 3])
    #expect(try folder.mode("t") == 0o600 && folder.mode("t.head") == 0o600)
}

@Test func aCrashAtAnyCallLeavesTheRecordWholeOrNotThereAndTheChainGood() throws {
    let counted = Mutex(0)
    let counting = DiskGate { _, _ throws(DiskError) in counted.withLock { $0 += 1 } }
    let first = AuditTrail(try Folder().path("t"))
    _ = fault { try counting.watching { _ = try first.append([.init("reason", "x")]) } }
    let total = counted.withLock { $0 }
    for last in 0..<max(total, 1) {
        let folder = try Folder()
        let trail = AuditTrail(folder.path("t"))
        try trail.append([.init("reason", "before")])
        let calls = Mutex(0)
        let gate = DiskGate { call, path throws(DiskError) in
            let number = calls.withLock { calls in
                calls += 1
                return calls
            }
            if number > last { throw DiskError(call, path, text: "the process has ended") }
        }
        _ = fault { try gate.watching { _ = try trail.append([.init("reason", "cut")]) } }
        let report = try trail.verify()
        #expect(report.isGood && (1...2).contains(report.records), "\(last): \(report)")
        #expect(try trail.append([.init("reason", "after")]) == report.records + 1)
        #expect(try trail.verify().isGood)
    }
}

@Test func openingsAtTheSameTimeAreAllInTheTrail() async throws {
    let folder = try Folder()
    let trail = AuditTrail(folder.path("t"))
    try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<8 { group.addTask { try trail.append([.init("reason", .integer(number))]) } }
        try await group.waitForAll()
    }
    let report = try trail.verify()
    #expect(report.isGood && report.records == 8)
}
