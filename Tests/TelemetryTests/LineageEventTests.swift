import Model
import Testing

@testable import Telemetry

@Suite struct LineageEventTests {
    @Test func theRunsUUIDIsMadeOfItsIdAndIsAUUID() throws {
        let uuid = LineageEvent.uuid("20251201T060000Z-x1")
        #expect(uuid == LineageEvent.uuid("20251201T060000Z-x1"))
        #expect(uuid != LineageEvent.uuid("20251201T060000Z-x2"))
        #expect(uuid.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/) != nil)
    }
}

@Suite struct PageSampleTests {
    @Test func pagesAreTakenEverMoreSeldom() {
        var sample = PageSample()
        let taken = (1...1000).filter { _ in sample.takes("costs", retries: 0) }
        #expect(taken == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512])
    }

    @Test func pagesThatWereFetchedAgainAreTakenUpToALimit() {
        var sample = PageSample()
        let taken = (1...1000).count { _ in sample.takes("costs", retries: 1) }
        #expect((100...110).contains(taken))
    }
}
