/// Escapes tear keys apart (`sk\u002D…`), and base64 and private keys too (`%2B`, `%0A`), so text that has any is also
/// looked at without them, and a word that then holds a secret is hidden as a whole.
extension Sanitizer {
    private static let label = Array("[encoded]".utf8)

    func withoutEncodedSecrets(_ bytes: [UInt8], _ memory: inout ScanMemory) -> [UInt8] {
        guard bytes.contains(where: { $0 == 0x25 || $0 == 0x5C || $0 == 0x26 }) else { return bytes }
        var out: [UInt8] = []
        var at = 0
        while at < bytes.count {
            let start = at
            while at < bytes.count, bytes[at] > 0x20, bytes[at] != 0x22 { at += 1 }
            memory.steps += at - start
            if holdsSecret(bytes.span, start..<at, &memory) {
                out.append(contentsOf: Sanitizer.label)
                // The backslashes of an escaped quote belong to the quote.
                var tail = at
                while at < bytes.count, bytes[at] == 0x22, tail > start, bytes[tail - 1] == 0x5C { tail -= 1 }
                out.append(contentsOf: bytes[tail..<at])
            } else {
                out.append(contentsOf: bytes[start..<at])
            }
            if at < bytes.count {
                out.append(bytes[at])
                at += 1
            }
        }
        return out
    }

    private func holdsSecret(_ text: Span<UInt8>, _ word: Range<Int>, _ memory: inout ScanMemory) -> Bool {
        guard word.contains(where: { text[$0] == 0x25 || text[$0] == 0x5C || text[$0] == 0x26 }) else { return false }
        let copy = UnescapedCopy(text, word)
        return copy.isChanged && holdsSecret(decoded: copy.bytes, &memory)
    }
}
