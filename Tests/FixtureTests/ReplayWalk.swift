import Connector
import Extract
import Foundation
import Model
import PageMemory
import PipelineFile

/// A client that asks the replay for everything a pipeline wants, and only counts. It knows the API's paging
/// and nothing of transform or load, so what it counts is the fixture's, not the product's.
struct ReplayWalk {
    struct Count: Equatable {
        var fetched = 0
        var identical = 0
        var conflicts = 0
        var kept = 0
    }

    private typealias Found = (parameters: [String: String], row: JSONValue)

    let transport: ReplayTransport
    let now: Instant
    let since: Instant
    private var rows: [String: [Found]] = [:]

    init(transport: ReplayTransport, since: Instant, now: Instant) {
        self.transport = transport
        self.since = since
        self.now = now
    }

    /// Streams have to come after their parents.
    mutating func count(_ plan: Pipeline.StreamPlan) async throws -> Count {
        var count = Count()
        var seen: [String: JSONValue] = [:]
        var found: [Found] = []
        for parameters in requests(plan.spec.parents) {
            for extra in plan.spec.walks {
                for page in try await pages(plan, parameters, extra) {
                    for (key, row) in ReplayWalk.rows(page, plan) {
                        count.fetched += 1
                        found.append((parameters, row))
                        let whole = "\(parameters.sorted { $0.key < $1.key })\(key)"
                        guard let before = seen.updateValue(row, forKey: whole) else { continue }
                        if before == row { count.identical += 1 } else { count.conflicts += 1 }
                    }
                }
            }
        }
        count.kept = seen.count
        rows[plan.spec.name] = found
        return count
    }

    /// The path parameters of every request, from the parents that were walked before.
    private func requests(_ parents: [StreamSpec.Parent]) -> [[String: String]] {
        var out: [[String: String]] = [[:]]
        for parent in parents {
            out = out.flatMap { known in
                (rows[parent.stream] ?? []).compactMap { found in
                    guard known.allSatisfy({ found.parameters[$0.key] ?? $0.value == $0.value }),
                        let id = found.row[parent.column]?.text,
                        !parent.skip.contains(where: { $0.values.contains(found.row[$0.column]?.text ?? "") })
                    else { return nil }
                    return known.merging([parent.parameter: id]) { $1 }
                }
            }
        }
        // A parent that came twice is walked once.
        return Set(out).sorted { $0.description < $1.description }
    }

    private func pages(
        _ plan: Pipeline.StreamPlan,
        _ parameters: [String: String],
        _ extra: [StreamSpec.Parameter]
    ) async throws -> [JSONValue] {
        let spec = plan.spec
        var query = (spec.parameters + extra).map { (name: $0.name, value: $0.value) }
        if let window = spec.window {
            let planner = WindowPlanner(
                spec: window,
                bucketWidth: plan.bucketWidth,
                since: plan.since ?? since,
                until: plan.until,
                now: now
            )
            guard let span = planner.span else { return [] }
            query.append((window.startParameter, String(span.start.seconds)))
            query.append((window.endParameter, String(span.end.seconds)))
            if let name = window.widthParameter, let width = plan.bucketWidth { query.append((name, width)) }
        }
        if let grouping = spec.grouping { query += plan.groupBy.map { (grouping.parameter, $0) } }
        let path = try PercentEncoding.path(spec.path, filling: parameters)
        var pages: [JSONValue] = []
        var walk = CursorWalk(spec.pagination)
        while true {
            var request = Request(stream: spec.name, template: spec.path, path: path, query: query)
            walk.apply(to: &request)
            let reply = try await transport.send(request)
            if reply.status == 404 { return pages }
            let page = try JSONValue(parsing: reply.body.array)
            pages.append(page)
            let items = page["data"]?.elements
            let facts = EnvelopeFacts(
                hasMore: page["has_more"]?.boolean,
                cursor: page[spec.pagination.cursorName]?.text,
                lastItemID: items?.last?["id"]?.text,
                elementCount: items?.count ?? 1
            )
            guard spec.pagination.style != .none, case .next = try walk.advance(facts) else { return pages }
        }
    }

    /// Rows with the text of what identifies them inside their walk.
    private static func rows(_ page: JSONValue, _ plan: Pipeline.StreamPlan) -> [(key: String, row: JSONValue)] {
        guard !plan.spec.rows.members.isEmpty else { return [("", page)] }
        let items = page["data"]?.elements ?? []
        guard plan.spec.mode == .report else {
            return items.map { (($0["id"] ?? $0["group_id"] ?? .null).compact, $0) }
        }
        return items.flatMap { bucket in
            (bucket["results"]?.elements ?? []).map { row in
                let key = [bucket["start_time"] ?? .null] + plan.groupBy.map { row[$0] ?? .null }
                return (JSONValue.array(key).compact, row)
            }
        }
    }
}
