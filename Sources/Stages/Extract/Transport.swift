package import PageMemory

/// Sends one GET and returns the reply, whatever its status.
///
/// The only way out of this program to the network: live over libcurl, replayed from a directory, or
/// recorded while it passes. Tests put a scripted one in its place.
package protocol Transport: Sendable {
    /// Throws when no whole reply came: refused, reset, cut, over a limit. Never throws for a status.
    func send(_ request: Request) async throws(TransportError) -> Reply
}

/// One GET.
package struct Request: Sendable {
    /// Name of the stream it is for, for messages, recording and replay.
    package var stream: String
    /// Path template below the base URL (`/organization/projects/{project_id}/users`): what pacing counts by.
    package var template: String
    /// Path below the base URL with parameters filled in and percent-encoded: `/organization/projects/proj_1/users`.
    package var path: String
    /// Query in order, not yet encoded.
    package var query: [(name: String, value: String)]
    /// For `link_header` pagination: the absolute URL that replaces base, path and query.
    package var absoluteURL: String?

    package init(
        stream: String,
        template: String,
        path: String,
        query: [(name: String, value: String)],
        absoluteURL: String? = nil
    ) {
        self.stream = stream
        self.template = template
        self.path = path
        self.query = query
        self.absoluteURL = absoluteURL
    }
}

extension Request: Equatable {
    package static func == (a: Request, b: Request) -> Bool {
        a.stream == b.stream && a.template == b.template && a.path == b.path && a.absoluteURL == b.absoluteURL
            && a.query.elementsEqual(b.query) { $0 == $1 }
    }
}

/// One whole reply. `headers` have lower-case names; of repeated ones the last counts
/// (`link` excepted: its values are joined by commas, as RFC 8288 means them).
package struct Reply: Sendable {
    package var status: Int
    package var headers: [String: String]
    /// Decoded (after gzip or zstd), frozen.
    package var body: PageBytes
    /// False when the body ended only because the connection closed: it may have been cut there.
    package var isDelimited: Bool
    /// From sending to the last byte, without any wait for a turn; `nil` where nobody looked.
    package var took: Duration?

    package init(status: Int, headers: [String: String], body: PageBytes, isDelimited: Bool = true) {
        self.status = status
        self.headers = headers
        self.body = body
        self.isDelimited = isDelimited
    }
}

/// No whole reply came.
package struct TransportError: Error, Sendable, Equatable {
    package enum Kind: String, Sendable {
        /// Could not connect or resolve; connection reset or closed early. Worth another try.
        case unreachable
        /// Cut inside the body, or broken compression. Worth another try.
        case cut
        /// No progress, or over the whole-body deadline. Worth another try.
        case timeout
        /// The certificate, the protocol or the URL can't be accepted. Final.
        case untrusted
        /// Body or headers over the cap. Final.
        case tooLarge
        /// A replay directory holds no answer to this request. Final.
        case notRecorded
        /// The run was stopped.
        case cancelled
    }
    package var kind: Kind
    /// The library's own words, sanitized: no URL with a query, no credential.
    package var reason: String

    package init(_ kind: Kind, _ reason: String) {
        self.kind = kind
        self.reason = reason
    }
}
