internal import Model
internal import RecordScan

/// Adds up a file's rows again while its blocks pass by, by the schema that stands beside it.
struct TotalsCheck {
    private let names: [String]
    private let totals: LineTotals
    private var blocks: BlockTotals
    var isForeign: Bool { blocks.isForeign }

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
        blocks = BlockTotals(totals, skipsHeader: format == .csv)
    }

    mutating func take(_ block: Span<UInt8>) { blocks.take(block) }

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
