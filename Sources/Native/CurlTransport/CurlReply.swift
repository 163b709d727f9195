package import PageMemory

/// One whole reply, whatever its status.
package struct CurlReply: Sendable {
    package var status: Int
    /// In the order they came, names in lower case. Trailers are left out.
    package var headers: [(name: String, value: String)]
    /// Decompressed and frozen.
    package var body: PageBytes
    /// Whether the end of the body was marked: by its length, by a last chunk or by HTTP/2. A body that
    /// ends because the connection closed may have been cut, and libcurl can't tell.
    package var isDelimited: Bool
    /// How many connections had to be opened for it: 0 when one was reused.
    package var newConnections: Int
    package var isHTTP2: Bool
}
