/// An opaque cursor: where the next page starts, and the query that it belongs to.
///
/// Twenty bytes in base64 behind `page_`, like the published example: position, fingerprint of the query, and a count that makes
/// two tokens for one position differ. Clients may only hand it back.
struct PageToken: Sendable, Equatable {
    /// Unix seconds of the next bucket, or the fingerprint of the last item's id.
    var position: UInt64
    var query: UInt64
    /// 0 for an ordinary token; how often an empty page has come before it otherwise.
    var repeats: UInt32 = 0
    /// Extra bytes behind the twenty, for faults that want long tokens. A multiple of 3 keeps the `=`.
    var padding = 0
    /// Written as tokens once were: without `page_` before them. Both forms are read.
    var isBare = false

    var text: String {
        var bytes = Self.bigEndian(position, 8) + Self.bigEndian(query, 8) + Self.bigEndian(UInt64(repeats), 4)
        bytes += (0..<padding).map { UInt8(truncatingIfNeeded: $0 &* 251 &+ 62) }
        return (isBare ? "" : "page_") + Base64.encode(bytes)
    }

    init(position: UInt64, query: UInt64, repeats: UInt32 = 0, padding: Int = 0) {
        self.position = position
        self.query = query
        self.repeats = repeats
        self.padding = padding
    }

    /// `nil` when the text was never a token of ours.
    init?(_ text: String) {
        let isBare = !text.hasPrefix("page_")
        guard let bytes = Base64.decode(text.dropFirst(isBare ? 0 : 5)), bytes.count >= 20 else { return nil }
        self.isBare = isBare
        position = Self.number(bytes[0..<8])
        query = Self.number(bytes[8..<16])
        repeats = UInt32(Self.number(bytes[16..<20]))
        padding = bytes.count - 20
    }

    private static func bigEndian(_ number: UInt64, _ width: Int) -> [UInt8] {
        (0..<width).reversed().map { UInt8(truncatingIfNeeded: number >> (UInt64($0) * 8)) }
    }

    private static func number(_ bytes: ArraySlice<UInt8>) -> UInt64 {
        bytes.reduce(0) { $0 << 8 | UInt64($1) }
    }
}

/// RFC 4648 section 4, with padding and with the `+` and `/` that clients must escape.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            let bits = (0..<3).reduce(0) { $0 << 8 | ($1 < group.count ? Int(group[start + $1]) : 0) }
            for digit in 0..<4 {
                text.append(digit <= group.count ? alphabet[bits >> (18 - 6 * digit) & 63] : UInt8(ascii: "="))
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    static func decode(_ text: some StringProtocol) -> [UInt8]? {
        let digits = Array(text.utf8)
        guard digits.count % 4 == 0 else { return nil }
        var bytes: [UInt8] = []
        for start in stride(from: 0, to: digits.count, by: 4) {
            let isLast = start + 4 == digits.count
            let pads = isLast ? digits[start...].reversed().prefix { $0 == UInt8(ascii: "=") }.count : 0
            guard pads <= 2 else { return nil }
            var bits = 0
            for position in 0..<4 {
                if position >= 4 - pads {
                    bits <<= 6
                    continue
                }
                guard let digit = alphabet.firstIndex(of: digits[start + position]) else { return nil }
                bits = bits << 6 | digit
            }
            for position in 0..<(3 - pads) {
                bytes.append(UInt8(truncatingIfNeeded: bits >> (16 - 8 * position)))
            }
        }
        return bytes
    }
}
