/// Base64 in its two alphabets, strict: what does not re-encode to itself is refused, so that one
/// value has one text.
package enum Base64: Sendable {
    /// `A-Za-z0-9+/` with `=` to fill the last group.
    case standard
    /// `A-Za-z0-9-_` without padding.
    case url

    private static let standardLetters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let urlLetters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    private static let standardValues = values(of: standardLetters)
    private static let urlValues = values(of: urlLetters)

    private static func values(of letters: [UInt8]) -> [UInt8] {
        var table = [UInt8](repeating: 255, count: 256)
        for (value, letter) in letters.enumerated() { table[Int(letter)] = UInt8(value) }
        return table
    }

    /// Appends the text of `bytes`.
    package func encode(_ bytes: Span<UInt8>, into text: inout [UInt8]) {
        let letters = self == .url ? Base64.urlLetters : Base64.standardLetters
        let table = letters.span
        var at = 0
        while at + 3 <= bytes.count {
            let group = UInt32(bytes[at]) << 16 | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2])
            text.append(table[Int(group >> 18)])
            text.append(table[Int(group >> 12 & 63)])
            text.append(table[Int(group >> 6 & 63)])
            text.append(table[Int(group & 63)])
            at += 3
        }
        guard at < bytes.count else { return }
        let two = at + 2 == bytes.count
        let group = UInt32(bytes[at]) << 16 | (two ? UInt32(bytes[at + 1]) << 8 : 0)
        text.append(table[Int(group >> 18)])
        text.append(table[Int(group >> 12 & 63)])
        if two { text.append(table[Int(group >> 6 & 63)]) }
        if self == .standard { text.append(contentsOf: repeatElement(UInt8(ascii: "="), count: two ? 1 : 2)) }
    }

    package func text(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        encode(bytes.span, into: &text)
        return String(decoding: text, as: UTF8.self)
    }

    /// The text of a key, in memory of a key's kind.
    package func keyText(of key: KeyBytes) throws(SealingError) -> KeyBytes {
        let letters = self == .url ? Base64.urlLetters : Base64.standardLetters
        let count = key.count
        let length = self == .url ? (count * 8 + 5) / 6 : (count + 2) / 3 * 4
        return try KeyBytes(count: length) { index in
            let bit = index * 6
            guard bit < count * 8 else { return UInt8(ascii: "=") }
            return key.withSpan { bytes in
                let high = UInt32(bytes[bit / 8]) << 8
                let low = bit / 8 + 1 < count ? UInt32(bytes[bit / 8 + 1]) : 0
                return letters[Int((high | low) >> UInt32(10 - bit % 8) & 63)]
            }
        }
    }

    /// As ``decode(_:)``, without a copy in memory of any other kind.
    package func decodeKey(_ text: Span<UInt8>) throws(SealingError) -> KeyBytes? {
        var count = text.count
        if self == .standard {
            guard count % 4 == 0 else { return nil }
            while count > 0, text.count - count < 2, text[count - 1] == UInt8(ascii: "=") { count -= 1 }
        }
        guard count % 4 != 1 else { return nil }
        let values = self == .url ? Base64.urlValues : Base64.standardValues
        for index in 0..<count { guard values[Int(text[index])] != 255 else { return nil } }
        let length = count * 6 / 8
        if count > 0, values[Int(text[count - 1])] & ((1 << UInt8(count * 6 - length * 8)) - 1) != 0 { return nil }
        return try KeyBytes(count: length) { index in
            let place = index * 8 / 6
            let offset = UInt8(index * 8 % 6)
            return values[Int(text[place])] << (2 + offset) | values[Int(text[place + 1])] >> (4 - offset)
        }
    }

    /// The bytes, or `nil` for anything that this alphabet's encoder would not write.
    package func decode(_ text: Span<UInt8>) -> [UInt8]? {
        var count = text.count
        if self == .standard {
            guard count % 4 == 0 else { return nil }
            var filling = 0
            while filling < 2, count > 0, text[count - 1] == UInt8(ascii: "=") {
                count -= 1
                filling += 1
            }
        }
        guard count % 4 != 1 else { return nil }
        let values = self == .url ? Base64.urlValues : Base64.standardValues
        let table = values.span
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count / 4 * 3 + 2)
        var held: UInt32 = 0
        var bits = 0
        for index in 0..<count {
            let value = table[Int(text[index])]
            guard value != 255 else { return nil }
            held = held << 6 | UInt32(value)
            bits += 6
            if bits >= 8 {
                bits -= 8
                bytes.append(UInt8(truncatingIfNeeded: held >> UInt32(bits)))
            }
        }
        guard held & ((1 << UInt32(bits)) - 1) == 0 else { return nil }
        return bytes
    }

    package func decode(_ text: String) -> [UInt8]? {
        let bytes = Array(text.utf8)
        return decode(bytes.span)
    }
}
