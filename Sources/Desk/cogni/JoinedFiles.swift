import ArchiveWriting
import Disk
import Load
import Model

/// Files whose rows are to follow one another in one result: all NDJSON, or all CSV under one and the same header.
///
/// Anything else would be a file that opens, and whose cells stand in the wrong columns.
enum JoinedFiles {
    /// Looked at before the first row is opened, so that nothing has come out yet.
    static func check(_ files: [String]) throws(Fault) {
        guard files.count > 1, let first = files.first else { return }
        if let other = files.first(where: { RowFormat(path: $0) != RowFormat(path: first) }) {
            throw refusal("\(first) is \(name(RowFormat(path: first))), \(other) \(name(RowFormat(path: other)))")
        }
        guard RowFormat(path: first) == .csv else { return }
        var known: (file: String, header: [UInt8])?
        for file in files {
            guard let header = try header(of: file) else { continue }
            if let known, known.header != header { throw refusal("\(known.file) and \(file) have different columns") }
            known = known ?? (file, header)
        }
    }

    private static func name(_ format: RowFormat) -> String { format == .csv ? "CSV" : "NDJSON" }

    private static func refusal(_ what: String) -> Fault {
        Fault(.badPlan, "\(what): they make no one file", mend: "open each by itself, with an --output of its own")
    }

    /// The first row's bytes; `nil` when the file is empty.
    private static func header(of file: String) throws(Fault) -> [UInt8]? {
        let reader = try inArchive { () throws(ArchiveError) in try ArchiveReader(file) }
        var row: [UInt8] = []
        var isQuoted = false
        while let block = try inArchive({ () throws(ArchiveError) in
            try reader.nextBlock { span in span.indices.map { span[$0] } }
        }) {
            for byte in block {
                if byte == 0x22 { isQuoted.toggle() }
                if byte == 0x0A, !isQuoted { return row }
                row.append(byte)
            }
        }
        return row.isEmpty ? nil : row
    }
}
