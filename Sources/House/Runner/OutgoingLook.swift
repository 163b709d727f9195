internal import Model
internal import RecordScan
internal import Sanitizing
internal import Transform

/// Looks at a stream's finished lines just before they are compressed, and holds them back when they show a secret, or a field that
/// was to be sealed, masked or dropped.
struct OutgoingLook: Sendable {
    /// The place element of its faults: with one of them nothing at all is published.
    static let place = "leak gate"

    private let stream: String
    private let gate: LeakGate?
    private let reader: ArchiveLine
    /// Columns that may not show what they hold.
    let protected: [(column: Int, protection: LineTotals.Protection)]

    init(stream: String, reader: ArchiveLine, gate: LeakGate?, rules: FieldRules?) {
        self.stream = stream
        self.gate = gate
        self.reader = reader
        guard let rules else {
            protected = []
            return
        }
        protected = reader.columns.enumerated().compactMap {
            index,
            column -> (column: Int, protection: LineTotals.Protection)? in
            // Columns of ours, such as `deleted_at`, hold nothing of the API's.
            guard column.origin != .ours else { return nil }
            switch rules.rules["\(stream).\(column.name)"] ?? rules.rules[column.name] {
            case .mask: return (index, .masked)
            case .drop: return (index, .dropped)
            case nil: return rules.isSealed(stream: stream, column: column) ? (index, .sealed) : nil
            }
        }
    }

    func check(_ lines: [UInt8], count: Int) throws(Fault) {
        guard let hit = gate?.firstHit(lines, count: count) else { return }
        throw fault("holds what looks like a secret (\(hit.kind))", column: column(of: hit.offset, in: lines, count))
    }

    func bare(_ column: Int) -> Fault {
        fault("was to be encrypted, masked or dropped, and holds clear text", column: reader.columns[column].name)
    }

    private func fault(_ what: String, column: String?) -> Fault {
        Fault(
            .badReply,
            "nothing was published: \(column.map { "column \($0)" } ?? "a line") of stream \(stream) \(what)",
            at: [OutgoingLook.place],
            mend:
                "drop the field in the pipeline file, and run with `--full-refresh`: old rows may hold it too"
        )
    }

    /// The column that a byte stands in, of the line around it.
    private func column(of offset: Int, in lines: [UInt8], _ count: Int) -> String? {
        var start = offset
        while start > 0, lines[start - 1] != 10 { start -= 1 }
        var end = offset
        while end < count, lines[end] != 10 { end += 1 }
        guard let cells = reader.cells(Array(lines[start..<end])) else { return nil }
        return zip(cells, reader.columns).first { $0.0.endIndex > offset - start }?.1.name
    }
}
