/// What an address of an API must look like before a credential is sent there.
package enum BaseURL {
    /// What is wrong with an address, as the end of a sentence; `nil`: nothing.
    package static func problem(
        with text: String,
        allowPlainHTTP: Bool,
        wayOut: String? = "allow_plain_http: true"
    ) -> String? {
        let https = text.hasPrefix("https://"), http = text.hasPrefix("http://")
        guard https || http else { return "must begin with https://" }
        let rest = text.dropFirst(https ? 8 : 7)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if text.unicodeScalars.contains(where: { $0.value <= 0x20 || $0.value >= 0x7F || $0 == "\\" || $0 == "\"" }) {
            return "must be plain ASCII without spaces"
        }
        if authority.contains("@") { return "must not hold a user or a password" }
        if rest.contains("?") || rest.contains("#") { return "must end with the path: no ? and no #" }
        let host = host(of: authority)
        if host.isEmpty { return "names no host" }
        if http, !allowPlainHTTP, !isLoopback(host) {
            return
                "must begin with https:// (plain http only to this machine\(wayOut.map { ", or with `\($0)`" } ?? ""))"
        }
        return nil
    }

    /// Without slashes at the end: paths begin with one.
    package static func trimmed(_ text: String) -> String {
        var text = text[...]
        while text.last == "/" { text.removeLast() }
        return String(text)
    }

    private static func host(of authority: Substring) -> String {
        if authority.first == "[" { return String(authority.prefix { $0 != "]" }.dropFirst()) }
        return authority.prefix { $0 != ":" }.lowercased()
    }

    private static func isLoopback(_ host: String) -> Bool {
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }
}
