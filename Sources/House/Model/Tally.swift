/// The row accounting of one stream: `fetched == kept + duplicates + dropped`, always.
///
/// - `fetched`: rows the API sent, in pages that were accepted.
/// - `kept`: rows that stand in the stream's new files because of this run's fetch.
/// - `identical`, `conflicts`: repeats of a primary key, with the same and with another body.
/// - `dropped`: rows left out, by reason.
package struct Tally: Sendable, Equatable {
    package var fetched = 0
    package var kept = 0
    package var identical = 0
    package var conflicts = 0
    package var dropped: [String: Int] = [:]

    package init() {}

    package var duplicates: Int { identical + conflicts }
    package var droppedTotal: Int { dropped.values.reduce(0, +) }
    package var balances: Bool { fetched == kept + duplicates + droppedTotal }

    /// What a stream that failed, or was stopped, had fetched: none of it stands in a file.
    package static func unpublished(_ fetched: Int) -> Tally {
        var tally = Tally()
        tally.fetched = fetched
        if fetched > 0 { tally.dropped["not_published"] = fetched }
        return tally
    }

    package static func += (sum: inout Tally, more: Tally) {
        sum.fetched += more.fetched
        sum.kept += more.kept
        sum.identical += more.identical
        sum.conflicts += more.conflicts
        sum.dropped.merge(more.dropped, uniquingKeysWith: +)
    }
}
