/// Where the tokens of a file stand, and the domain of each.
package struct SealedPlaces: Sendable {
    /// What a file's rows are.
    package enum Rows: Sendable {
        case plain
        /// `…_changes`: `before` and `after` are rows of the stream.
        case changes
        /// `…_restatements`: `old_value` and `new_value` are values of the column that `measure` names.
        case restatements
    }

    let rows: Rows
    /// Column → domain.
    let columns: [String: String]
    /// Column → ways into its value, with the domain of what stands there.
    private var insides: [String: [(path: [String], domain: String)]] = [:]

    /// - Parameter domains: by column, and by `column.key.key` for values inside of it, as the manifest's `crypto.fields` have them;
    ///   `*` stands for any key, `[]` for every element.
    package init(_ domains: [String: String], rows: Rows = .plain) {
        self.rows = rows
        columns = domains.filter { !$0.key.contains(".") }
        for (name, domain) in domains {
            let path = name.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
            if path.count > 1 { insides[path[0], default: []].append((Array(path.dropFirst()), domain)) }
            if rows == .changes { for row in ["before", "after"] { insides[row, default: []].append((path, domain)) } }
        }
    }

    /// The domain of a column's own tokens.
    /// - Parameter measure: the row's, where there is one.
    func domain(of column: String, measure: String?) -> String? {
        if rows == .restatements, column == "old_value" || column == "new_value" {
            return measure.flatMap { columns[$0] }
        }
        return columns[column]
    }

    /// The domains that a token inside of a column's value may have.
    func domains(in column: String, at path: [String]) -> [String] {
        (insides[column] ?? []).filter { place in
            place.path.count == path.count && zip(place.path, path).allSatisfy { $0 == $1 || $0 == "*" && $1 != "[]" }
        }
        .map(\.domain)
    }

    func hasInsides(_ column: String) -> Bool { insides[column] != nil }
}
