import Foundation
import PageMemory
import Testing

@testable import CurlTransport

private struct Log: Decodable {
    var connections: Int
    var requests: Int
    var peak: Int
    var headers: [[String]]
}

@Suite(.enabled(if: WireServer.isAvailable, "skipped: no python3"), .timeLimit(.minutes(10)))
struct CurlEngineTests {
    let server: WireServer
    let engine: CurlEngine

    init() throws {
        server = try WireServer()
        engine = try CurlEngine()
    }

    private func get(
        _ path: String,
        headers: [CurlHeader] = [],
        _ change: (inout CurlLimits) -> Void = { _ in }
    ) async throws(CurlError) -> CurlReply {
        var limits = CurlLimits()
        change(&limits)
        return try await engine.perform(
            CurlRequest(url: server.url(path), headers: headers, limits: limits, allowsPlainHTTP: true)
        )
    }

    private func log() async throws -> Log {
        try JSONDecoder().decode(Log.self, from: Data(try await get("/log").body.array))
    }

    private func error(_ path: String, _ change: (inout CurlLimits) -> Void = { _ in }) async -> CurlError? {
        do throws(CurlError) {
            _ = try await get(path, change)
            return nil
        } catch {
            return error
        }
    }

    private let body = #"{"data":[1,2,3],"has_more":false}"#

    @Test func aReplyHasStatusHeadersAndBody() async throws {
        let reply = try await get("/ok")
        #expect(reply.status == 200)
        #expect(String(decoding: reply.body.array, as: UTF8.self) == body)
        #expect(reply.headers.contains { $0 == ("x-request-id", "req_1") })
        #expect(reply.headers.filter { $0.name == "x-twice" }.map(\.value) == ["a", "b"])
        #expect(reply.isDelimited)
        #expect(!reply.isHTTP2)
    }

    @Test func requestsInARowShareOneConnection() async throws {
        for index in 0..<20 {
            #expect(try await get("/ok").newConnections == (index == 0 ? 1 : 0))
        }
        let log = try await log()
        #expect(log.connections == 1)
        #expect(log.requests == 20)
    }

    @Test func fiftyRequestsAreInFlightAtOnce() async throws {
        let replies = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<50 { group.addTask { (try? await get("/slow").status) ?? 0 } }
            return await group.reduce(into: [Int]()) { $0.append($1) }
        }
        #expect(replies == Array(repeating: 200, count: 50))
        #expect(try await log().peak >= 50)
    }

    @Test(arguments: ["/gzip", "/deflate", "/chunked", "/early_hints"])
    func encodedAndChunkedBodiesArriveDecoded(path: String) async throws {
        let reply = try await get(path)
        #expect(reply.status == 200)
        #expect(String(decoding: reply.body.prefix(body.utf8.count), as: UTF8.self) == body)
        #expect(reply.body.count == body.utf8.count * (path == "/gzip" ? 1000 : 1))
        #expect(reply.isDelimited)
        #expect(!reply.headers.contains { $0.name == "x-trailer" || $0.value.contains("preload") })
    }

    @Test func onlyWhatWeUnpackOurselvesIsOffered() async throws {
        _ = try await get("/ok")
        let sent = try await log().headers[0].first { $0.lowercased().hasPrefix("accept-encoding:") } ?? ""
        #expect(sent.lowercased() == "accept-encoding: gzip, deflate")
    }

    @Test(
        arguments: [("/short", 18), ("/cut_chunk", 18), ("/no_last_chunk", 18), ("/gzip_bad", 61)] as [(String, UInt32)]
    )
    func aCutOrBrokenBodyIsNeverAReply(path: String, number: UInt32) async {
        let error = await error(path)
        #expect(error?.cause == .library)
        #expect(error?.number == number, "\(error?.reason ?? "none")")
    }

    @Test func aCutGzipStreamIsNeverAReply() async {
        #expect(await error("/gzip_cut")?.number == 61)
    }

    @Test func aBodyThatEndsWithTheConnectionIsMarkedAsUndelimited() async throws {
        let reply = try await get("/until_close")
        #expect(!reply.isDelimited)
        #expect(reply.body.count == body.utf8.count)
    }

    @Test(arguments: [("/rst_before", false), ("/close_before", false), ("/rst_mid", true)])
    func aResetConnectionIsAnErrorThatSaysWhetherAReplyHadBegun(path: String, hadStatus: Bool) async {
        let error = await error(path)
        #expect([52, 55, 56].contains(error?.number), "\(error?.reason ?? "none")")
        #expect(error?.hadStatus == hadStatus)
    }

    @Test(arguments: ["/bomb", "/endless", "/declared_huge"])
    func aBodyOverTheCapEndsTheTransfer(path: String) async {
        let error = await error(path) { $0.bodyBytes = 2_000_000 }
        #expect(error?.cause == .bodyTooLarge)
        #expect(error?.reason == "the body is over the limit of 2000000 bytes")
    }

    @Test func aBodyOfExactlyTheCapIsTaken() async throws {
        #expect(try await get("/large?70000") { $0.bodyBytes = 70_000 }.body.count == 70_000)
        let refusal = await error("/large?70001") { $0.bodyBytes = 70_000 }
        #expect(refusal?.cause == .bodyTooLarge)
        #expect(refusal?.status == 200)
    }

    @Test(arguments: ["/big_header", "/huge_header", "/many_headers", "/endless_hints"])
    func headersOverTheCapEndTheTransfer(path: String) async {
        #expect(await error(path)?.cause == .headersTooLarge)
    }

    @Test func aDripIsEndedByTheWholeBodyDeadline() async {
        let error = await error("/drip") { $0.total = .milliseconds(400) }
        #expect(error?.number == 28)
        #expect(error?.hadStatus == true)
    }

    @Test func aStallIsEndedByTheLowSpeedLimit() async {
        let error = await error("/stall") { $0.stall = .seconds(1) }
        #expect(error?.number == 28)
        #expect(error?.reason.contains("too slow") == true)
    }

    @Test func aRedirectIsReturnedAndNotFollowed() async throws {
        let reply = try await get("/redirect?\(server.port)")
        #expect(reply.status == 302)
        #expect(try await log().requests == 1)
    }

    @Test func aClosedPortIsACouldNotConnect() async {
        do throws(CurlError) {
            _ = try await engine.perform(CurlRequest(url: "http://127.0.0.1:1/", allowsPlainHTTP: true))
            Issue.record("connected to port 1")
        } catch {
            #expect(error.number == 7)
        }
    }

    @Test func plainHTTPIsRefusedUnlessAllowedAndFilesAlways() async {
        for (url, allowed) in [(server.url("/ok"), false), ("file:///etc/hostname", true), ("ftp://127.0.0.1/", true)] {
            do throws(CurlError) {
                _ = try await engine.perform(CurlRequest(url: url, allowsPlainHTTP: allowed))
                Issue.record("\(url) was fetched")
            } catch {
                #expect(error.number == 1)
            }
        }
    }

    @Test func aHeaderThatWouldSplitTheRequestIsRefusedWithoutShowingItsValue() async {
        do throws(CurlError) {
            _ = try await get("/ok", headers: [CurlHeader("Authorization", "Bearer k1\r\nX-Evil: 1")])
            Issue.record("sent")
        } catch {
            #expect(error.cause == .badRequest)
            #expect(!error.description.contains("k1"))
        }
    }

    @Test func aHeaderIsSentButNeverPrinted() async throws {
        let header = CurlHeader("Authorization", "Bearer sk-admin-0123456789")
        _ = try await get("/ok", headers: [header])
        #expect(try await log().headers[0].contains("Authorization: Bearer sk-admin-0123456789"))
        let request = CurlRequest(url: "https://a/", headers: [header])
        var dumped = ""
        dump(request, to: &dumped)
        for text in ["\(header)", String(reflecting: header), "\(request)", String(reflecting: request), dumped] {
            #expect(!text.contains("0123456789"), "\(text)")
        }
    }

    @Test func anErrorsWordsHoldNoQuery() {
        let error = CurlError(.library, number: 3, "bad URL https://h/p?page=secret&x=1 and more\u{1B}[0m")
        #expect(error.reason == "bad URL https://h/p? and more [0m")
    }

    @Test func aCancelledTaskTakesItsTransferOffTheWire() async throws {
        // No deadline may end it first: on a busy machine half a minute passes before this test is given its turn again.
        let task = Task {
            await error("/stall") {
                $0.stall = .seconds(3600)
                $0.total = .seconds(3600)
            }
        }
        while try await log().requests == 0 { try await Task.sleep(for: .milliseconds(10)) }
        task.cancel()
        #expect(await task.value?.cause == .cancelled)
        #expect(try await get("/ok").status == 200)
    }

    @Test func aTaskCancelledBeforeItStartsSendsNothing() async throws {
        let task = Task {
            while !Task.isCancelled { await Task.yield() }
            return await error("/ok")
        }
        task.cancel()
        #expect(await task.value?.cause == .cancelled)
        #expect(try await log().requests == 0)
    }

    @Test func enginesComeAndGoWithoutTrouble() async throws {
        for _ in 0..<50 {
            let engine = try CurlEngine()
            let reply = try await engine.perform(CurlRequest(url: server.url("/ok"), allowsPlainHTTP: true))
            #expect(reply.status == 200)
        }
    }

    @Test(arguments: [([255, 255, 255, 15], 20 * 1032), ([100, 0, 0, 0], 100)])
    func aFewBytesAskForNoMoreRoomThanTheyCanUnpackTo(length: [UInt8], room: Int) {
        let body = PageBytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255, 3, 0, 0, 0, 0, 0] + length)
        #expect(ContentDecoder.hint(body, "gzip") == room)
    }

    @Test func aLibraryThatIsTooOldStartsNoEngine() {
        let refusal = CurlLibrary.refusal(ofNumber: 0x07_54_FF, version: "7.84.255")
        #expect(refusal?.reason == "libcurl 7.84.255 is older than 7.85.0")
        #expect(CurlLibrary.refusal(ofNumber: 0x07_55_00, version: "7.85.0") == nil)
        #expect(CurlLibrary.refusal == nil)
    }
}
