internal import Connector
internal import Model
internal import RecordScan

/// Fields that the schema does not know.
extension RowEncoder {
    /// The row's members beyond the schema, as far as the policy keeps them, nested as they came.
    func extra(row: Int, requestID: String?) throws(PageFailure) -> [UInt8]? {
        var kept = JSONValue.object([])
        let type = layout.typeSlot.map {
            String(decoding: scanner.text(scanner.cell(row: row, slot: $0)), as: UTF8.self)
        }
        for field in scanner.unknownFields(row: row) {
            if field.parents.isEmpty, field.key == type { continue }
            let path = field.key.isEmpty ? field.parents : field.parents + [field.key]
            let isName = field.key.isEmpty || RowEncoder.isFieldName(field.key)
            let name = (isName ? path : field.parents + ["*"]).joined(separator: ".")
            let isNumber = field.value.kind == .integer || field.value.kind == .number
            let keeps: Bool
            switch settings.rules.unknownFields {
            case .fail:
                throw .refused(
                    Fault(
                        .badReply,
                        "field \(name) is not in the schema, and `unknown_fields` is `fail`",
                        at: ["row \(row + 1) of the page"],
                        mend: "add the field to the connector, or set `unknown_fields: numbers`"
                    )
                )
            case .drop: keeps = false
            case .keep: keeps = field.value.kind != .null
            // A number under somebody's name is as personal as text.
            case .numbers: keeps = isNumber && isName
            }
            if field.value.kind != .null {
                drift.noteUnknown(
                    name,
                    kind: ValueResolver.name(field.value.kind),
                    action: keeps ? "kept" : "dropped",
                    requestID: requestID
                )
            }
            guard keeps else { continue }
            let raw = scanner.bytes(field.value)
            let isText = field.value.kind == .plainString || field.value.kind == .escapedString
            let value =
                isText
                ? JSONValue.string(String(decoding: scanner.text(field.value), as: UTF8.self))
                : (try? JSONValue(parsing: raw)) ?? .null
            RowEncoder.insert(value, at: path[...], into: &kept)
        }
        guard kept.members?.isEmpty == false else { return nil }
        let cleaned = resolvers.last?.inner?.applied(to: kept) ?? kept
        return settings.text.write(.json(cleaned.archivable))
    }

    /// Whether a key is what APIs call their fields. Of an object that is a map they are data: people's names and addresses, which are told
    /// to nobody.
    static func isFieldName(_ key: String) -> Bool {
        guard let first = key.utf8.first, key.utf8.count <= 64 else { return false }
        func isLetter(_ byte: UInt8) -> Bool { (0x61...0x7A).contains(byte | 0x20) || byte == 0x5F }
        return isLetter(first)
            && key.utf8.allSatisfy { isLetter($0) || (0x30...0x39).contains($0) || $0 == 0x2D || $0 == 0x2E }
    }

    private static func insert(_ value: JSONValue, at path: ArraySlice<String>, into object: inout JSONValue) {
        guard let first = path.first else { return }
        var members = object.members ?? []
        let index = members.firstIndex { $0.key == first }
        if path.count == 1 {
            if let index { members[index].value = value } else { members.append(JSONValue.Member(first, value)) }
        } else {
            var inner = index.map { members[$0].value } ?? .object([])
            insert(value, at: path.dropFirst(), into: &inner)
            if let index { members[index].value = inner } else { members.append(JSONValue.Member(first, inner)) }
        }
        object = .object(members)
    }
}
