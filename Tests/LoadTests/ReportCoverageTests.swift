import ArchiveWriting
import Load
import Model
import Testing

/// What a report's manifest claims to have read, after windows that touch, overlap or leave time out.
@Suite struct ReportCoverageTests {
    private func at(_ day: Int) -> Instant { Instant(seconds: Int64(day) * 86_400) }

    private func covered(_ windows: [(Int, Int)]) -> Manifest.Coverage {
        let first = Manifest.Coverage(from: at(windows[0].0), to: at(windows[0].1))
        return windows.dropFirst().reduce(first) { $0.adding(at($1.0), at($1.1)) }
    }

    private func gaps(_ windows: (Int, Int)...) -> [[Int64]] {
        covered(windows).gaps.map { [$0.from.seconds / 86_400, $0.to.seconds / 86_400] }
    }

    @Test func windowsThatTouchOrOverlapLeaveNoGap() {
        #expect(gaps((0, 10), (10, 12)) == [])
        #expect(gaps((0, 10), (8, 12)) == [])
        #expect(gaps((5, 10), (0, 5)) == [])
        #expect(covered([(5, 10), (0, 5), (9, 12)]) == Manifest.Coverage(from: at(0), to: at(12)))
    }

    @Test func timeThatIsLeftOutIsAGapOnEitherSide() {
        #expect(gaps((0, 10), (15, 20)) == [[10, 15]])
        #expect(gaps((10, 20), (0, 4)) == [[4, 10]])
        #expect(gaps((10, 20), (25, 30), (0, 4)) == [[4, 10], [20, 25]])
    }

    @Test func whatIsReadLaterFillsAGapOrAPartOfIt() {
        #expect(gaps((0, 10), (20, 30), (10, 20)) == [])
        #expect(gaps((0, 10), (20, 30), (12, 14)) == [[10, 12], [14, 20]])
        #expect(gaps((0, 10), (20, 30), (5, 12)) == [[12, 20]])
        #expect(gaps((0, 10), (20, 30), (15, 40)) == [[10, 15]])
        #expect(gaps((0, 10), (20, 30), (0, 40)) == [])
    }

    @Test func momentsOfAGapAndOutsideWereNotRead() {
        let coverage = covered([(0, 10), (15, 20)])
        #expect([0, 9, 15, 19].allSatisfy { coverage.holds(at($0)) })
        #expect([-1, 10, 14, 20].allSatisfy { !coverage.holds(at($0)) })
    }

    @Test func aLogWhoseManifestDoesNotSayItIsKnownFromItsFirstRowOn() throws {
        var log = Manifest.Stream(name: "events", mode: "log", primaryKey: ["id"], watermark: at(9))
        #expect(log.covered == Manifest.Coverage(from: at(9), to: at(9)))
        let facts = FileFacts(bytes: 0, sha256: "", contentBytes: 0, contentSHA256: "")
        for day in [6, 4] {
            let file = Manifest.File(path: "\(day)", rows: 1, facts: facts, min: at(day), max: at(day))
            log.partitions.append(.init(value: "\(day)", files: [file]))
        }
        #expect(log.covered == Manifest.Coverage(from: at(4), to: at(9)))
        log.coverage = Manifest.Coverage(from: at(1), to: at(9))
        #expect(log.covered?.from == at(1))
        log.coverage = nil
        log.mode = "report"
        #expect(log.covered == nil)
    }

    @Test func whatTheAPIRefusedBeforeTheFirstRunIsAGapAtTheBeginning() {
        let read = Manifest.Coverage(from: at(10), to: at(20))
        let opened = read.opened(from: at(3))
        #expect(opened == Manifest.Coverage(from: at(3), to: at(20), gaps: [.init(from: at(3), to: at(10))]))
        #expect(opened.begins == at(10))
        #expect(opened.opened(from: at(5)) == opened)
        #expect(opened.adding(at(18), at(22)).gaps == opened.gaps)
        #expect(read.begins == at(10))
    }

    /// Against days that are ticked off one by one.
    @Test func randomWindowsCoverTheDaysThatTheyRead() {
        let seed = UInt64.random(in: .min ... .max)
        print("seed \(seed)")
        var state = seed
        func next(_ bound: UInt64) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int((state >> 33) % bound)
        }
        for _ in 0..<500 {
            let windows = (0..<(1 + next(8))).map { _ in
                let start = next(60)
                return (start, start + 1 + next(12))
            }
            let coverage = covered(windows)
            let read = Set(windows.flatMap { $0.0..<$0.1 })
            for day in 0..<80 {
                let isInside = at(day) >= coverage.from && at(day) < coverage.to
                let claims = isInside && !coverage.hasGap(at(day), at(day + 1))
                #expect(claims == read.contains(day), "seed \(seed): \(windows), day \(day)")
            }
            for (one, other) in zip(coverage.gaps, coverage.gaps.dropFirst()) {
                #expect(one.to < other.from, "seed \(seed)")
            }
        }
    }
}
