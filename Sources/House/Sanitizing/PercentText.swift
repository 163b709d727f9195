/// Percent-encoding tears base64 and private keys apart (`%2B`, `%0A`), so text that has any is also
/// looked at decoded, and a word whose decoded form holds a secret is hidden as a whole.
extension Sanitizer {
    private static let label = Array("[encoded]".utf8)

    func withoutEncodedSecrets(_ bytes: [UInt8], _ memory: inout ScanMemory) -> [UInt8] {
        guard bytes.contains(0x25) else { return bytes }
        var out: [UInt8] = []
        var at = 0
        while at < bytes.count {
            let start = at
            while at < bytes.count, bytes[at] > 0x20, bytes[at] != 0x22 { at += 1 }
            let word = Array(bytes[start..<at])
            memory.steps += word.count
            out.append(contentsOf: holdsSecret(word, &memory) ? Sanitizer.label : word)
            if at < bytes.count {
                out.append(bytes[at])
                at += 1
            }
        }
        return out
    }

    private func holdsSecret(_ word: [UInt8], _ memory: inout ScanMemory) -> Bool {
        var decoded: [UInt8] = []
        var escapes = 0
        var at = 0
        while at < word.count {
            if word[at] == 0x25, at + 2 < word.count, let high = hex(word[at + 1]), let low = hex(word[at + 2]) {
                decoded.append(high << 4 | low)
                escapes += 1
                at += 3
            } else {
                decoded.append(word[at])
                at += 1
            }
        }
        guard escapes > 0 else { return false }
        return holdsSecret(decoded: decoded, &memory)
    }

    private func hex(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x41...0x46: byte - 0x37
        case 0x61...0x66: byte - 0x57
        default: nil
        }
    }
}
