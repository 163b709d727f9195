internal import Model

extension JSONValue {
    /// Canonical JSON as an archive holds it: U+0000, which many databases refuse inside JSON too, is U+FFFD, as in texts.
    var archivable: [UInt8] {
        let bytes = canonical
        return JSONValue.mayHoldNUL(bytes) ? withoutNUL.canonical : bytes
    }

    private var withoutNUL: JSONValue {
        switch self {
        case .string(let text): .string(JSONValue.withoutNUL(text))
        case .array(let elements): .array(elements.map(\.withoutNUL))
        case .object(let members):
            .object(members.map { JSONValue.Member(JSONValue.withoutNUL($0.key), $0.value.withoutNUL) })
        case .null, .bool, .number: self
        }
    }

    private static func withoutNUL(_ text: String) -> String {
        guard text.utf8.contains(0) else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { $0 == "\0" ? "\u{FFFD}" : $0 }))
    }

    /// Canonical JSON has one spelling for it, `\u0000`; a text that spells it out itself is looked through in vain.
    private static func mayHoldNUL(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while let mark = rest.firstIndex(of: UInt8(ascii: "\\")) {
            rest = rest[(mark + 1)...]
            if rest.starts(with: "u0000".utf8) { return true }
        }
        return false
    }
}
