/// Prints JSON. Two forms: canonical (RFC 8785: no spaces, members sorted by UTF-16 code units, the
/// shortest string escapes) and pretty, for people. Number text is printed as it is: where RFC 8785
/// would round to a double, we keep the source's digits.
extension JSONValue {
    package var canonical: [UInt8] {
        var out: [UInt8] = []
        write(to: &out, sorted: true, indent: nil)
        return out
    }

    package var canonicalText: String { String(decoding: canonical, as: UTF8.self) }

    /// Members in their own order, two spaces of indent, no newline at the end.
    package var pretty: String {
        var out: [UInt8] = []
        write(to: &out, sorted: false, indent: 0)
        return String(decoding: out, as: UTF8.self)
    }

    /// One line in the members' own order.
    package var compact: String {
        var out: [UInt8] = []
        write(to: &out, sorted: false, indent: nil)
        return String(decoding: out, as: UTF8.self)
    }

    private func write(to out: inout [UInt8], sorted: Bool, indent: Int?) {
        switch self {
        case .null: out.append(contentsOf: "null".utf8)
        case .bool(let value): out.append(contentsOf: (value ? "true" : "false").utf8)
        case .number(let text): out.append(contentsOf: text.utf8)
        case .string(let text): JSONValue.quote(text, into: &out)
        case .array(let elements):
            JSONValue.list(elements, "[", "]", to: &out, indent: indent) { element, out, inner in
                element.write(to: &out, sorted: sorted, indent: inner)
            }
        case .object(let members):
            JSONValue.list(sorted ? JSONValue.sorted(members) : members, "{", "}", to: &out, indent: indent) {
                member,
                out,
                inner in
                JSONValue.quote(member.key, into: &out)
                out.append(contentsOf: (inner == nil ? ":" : ": ").utf8)
                member.value.write(to: &out, sorted: sorted, indent: inner)
            }
        }
    }

    private static func list<Element>(
        _ elements: [Element],
        _ open: String,
        _ close: String,
        to out: inout [UInt8],
        indent: Int?,
        each: (Element, inout [UInt8], Int?) -> Void
    ) {
        out.append(contentsOf: open.utf8)
        for (index, element) in elements.enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            newline(to: &out, indent.map { $0 + 1 })
            each(element, &out, indent.map { $0 + 1 })
        }
        if !elements.isEmpty { newline(to: &out, indent) }
        out.append(contentsOf: close.utf8)
    }

    private static func newline(to out: inout [UInt8], _ indent: Int?) {
        guard let indent else { return }
        out.append(10)
        out.append(contentsOf: repeatElement(32, count: indent * 2))
    }

    /// The last of equal keys, in the order of RFC 8785.
    private static func sorted(_ members: [Member]) -> [Member] {
        if isSorted(members) { return members }
        var last: [String: JSONValue] = [:]
        var order: [String] = []
        guard members.allSatisfy({ $0.key.utf8.allSatisfy { $0 < 0x80 } }) else { return sortedByUnits(members) }
        for member in members {
            if last.updateValue(member.value, forKey: member.key) == nil { order.append(member.key) }
        }
        return order.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }.map { Member($0, last[$0] ?? .null) }
    }

    /// Keys are told apart by their UTF-16 units: an é of one letter and one of two are equal as texts, and two members.
    private static func sortedByUnits(_ members: [Member]) -> [Member] {
        var last: [[UInt16]: Member] = [:]
        for member in members { last[Array(member.key.utf16)] = member }
        return last.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value)
    }

    /// Plain keys, each behind the one before: nothing to do, and most objects that were read are so.
    private static func isSorted(_ members: [Member]) -> Bool {
        guard members.allSatisfy({ $0.key.utf8.allSatisfy { $0 < 0x80 } }) else { return false }
        return zip(members, members.dropFirst()).allSatisfy { $0.key < $1.key }
    }

    /// Canonical text of an object with one long array, whose elements are made as they are written: the tree of a hundred
    /// thousand files takes many times the memory of their text.
    package static func canonical(_ members: [Member], _ key: String, _ elements: some Sequence<JSONValue>) -> [UInt8] {
        var out: [UInt8] = []
        out.append(UInt8(ascii: "{"))
        for (index, member) in sorted(members.filter { $0.key != key } + [Member(key, .null)]).enumerated() {
            if index > 0 { out.append(UInt8(ascii: ",")) }
            quote(member.key, into: &out)
            out.append(UInt8(ascii: ":"))
            guard member.key == key else {
                member.value.write(to: &out, sorted: true, indent: nil)
                continue
            }
            out.append(UInt8(ascii: "["))
            for (place, element) in elements.enumerated() {
                if place > 0 { out.append(UInt8(ascii: ",")) }
                element.write(to: &out, sorted: true, indent: nil)
            }
            out.append(UInt8(ascii: "]"))
        }
        out.append(UInt8(ascii: "}"))
        return out
    }

    /// Appends `text` as a JSON string with the shortest escapes of RFC 8785.
    package static func quote(_ text: String, into out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        if text.utf8.allSatisfy({ !needsEscape($0) }) {
            out.append(contentsOf: text.utf8)
        } else {
            escape(Array(text.utf8), into: &out)
        }
        out.append(UInt8(ascii: "\""))
    }

    private static func needsEscape(_ byte: UInt8) -> Bool { byte < 0x20 || byte == 0x22 || byte == 0x5C }

    /// Appends UTF-8 with what JSON must escape escaped, without the quotes.
    ///
    /// Not for any sequence: a generic one that other modules call takes ten times as long, and this one sees every new value.
    package static func escape(_ bytes: [UInt8], into out: inout [UInt8]) {
        guard bytes.contains(where: needsEscape) else {
            out.append(contentsOf: bytes)
            return
        }
        for byte in bytes {
            switch byte {
            case 0x22: out.append(contentsOf: [0x5C, 0x22])
            case 0x5C: out.append(contentsOf: [0x5C, 0x5C])
            case 0x08: out.append(contentsOf: "\\b".utf8)
            case 0x09: out.append(contentsOf: "\\t".utf8)
            case 0x0A: out.append(contentsOf: "\\n".utf8)
            case 0x0C: out.append(contentsOf: "\\f".utf8)
            case 0x0D: out.append(contentsOf: "\\r".utf8)
            case 0..<0x20:
                out.append(contentsOf: "\\u00".utf8)
                out.append(48 + (byte >> 4))
                out.append((byte & 15) + (byte & 15 < 10 ? 48 : 87))
            default: out.append(byte)
            }
        }
    }
}
