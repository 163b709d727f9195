package import ArchiveWriting
package import Model

/// How rows stand in a file.
package enum RowFormat: String, Sendable, CaseIterable {
    case ndjson, csv

    /// The format that a file's name speaks of.
    package init(path: String) {
        let name = path.split(separator: "/").last ?? ""
        self = [".csv", ".csv.gz", ".csv.zst"].contains { name.hasSuffix($0) } ? .csv : .ndjson
    }
}

/// An archive file that is complete but not yet part of a generation.
package struct StagedFile: Sendable, Equatable {
    /// Where it lies now, on the same file system as the output.
    package var path: String
    package var stream: String
    /// `2025-11-03`, `2025-11`, or empty for snapshots and singletons.
    package var partition: String
    package var rows: Int
    package var facts: FileFacts
    /// The first and the last time of its rows.
    package var min: Instant?
    package var max: Instant?
    /// Whether its bytes are on the medium already; publishing syncs those that are not.
    package var isSynced: Bool
    package var totals: ColumnTotals?
    /// Distinct values of the columns that relations name, for this run only.
    package var values: [String: [DistinctValue]]?

    package init(
        path: String,
        stream: String,
        partition: String,
        rows: Int,
        facts: FileFacts,
        min: Instant? = nil,
        max: Instant? = nil,
        isSynced: Bool = false,
        totals: ColumnTotals? = nil
    ) {
        self.path = path
        self.stream = stream
        self.partition = partition
        self.rows = rows
        self.facts = facts
        self.min = min
        self.max = max
        self.isSynced = isSynced
        self.totals = totals
    }
}

/// A value that stands in a column, and in how many rows.
package struct DistinctValue: Sendable, Equatable {
    package var text: String
    package var rows: Int
    /// Rows that are not marked as removed.
    package var living: Int

    package init(text: String, rows: Int, living: Int) {
        self.text = text
        self.rows = rows
        self.living = living
    }
}

/// Names of data files below a generation.
package enum ArchiveName {
    /// `costs/dt=2025-11-03/costs-00001-a5466f54997fee0d.ndjson.gz`
    ///
    /// The name holds 64 bits of the content's SHA-256, so that it never comes to mean other rows.
    /// - Parameter number: from 1, within the partition.
    package static func path(
        stream: String,
        partition: String,
        number: Int,
        contentSHA256: String,
        format: RowFormat,
        codec: Codec
    ) -> String {
        let stem = PartitionValue.escape(stream)
        let name = "\(stem)-\(number.zeroPadded(5))-\(contentSHA256.prefix(16)).\(format.rawValue)\(codec.suffix)"
        return partition.isEmpty ? "\(stem)/\(name)" : "\(stem)/dt=\(PartitionValue.escape(partition))/\(name)"
    }

    /// Whether a path stays below its folder: plain components, none of them empty, `.` or `..`.
    package static func isPlain(_ path: String) -> Bool {
        guard !path.isEmpty, path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else {
            return false
        }
        let dot = UInt8(ascii: ".")
        return path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).allSatisfy { part in
            !part.isEmpty && !(part.count <= 2 && part.allSatisfy { $0 == dot })
        }
    }
}
