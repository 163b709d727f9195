import Testing

@testable import cogni_simulator

struct BucketSeriesTests {
    private func series(_ query: String, now: Int = 1_795_176_000) throws -> BucketSeries {
        let report = try #require(Report.named("usage_completions"))
        return BucketSeries(try ReportQuery(report, try #require(Query(query)), now: now, switches: Switches()))
    }

    @Test func `An aligned window is cut into whole buckets`() throws {
        #expect(Array(try series("start_time=1794960000&end_time=1795132800")) == [1_794_960_000, 1_795_046_400])
    }

    @Test func `An unaligned start clips the first bucket, down to the minute`() throws {
        let starts = Array(try series("start_time=1794960100&end_time=1795132800"))
        #expect(starts == [1_794_960_060, 1_795_046_400])
    }

    @Test func `Without an end the series goes on to the bucket that holds now, and never beyond`() throws {
        #expect(Array(try series("start_time=1795132800")) == [1_795_132_800])
        #expect(Array(try series("start_time=1795132800&end_time=1999999999")) == [1_795_132_800])
        #expect(Array(try series("start_time=1995132800")) == [])
    }

    @Test(arguments: ["1m", "1h", "1d"])
    func `Every place is found again by its start, and the end by its own`(width: String) throws {
        let series = try series("start_time=1795100000&bucket_width=\(width)")
        for (place, start) in series.enumerated() {
            #expect(series.place(of: UInt64(start)) == place)
            #expect(series.place(of: UInt64(start) + 1) == nil)
        }
        #expect(series.count == Array(series).count)
    }
}
