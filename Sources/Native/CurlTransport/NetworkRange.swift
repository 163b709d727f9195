/// Addresses that begin with the same bits: `10.1.0.0/16`, `fd00::/8`, or one address.
package struct NetworkRange: Sendable, Equatable {
    private let base: NetworkAddress
    private let bits: Int

    /// `nil` for what is no address, or has more bits than it.
    package init?(_ text: String) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let first = parts.first, parts.count <= 2, !first.contains("%"), let base = NetworkAddress(String(first))
        else { return nil }
        self.base = base
        let all = base.bytes.count * 8
        guard parts.count == 2 else {
            bits = all
            return
        }
        guard let bits = Int(parts[1]), bits >= 0, bits <= all, parts[1].allSatisfy(\.isNumber) else { return nil }
        self.bits = bits
    }

    func contains(_ address: NetworkAddress) -> Bool {
        let address = address.plain
        guard address.bytes.count == base.bytes.count else { return false }
        let whole = bits / 8
        guard address.bytes.prefix(whole).elementsEqual(base.bytes.prefix(whole)) else { return false }
        let rest = bits % 8
        return rest == 0 || (address.bytes[whole] ^ base.bytes[whole]) >> UInt8(8 - rest) == 0
    }

    /// Where an operator's own services stand: this machine, and the networks that are private by RFC 1918, 6598 and 4193.
    /// Link-local addresses are not among them: clouds keep credentials there.
    package static let ownNetworks = [
        "127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "::1", "fc00::/7",
    ].compactMap(NetworkRange.init)
}
