internal import Model
internal import RecordScan

/// Adds up a file's rows again while its blocks pass by, by the schema that stands beside it.
struct TotalsCheck {
    private let names: [String]
    private let totals: LineTotals
    private var pending: [UInt8] = []
    private var skipsHeader: Bool
    private(set) var isForeign = false

    /// - Parameter schema: the bytes of the stream's Table Schema; `nil` comes back when it is none.
    init?(schema bytes: [UInt8], format: RowFormat) {
        guard let fields = (try? JSONValue(parsing: bytes))?["fields"]?.elements else { return nil }
        var columns: [(name: String, isNumber: Bool)] = []
        for field in fields {
            guard let name = field["name"]?.text, let type = field["type"]?.text else { return nil }
            columns.append((name, type == "integer" || type == "number"))
        }
        names = columns.map(\.name)
        totals = LineTotals(columns: columns, isCSV: format == .csv, isStrict: true)
        skipsHeader = format == .csv
    }

    mutating func take(_ block: Span<UInt8>) {
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

    /// After the last block.
    var result: ColumnTotals {
        var sums = ColumnTotals()
        for (index, name) in names.enumerated() {
            let nulls = totals.nulls(index)
            if nulls > 0 { sums.nulls[name] = nulls }
            if let sum = totals.sum(index) { sums.sums[name] = sum }
        }
        return sums
    }
}
