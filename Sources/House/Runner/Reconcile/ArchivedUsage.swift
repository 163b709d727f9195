internal import Connector
internal import Load
internal import Model
internal import PipelineFile
internal import Transform

/// What usage is compared by.
struct UsageKey: Hashable, Sendable {
    /// `2025-11-03`
    var day: String
    /// As the archive holds it; `nil`: the report does not say.
    var who: String?
    var model: String?
}

/// Adds up the usage and cost streams of a generation.
struct ArchivedUsage {
    let pipeline: Pipeline
    let generation: Generation
    let spec: ReconcileSpec

    struct Project: Hashable {
        var day: String
        var project: String?
    }

    struct Costs {
        var amount = Amounts()
        /// Of rows in other units than tokens.
        var otherAmount = Amounts()
        var tokens: ExactDecimal?
        var rows = 0
    }

    /// Usage streams that the generation has.
    var usage: [ReconcileSpec.Usage] { spec.usage.filter { generation.manifest.stream($0.stream) != nil } }

    /// The span that all of them cover.
    var coverage: Manifest.Coverage? {
        let spans = usage.compactMap { generation.manifest.stream($0.stream)?.coverage }
        guard let from = spans.map(\.from).max(), let to = spans.map(\.to).min(), from < to else { return nil }
        return .init(from: from, to: to, gaps: spans.flatMap(\.gaps))
    }

    func byWho(_ who: EventMapping.Who, withModel: Bool) throws(Fault) -> [UsageKey: EventReader.Sum] {
        var sums: [UsageKey: EventReader.Sum] = [:]
        for one in usage {
            let column =
                switch who {
                case .user: one.user
                case .key: one.key
                case .project: one.project
                }
            try rows(of: one.stream) { day, value throws(Fault) in
                let model = withModel ? one.model.flatMap(value) : nil
                let key = UsageKey(day: day, who: column.flatMap(value), model: model)
                sums[key] = try added(sums[key] ?? .init(), one, value)
            }
        }
        return sums
    }

    func byProject() throws(Fault) -> [Project: EventReader.Sum] {
        var sums: [Project: EventReader.Sum] = [:]
        for one in usage {
            try rows(of: one.stream) { day, value throws(Fault) in
                let key = Project(day: day, project: one.project.flatMap(value))
                sums[key] = try added(sums[key] ?? .init(), one, value)
            }
        }
        return sums
    }

    func costs(_ costs: ReconcileSpec.Costs) throws(Fault) -> [Project: Costs] {
        var sums: [Project: Costs] = [:]
        try rows(of: costs.stream) { day, value throws(Fault) in
            let key = Project(day: day, project: value(costs.project))
            var sum = sums[key] ?? Costs()
            let amount = try number(value(costs.amount), costs.stream)
            let unit = costs.unit.flatMap(value)
            let currency = costs.currency.flatMap(value)
            if let unit, costs.tokensPerUnit[unit] == nil {
                guard sum.otherAmount.add(amount, currency) else { throw tooLarge }
            } else {
                guard sum.amount.add(amount, currency) else { throw tooLarge }
                sum.rows += 1
            }
            if let unit, let factor = costs.tokensPerUnit[unit], let quantity = costs.quantity.flatMap(value) {
                guard let tokens = try number(quantity, costs.stream).multiplied(by: ExactDecimal(factor)) else {
                    throw tooLarge
                }
                sum.tokens = try together(sum.tokens ?? .zero, tokens)
            }
            sums[key] = sum
        }
        return sums
    }

    private func added(
        _ sum: EventReader.Sum,
        _ one: ReconcileSpec.Usage,
        _ value: (String) -> String?
    ) throws(Fault) -> EventReader.Sum {
        var sum = sum
        for column in one.tokens { sum.tokens = try together(sum.tokens, try number(value(column), one.stream)) }
        if let column = one.requests {
            sum.requests = try together(sum.requests, try number(value(column), one.stream))
        }
        return sum
    }

    var tooLarge: Fault {
        Fault(.badReply, "a sum has more than 38 digits", mend: "reconcile fewer days with `--from` and `--until`")
    }

    private func together(_ one: ExactDecimal, _ other: ExactDecimal) throws(Fault) -> ExactDecimal {
        guard let sum = one.adding(other) else { throw tooLarge }
        return sum
    }

    private func number(_ text: String?, _ stream: String) throws(Fault) -> ExactDecimal {
        guard let text else { return .zero }
        guard let number = ExactDecimal(text) else {
            throw Fault(
                .badPlan,
                "a number of stream \(stream) is encrypted, masked or too long to add up",
                mend: "leave the columns that are reconciled out of `encrypt` and `fields`"
            )
        }
        return number
    }

    /// Every row of a stream: its day, and its values by column name.
    private func rows(
        of name: String,
        _ body: (_ day: String, _ value: (String) -> String?) throws(Fault) -> Void
    ) throws(Fault) {
        guard let stream = generation.manifest.stream(name), let spec = pipeline.connector.stream(name) else { return }
        let columns = spec.archiveColumns
        let reader = ArchiveLine(
            format: stream.format == .csv ? .csv : .ndjson,
            guardsFormulas: pipeline.load.guardFormulas,
            columns: columns,
            primaryKey: stream.primaryKey,
            timeColumn: spec.timeColumn
        )
        let index = Dictionary(columns.enumerated().map { ($0.element.name, $0.offset) }) { first, _ in first }
        let paths = stream.partitions.flatMap(\.files).map { generation.path + "/" + $0.path }
        let rows = OldRows(reader: reader, paths: paths)
        try rows.forEach { line throws(Fault) in
            guard let cells = reader.cells(line), let time = reader.time(cells) else { throw rows.foreign }
            try body(Instant(seconds: time).date) { column in
                guard let at = index[column], !reader.isNull(cells[at]) else { return nil }
                let value = reader.jsonValue(cells[at], columns[at].kind)
                if case .number(let text) = value { return text }
                return value.text ?? value.canonicalText
            }
        }
    }
}
