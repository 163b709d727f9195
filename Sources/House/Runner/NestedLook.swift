internal import Connector
internal import Model
internal import Transform

/// The last look into cells that hold more than one value: `json` columns, the rows before and after in `…_changes`, and the
/// values of `…_restatements`. What the pipeline declares protected is so there too.
struct NestedLook: Sendable {
    private enum Cell {
        /// One value, whose insides have rules.
        case values(InnerLook, hasType: Bool)
        /// A row of the stream as an object.
        case row
        /// The value of the column that `measure` names.
        case measured
    }

    private let reader: ArchiveLine
    private var cells: [(index: Int, cell: Cell)] = []
    private var protections: [String: InnerLook.Protection] = [:]
    private var insides: [String: (look: InnerLook, hasType: Bool)] = [:]
    private let typeColumn: Column?
    private var measure: Int?

    /// `nil` when nothing in the stream's cells needs it.
    init?(stream: String, of spec: StreamSpec, reader: ArchiveLine, rules: FieldRules) {
        self.reader = reader
        typeColumn = spec.archiveColumns.first { $0.path == ["type"] }
        for column in spec.archiveColumns where column.origin != .ours {
            protections[column.name] = OutgoingLook.protection(stream: spec.name, column, rules)
        }
        for column in spec.archiveColumns where column.kind == .json && protections[column.name] == nil {
            guard let look = InnerLook(stream: spec.name, column: column, rules: rules) else { continue }
            insides[column.name] = (look, column.path == ["{type}"])
        }
        if insides.isEmpty, stream == spec.name || protections.isEmpty { return nil }
        for (index, column) in reader.columns.enumerated() {
            switch stream {
            case spec.name:
                if let inside = insides[column.name] {
                    cells.append((index, .values(inside.look, hasType: inside.hasType)))
                }
            case ChangeLog.name(spec.name):
                if index >= reader.columns.count - 2 { cells.append((index, .row)) }
            case RestatementLedger.name(spec.name):
                if index >= reader.columns.count - 2 { cells.append((index, .measured)) }
                measure = reader.columns.count - 3
            default: break
            }
        }
        if cells.isEmpty { return nil }
    }

    /// The place of the first value that shows what it should not, by names alone.
    func bare(_ line: [UInt8]) -> String? {
        guard let parts = reader.cells(line) else { return nil }
        for (index, cell) in cells where !reader.isNull(parts[index]) {
            let name = reader.columns[index].name
            switch cell {
            case .values(let look, let hasType):
                let value = reader.jsonValue(parts[index], .json)
                let type = hasType ? self.type { columns(named: $0, in: parts) } : .none
                if let place = look.bare(value, type: type) { return "\(name).\(place)" }
            case .row:
                let row = reader.jsonValue(parts[index], .json)
                if let place = bare(row: row) { return "\(name).\(place)" }
            case .measured:
                let column = measure.flatMap { reader.jsonValue(parts[$0], .string).text } ?? ""
                let value = reader.jsonValue(parts[index], .string)
                if let protection = protections[column], !protection.isMet(by: value) { return "\(name) of \(column)" }
            }
        }
        return nil
    }

    private func bare(row: JSONValue) -> String? {
        for member in row.members ?? [] {
            if let protection = protections[member.key], !protection.isMet(by: member.value) { return member.key }
            guard let inside = insides[member.key] else { continue }
            let type = inside.hasType ? self.type { row[$0] } : .none
            if let place = inside.look.bare(member.value, type: type) { return "\(member.key).\(place)" }
        }
        return nil
    }

    private func type(_ value: (String) -> JSONValue?) -> InnerLook.RowType {
        guard let typeColumn, protections[typeColumn.name] == nil, let found = value(typeColumn.name) else {
            return .hidden
        }
        return .known(found.text ?? "")
    }

    private func columns(named name: String, in parts: [ArraySlice<UInt8>]) -> JSONValue? {
        reader.columns.firstIndex { $0.name == name }.map { reader.jsonValue(parts[$0], reader.columns[$0].kind) }
    }
}
