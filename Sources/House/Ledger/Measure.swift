import GRDB
package import Model

/// One number of the metrics, with its labels.
package struct Measure: Sendable, Equatable {
    package var name: String
    /// Sorted by name. The pipeline is not among them: every measure of this state has it.
    package var labels: [Label]
    /// A whole number, or a decimal with a point.
    package var value: String

    package struct Label: Sendable, Equatable {
        package var name: String
        package var value: String
        package init(_ name: String, _ value: String) {
            self.name = name
            self.value = value
        }
    }

    package init(_ name: String, _ labels: [Label] = [], value: String) {
        self.name = name
        self.labels = labels.sorted { $0.name < $1.name }
        self.value = value
    }

    package init(_ name: String, _ labels: [Label], _ value: some BinaryInteger) {
        self.init(name, labels, value: String(value))
    }

    package init(_ name: String, _ value: some BinaryInteger) { self.init(name, [], value: String(value)) }

    fileprivate var labelsText: String {
        JSONValue.object(labels.map { JSONValue.Member($0.name, .string($0.value)) }).canonicalText
    }
}

/// Metrics are kept in the state, so that counters go on over restarts and the file can be written at any time.
extension StateStore {
    /// All that are kept, by name and labels.
    package func measures() throws(Fault) -> [(measure: Measure, isCounter: Bool)] {
        try read { db in
            guard hasOperations else { return [] }
            let sql = "SELECT * FROM measures WHERE pipeline = ? ORDER BY name, labels_json"
            return try Row.fetchAll(db, sql: sql, arguments: [pipeline]).map { row in
                let labels = try json(row, "labels_json", of: "measures").members ?? []
                let measure = Measure(
                    row["name"],
                    labels.map { Measure.Label($0.key, $0.value.text ?? "") },
                    value: row["value"]
                )
                return (measure, row["is_counter"])
            }
        }
    }

    /// Counters are whole numbers and only grow.
    func count(_ counters: [Measure], _ db: Database) throws {
        let statement = try db.cachedStatement(
            sql: """
                INSERT INTO measures (pipeline, name, labels_json, is_counter, value) VALUES (?, ?, ?, 1, ?)
                ON CONFLICT (pipeline, name, labels_json)
                DO UPDATE SET value = CAST(CAST(value AS INTEGER) + CAST(excluded.value AS INTEGER) AS TEXT)
                """
        )
        for counter in counters {
            try statement.execute(arguments: [pipeline, counter.name, counter.labelsText, counter.value])
        }
    }

    func replaceGauges(_ gauges: [Measure], _ db: Database) throws {
        try db.execute(sql: "DELETE FROM measures WHERE pipeline = ? AND is_counter = 0", arguments: [pipeline])
        let statement = try db.cachedStatement(
            sql: """
                INSERT OR REPLACE INTO measures (pipeline, name, labels_json, is_counter, value)
                VALUES (?, ?, ?, 0, ?)
                """
        )
        for gauge in gauges {
            try statement.execute(arguments: [pipeline, gauge.name, gauge.labelsText, gauge.value])
        }
    }
}
