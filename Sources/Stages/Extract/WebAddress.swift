/// An absolute `http` or `https` address, taken apart just far enough to say whose it is.
///
/// Stricter than libcurl's reading, so that both always see the same host: no user name, no escapes in
/// the host, nothing but printable ASCII anywhere.
package struct WebAddress: Sendable, Equatable {
    package struct Origin: Sendable, Equatable {
        package var scheme: String
        package var host: String
        package var port: Int

        package var isLoopback: Bool {
            if host == "localhost" || host == "[::1]" { return true }
            let numbers = host.split(separator: ".", omittingEmptySubsequences: false)
            return numbers.count == 4 && numbers[0] == "127" && numbers.allSatisfy { UInt8($0) != nil }
        }
    }

    package var origin: Origin
    /// From the first slash on; may be empty. A fragment is left out.
    package var target: String

    package init?(_ text: String) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "\\") }) else { return nil }
        let scheme: String
        if text.lowercased().hasPrefix("https://") {
            scheme = "https"
        } else if text.lowercased().hasPrefix("http://") {
            scheme = "http"
        } else {
            return nil
        }
        let rest = text.dropFirst(scheme.count + 3)
        let authority = rest.prefix { !"/?#".contains($0) }
        guard let (host, port) = WebAddress.split(String(authority)) else { return nil }
        origin = Origin(scheme: scheme, host: host, port: port ?? (scheme == "https" ? 443 : 80))
        target = String(rest.dropFirst(authority.count).prefix { $0 != "#" })
    }

    private static func split(_ authority: String) -> (host: String, port: Int?)? {
        var host = authority.lowercased()
        var port: Int?
        let bracket = host.lastIndex(of: "]") ?? host.startIndex
        if let colon = host.lastIndex(of: ":"), colon >= bracket {
            let digits = host[host.index(after: colon)...]
            guard let number = UInt16(digits), number > 0, digits.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }) else {
                return nil
            }
            port = Int(number)
            host = String(host[..<colon])
        }
        if host.hasPrefix("[") {
            guard host.hasSuffix("]"),
                host.dropFirst().dropLast().allSatisfy({ $0.isHexDigit || $0 == ":" || $0 == "." })
            else { return nil }
        } else {
            guard !host.isEmpty, host.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "." || $0 == "-" || $0 == "_" })
            else { return nil }
        }
        return (host, port)
    }
}
