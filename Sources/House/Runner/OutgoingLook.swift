internal import Connector
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
    private(set) var protected: [(column: Int, protection: LineTotals.Protection)] = []
    private var nested: NestedLook?

    init(stream: String, reader: ArchiveLine, gate: LeakGate?) {
        self.stream = stream
        self.gate = gate
        self.reader = reader
    }

    /// - Parameter spec: the stream, or the one that `stream` tells changes or restatements of.
    init(stream: String, of spec: StreamSpec, reader: ArchiveLine, gate: LeakGate?, rules: FieldRules?) {
        self.init(stream: stream, reader: reader, gate: gate)
        guard let rules else { return }
        // Of a stream about another one only the key between our own columns is the API's.
        let head = stream == ChangeLog.name(spec.name) ? 2 : stream == RestatementLedger.name(spec.name) ? 3 : 0
        let names = head == 0 ? reader.columns.map(\.name)[...] : reader.columns.map(\.name)[head...].dropLast(3)
        for (index, name) in zip(names.indices, names) {
            // Columns of ours, such as `deleted_at`, hold nothing of the API's.
            guard let column = spec.archiveColumns.first(where: { $0.name == name && $0.origin != .ours }) else {
                continue
            }
            switch OutgoingLook.protection(stream: spec.name, column, rules) {
            case .masked: protected.append((index, .masked))
            case .dropped: protected.append((index, .dropped))
            case .sealed: protected.append((index, .sealed))
            case nil: break
            }
        }
        nested = NestedLook(stream: stream, of: spec, reader: reader, rules: rules)
    }

    /// What a pipeline's rules make of a column; `nil`: it stays as it is.
    static func protection(stream: String, _ column: Column, _ rules: FieldRules) -> InnerLook.Protection? {
        switch rules.rules["\(stream).\(column.name)"] ?? rules.rules[column.name] {
        case .mask: .masked
        case .drop: .dropped
        case nil: rules.isSealed(stream: stream, column: column) ? .sealed : nil
        }
    }

    /// A stream's columns as its files hold them: masks and tokens are texts, and what is dropped is null.
    static func stored(_ spec: StreamSpec, _ rules: FieldRules) -> [Column] {
        spec.archiveColumns.map { column in
            var column = column
            guard column.origin != .ours else { return column }
            switch protection(stream: spec.name, column, rules) {
            case .masked, .sealed: column.kind = .string
            case .dropped: column.nullable = true
            case nil: break
            }
            return column
        }
    }

    func check(_ lines: [UInt8], count: Int) throws(Fault) {
        if let hit = gate?.firstHit(lines, count: count) {
            throw fault(
                "holds what looks like a secret (\(hit.kind))",
                column: column(of: hit.offset, in: lines, count)
            )
        }
        guard let nested else { return }
        var start = 0
        var isQuoted = false
        for index in 0..<count {
            if lines[index] == UInt8(ascii: "\""), reader.format == .csv { isQuoted.toggle() }
            guard lines[index] == 10, !isQuoted else { continue }
            if let place = nested.bare(Array(lines[start...index])) { throw bare(place) }
            start = index + 1
        }
    }

    func bare(_ column: Int) -> Fault { bare(reader.columns[column].name) }

    private func bare(_ place: String) -> Fault {
        fault("was to be encrypted, masked or dropped, and holds clear text", column: place)
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
