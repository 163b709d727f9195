package import Connector
import Model
import PageMemory

/// Replaces what identifies people and things in replies by invented values, and back again in requests.
///
/// Stands between the network and everything else of a recording: what is behind it never sees a real identifier, and the API
/// never sees an invented one. The same value gets the same stand-in for as long as this lives, whichever
/// stream it stands in; nothing of the original goes into it but the kind of its prefix.
///
/// What is replaced follows from the connector's schema: columns with a domain or a sensitivity, their `inner` values, page
/// cursors, and wherever else the same value stands; e-mail addresses in any text.
package actor PseudonymTransport: Transport {
    private let inner: any Transport
    private let specs: [String: StreamSpec]
    private let mask: @Sendable ([UInt8]) -> [UInt8]
    private var book = PseudonymBook()
    /// What the API called the addresses that its replies were given here.
    private var addresses: [String: String] = [:]

    /// - mask: hides secrets in the bytes of a reply that has been made anonymous.
    package init(_ inner: any Transport, connector: Connector, mask: @escaping @Sendable ([UInt8]) -> [UInt8]) {
        self.inner = inner
        specs = Dictionary(uniqueKeysWithValues: connector.streams.map { ($0.name, $0) })
        self.mask = mask
    }

    /// Different values that have been replaced so far.
    package var replaced: Int { book.count }

    package func send(_ request: Request) async throws(TransportError) -> Reply {
        var reply = try await inner.send(original(request))
        guard let spec = specs[request.stream], let body = try? JSONValue(parsing: reply.body.array) else {
            // Not JSON: nobody can say what stands in it, so nothing of it is kept, and it stays no reply.
            let stub = reply.status == 200 ? "not JSON" : "{\"error\":{\"message\":\"\",\"type\":\"\"}}"
            reply.body = PageBytes(Array(stub.utf8))
            reply.headers = reply.headers.filter { $0.key == "content-type" || $0.key.contains("retry") }
            return reply
        }
        if reply.status == 200 { learn(body, spec) }
        reply.body = PageBytes(mask(Array(book.rewritten(body).compact.utf8)))
        let next = spec.pagination.style == .linkHeader ? reply.headers["link"].flatMap(LinkHeader.next) : nil
        reply.headers = reply.headers.filter { $0.key == "content-type" || $0.key.contains("retry") }
        if let next { reply.headers["link"] = "<\(disguised(next))>; rel=\"next\"" }
        return reply
    }

    /// The address of the next page, with other identifiers and cursors in its path and query.
    private func disguised(_ address: String) -> String {
        let mark = address.firstIndex(of: "?") ?? address.endIndex
        let path = address[..<mark].split(separator: "/", omittingEmptySubsequences: false).map { segment in
            let value = PercentEncoding.decode(String(segment)) ?? String(segment)
            let made = standIn(value)
            return made == value ? String(segment) : PercentEncoding.encode(made)
        }
        var made = path.joined(separator: "/")
        if mark != address.endIndex {
            let query = FixtureKey.parameters(in: address[address.index(after: mark)...]).map { pair in
                if PseudonymBook.isOpaque(pair.value) { book.note(pair.value, as: .identifier) }
                return (pair.name, standIn(pair.value))
            }
            made += "?\(PercentEncoding.query(query))"
        }
        addresses[made] = address
        return made
    }

    private func standIn(_ text: String) -> String { book.rewritten(.string(text)).text ?? text }

    /// The request with the identifiers that the API knows.
    private func original(_ request: Request) -> Request {
        var copy = request
        copy.absoluteURL = request.absoluteURL.map { addresses[$0] ?? $0 }
        copy.query = request.query.map { ($0.name, book.original($0.value)) }
        copy.path = request.path.split(separator: "/", omittingEmptySubsequences: false).map { segment in
            let value = PercentEncoding.decode(String(segment)) ?? String(segment)
            let real = book.original(value)
            return real == value ? String(segment) : PercentEncoding.encode(real)
        }.joined(separator: "/")
        return copy
    }

    // MARK: What identifies

    private func learn(_ body: JSONValue, _ spec: StreamSpec) {
        // Cursors that are ids are learned from their rows, where their kind is known; opaque ones have no other place.
        let cursor = spec.pagination.cursorPath
        if let last = cursor.last, !last.hasSuffix("id"), let text = body.member(cursor)?.text {
            book.note(text, as: .identifier)
        }
        learn(body, spec, members: spec.rows.members[...], bucket: nil)
    }

    private func learn(_ value: JSONValue, _ spec: StreamSpec, members: ArraySlice<String>, bucket: JSONValue?) {
        guard let member = members.first else {
            for column in spec.columns { learn(column, row: value, bucket: bucket) }
            // Ids of roles, alerts and certificates identify nobody, but belong to the organization all the same.
            if spec.primaryKey.contains("id"), let id = value["id"] {
                switch id {
                case .string(let text) where PseudonymBook.isOpaque(text): book.note(text, as: .identifier)
                case .number(let text) where PseudonymBook.isOpaque(text): book.noteNumber(text, of: "id")
                default: break
                }
            }
            return
        }
        for element in value[member]?.elements ?? [] {
            learn(element, spec, members: members.dropFirst(), bucket: members.count > 1 ? element : bucket)
        }
    }

    private func learn(_ column: Column, row: JSONValue, bucket: JSONValue?) {
        let source: JSONValue?
        switch column.origin {
        case .row: source = row
        case .bucket: source = bucket
        case .parameter, .ours: source = nil
        }
        guard let source else { return }
        let type = row["type"]?.text
        for path in [column.path] + column.alternatives {
            let place = path == ["{type}"] ? [type ?? ""] : path
            guard let value = place.reduce(Optional(source), { value, key in value?[key] }) else { continue }
            if let kind = PseudonymBook.Kind(column.sensitivity, column.domain), !isOrdinary(value, column) {
                book.noteAll(value, of: place.last ?? "", as: kind)
            }
            for inner in column.inner where inner.types.isEmpty || type.map(inner.types.contains) == true {
                guard let kind = PseudonymBook.Kind(inner.sensitivity, inner.domain) else { continue }
                learn(value, of: place.last ?? "", inner.path[...], kind)
            }
        }
    }

    /// Times decide which window a row belongs to, and a text that the schema lists is nobody's own.
    private func isOrdinary(_ value: JSONValue, _ column: Column) -> Bool {
        column.kind == .timestamp || value.text.map(column.values.contains) == true
    }

    private func learn(_ value: JSONValue, of name: String, _ path: ArraySlice<String>, _ kind: PseudonymBook.Kind) {
        guard let first = path.first else { return book.noteAll(value, of: name, as: kind) }
        let rest = path.dropFirst()
        switch (first, value) {
        case ("[]", .array(let elements)): for element in elements { learn(element, of: name, rest, kind) }
        case ("*", .object(let members)): for member in members { learn(member.value, of: member.key, rest, kind) }
        case (_, .object): if let found = value[first] { learn(found, of: first, rest, kind) }
        default: break
        }
    }
}
