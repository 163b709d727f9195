internal import Connector
internal import Model
internal import RecordScan

/// What becomes of values that the schema does not expect: noted as drift, kept, dropped, or refused, as the policy says.
extension RowEncoder {
    /// Whether a row is left out for what it lacks: `missing_fields: drop`.
    func leavesOut(_ cell: Cell, column index: Int) -> Bool {
        let column = layout.columns[index]
        guard settings.rules.missingFields == .drop, cell.isMissing, !column.nullable else { return false }
        guard case .cell = layout.sources[index] else { return false }
        return column.origin == .row || column.origin == .bucket
    }

    /// Notes what the schema does not expect of a column: no value where there must be one, a text that it does not list.
    /// - Returns: false when the value is to be dropped.
    func accepts(_ cell: Cell, column index: Int, row: Int, requestID: String?) throws(PageFailure) -> Bool {
        let column = layout.columns[index]
        let isKey = layout.key.contains(index)
        if cell.isMissing {
            guard !column.nullable, column.origin == .row || column.origin == .bucket else { return true }
            if settings.rules.missingFields == .fail {
                throw breach(
                    "column \(column.name) is required and is missing, and `missing_fields` is `fail`",
                    row,
                    mend: "make the column nullable in the connector, or set `missing_fields: keep` or `drop`"
                )
            }
            drift.noteMissing(column.name, action: "kept as null", requestID: requestID)
            return true
        }
        guard let known = listed[index], cell.kind == .plainString || cell.kind == .escapedString else { return true }
        let text = scanner.text(cell)
        if known.contains(text) { return true }
        if settings.rules.newValues == .fail {
            throw breach(
                "column \(column.name) has a value that the schema does not list, and `new_values` is `fail`",
                row,
                mend: "add the value to the connector, or set `new_values: keep`"
            )
        }
        let isDropped = settings.rules.newValues == .drop && !isKey
        drift.noteValue(
            column.name,
            shown: isShown(text, index) ? String(decoding: text, as: UTF8.self) : nil,
            action: isDropped ? "dropped" : "kept",
            requestID: requestID
        )
        return !isDropped
    }

    /// Whether people may read a value: a short word of a column that nobody protects.
    private func isShown(_ text: [UInt8], _ index: Int) -> Bool {
        guard case .keep = resolvers[index].policy, layout.columns[index].sensitivity == .none else { return false }
        let isWord = text.allSatisfy {
            (97...122).contains($0) || (65...90).contains($0) || (48...57).contains($0) || [45, 46, 95].contains($0)
        }
        return isWord && (1...40).contains(text.count) && settings.rules.maskSecrets(text) == nil
    }

    private func breach(_ what: String, _ row: Int, mend: String) -> PageFailure {
        .refused(Fault(.badReply, what, at: ["row \(row + 1) of the page"], mend: mend))
    }
}
