package import Model

/// Percent-encoding for URLs, strict: all but RFC 3986's unreserved characters is escaped.
///
/// Page tokens are base64 with `+`, `/` and `=`, each of which some server reads as something else.
package enum PercentEncoding {
    package static func encode(_ text: String) -> String {
        var out: [UInt8] = []
        for byte in text.utf8 {
            if isUnreserved(byte) {
                out.append(byte)
            } else {
                out.append(UInt8(ascii: "%"))
                out.append(hex[Int(byte >> 4)])
                out.append(hex[Int(byte & 15)])
            }
        }
        return String(decoding: out, as: UTF8.self)
    }

    /// `nil` when a `%` is not followed by two hex digits or the result is not UTF-8.
    package static func decode(_ text: String) -> String? {
        var out: [UInt8] = []
        var bytes = text.utf8.makeIterator()
        while let byte = bytes.next() {
            guard byte == UInt8(ascii: "%") else {
                out.append(byte)
                continue
            }
            guard let high = bytes.next().flatMap(value), let low = bytes.next().flatMap(value) else { return nil }
            out.append(high << 4 | low)
        }
        return String(validating: out, as: UTF8.self)
    }

    /// `a=1&b%5B%5D=x`
    package static func query(_ parameters: [(name: String, value: String)]) -> String {
        parameters.map { "\(encode($0.name))=\(encode($0.value))" }.joined(separator: "&")
    }

    /// Fills a path template's `{name}` parameters, escaped, so that none of them becomes more than a part of its segment.
    ///
    /// Throws `.badReply` for a value that no segment can hold: values come from the API, and an empty
    /// one, `.` or `..` would lead to another path.
    package static func path(_ template: String, filling values: [String: String]) throws(Fault) -> String {
        var segments: [String] = []
        for segment in template.split(separator: "/", omittingEmptySubsequences: false) {
            var filled = ""
            var rest = segment
            while let open = rest.firstIndex(of: "{"), let close = rest[open...].firstIndex(of: "}") {
                let name = String(rest[rest.index(after: open)..<close])
                guard let value = values[name], !value.isEmpty, !value.utf8.contains(0) else {
                    throw unfit(name, template)
                }
                filled += rest[..<open] + encode(value)
                rest = rest[rest.index(after: close)...]
                if rest.isEmpty, filled == "." || filled == ".." { throw unfit(name, template) }
            }
            segments.append(filled + rest)
        }
        return segments.joined(separator: "/")
    }

    private static func unfit(_ name: String, _ template: String) -> Fault {
        Fault(
            .badReply,
            "the value for {\(name)} in \(template) can't be part of a path",
            mend: "look at the stream that lists it with `cogni preview`: its column \(name) is empty or a dot"
        )
    }

    private static let hex = Array("0123456789ABCDEF".utf8)

    static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
        default: false
        }
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
