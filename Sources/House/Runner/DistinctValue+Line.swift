internal import Load
internal import Model
internal import RecordScan
internal import Transform

extension DistinctValue {
    /// A cell's value as plain text.
    init(_ value: LineTotals.Value, _ reader: ArchiveLine, _ column: Column) {
        let json = reader.jsonValue(value.cell[...], column.kind)
        self.init(text: json.text ?? json.canonicalText, rows: value.rows, living: value.living)
    }
}
