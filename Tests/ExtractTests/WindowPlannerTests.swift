import Connector
import Model
import TestKit
import Testing

@testable import Extract

private let spec = WindowSpec(
    startParameter: "start_time",
    endParameter: "end_time",
    widthParameter: "bucket_width",
    widths: ["1m", "1h", "1d"],
    defaultWidth: "1d",
    defaultLookback: 3 * 86_400,
    defaultHistory: 30 * 86_400
)

private func at(_ text: String) -> Instant { Instant(text: text) ?? Instant(seconds: 0) }

@Test func aFirstRunReadsFromSinceToTheLastClosedBucket() {
    let planner = WindowPlanner(spec: spec, since: at("2025-11-01T05:00:00Z"), now: at("2025-12-03T10:20:30Z"))
    #expect(planner.windows.map(\.text) == ["2025-11-01T00:00:00Z..2025-12-03T00:00:00Z"])
}

@Test func aFirstRunWithoutSinceReadsTheDefaultHistory() {
    let planner = WindowPlanner(spec: spec, now: at("2025-12-03T10:20:30Z"))
    #expect(planner.span?.text == "2025-11-03T00:00:00Z..2025-12-03T00:00:00Z")
}

@Test func aLaterRunReadsTheLookbackAgainButNothingBeforeSince() {
    var planner = WindowPlanner(
        spec: spec,
        since: at("2025-11-01"),
        now: at("2025-12-03T10:00:00Z"),
        watermark: at("2025-12-01"),
        coveredFrom: at("2025-11-01")
    )
    #expect(planner.span?.start == at("2025-11-28"))
    planner.watermark = at("2025-11-02")
    #expect(planner.span?.start == at("2025-11-01"))
}

@Test func aPipelineThatStoodStillForAYearGoesOnWhereItStopped() {
    let planner = WindowPlanner(spec: spec, now: at("2026-12-01"), watermark: at("2025-10-01"))
    #expect(planner.span?.start == at("2025-09-28"))
}

@Test func anEarlierSinceReadsItAllAgain() {
    let planner = WindowPlanner(
        spec: spec,
        since: at("2025-06-01"),
        now: at("2025-12-03"),
        watermark: at("2025-12-01"),
        coveredFrom: at("2025-11-01")
    )
    #expect(planner.span?.start == at("2025-06-01"))
}

@Test(arguments: [14, 30])
func aSinceBehindTheWatermarkLeavesNoHole(day: Int) {
    var planner = WindowPlanner(
        spec: spec,
        since: at("2025-12-\(day)"),
        now: at("2026-01-20"),
        watermark: at("2025-12-08"),
        coveredFrom: at("2025-11-01")
    )
    #expect(planner.span == TimeWindow(start: at("2025-12-08"), end: at("2026-01-20")))
    planner.coveredFrom = nil
    #expect(planner.span?.start == at("2025-12-08"))
    planner.since = at("2025-12-06")
    #expect(planner.span?.start == at("2025-12-06"), "what lies before the watermark may be left out of the lookback")
}

@Test func aCursorThatWasResetReadsFromTheBeginningAndTouchesWhatIsKept() {
    var planner = WindowPlanner(
        spec: spec,
        now: at("2026-01-20"),
        watermark: at("2025-11-08"),
        coveredFrom: at("2025-11-01")
    )
    planner.beginsAgain = true
    #expect(planner.span == TimeWindow(start: at("2025-11-01"), end: at("2026-01-20")))
    planner.now = at("2025-11-10")
    #expect(planner.span?.start == at("2025-10-11"), "the history that a first run reads goes further back")
    planner.now = at("2026-01-20")
    planner.since = at("2025-11-05")
    #expect(planner.span?.start == at("2025-11-05"))
    planner.since = at("2025-12-05")
    #expect(planner.span?.start == at("2025-11-08"), "no hole behind what is kept")
    planner.since = nil
    planner.coveredFrom = nil
    #expect(planner.span?.start == at("2025-11-08"))
}

@Test func anUntilBeforeWhatIsCoveredIsReadUpToThere() {
    var planner = WindowPlanner(
        spec: spec,
        since: at("2025-06-01"),
        until: at("2025-07-01"),
        now: at("2025-12-03"),
        watermark: at("2025-12-01"),
        coveredFrom: at("2025-11-01")
    )
    #expect(planner.span == TimeWindow(start: at("2025-06-01"), end: at("2025-11-01")))
    planner.until = at("2025-11-15")
    #expect(planner.span?.end == at("2025-11-15"), "inside of what is covered it is kept")
    planner.until = at("2025-07-01")
    planner.now = at("2025-08-01")
    #expect(planner.span == nil, "a clock set back can't read up to there")
    planner.since = nil
    planner.now = at("2025-12-03")
    #expect(planner.span == nil)
}

@Test func theOpenBucketComesOnlyWhenWanted() {
    var planner = WindowPlanner(
        spec: spec,
        bucketWidth: "1h",
        since: at("2025-12-03"),
        now: at("2025-12-03T10:20:30Z")
    )
    #expect(planner.span?.end == at("2025-12-03T10:00:00Z"))
    planner.includeOpenBucket = true
    #expect(planner.span?.end == at("2025-12-03T10:20:30Z"))
    planner.until = at("2025-12-03T07:30:00Z")
    #expect(planner.span?.end == at("2025-12-03T07:30:00Z"))
    planner.includeOpenBucket = false
    #expect(planner.span?.end == at("2025-12-03T07:00:00Z"))
}

@Test func aClockSetBackGivesNoWindowInsteadOfANegativeOne() {
    let planner = WindowPlanner(
        spec: spec,
        since: at("2025-11-01"),
        now: at("1970-01-01"),
        watermark: at("2025-12-01"),
        coveredFrom: at("2025-11-01")
    )
    #expect(planner.windows.isEmpty)
}

@Test func logsHaveWindowsToTheSecond() {
    let log = WindowSpec(
        startParameter: "effective_at[gte]",
        endParameter: "effective_at[lt]",
        defaultLookback: 60,
        defaultHistory: 3600
    )
    let planner = WindowPlanner(spec: log, now: at("2025-12-03T10:20:31Z"), watermark: at("2025-12-03T09:00:07Z"))
    #expect(planner.span?.text == "2025-12-03T08:59:07Z..2025-12-03T10:20:31Z")
}

@Test(arguments: 0..<400)
func windowsTileTheSpanExactlyWhateverIsAsked(seed: UInt64) throws {
    var random = Seeded(seed)
    let widths = ["1m", "1h", "1d"]
    let base = Int64.random(in: -100_000_000...2_000_000_000, using: &random)
    func near(_ chance: Double) -> Instant? {
        Double.random(in: 0..<1, using: &random) < chance
            ? Instant(seconds: base + Int64.random(in: -4_000_000...4_000_000, using: &random)) : nil
    }
    let width = widths.randomElement(using: &random) ?? "1d"
    var planner = WindowPlanner(
        spec: spec,
        bucketWidth: width,
        since: near(0.6),
        until: near(0.5),
        now: near(1) ?? Instant(seconds: base),
        watermark: near(0.5),
        coveredFrom: near(0.5),
        lookback: TimeSpan(seconds: Int64.random(in: 0...500_000, using: &random)),
        includeOpenBucket: Bool.random(using: &random),
        slice: Bool.random(using: &random) ? Int64.random(in: 1...1_000_000, using: &random) : nil
    )
    planner.beginsAgain = Bool.random(using: &random)
    let note = Comment(rawValue: "seed \(seed)")
    var limit = planner.until.map { min($0, planner.now) } ?? planner.now
    if planner.watermark != nil, let covered = planner.coveredFrom {
        limit = min(max(limit, covered + planner.width), planner.now)
    }
    let windows = planner.windows
    guard let span = planner.span else {
        #expect(windows.isEmpty, note)
        return
    }
    #expect(windows.first?.start == span.start, note)
    #expect(windows.last?.end == span.end, note)
    #expect(zip(windows, windows.dropFirst()).allSatisfy { $0.end == $1.start }, note)
    #expect(windows.allSatisfy { $0.start < $0.end && $0.end <= limit }, note)
    #expect(windows.allSatisfy { $0.start.aligned(down: planner.width) == $0.start }, note)
    #expect(windows.dropLast().allSatisfy { $0.end.aligned(down: planner.width) == $0.end }, note)
    if !planner.includeOpenBucket { #expect(span.end.aligned(down: planner.width) == span.end, note) }
    if let since = planner.since {
        let earliest = min(since, planner.watermark ?? since)
        #expect(span.start >= earliest.aligned(down: planner.width), note)
    }
    if let watermark = planner.watermark, let covered = planner.coveredFrom, covered <= watermark {
        #expect(span.start <= watermark && span.end >= min(covered, planner.now), "seed \(seed): a hole")
    }
}
