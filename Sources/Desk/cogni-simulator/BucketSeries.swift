/// The starts of all buckets of a window, oldest first; the first is clipped when the window begins inside a bucket.
///
/// Nothing is stored: a window of one-minute buckets may reach back decades.
struct BucketSeries {
    /// Start of the first bucket, down to the minute.
    let first: Int
    /// Start of the second bucket: a multiple of the width.
    private let second: Int
    private let end: Int
    private let width: Int
    let count: Int

    init(_ wanted: ReportQuery) {
        first = Moment.floor(wanted.start, to: Moment.minute)
        second = Moment.floor(wanted.start, to: wanted.width) + wanted.width
        (end, width) = (wanted.end, wanted.width)
        count = first >= end ? 0 : 1 + Swift.max(0, (end - second + width - 1) / width)
    }

    subscript(place: Int) -> Int {
        place == 0 ? first : second + (place - 1) * width
    }

    /// The place of the bucket that begins at `start`; `count` for the end of the last one; `nil` for any other instant.
    func place(of start: UInt64) -> Int? {
        guard let start = Int(exactly: start) else { return nil }
        if start == first, count > 0 { return 0 }
        if start == end { return count }
        guard start >= second, start < end, (start - second) % width == 0 else { return nil }
        return 1 + (start - second) / width
    }
}

extension BucketSeries: Sequence {
    func makeIterator() -> AnyIterator<Int> {
        var place = 0
        return AnyIterator {
            guard place < count else { return nil }
            defer { place += 1 }
            return self[place]
        }
    }
}
