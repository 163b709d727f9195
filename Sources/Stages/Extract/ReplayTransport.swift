package import Connector
package import Model
import PageMemory

/// Answers from a fixture directory, without a network. ``FixtureKey`` says how one is laid out.
///
/// A page that was recorded for exactly what is asked is given back as it is. What was recorded
/// for another window is never passed off for the asked one: its buckets or events are picked by their own time and
/// paged anew, and what the recording does not cover is refused (or empty, if `replay.json` says so).
package actor ReplayTransport: Transport {
    private let folder: FixtureFolder
    private let index: FixtureFolder.Index
    private let specs: [String: StreamSpec]
    private var stores: [String: RecordedStore] = [:]

    /// Throws `.badPlan` when the directory is missing or its `replay.json` is unreadable.
    package init(directory: String, connector: Connector) throws(Fault) {
        folder = FixtureFolder(directory)
        let names = folder.names(in: "")
        guard !directory.isEmpty, !names.isEmpty else {
            throw Fault(
                .badPlan,
                directory.isEmpty
                    ? "--replay names no fixture directory" : "the fixture directory \(directory) is missing or empty",
                mend: "record one with `cogni record`"
            )
        }
        index = try folder.index()
        if let other = index.connector, other != connector.name {
            throw Fault(
                .badPlan,
                "the fixture \(directory) was recorded from \(other), not from \(connector.name)",
                mend: "name a fixture of \(connector.name), or record one with `cogni record`"
            )
        }
        let streams = Set(connector.streams.map(\.name))
        guard names.contains("replay.json") || names.contains(where: streams.contains) else {
            throw Fault(
                .badPlan,
                "\(directory) is no fixture: it holds neither replay.json nor a folder of a stream",
                mend: "name the folder that `cogni record` wrote"
            )
        }
        specs = Dictionary(uniqueKeysWithValues: connector.streams.map { ($0.name, $0) })
    }

    /// When the fixture was recorded: the `now` of a replay that is given none.
    package static func recordedNow(directory: String) throws(Fault) -> Instant? {
        try FixtureFolder(directory).index().now
    }

    package func send(_ request: Request) async throws(TransportError) -> Reply {
        guard let spec = specs[request.stream] else {
            throw TransportError(.notRecorded, "stream \(request.stream) is not in the connector")
        }
        let key = FixtureKey(request, spec: spec)
        if let page = recorded(key) { return ReplayTransport.reply(page) }
        guard let walk = key.walk else {
            throw TransportError(.notRecorded, "no answer for \(key.text) in \(folder.path)")
        }
        return try answer(key, walk, spec)
    }

    /// The page as it was recorded for just this request.
    private func recorded(_ key: FixtureKey) -> FixtureFolder.Page? {
        guard let asked = key.walk else { return folder.page("\(key.stream)/\(key.slug)") }
        for name in folder.names(in: key.stream) {
            if let walk = FixtureKey.Walk(folder: name), walk.window == asked.window, walk.answers(asked),
                let page = folder.page("\(key.stream)/\(name)/\(key.slug)")
            {
                return page
            }
        }
        return nil
    }

    /// The page cut out of everything that was recorded in the same way for other windows.
    private func answer(_ key: FixtureKey, _ walk: FixtureKey.Walk, _ spec: StreamSpec) throws(TransportError) -> Reply
    {
        let name =
            "\(key.stream)/\(key.base)/\(walk.width ?? "")/\((walk.groupBy ?? []).sorted().joined(separator: "+"))"
        let store: RecordedStore
        if let known = stores[name] {
            store = known
        } else {
            store = try RecordedStore(folder, key, walk, spec)
            stores[name] = store
        }
        if let refusal = store.refusal { return ReplayTransport.reply(refusal) }
        let body = try store.page(key, walk, spec, outside: index.outside)
        return ReplayTransport.reply(FixtureFolder.Page(status: 200, body: Array(body.compact.utf8)))
    }

    private static func reply(_ page: FixtureFolder.Page) -> Reply {
        var headers = ["content-type": "application/json"]
        if let link = page.link { headers["link"] = link }
        return Reply(status: page.status, headers: headers, body: PageBytes(page.body))
    }
}
