internal import Model

/// Makes text safe to show on a terminal and to keep in a line: control characters, colours, line breaks and
/// marks that turn the reading direction become visible escapes, which are also valid in JSON.
enum ControlText {
    /// Invalid UTF-8 becomes U+FFFD. `keepsLines` leaves line feeds and tabs.
    static func escaped(_ bytes: [UInt8], keepsLines: Bool) -> [UInt8] {
        let text = String(decoding: bytes, as: UTF8.self)
        guard text.unicodeScalars.contains(where: isUnsafe) else { return Array(text.utf8) }
        var out: [UInt8] = []
        for scalar in text.unicodeScalars {
            if !isUnsafe(scalar) || keepsLines && (scalar == "\n" || scalar == "\t") {
                out.append(contentsOf: Character(scalar).utf8)
            } else {
                out.append(contentsOf: escape(scalar).utf8)
            }
        }
        return out
    }

    private static func escape(_ scalar: Unicode.Scalar) -> String {
        switch scalar {
        case "\n": return "\\n"
        case "\r": return "\\r"
        case "\t": return "\\t"
        default:
            return "\\u" + String(scalar.value, radix: 16).zeroPadded(4)
        }
    }

    private static func isUnsafe(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x00..<0x20, 0x7F...0x9F: true
        case 0x061C, 0x200E, 0x200F, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
