import Connector
import Model
import PageMemory

@testable import Extract

extension StreamSpec {
    static let users = StreamSpec(
        name: "users",
        mode: .snapshot,
        path: "/organization/users",
        pagination: Pagination(style: .cursorAfterLastID, cursorParameter: "after", cursorPath: ["last_id"]),
        rows: RowPlace(members: ["data"]),
        primaryKey: ["id"],
        columns: [Column("id", path: ["id"], kind: .string, nullable: false)]
    )
    static let projectUsers = StreamSpec(
        name: "project_users",
        mode: .snapshot,
        path: "/organization/projects/{project_id}/users",
        parameters: [Parameter("include_archived", "true")],
        pagination: Pagination(style: .cursorAfterLastID, cursorParameter: "after", cursorPath: ["last_id"]),
        rows: RowPlace(members: ["data"]),
        parents: [Parent(parameter: "project_id", stream: "projects", column: "id", skip: [])],
        primaryKey: ["project_id", "id"],
        columns: [Column("id", path: ["id"], kind: .string, nullable: false)]
    )
    static let costs = StreamSpec(
        name: "costs",
        mode: .report,
        path: "/organization/costs",
        pagination: Pagination(style: .bucketPage, cursorParameter: "page", cursorPath: ["next_page"]),
        rows: RowPlace(members: ["data", "results"]),
        window: WindowSpec(
            startParameter: "start_time",
            endParameter: "end_time",
            widthParameter: "bucket_width",
            widths: ["1h", "1d"],
            defaultWidth: "1d",
            defaultLookback: 0,
            defaultHistory: 86_400
        ),
        grouping: Grouping(parameter: "group_by[]", dimensions: ["project_id", "line_item"]),
        primaryKey: ["start_time"],
        timeColumn: "start_time",
        columns: [
            Column("start_time", path: ["start_time"], origin: .bucket, kind: .timestamp, nullable: false),
            Column("end_time", path: ["end_time"], origin: .bucket, kind: .timestamp, nullable: false),
        ]
    )
    static let auditLogs = StreamSpec(
        name: "audit_logs",
        mode: .log,
        path: "/organization/audit_logs",
        pagination: Pagination(style: .cursorAfterLastID, cursorParameter: "after", cursorPath: ["last_id"]),
        rows: RowPlace(members: ["data"]),
        window: WindowSpec(
            startParameter: "effective_at[gte]",
            endParameter: "effective_at[lt]",
            defaultLookback: 0,
            defaultHistory: 86_400
        ),
        walks: [[], [Parameter("tenant_only", "true")]],
        primaryKey: ["id"],
        timeColumn: "effective_at",
        columns: [Column("effective_at", path: ["effective_at"], kind: .timestamp, nullable: false)]
    )
    static let linked = StreamSpec(
        name: "linked",
        mode: .snapshot,
        path: "/linked",
        pagination: Pagination(style: .linkHeader, cursorParameter: "page", cursorPath: []),
        rows: RowPlace(members: ["data"]),
        primaryKey: ["id"],
        columns: [Column("id", path: ["id"], kind: .string, nullable: false)]
    )
}

let sampleConnector = Connector.sample([.users, .projectUsers, .costs, .auditLogs, .linked])

/// A small API in memory that pages as the real one does, with tokens of its own.
struct SampleAPI: Transport {
    static let day: Int64 = 86_400
    static let start = Instant(year: 2025, month: 11, day: 1)

    func send(_ request: Request) async throws(TransportError) -> Reply {
        func value(_ name: String) -> String? { request.query.first { $0.name == name }?.value }
        let limit = value("limit").flatMap { Int($0) } ?? 2
        switch request.stream {
        case "users", "project_users":
            if request.path.contains("gone") { return reply(404, #"{"error":{"message":"no such project"}}"#) }
            return list(
                (0..<7).map { ["object": "user", "id": .string("user_\($0)"), "name": "N"] },
                value("after"),
                limit
            )
        case "audit_logs":
            let from = value("effective_at[gte]").flatMap { Int64($0) } ?? 0
            let to = value("effective_at[lt]").flatMap { Int64($0) } ?? .max
            let isTenant = value("tenant_only") == "true"
            let times = (0..<20).map { Self.start.seconds + Int64($0) * 40_000 }.filter { $0 >= from && $0 < to }
            return list(
                times.reversed().map {
                    ["id": .string("\(isTenant ? "tenant" : "audit")_\($0)"), "effective_at": .integer($0)]
                },
                value("after"),
                limit
            )
        case "linked":
            let page = request.absoluteURL.flatMap { Int($0.split(separator: "=").last ?? "") } ?? 1
            let link = page < 3 ? #"<https://api.example.com/v1/linked?page=\#(page + 1)>; rel="next""# : nil
            let body = #"{"data":[{"id":"l\#(page)"}]}"#
            return reply(200, body, link.map { ["link": $0] } ?? [:])
        default:
            return buckets(request, value("page"), limit)
        }
    }

    private func buckets(_ request: Request, _ token: String?, _ limit: Int) -> Reply {
        func number(_ name: String) -> Int64 { Int64(request.query.first { $0.name == name }?.value ?? "") ?? 0 }
        let (end, width) = (number("end_time"), request.query.contains { $0.value == "1h" } ? 3600 : Self.day)
        var at = token.flatMap { Int64($0.dropFirst(6)) } ?? number("start_time")
        var data: [JSONValue] = []
        let grouped = request.query.filter { $0.name == "group_by[]" }.map(\.value).joined(separator: "+")
        while at < end, data.count < limit {
            data.append([
                "object": "bucket", "start_time": .integer(at), "end_time": .integer(at + width),
                "results": [["value": .number("\(at % 97).10"), "grouped": .string(grouped)]],
            ])
            at += width
        }
        let next: JSONValue = at < end ? .string("page+=\(at)") : .null
        return reply(
            200,
            JSONValue.object([
                .init("object", "page"), .init("data", .array(data)), .init("has_more", .bool(at < end)),
                .init("next_page", next),
            ]).compact
        )
    }

    private func list(_ items: [JSONValue], _ after: String?, _ limit: Int) -> Reply {
        let start = after.flatMap { id in items.firstIndex { $0["id"]?.text == id } }.map { $0 + 1 } ?? 0
        let page = Array(items.dropFirst(start).prefix(limit))
        return reply(
            200,
            JSONValue.object([
                .init("object", "list"), .init("data", .array(page)), .init("first_id", page.first?["id"] ?? .null),
                .init("last_id", page.last?["id"] ?? .null), .init("has_more", .bool(start + page.count < items.count)),
            ]).compact
        )
    }

    private func reply(_ status: Int, _ body: String, _ headers: [String: String] = [:]) -> Reply {
        Reply(status: status, headers: headers, body: PageBytes(Array(body.utf8)))
    }
}

/// Walks a stream to its end; returns the bodies and the elements.
func walkAll(
    _ transport: any Transport,
    _ spec: StreamSpec,
    path: String? = nil,
    query: [(name: String, value: String)] = [],
    limit: Int? = 2
) async throws -> (bodies: [String], elements: [JSONValue]) {
    var walk = CursorWalk(spec.pagination)
    var bodies: [String] = []
    var elements: [JSONValue] = []
    while !walk.isFinished {
        var request = Request(
            stream: spec.name,
            template: spec.path,
            path: path ?? spec.path,
            query: query + spec.parameters.map { ($0.name, $0.value) }
        )
        if let limit { request.query.append(("limit", "\(limit)")) }
        walk.apply(to: &request)
        let reply = try await transport.send(request)
        guard reply.status == 200 else { throw TransportError(.unreachable, "status \(reply.status)") }
        let value = try JSONValue(parsing: reply.body.array)
        let data = value["data"]?.elements ?? []
        bodies.append(String(decoding: reply.body.array, as: UTF8.self))
        elements += data
        _ = try walk.advance(
            EnvelopeFacts(
                hasMore: value["has_more"]?.boolean,
                cursor: value[spec.pagination.cursorName]?.text,
                lastItemID: data.last?["id"]?.text,
                elementCount: data.count,
                linkNext: reply.headers["link"].flatMap(LinkHeader.next)
            )
        )
    }
    return (bodies, elements)
}

/// The query of a window, in days from the sample's start.
func window(_ from: Int64, _ to: Int64, of spec: StreamSpec = .costs) -> [(name: String, value: String)] {
    guard let window = spec.window else { return [] }
    let start = SampleAPI.start.seconds
    return [
        (window.startParameter, "\(start + from * SampleAPI.day)"),
        (window.endParameter, "\(start + to * SampleAPI.day)"),
    ]
}
