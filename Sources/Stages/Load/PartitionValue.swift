internal import ArchiveWriting

/// A value as one component of a path: different values give different names, and no value leaves its folder.
///
/// Hive's way: bytes outside `A-Z a-z 0-9 _ = . -` become `%XX`; the empty value is `__HIVE_DEFAULT_PARTITION__`, as
/// Hive readers know it. Names of more than 200 bytes are cut and end with `-` and the SHA-256 of the whole value;
/// they are the only ones longer than 200, so they meet no other.
package enum PartitionValue {
    static let longest = 200
    static let empty = "__HIVE_DEFAULT_PARTITION__"

    package static func escape(_ value: String) -> String {
        if value.isEmpty { return empty }
        var bytes: [UInt8] = []
        // A value that looks like one of the special names gives up its first byte.
        let isSpecial = value == empty || value.utf8.allSatisfy { $0 == UInt8(ascii: ".") }
        for (index, byte) in value.utf8.enumerated() {
            if isPlain(byte), !(isSpecial && index == 0) { bytes.append(byte) } else { bytes += percent(byte) }
        }
        let escaped = String(decoding: bytes, as: UTF8.self)
        guard bytes.count > longest else { return escaped }
        return shortened(bytes) + "-" + SHA256.hex(of: Array(value.utf8))
    }

    /// The value that ``escape(_:)`` gave this name, when the name holds the whole of it.
    package static func unescape(_ name: String) -> String? {
        if name == empty { return "" }
        guard name.utf8.count <= longest else { return nil }
        var bytes: [UInt8] = []
        var rest = Array(name.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func isPlain(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "_"), UInt8(ascii: "="), UInt8(ascii: "."),
            UInt8(ascii: "-"):
            true
        default: false
        }
    }

    private static func percent(_ byte: UInt8) -> [UInt8] {
        let digits = Array("0123456789ABCDEF".utf8)
        return [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map { UInt8($0) }
    }

    /// The first 150 bytes, without half an escape at the end.
    private static func shortened(_ bytes: [UInt8]) -> String {
        var end = 150
        if let mark = bytes[(end - 2)..<end].lastIndex(of: UInt8(ascii: "%")) { end = mark }
        return String(decoding: bytes[..<end], as: UTF8.self)
    }
}
