import Connector
import Model

/// Finds the columns that `email`, `costs.line_item` and `domain:user` stand for.
struct FieldNames {
    struct Found {
        var stream: StreamSpec
        var column: Column
    }

    let report: FileReport
    let connector: Connector?
    let streams: [Pipeline.StreamPlan]

    /// All columns of the connector that the name stands for; none is a mistake, none selected a warning.
    func columns(named name: String, at place: Place, allowsDomains: Bool) -> [Found] {
        guard let connector else { return [] }
        var found: [Found] = []
        var isInner = false
        for stream in connector.streams {
            for column in stream.columns {
                if FieldNames.matches(name, stream, column, allowsDomains: allowsDomains) {
                    found.append(Found(stream: stream, column: column))
                } else if allowsDomains, column.inner.contains(where: { $0.domain.map { "domain:\($0)" } == name }) {
                    isInner = true
                }
            }
        }
        if found.isEmpty, !isInner { reportUnknown(name, connector, at: place, allowsDomains: allowsDomains) }
        let selected = Set(streams.map(\.spec.name))
        if !found.isEmpty, !found.contains(where: { selected.contains($0.stream.name) }), !name.hasPrefix("domain:") {
            report.warn(
                .noEffect,
                "\(report.quoted(name)) has no effect: no stream of this pipeline has such a column",
                at: place
            )
        }
        return found.filter { selected.contains($0.stream.name) }
    }

    private static func matches(_ name: String, _ stream: StreamSpec, _ column: Column, allowsDomains: Bool) -> Bool {
        if name == column.name || name == "\(stream.name).\(column.name)" { return true }
        return allowsDomains && column.domain.map { "domain:\($0)" } == name
    }

    private func reportUnknown(_ name: String, _ connector: Connector, at place: Place, allowsDomains: Bool) {
        if name.hasPrefix("domain:"), allowsDomains {
            let domains = FieldNames.domains(of: connector).map { "domain:\($0)" }
            report.error(
                .unknownName,
                "no column identifies \(report.quoted(name))",
                at: place,
                hint: Spelling.question(for: name, in: domains),
                allowed: domains
            )
            return
        }
        let parts = name.split(separator: ".", maxSplits: 1)
        var candidates = Set(connector.streams.flatMap { $0.columns.map(\.name) })
        if parts.count == 2, let stream = connector.stream(String(parts[0])) {
            candidates = Set(stream.columns.map { "\(stream.name).\($0.name)" })
        } else if parts.count == 2 {
            candidates = Set(connector.streams.map { "\($0.name).\(parts[1])" })
        }
        report.error(
            .unknownName,
            "no stream has a column \(report.quoted(name))",
            at: place,
            hint: Spelling.question(for: name, in: candidates) ?? "`cogni discover \(connector.name)` lists them"
        )
    }

    /// Every domain of the connector, sorted.
    static func domains(of connector: Connector) -> [String] {
        let columns = connector.streams.flatMap(\.columns)
        return Set(columns.compactMap(\.domain) + columns.flatMap { $0.inner.compactMap(\.domain) }).sorted()
    }

    /// A key column that is masked or sealed at random no longer tells rows apart.
    func checkKeepsRowsApart(_ columns: [Found], _ name: String, verb: String, at place: Place) {
        for plan in streams {
            guard
                let found = columns.first(where: {
                    $0.stream.name == plan.spec.name && plan.primaryKey.contains($0.column.name)
                })
            else { continue }
            report.error(
                .primaryKey,
                "\(report.quoted(name)) cannot be \(verb): \"\(found.column.name)\" is part of the primary key of \"\(plan.spec.name)\"",
                at: place,
                hint: "encrypt it with mode: deterministic"
            )
            return
        }
    }

    /// The column that decides the partition has to stay readable. Tells whether it does.
    func checkKeepsTimes(_ columns: [Found], _ name: String, verb: String, at place: Place) -> Bool {
        guard let found = columns.first(where: { $0.column.name == $0.stream.timeColumn }) else { return true }
        report.error(
            .primaryKey,
            "\(report.quoted(name)) cannot be \(verb): \"\(found.column.name)\" decides the partitions of \"\(found.stream.name)\"",
            at: place,
            hint: "leave it out"
        )
        return false
    }
}
