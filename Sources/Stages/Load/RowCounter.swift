/// Counts the rows of a file while its blocks pass by.
///
/// NDJSON: lines. CSV: records, a record's quoted cells may hold line feeds; the header is none.
struct RowCounter {
    private let format: RowFormat
    private var lines = 0
    private var isQuoted = false

    init(_ format: RowFormat) { self.format = format }

    mutating func take(_ block: Span<UInt8>) {
        switch format {
        case .ndjson:
            for index in block.indices where block[index] == 10 { lines += 1 }
        case .csv:
            for index in block.indices {
                switch block[index] {
                // A doubled quote inside a cell leaves and enters again, which comes to the same.
                case UInt8(ascii: "\""): isQuoted.toggle()
                case 10 where !isQuoted: lines += 1
                default: break
                }
            }
        }
    }

    var rows: Int { format == .csv ? max(0, lines - 1) : lines }
    /// Whether the content ended inside a quoted cell.
    var isCut: Bool { isQuoted }
}
