package import RecordScan

/// Feeds a file's blocks to ``LineTotals``: a CSV header is passed over, and a line that goes on in the next block waits for it.
package struct BlockTotals {
    private let totals: LineTotals
    private var pending: [UInt8] = []
    private var skipsHeader: Bool
    /// A line was not one of the columns that were asked for; nothing after it is looked at.
    package private(set) var isForeign = false

    package init(_ totals: LineTotals, skipsHeader: Bool) {
        self.totals = totals
        self.skipsHeader = skipsHeader
    }

    package mutating func take(_ block: Span<UInt8>) {
        guard !isForeign else { return }
        pending.reserveCapacity(pending.count + block.count)
        for index in block.indices { pending.append(block[index]) }
        if skipsHeader {
            guard let end = pending.firstIndex(of: 10) else { return }
            pending.removeSubrange(...end)
            skipsHeader = false
        }
        guard let taken = totals.take(pending, count: pending.count) else {
            isForeign = true
            return
        }
        pending.removeSubrange(..<taken)
    }
}
