import Model
import PageMemory
import TestKit
import Testing

@testable import RecordScan

/// Rows that end as those of the bucket before are compared, not scanned: nobody may see the difference.
@Suite struct TailsTests {
    private static func row(_ tail: String, _ generator: inout Seeded) -> String {
        let space = generator.next() % 50 == 0 ? " " : ""
        return
            "{\(space)\"object\":\"result\",\"input\":\(generator.next() % 5000),\"output\":\(generator.next() % 90),\(tail)"
    }

    /// Buckets of one report: mostly the same things in mostly the same order.
    private static func buckets(_ generator: inout Seeded, count: Int) -> [String] {
        var places = (0..<40).map { _ in ReportPages.tail(&generator) }
        return (0..<count).map { number in
            var rows: [String] = []
            for place in places {
                switch generator.next() % 20 {
                case 0: continue  // nothing happened there
                case 1: rows += [row(place, &generator), row(place, &generator)]
                case 2: rows += [row(ReportPages.tail(&generator), &generator), row(place, &generator)]
                default: rows.append(row(place, &generator))
                }
            }
            if number % 7 == 3 { places.swapAt(3, 30) }
            if number % 9 == 5 { rows = [] }
            return ReportPages.bucket(number, rows)
        }
    }

    /// What is known of rows' ends is full then, and forgotten where a bucket ends whose last rows are still to be encoded.
    @Test(arguments: [7, 1000]) func moreEndsThanCanBeKnownStayWithTheirRows(_ step: Int) throws {
        var report = Report(keys: [0, 1])
        var users: [Int: Int] = [:]
        var newest = 0
        for number in 0..<40 {
            let rows = (0..<600).map { place -> String in
                let isNew = place % 2 == 1 || newest < 600
                if isNew { newest += 1 }
                let user = isNew ? newest : (place * 7919 + number * 131) % 600 + 1
                let id = number * 600 + place
                users[id] = user
                return
                    "{\"input\":\(id),\"output\":1,\"project\":\"project-\(user % 7)-of-many\",\"user\":\"user-\(user)-with-a-long-name\"}"
            }
            #expect(report.read([ReportPages.bucket(number, rows)], cells: false, maxRows: step) == "")
        }
        var seen = 0
        for line in try report.lines() {
            let fields = try JSONValue(parsing: line)
            let id = try #require(fields["input"]?.integer)
            let user = try #require(users[id])
            #expect(fields["user"]?.text == "user-\(user)-with-a-long-name", "row \(id)")
            #expect(fields["project"]?.text == "project-\(user % 7)-of-many", "row \(id)")
            seen += 1
        }
        #expect(seen == users.count)
        #expect(newest > 10_000)
        report.run = RowRun()
    }

    @Test func rowsThatEndAlikeAreReadAsIfEachStoodAlone() throws {
        let seed: UInt64 = 20_261_126
        print("seed \(seed)")
        var generator = Seeded(seed)
        for _ in 0..<30 {
            let buckets = Self.buckets(&generator, count: 24)
            var whole = Report()
            var told = ""
            var repeated = 0
            var at = 0
            while at < buckets.count {
                let size = 1 + Int(generator.next() % 9)
                told += whole.read(Array(buckets[at..<min(at + size, buckets.count)]))
                repeated += whole.scanner.repeatedCount
                at += size
            }
            // A scanner that has seen nothing before expects nothing; the words are the encoder's own there too.
            let alone = Report()
            var expected = ""
            for bucket in buckets {
                var fresh = Report()
                fresh.run = alone.run
                expected += fresh.read([bucket])
                #expect(fresh.scanner.repeatedCount == 0)
            }
            #expect(told == expected)
            #expect(repeated > buckets.count * 15, "only \(repeated) rows were taken over")
            #expect(try whole.lines() == alone.lines())
            whole.run = RowRun()
        }
    }

    @Test func aByteThatDiffersIsSeen() {
        let tail = "\"project\":\"proj_1_of_the_organization\",\"user\":\"user-1-with-a-long-name\",\"kind\":\"x\"}"
        var generator = Seeded(1)
        let first = ReportPages.bucket(0, [Self.row(tail, &generator)])
        for offset in tail.utf8.indices {
            var changed = Array(tail.utf8)
            changed[tail.utf8.distance(from: tail.utf8.startIndex, to: offset)] = UInt8(ascii: "\"")
            let second = ReportPages.bucket(1, [Self.row(String(decoding: changed, as: UTF8.self), &generator)])
            let report = Report()
            let fresh = Report()
            _ = report.read([first], cells: false)
            #expect(report.read([second]) == fresh.read([second]))
        }
    }

    @Test func aPageThatEndsInsideARepeatedTailIsRefused() {
        var generator = Seeded(2)
        let tail = ReportPages.tail(&generator)
        let report = Report()
        _ = report.read([ReportPages.bucket(0, [Self.row(tail, &generator)])], cells: false)
        let page = Array("{\"data\":[\(ReportPages.bucket(1, [Self.row(tail, &generator)]))".utf8)
        for count in stride(from: page.count - 3, to: page.count - tail.utf8.count, by: -1) {
            report.scanner.open(PageBytes(Array(page.prefix(count))))
            var step = report.scanner.next()
            while step == .rows { step = report.scanner.next() }
            guard case .malformed = step else {
                Issue.record("a page of \(count) bytes was taken for whole")
                return
            }
        }
    }

    @Test func moreTailsThanAreKeptAreReadLikeAnyOther() {
        let report = Report()
        var generator = Seeded(3)
        for number in 0..<3 {
            let rows = (0..<9000).map { place in
                Self.row(
                    "\"project\":\"proj_\(place)_of_the_organization\",\"user\":\"user-with-a-long-name\"}",
                    &generator
                )
            }
            let told = report.read([ReportPages.bucket(number, rows)])
            #expect(told.split(separator: "\n").count == 9000)
            #expect(told.contains("plainString proj_8999_of_the_organization;"))
            #expect(report.scanner.repeatedCount <= 9000)
        }
        #expect(report.scanner.repeatedCount > 8000)
    }

    @Test func whereNothingRepeatsTheLookingStops() {
        let report = Report()
        var generator = Seeded(4)
        let buckets = (0..<4).map { number in
            ReportPages.bucket(
                number,
                (0..<1000).map { _ in
                    Self.row("\"project\":\"p\(generator.next())\(generator.next())\(generator.next())\"}", &generator)
                }
            )
        }
        #expect(report.read(buckets).split(separator: "\n").count == 4000)
        #expect(report.scanner.repeatedCount == 0)
    }
}
