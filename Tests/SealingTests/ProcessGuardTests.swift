import Foundation
import Testing

@testable import Sealing

@Test func aGuardedProcessLeavesNoCoreFile() throws {
    #expect(forbidCoreDumps())
    let limits = try String(contentsOfFile: "/proc/thread-self/limits", encoding: .utf8)
    let core = try #require(limits.split(separator: "\n").first { $0.hasPrefix("Max core file size") })
    #expect(core.split(separator: " ", omittingEmptySubsequences: true).dropFirst(4).prefix(2) == ["0", "0"])
}
