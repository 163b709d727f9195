/// gzip (RFC 1952) without compression: valid to every decoder, made of stored blocks only.
enum Gzip {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? 0xEDB8_8320 ^ (crc >> 1) : crc >> 1 }
    }

    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        var crc: UInt32 = 0xFFFF_FFFF
        for byte in bytes { crc = table[Int((crc ^ UInt32(byte)) & 0xFF)] ^ (crc >> 8) }
        return ~crc
    }

    static func store(_ bytes: [UInt8]) -> [UInt8] {
        var output: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255]
        output.reserveCapacity(bytes.count + bytes.count / 65_535 * 5 + 32)
        var start = 0
        repeat {
            let end = min(start + 65_535, bytes.count)
            let length = UInt16(end - start)
            output.append(end == bytes.count ? 1 : 0)
            output.append(contentsOf: littleEndian(UInt32(length)).prefix(2))
            output.append(contentsOf: littleEndian(UInt32(~length)).prefix(2))
            output.append(contentsOf: bytes[start..<end])
            start = end
        } while start < bytes.count
        return output + littleEndian(checksum(bytes)) + littleEndian(UInt32(truncatingIfNeeded: bytes.count))
    }

    /// The same in the zlib format (RFC 1950), which is what HTTP calls `deflate`.
    static func zlib(_ bytes: [UInt8]) -> [UInt8] {
        let stored = store(bytes)
        var (a, b): (UInt32, UInt32) = (1, 0)
        for byte in bytes {
            a = (a + UInt32(byte)) % 65_521
            b = (b + a) % 65_521
        }
        return [0x78, 0x01] + stored[10..<(stored.count - 8)] + littleEndian(b << 16 | a).reversed()
    }

    /// `{` and then about so many spaces, 159 to a byte; the stream has no end.
    ///
    /// One block of fixed codes: each copy of 258 bytes at distance 1 takes 13 bits, so that the bytes repeat after 13.
    static func bomb(bytes: Int) -> [UInt8] {
        // Not the last block, fixed codes, the two literals; codes go most significant bit first.
        let head = [0, 1, 0] + code(0x30 + 0x7B, 8) + code(0x30 + 0x20, 8)
        let copy = code(0b1100_0101, 8) + [0, 0, 0, 0, 0]
        let bit = { (index: Int) in index < head.count ? head[index] : copy[(index - head.count) % copy.count] }
        let byte = { (place: Int) in (0..<8).reduce(UInt8(0)) { $0 | UInt8(bit(place * 8 + $1)) << UInt8($1) } }
        let headBytes = (head.count + 7) / 8
        let pattern = (headBytes..<(headBytes + copy.count)).map(byte)
        var output: [UInt8] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255] + (0..<headBytes).map(byte)
        for _ in 0..<max(1, bytes / 258 / 8) { output += pattern }
        return output
    }

    private static func code(_ value: Int, _ width: Int) -> [Int] {
        (0..<width).reversed().map { value >> $0 & 1 }
    }

    private static func littleEndian(_ number: UInt32) -> [UInt8] {
        (0..<4).map { UInt8(truncatingIfNeeded: number >> (UInt32($0) * 8)) }
    }
}

extension Reply {
    mutating func compress() {
        guard !headers.contains(where: { $0.name == "content-encoding" }) else { return }
        body = Gzip.store(body)
        headers.append(("content-encoding", "gzip"))
    }

    mutating func deflate() {
        guard !headers.contains(where: { $0.name == "content-encoding" }) else { return }
        body = Gzip.zlib(body)
        headers.append(("content-encoding", "deflate"))
    }
}
