package import Connector
package import Model
import PageMemory

/// Passes requests through and writes the replies where ``ReplayTransport`` finds them.
///
/// What is written went through `sanitize` first. Identifiers that it replaces are replaced in the files' names
/// too: the replay will ask with the identifiers that it reads. Statuses other than 200, 400, 403 and 404 pass
/// without a trace, since a retry will answer the same request better.
package actor RecordingTransport: Transport {
    private let inner: any Transport
    private let folder: FixtureFolder
    private let specs: [String: StreamSpec]
    private let sanitize: @Sendable ([UInt8]) -> [UInt8]
    /// Identifiers as the API gave them → as they stand in the fixture.
    private var renamed: [String: String] = [:]
    private var written = 0
    private var failure: Fault?

    package init(
        _ inner: any Transport,
        directory: String,
        connector: Connector,
        now: Instant?,
        sanitize: @escaping @Sendable ([UInt8]) -> [UInt8]
    ) throws(Fault) {
        self.inner = inner
        folder = FixtureFolder(directory)
        specs = Dictionary(uniqueKeysWithValues: connector.streams.map { ($0.name, $0) })
        self.sanitize = sanitize
        try folder.write(FixtureFolder.Index(now: now, connector: connector.name))
    }

    /// Replies written so far. Throws what kept one from being written; look at it after the last request.
    package func finish() throws(Fault) -> Int {
        if let failure { throw failure }
        return written
    }

    package func send(_ request: Request) async throws(TransportError) -> Reply {
        let reply = try await inner.send(request)
        guard [200, 400, 403, 404].contains(reply.status), let spec = specs[request.stream] else { return reply }
        let key = FixtureKey(translated(request), spec: spec)
        let original = reply.body.array
        let clean = sanitize(original)
        if clean != original, let before = try? JSONValue(parsing: original), let after = try? JSONValue(parsing: clean)
        {
            learn(before, after)
        }
        let page = FixtureFolder.Page(
            status: reply.status,
            body: clean,
            link: reply.headers["link"].flatMap(translatedLink)
        )
        let place = [key.stream, key.walk?.folder, key.slug].compactMap(\.self).joined(separator: "/")
        do throws(Fault) {
            try folder.write(page, to: place)
            written += 1
        } catch {
            failure = failure ?? error
        }
        return reply
    }

    private func translated(_ request: Request) -> Request {
        var copy = request
        copy.query = request.query.map { ($0.name, renamed[$0.value] ?? $0.value) }
        copy.path = request.path.split(separator: "/", omittingEmptySubsequences: false).map { segment in
            let value = PercentEncoding.decode(String(segment)) ?? String(segment)
            return renamed[value].map(PercentEncoding.encode) ?? String(segment)
        }.joined(separator: "/")
        if let absolute = request.absoluteURL { copy.absoluteURL = translatedAddress(absolute) }
        return copy
    }

    /// Only the link to the next page, without the host it was recorded from.
    private func translatedLink(_ header: String) -> String? {
        LinkHeader.next(in: header).map { "<\(translatedAddress($0))>; rel=\"next\"" }
    }

    private func translatedAddress(_ address: String) -> String {
        let target = WebAddress(address)?.target ?? address
        guard let mark = target.firstIndex(of: "?") else { return target }
        let query = FixtureKey.parameters(in: target[target.index(after: mark)...])
        return "\(target[..<mark])?\(PercentEncoding.query(query.map { ($0.name, renamed[$0.value] ?? $0.value) }))"
    }

    /// Walks both versions side by side and notes every short text that came out different.
    private func learn(_ before: JSONValue, _ after: JSONValue) {
        switch (before, after) {
        case (.string(let old), .string(let new)):
            if old != new, old.utf8.count <= 256, renamed[old] == nil { renamed[old] = new }
        case (.array(let old), .array(let new)):
            for (a, b) in zip(old, new) { learn(a, b) }
        case (.object(let old), .object(let new)):
            for member in old {
                if let other = new.last(where: { $0.key == member.key }) {
                    learn(member.value, other.value)
                }
            }
        default: break
        }
    }
}
