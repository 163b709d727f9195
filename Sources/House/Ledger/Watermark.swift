import GRDB
package import Model

/// A stream's committed position, as the manifest of its generation states it.
package struct Watermark: Sendable, Equatable {
    package var stream: String
    /// Everything before it is published; `nil` for snapshots and singletons.
    package var watermark: Instant?
    /// Half-open span that the stream's files cover.
    package var coverageFrom: Instant?
    package var coverageTo: Instant?
    package var groupBy: [String]
    package var bucketWidth: String?
    /// The generation in which it was written.
    package var generation: Int

    package init(
        stream: String,
        watermark: Instant?,
        coverageFrom: Instant? = nil,
        coverageTo: Instant? = nil,
        groupBy: [String] = [],
        bucketWidth: String? = nil,
        generation: Int
    ) {
        self.stream = stream
        self.watermark = watermark
        self.coverageFrom = coverageFrom
        self.coverageTo = coverageTo
        self.groupBy = groupBy
        self.bucketWidth = bucketWidth
        self.generation = generation
    }

    /// A position reached with another grouping or width says nothing about this one.
    func asksTheSame(as other: Watermark) -> Bool { groupBy == other.groupBy && bucketWidth == other.bucketWidth }
}

extension StateStore {
    /// By stream name.
    package func watermarks() throws(Fault) -> [Watermark] {
        try read { try fetchWatermarks($0) }
    }

    func fetchWatermarks(_ db: Database) throws -> [Watermark] {
        let sql = "SELECT * FROM watermarks WHERE pipeline = ? ORDER BY stream"
        return try Row.fetchAll(db, sql: sql, arguments: [pipeline]).map { row in
            func instant(_ column: String) -> Instant? { (row[column] as Int64?).map(Instant.init(seconds:)) }
            return Watermark(
                stream: row["stream"],
                watermark: instant("watermark"),
                coverageFrom: instant("coverage_from"),
                coverageTo: instant("coverage_to"),
                groupBy: try json(row, "group_by_json", of: "watermarks").elements?.compactMap(\.text) ?? [],
                bucketWidth: row["bucket_width"],
                generation: row["generation"]
            )
        }
    }

    /// The given positions become all there are.
    func replaceWatermarks(_ db: Database, with watermarks: [Watermark]) throws {
        try db.execute(sql: "DELETE FROM watermarks WHERE pipeline = ?", arguments: [pipeline])
        for mark in watermarks {
            try db.execute(
                sql: """
                    INSERT INTO watermarks (pipeline, stream, watermark, coverage_from, coverage_to, group_by_json,
                        bucket_width, generation)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    pipeline, mark.stream, mark.watermark?.seconds, mark.coverageFrom?.seconds,
                    mark.coverageTo?.seconds, JSONValue.strings(mark.groupBy).canonicalText, mark.bucketWidth,
                    mark.generation,
                ]
            )
        }
    }
}
