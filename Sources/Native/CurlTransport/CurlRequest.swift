/// One GET or POST, and what bounds it.
package struct CurlRequest: Sendable {
    /// Absolute, with everything in it percent-encoded.
    package var url: String
    package var headers: [CurlHeader]
    package var limits: CurlLimits
    /// Lets `http:` through. Otherwise only `https:` is spoken, whatever the URL says.
    package var allowsPlainHTTP: Bool
    /// Sent as a POST; `nil`: a GET.
    package var body: [UInt8]?
    /// Refuses to talk to loopback, private, link-local and multicast addresses. Judged by the address that was
    /// connected to, so that no spelling of it and no name server gets around.
    package var publicAddressesOnly: Bool
    /// Exceptions from that: networks that are not public and may be talked to all the same.
    package var allowedNetworks: [NetworkRange]

    package init(
        url: String,
        headers: [CurlHeader] = [],
        limits: CurlLimits = CurlLimits(),
        allowsPlainHTTP: Bool = false,
        body: [UInt8]? = nil,
        publicAddressesOnly: Bool = false,
        allowedNetworks: [NetworkRange] = []
    ) {
        self.url = url
        self.headers = headers
        self.limits = limits
        self.allowsPlainHTTP = allowsPlainHTTP
        self.body = body
        self.publicAddressesOnly = publicAddressesOnly
        self.allowedNetworks = allowedNetworks
    }
}

/// One request header. Its value never shows when it is printed, since it may be a credential.
package struct CurlHeader: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    package let name: String
    let value: String

    package init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }

    package var description: String { "\(name): ‹redacted›" }
    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// `name: value` as it goes over the wire; `nil` when it would split the request or smuggle a header in.
    var line: String? {
        let isToken = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"): true
            default: false
            }
        }
        guard isToken, !name.isEmpty, value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 9 }) else { return nil }
        // libcurl reads "Name:" as "leave this header out" and wants "Name;" for an empty one.
        return value.isEmpty ? "\(name);" : "\(name): \(value)"
    }
}

/// What one transfer may take. Whatever is over ends it.
package struct CurlLimits: Sendable, Equatable {
    /// Bytes of body after decompression.
    package var bodyBytes: Int
    package var headerBytes: Int
    package var headerCount: Int
    package var connect: Duration
    /// From the first byte sent to the last byte received, however alive the transfer looks.
    package var total: Duration
    /// Fewer bytes a second than this, for this long, is a stall.
    package var stallBytesPerSecond: Int
    package var stall: Duration

    package init(
        bodyBytes: Int = 256 << 20,
        headerBytes: Int = 64 << 10,
        headerCount: Int = 256,
        connect: Duration = .seconds(10),
        total: Duration = .seconds(120),
        stallBytesPerSecond: Int = 1024,
        stall: Duration = .seconds(30)
    ) {
        self.bodyBytes = bodyBytes
        self.headerBytes = headerBytes
        self.headerCount = headerCount
        self.connect = connect
        self.total = total
        self.stallBytesPerSecond = stallBytesPerSecond
        self.stall = stall
    }
}
