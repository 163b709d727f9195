/// What must hold between streams: every value here must be listed there. Checked over each new generation.
package struct Relation: Sendable, Equatable {
    package enum Finding: String, Sendable, CaseIterable {
        /// Values of `rows` that stand in none of `listed`.
        case unlisted
        /// Rows of `rows` that are gone from the API's list.
        case ended
    }

    /// One column of one stream: `users.id`.
    package struct Place: Sendable, Hashable {
        package var stream: String
        package var column: String
        package init(stream: String, column: String) {
            self.stream = stream
            self.column = column
        }

        package var text: String { "\(stream).\(column)" }
    }

    package var name: String
    /// One sentence for people: what a finding means.
    package var about: String
    package var find: Finding
    package var rows: [Place]
    package var listed: [Place]
    /// A listed row that was removed since does not count.
    package var mustLive: Bool

    package init(
        name: String,
        about: String = "",
        find: Finding,
        rows: [Place],
        listed: [Place] = [],
        mustLive: Bool = false
    ) {
        self.name = name
        self.about = about
        self.find = find
        self.rows = rows
        self.listed = listed
        self.mustLive = mustLive
    }
}

/// Which columns of which streams say how much was used, by whom, and what it cost; for `cogni reconcile`.
package struct ReconcileSpec: Sendable, Equatable {
    /// A stream of usage. Columns that it does not have are `nil`.
    package struct Usage: Sendable, Equatable {
        package var stream: String
        package var project: String?
        package var user: String?
        package var key: String?
        package var model: String?
        package var requests: String?
        /// Added up.
        package var tokens: [String]
    }

    package struct Costs: Sendable, Equatable {
        package var stream: String
        package var project: String
        package var amount: String
        /// Amounts of one currency are added up; `nil`: there is one only.
        package var currency: String?
        package var quantity: String?
        package var unit: String?
        /// How many tokens one of each unit is; quantities in other units are not compared.
        package var tokensPerUnit: [String: Int]
    }

    package var usage: [Usage]
    package var costs: Costs?
}
