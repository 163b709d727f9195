package import Model

/// The report as JSON and CSV.
extension Reconciliation.Report {
    package var json: JSONValue {
        [
            "format": "cogni-reconcile/1", "same": .bool(isSame), "generation": .integer(generation),
            "from": .string(from.date), "until": .string(until.date), "by": .string(who.rawValue),
            "tolerance_percent": .string(tolerance.text),
            "events": ["count": .integer(events), "requests_outside": .string(outside.text)],
            "usage": [
                "counts": counts(usage.map(\.status)),
                "rows": .array(
                    usage.map { row in
                        [
                            "day": .string(row.day), "who": .optional(row.who), "model": .optional(row.model),
                            "status": .string(row.status.rawValue),
                            "usage_tokens": .optional(row.usageTokens?.text),
                            "event_tokens": .optional(row.eventTokens?.text),
                            "usage_requests": .optional(row.usageRequests?.text),
                            "event_requests": .optional(row.eventRequests?.text),
                        ]
                    }
                ),
            ],
            "costs": costsJSON,
        ]
    }

    private var costsJSON: JSONValue {
        let rows = costs.map { row -> JSONValue in
            .object(
                [
                    .init("day", .string(row.day)), .init("project", .optional(row.project)),
                    .init("status", .string(row.status.rawValue)),
                    .init("usage_tokens", .optional(row.usageTokens?.text)),
                    .init("cost_tokens", .optional(row.costTokens?.text)),
                ] + (row.amount?.members("amount", "amounts") ?? [.init("amount", .null)])
            )
        }
        return .object(
            [
                .init("counts", counts(costs.map(\.status))),
                .init("currencies", .array(currencies.map { .optional($0) })),
            ] + otherCosts.members("other_amount", "other_amounts") + [.init("rows", .array(rows))]
        )
    }

    private func counts(_ statuses: [Reconciliation.Status]) -> JSONValue {
        let names: [Reconciliation.Status] = [.matched, .drifted, .onlyUsage, .onlyEvents, .onlyCosts]
        return .object(
            names.map { name in .init(name.rawValue, .integer(statuses.count { $0 == name })) }
        )
    }

    /// One table with a column for each number; what a row does not have stays empty.
    package var csv: String {
        let head =
            "part,day,who,project,model,status,usage_tokens,event_tokens,usage_requests,event_requests,cost_tokens,amount"
        let usage = self.usage.map { row -> [String?] in
            [
                "usage", row.day, row.who, nil, row.model, row.status.rawValue, row.usageTokens?.text,
                row.eventTokens?.text, row.usageRequests?.text, row.eventRequests?.text, nil, nil,
            ]
        }
        let costs = self.costs.map { row -> [String?] in
            [
                "costs", row.day, nil, row.project, nil, row.status.rawValue, row.usageTokens?.text, nil, nil, nil,
                row.costTokens?.text, row.amount?.text,
            ]
        }
        let lines = (usage + costs).map { $0.map { Self.cell($0) }.joined(separator: ",") }
        return ([head] + lines).joined(separator: "\n")
    }

    /// RFC 4180; text that a spreadsheet would run as a formula gets an apostrophe.
    private static func cell(_ text: String?) -> String {
        guard var text else { return "" }
        let isNumber = ExactDecimal(text) != nil
        if !isNumber, let first = text.first, "=+-@\t\r".contains(first) { text = "'" + text }
        let needsQuotes = text.isEmpty || text.contains { ",\"\n\r".contains($0) }
        return needsQuotes ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
    }
}
