import Connector
import Foundation
import Model
import PageMemory
import Synchronization
import Testing

@testable import Extract

private func recorder(_ folder: Folder, _ inner: any Transport = SampleAPI()) throws -> RecordingTransport {
    try RecordingTransport(
        inner,
        directory: folder.path,
        connector: sampleConnector,
        now: SampleAPI.start + 5 * 86_400,
        sanitize: { $0 }
    )
}

private func replay(_ folder: Folder) throws -> ReplayTransport {
    try ReplayTransport(directory: folder.path, connector: sampleConnector)
}

private func write(_ folder: Folder, _ name: String, _ text: String) throws {
    let url = folder.url.appending(path: name)
    try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
    try Data(text.utf8).write(to: url)
}

private func files(_ folder: Folder) -> [String] {
    let all = FileManager.default.enumerator(atPath: folder.path)?.compactMap { $0 as? String } ?? []
    return all.filter { $0.contains(".json") || $0.contains(".link") }.sorted()
}

@Test func aReplayGivesBackEveryRecordedPageByteForByte() async throws {
    let folder = try Folder()
    let live = SampleAPI()
    let recording = try recorder(folder)
    let asked: [(StreamSpec, String?, [(name: String, value: String)])] = [
        (.users, nil, []),
        (.projectUsers, "/organization/projects/proj%2F1/users", []),
        (.costs, nil, window(0, 5) + [("group_by[]", "project_id"), ("group_by[]", "line_item")]),
        (.auditLogs, nil, window(0, 5, of: .auditLogs)),
        (.auditLogs, nil, window(0, 5, of: .auditLogs) + [("tenant_only", "true")]),
        (.linked, nil, []),
    ]
    for (spec, path, query) in asked { _ = try await walkAll(recording, spec, path: path, query: query) }
    #expect(try await recording.finish() > 20)
    let replay = try replay(folder)
    for (spec, path, query) in asked {
        let expected = try await walkAll(live, spec, path: path, query: query)
        let replayed = try await walkAll(replay, spec, path: path, query: query)
        #expect(replayed.bodies == expected.bodies, "\(spec.name)")
        // The limit is no part of a page's name.
        for limit in [1, 3, 100, nil] {
            #expect(
                try await walkAll(replay, spec, path: path, query: query, limit: limit).elements == expected.elements
            )
        }
    }
}

@Test func theLayoutIsTheOneThatIsDocumented() async throws {
    let folder = try Folder()
    let recording = try recorder(folder)
    _ = try await walkAll(recording, .users, limit: 4)
    _ = try await walkAll(recording, .projectUsers, path: "/organization/projects/proj_1/users", limit: 4)
    _ = try await walkAll(
        recording,
        .costs,
        query: window(0, 3) + [("bucket_width", "1d"), ("group_by[]", "line_item")]
    )
    _ = try await walkAll(
        recording,
        .auditLogs,
        query: window(0, 1, of: .auditLogs) + [("tenant_only", "true")],
        limit: 9
    )
    _ = try? await walkAll(recording, .projectUsers, path: "/organization/projects/gone/users")
    let token = SampleAPI.start.seconds + 2 * 86_400
    #expect(
        files(folder) == [
            "audit_logs/2025-11-01..2025-11-02/tenant_only=true.json",
            "costs/2025-11-01..2025-11-04,bucket_width=1d,group_by=line_item/first.json",
            "costs/2025-11-01..2025-11-04,bucket_width=1d,group_by=line_item/page=page%2B%3D\(token).json",
            "project_users/project_id=gone.404.json",
            "project_users/project_id=proj_1,after=user_3.json",
            "project_users/project_id=proj_1.json",
            "replay.json",
            "users/after=user_3.json",
            "users/first.json",
        ]
    )
    #expect(try ReplayTransport.recordedNow(directory: folder.path) == SampleAPI.start + 5 * 86_400)
}

@Test func anErrorStatusIsReplayedAndReplacedByALaterSuccess() async throws {
    let folder = try Folder()
    try write(folder, "users/first.403.json", #"{"error":{"message":"no"}}"#)
    #expect(try await replay(folder).send(usersRequest).status == 403)
    _ = try await walkAll(try recorder(folder), .users, limit: 100)
    #expect(files(folder).contains("users/first.json"))
    #expect(!files(folder).contains("users/first.403.json"))
    #expect(try await replay(folder).send(usersRequest).status == 200)
}

@Test(arguments: [(0, 2), (1, 4), (4, 5), (0, 5)] as [(Int64, Int64)], [1, 2, 10])
func anotherWindowGetsItsOwnBucketsAndNoOthers(span: (Int64, Int64), limit: Int) async throws {
    let folder = try Folder()
    _ = try await walkAll(try recorder(folder), .costs, query: window(0, 5))
    let asked = window(span.0, span.1)
    let live = try await walkAll(SampleAPI(), .costs, query: asked, limit: limit)
    let replayed = try await walkAll(try replay(folder), .costs, query: asked, limit: limit)
    #expect(replayed.elements == live.elements)
    let isWhole = span == (0, 5)
    #expect(isWhole || replayed.bodies.count == live.bodies.count)
}

@Test func anotherWindowOfALogGetsItsOwnEventsNewestFirst() async throws {
    let folder = try Folder()
    let recording = try recorder(folder)
    _ = try await walkAll(recording, .auditLogs, query: window(0, 5, of: .auditLogs))
    _ = try await walkAll(recording, .auditLogs, query: window(0, 5, of: .auditLogs) + [("tenant_only", "true")])
    for extra in [[], [("tenant_only", "true")]] as [[(name: String, value: String)]] {
        let asked = window(1, 3, of: .auditLogs) + extra
        let live = try await walkAll(SampleAPI(), .auditLogs, query: asked)
        let replayed = try await walkAll(try replay(folder), .auditLogs, query: asked)
        #expect(!live.elements.isEmpty)
        #expect(replayed.bodies == live.bodies)
    }
}

@Test func windowsRecordedOneAfterTheOtherAnswerOneThatSpansThem() async throws {
    let folder = try Folder()
    let recording = try recorder(folder)
    for span in [(0, 2), (1, 4)] as [(Int64, Int64)] {
        _ = try await walkAll(recording, .costs, query: window(span.0, span.1))
        _ = try await walkAll(recording, .auditLogs, query: window(span.0, span.1, of: .auditLogs))
    }
    let replay = try replay(folder)
    for spec in [StreamSpec.costs, .auditLogs] {
        let live = try await walkAll(SampleAPI(), spec, query: window(0, 4, of: spec))
        #expect(try await walkAll(replay, spec, query: window(0, 4, of: spec)).elements == live.elements)
    }
}

@Test func theLatestRecordingOfABucketCounts() async throws {
    let folder = try Folder()
    func bucket(_ day: Int64, _ value: Int) -> String {
        let start = SampleAPI.start.seconds + day * 86_400
        return #"{"start_time":\#(start),"end_time":\#(start + 86_400),"results":[{"v":\#(value)}]}"#
    }
    try write(
        folder,
        "costs/2025-11-01..2025-11-03/first.json",
        #"{"data":[\#(bucket(0, 1)),\#(bucket(1, 1))],"has_more":false}"#
    )
    try write(
        folder,
        "costs/2025-11-02..2025-11-04/first.json",
        #"{"data":[\#(bucket(1, 2)),\#(bucket(2, 2))],"has_more":false}"#
    )
    let all = try await walkAll(try replay(folder), .costs, query: window(0, 3))
    #expect(all.elements.map { $0["results"]?.elements?.first?["v"]?.integer } == [1, 2, 2])
}

@Test func aWindowOutsideTheRecordingIsRefusedAndSaysWhatThereIs() async throws {
    let folder = try Folder()
    _ = try await walkAll(try recorder(folder), .costs, query: window(0, 5))
    let error = await #expect(throws: TransportError.self) {
        try await walkAll(try replay(folder), .costs, query: window(3, 7))
    }
    #expect(error?.kind == .notRecorded)
    #expect(
        error?.reason
            == "costs was recorded for 2025-11-01T00:00:00Z..2025-11-06T00:00:00Z only, not for 2025-11-06T00:00:00Z..2025-11-08T00:00:00Z"
    )
}

@Test func timeOutsideTheRecordingIsEmptyWhenTheFixtureSaysSo() async throws {
    let folder = try Folder()
    _ = try await walkAll(try recorder(folder), .costs, query: window(1, 3))
    try write(folder, "replay.json", #"{"now":"2025-11-05","outside":"empty"}"#)
    let elements = try await walkAll(try replay(folder), .costs, query: window(0, 5)).elements
    #expect(elements.map { $0["results"]?.elements?.count } == [0, 1, 1, 0, 0])
    let starts = elements.compactMap { $0["start_time"]?.integer }
    let ends = elements.compactMap { $0["end_time"]?.integer }
    #expect(Array(starts.dropFirst()) == Array(ends.dropLast()))
    #expect(ends.last == Int(SampleAPI.start.seconds + 5 * 86_400))
}

@Test func groupingsAndWidthsAreToldApart() async throws {
    let folder = try Folder()
    let recording = try recorder(folder)
    let project = window(0, 3) + [("group_by[]", "project_id")]
    let item = window(0, 3) + [("group_by[]", "line_item")]
    _ = try await walkAll(recording, .costs, query: project)
    _ = try await walkAll(recording, .costs, query: item)
    let replay = try replay(folder)
    for query in [project, item, window(1, 2) + [("group_by[]", "line_item")]] {
        let live = try await walkAll(SampleAPI(), .costs, query: query)
        #expect(try await walkAll(replay, .costs, query: query).elements == live.elements)
    }
    for missing in [window(0, 3), window(1, 2)] {
        let error = await #expect(throws: TransportError.self) { try await walkAll(replay, .costs, query: missing) }
        #expect(error?.kind == .notRecorded)
    }
}

@Test func pagesWrittenByHandNeedNoFolderForTheirWalk() async throws {
    let folder = try Folder()
    let pages = try await walkAll(SampleAPI(), .costs, query: window(0, 3), limit: 2).bodies
    try write(folder, "costs/first.json", pages[0])
    try write(folder, "costs/page=x.json", pages[1])
    let live = try await walkAll(SampleAPI(), .costs, query: window(0, 3))
    let any = window(0, 3) + [("bucket_width", "1d"), ("group_by[]", "")]
    #expect(try await walkAll(try replay(folder), .costs, query: any).elements == live.elements)
}

@Test func anUnknownRequestNamesStreamAndKey() async throws {
    let folder = try Folder()
    _ = try await walkAll(try recorder(folder), .users)
    let error = await #expect(throws: TransportError.self) {
        try await walkAll(try replay(folder), .projectUsers, path: "/organization/projects/p9/users")
    }
    #expect(error?.kind == .notRecorded)
    #expect(error?.reason.contains("project_users/project_id=p9") == true)
    #expect(throws: Fault.self) { try ReplayTransport(directory: "\(folder.path)/nowhere", connector: sampleConnector) }
}

@Test func aForeignCursorInAnotherWindowIsRefusedAndNeverTheEnd() async throws {
    let folder = try Folder()
    _ = try await walkAll(try recorder(folder), .costs, query: window(0, 5))
    let request = Request(
        stream: "costs",
        template: "/organization/costs",
        path: "/organization/costs",
        query: window(0, 4) + [("page", "page_AAAA")]
    )
    let error = await #expect(throws: TransportError.self) { try await replay(folder).send(request) }
    #expect(error?.kind == .notRecorded)
}

@Test func replacedIdentifiersAreReplacedInFileNamesToo() async throws {
    let folder = try Folder()
    let recording = try RecordingTransport(
        SampleAPI(),
        directory: folder.path,
        connector: sampleConnector,
        now: nil,
        sanitize: { Array(String(decoding: $0, as: UTF8.self).replacing("user_", with: "anon-").utf8) }
    )
    let live = try await walkAll(recording, .users)
    let replayed = try await walkAll(try replay(folder), .users)
    #expect(replayed.elements.count == live.elements.count)
    #expect(replayed.elements.compactMap { $0["id"]?.text } == (0..<7).map { "anon-\($0)" })
    for file in files(folder) {
        #expect(!file.contains("user_"))
        #expect(
            !String(decoding: try Data(contentsOf: folder.url.appending(path: file)), as: UTF8.self).contains("user_")
        )
    }
}

@Test func retriedStatusesLeaveNoFile() async throws {
    let folder = try Folder()
    let recording = try recorder(folder, Scripted([.reply(429), .reply(500), .reply(401)]))
    for _ in 0..<3 { _ = try await recording.send(usersRequest) }
    #expect(files(folder) == ["replay.json"])
    #expect(try await recording.finish() == 0)
}

@Test func aFixtureThatCannotBeWrittenIsAFault() async throws {
    let folder = try Folder()
    let recording = try recorder(folder)
    try write(folder, "users", "a file where a folder should be")
    #expect(try await recording.send(usersRequest).status == 200)
    let fault = await #expect(throws: Fault.self) { try await recording.finish() }
    #expect(fault?.code == .cannotWrite)
}

@Test(arguments: [
    "2025-11-01..2025-12-01", "2025-11-01T053000Z..2025-11-02", "2025-11-01..2025-12-01,bucket_width=1h",
    "2025-11-01..2025-12-01,bucket_width=1h,group_by=project_id+line_item",
])
func aWalksFolderNameSaysItAll(folder: String) throws {
    #expect(try #require(FixtureKey.Walk(folder: folder)).folder == folder)
}

@Test(arguments: ["first", "2025-11-01", "2025-11-01..x", "2025-11-01..2025-12-01,x=1", "..", ""])
func otherFoldersAreNoWalks(folder: String) {
    #expect(FixtureKey.Walk(folder: folder) == nil)
}

@Test func longTokensGetShortNamesThatDiffer() {
    func slug(_ token: String) -> String {
        var request = usersRequest
        request.query.append(("after", token))
        return FixtureKey(request, spec: .users).slug
    }
    let long = String(repeating: "a", count: 2000)
    #expect(slug(long + "1").utf8.count < 200)
    #expect(slug(long + "1") != slug(long + "2"))
    #expect(slug("../..\u{0}/x") == "after=..%2F..%00%2Fx")
}
