internal import Model
internal import PipelineFile

/// Partitions as numbers (days or months since 1970), as names, and as spans of time.
struct PartitionNaming: Sendable {
    let isMonthly: Bool

    init(_ by: Pipeline.Load.PartitionBy) { isMonthly = by == .month }

    /// `2025-11-03`, or `2025-11`.
    func name(_ number: Int) -> String {
        guard isMonthly else { return Instant(seconds: Int64(number) * 86_400).date }
        return start(number).month
    }

    func name(of time: Instant) -> String { isMonthly ? time.month : time.date }

    /// Half-open.
    func span(_ name: String) -> (start: Instant, end: Instant)? {
        guard isMonthly else { return Instant(text: name).map { ($0, $0 + 86_400) } }
        guard let first = Instant(text: name + "-01") else { return nil }
        let fields = first.fields
        let next =
            fields.month == 12
            ? Instant(year: fields.year + 1, month: 1, day: 1)
            : Instant(year: fields.year, month: fields.month + 1, day: 1)
        return (first, next)
    }

    private func start(_ month: Int) -> Instant {
        let year = month >= 0 ? month / 12 : (month - 11) / 12
        return Instant(year: Int64(1970 + year), month: month - year * 12 + 1, day: 1)
    }
}
