package import Model

/// What the rows of one file add up to, so that a loader can prove what it loaded.
package struct ColumnTotals: Sendable, Equatable {
    /// How many rows have null, by column; a column that is not named has none.
    package var nulls: [String: Int]
    /// Exact sums of integer and decimal columns in plain notation, without zeros at the end of a fraction. Columns
    /// that are null everywhere, and those that hold tokens or masked text, have none.
    package var sums: [String: String]

    package init(nulls: [String: Int] = [:], sums: [String: String] = [:]) {
        self.nulls = nulls
        self.sums = sums
    }

    package var members: [JSONValue.Member] {
        [
            .init("nulls", .object(nulls.map { .init($0.key, .integer($0.value)) })),
            .init("sums", .object(sums.map { .init($0.key, .string($0.value)) })),
        ]
    }

    /// From an object that has ``members``; `nil` when it has none of them, or other shapes.
    package init?(_ value: JSONValue) {
        guard let nulls = value["nulls"]?.members, let sums = value["sums"]?.members else { return nil }
        self.init()
        for member in nulls {
            guard let count = member.value.integer, count > 0 else { return nil }
            self.nulls[member.key] = count
        }
        for member in sums {
            guard let sum = member.value.text else { return nil }
            self.sums[member.key] = sum
        }
    }
}
