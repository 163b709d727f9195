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
}
