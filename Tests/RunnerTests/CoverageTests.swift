import Extract
import Model
import PipelineFile
import Testing

@testable import Runner

private func at(_ day: Int64) -> Instant { Instant(seconds: day * 86_400) }
private func bucket(_ day: Int64) -> (start: Instant, end: Instant) { (at(day), at(day + 1)) }

@Suite struct CoverageTests {
    private let week = TimeWindow(start: at(10), end: at(14))

    @Test(arguments: [[10, 11, 12, 13], [13, 12, 11, 10], [10, 11, 11, 12, 13, 10]])
    func bucketsThatTileTheWindowAreAcceptedInAnyOrderAndAlsoTwice(days: [Int64]) throws {
        var coverage = Coverage(window: week)
        for day in days { try coverage.note([bucket(day)]) }
        try coverage.finish()
        #expect(coverage.reached == week.end)
        #expect(coverage.fraction == 1)
    }

    @Test(arguments: [
        ([10, 11, 13], "1970-01-13T00:00:00Z to 1970-01-14"), ([11, 12, 13], "1970-01-11"), ([10], "1970-01-12"),
    ])
    func aHoleIsNamedByItsEdges(days: [Int64], named: String) throws {
        var coverage = Coverage(window: week)
        try coverage.note(days.map { bucket($0) })
        let fault = #expect(throws: Fault.self) { try coverage.finish() }
        #expect(fault?.code == .badReply)
        #expect(fault?.what.contains(named) == true, "\(fault?.what ?? "")")
    }

    @Test func bucketsOutsideTheWindowAreRefused() {
        var coverage = Coverage(window: week)
        #expect(throws: Fault.self) { try coverage.note([bucket(9)]) }
        #expect(throws: Fault.self) { try coverage.note([bucket(14)]) }
    }

    @Test(arguments: [12 * 3600, 86_400])
    func theBucketThatIsOpenAtTheEndMayBeClippedOrWhole(seconds: Int64) throws {
        var coverage = Coverage(window: TimeWindow(start: at(10), end: at(11) + 43_200), width: 86_400)
        try coverage.note([bucket(10), (at(11), at(11) + seconds)])
        try coverage.finish()
        #expect(coverage.fraction == 1)
        var resumed = Coverage(window: coverage.window, width: 86_400)
        try resumed.resume([(at(10), at(11) + seconds)])
        try resumed.finish()
    }

    @Test func noOtherBucketReachesBeyondTheWindow() {
        var open = Coverage(window: TimeWindow(start: at(10), end: at(11) + 43_200), width: 86_400)
        #expect(throws: Fault.self) { try open.note([(at(11), at(12) + 3600)]) }
        #expect(throws: Fault.self) { try open.note([bucket(12)]) }
        var closed = Coverage(window: week, width: 86_400)
        #expect(throws: Fault.self) { try closed.note([(at(13), at(14) + 3600)]) }
    }

    @Test func overlappingBucketsAreRefused() throws {
        var coverage = Coverage(window: week)
        try coverage.note([10, 11, 12, 13].map { bucket($0) })
        try coverage.note([(at(11) + 3600, at(12))])
        #expect(throws: Fault.self) { try coverage.finish() }
    }

    @Test func howFarItReachesStopsAtTheFirstHole() throws {
        var coverage = Coverage(window: week)
        try coverage.note([bucket(10), bucket(12)])
        #expect(coverage.reached == at(11))
        try coverage.note([bucket(11)])
        #expect(coverage.reached == at(13))
    }
}

@Suite struct PartitionNamingTests {
    @Test func daysAreNamedByTheirDate() {
        let naming = PartitionNaming(.day)
        #expect(naming.name(20_393) == "2025-11-01")
        #expect(naming.span("2025-11-01")?.end.text == "2025-11-02T00:00:00Z")
    }

    @Test(arguments: [(0, "1970-01"), (670, "2025-11"), (671, "2025-12"), (-1, "1969-12")])
    func monthsAreNamedByYearAndMonth(number: Int, name: String) {
        #expect(PartitionNaming(.month).name(number) == name)
    }

    @Test func aMonthEndsWhereTheNextBegins() {
        let naming = PartitionNaming(.month)
        #expect(naming.span("2024-02")?.end.text == "2024-03-01T00:00:00Z")
        #expect(naming.span("2025-12")?.end.text == "2026-01-01T00:00:00Z")
        #expect(naming.span("no month") == nil)
    }
}

@Suite struct HistoryFloorTests {
    @Test(arguments: [
        ("Earliest supported start date: 2025-10-08 (UTC).", "2025-10-08T00:00:00Z"),
        ("not 2025-13-40 but 2025-01-02", "2025-01-02T00:00:00Z"),
    ])
    func theFirstDateOfASentenceIsFound(message: String, date: String) {
        #expect(HistoryFloor.date(in: message)?.text == date)
    }

    @Test(arguments: ["", "too old", "2025-1-2", "1234567890"])
    func aSentenceWithoutADateHasNone(message: String) { #expect(HistoryFloor.date(in: message) == nil) }
}
