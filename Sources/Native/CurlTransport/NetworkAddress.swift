import Glibc

/// An IP address, and whether the whole world can reach it.
struct NetworkAddress: Equatable {
    /// 4 or 16.
    let bytes: [UInt8]

    /// Reads what libcurl prints: `192.0.2.1`, `2001:db8::1`; a zone (`fe80::1%eth0`) is left out.
    init?(_ text: String) {
        let plain = String(text.prefix { $0 != "%" })
        var four = in_addr()
        if unsafe inet_pton(AF_INET, plain, &four) == 1 {
            bytes = unsafe withUnsafeBytes(of: &four) { unsafe Array($0) }
            return
        }
        var six = in6_addr()
        guard unsafe inet_pton(AF_INET6, plain, &six) == 1 else { return nil }
        bytes = unsafe withUnsafeBytes(of: &six) { unsafe Array($0) }
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// An IPv4 address that is only wrapped as an IPv6 one, unwrapped.
    var plain: NetworkAddress {
        guard bytes.count == 16, bytes.prefix(12).elementsEqual(Array(repeating: 0, count: 10) + [0xFF, 0xFF]) else {
            return self
        }
        return NetworkAddress(bytes: Array(bytes.suffix(4)))
    }

    var isPublic: Bool { bytes.count == 4 ? isPublicV4 : isPublicV6 }

    /// By IANA's registry of special-purpose addresses.
    private var isPublicV4: Bool {
        switch (bytes[0], bytes[1], bytes[2]) {
        case (0, _, _), (10, _, _), (127, _, _): false
        case (100, 64...127, _): false  // between a provider and its customers
        case (169, 254, _): false  // link-local; clouds keep credentials there
        case (172, 16...31, _), (192, 168, _): false
        case (192, 0, 0), (192, 0, 2), (198, 18...19, _), (198, 51, 100), (203, 0, 113): false
        case (224..., _, _): false  // multicast and reserved
        default: true
        }
    }

    private var isPublicV6: Bool {
        let head = bytes.prefix(12)
        // Addresses that only wrap an IPv4 address: mapped, translated (64:ff9b::/96), 6to4.
        if head.elementsEqual(Array(repeating: 0, count: 10) + [0xFF, 0xFF])
            || head.elementsEqual([0, 0x64, 0xFF, 0x9B] + Array(repeating: 0, count: 8))
        {
            return NetworkAddress(bytes: Array(bytes.suffix(4))).isPublic
        }
        if bytes[0] == 0x20, bytes[1] == 0x02 { return NetworkAddress(bytes: Array(bytes[2..<6])).isPublic }
        // Of all the rest, only 2000::/3 is handed out, without its documentation and tunnel corners.
        guard bytes[0] & 0xE0 == 0x20 else { return false }
        let isDocumentation = bytes.starts(with: [0x20, 0x01, 0x0D, 0xB8])
        let isTeredo = bytes.starts(with: [0x20, 0x01, 0, 0])
        return !isDocumentation && !isTeredo
    }
}
