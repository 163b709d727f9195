internal import Model
internal import Transform

/// What the pages of a stream have counted: kept with its progress, so that a run that was stopped ends with the
/// counts of one that was not.
struct PageCounts: Sendable, Equatable {
    var fetched = 0
    /// Rows that were left out for what they lack; they stand in no file of staging.
    var incomplete = 0
    var drift = Drift()

    static func += (sum: inout PageCounts, more: PageCounts) {
        sum.fetched += more.fetched
        sum.incomplete += more.incomplete
        sum.drift += more.drift
    }
}

extension PageCounts {
    init(kept counters: JSONValue) {
        fetched = counters["fetched"]?.integer ?? 0
        incomplete = counters["incomplete"]?.integer ?? 0
        drift = Drift(kept: counters["drift"])
    }

    /// - Parameter clean: the sanitizer: names of fields and listed words are the API's.
    func kept(_ clean: (JSONValue) -> JSONValue) -> [JSONValue.Member] {
        [
            .init("fetched", .integer(fetched)), .init("incomplete", .integer(incomplete)),
            .init("drift", clean(drift.kept)),
        ]
    }
}
