import Connector
import CurlTransport
import Foundation
import Model
import PageMemory
import Testing

@testable import Extract

private func live(_ base: String, allowPlainHTTP: Bool = false) throws -> LiveTransport {
    try LiveTransport(baseURL: base, headers: [], allowPlainHTTP: allowPlainHTTP, engine: try CurlEngine())
}

private func request(_ path: String, _ query: [(name: String, value: String)] = [], absolute: String? = nil) -> Request
{
    Request(stream: "s", template: path, path: path, query: query, absoluteURL: absolute)
}

@Test func namesAndTokensInAQueryArePercentEncoded() throws {
    let url = try live("https://api.example.com/v1/").url(
        for: request(
            "/organization/costs",
            [("group_by[]", "a"), ("group_by[]", "line item"), ("page", "page_A+b/c=="), ("effective_at[gte]", "1")]
        )
    )
    #expect(
        url
            == "https://api.example.com/v1/organization/costs?group_by%5B%5D=a&group_by%5B%5D=line%20item&page=page_A%2Bb%2Fc%3D%3D&effective_at%5Bgte%5D=1"
    )
}

@Test func pathValuesBecomeOneSegmentOrAreRefused() throws {
    let template = "/organization/projects/{project_id}/users/{user_id}"
    let path = try PercentEncoding.path(template, filling: ["project_id": "a/b ?#é", "user_id": "u"])
    #expect(path == "/organization/projects/a%2Fb%20%3F%23%C3%A9/users/u")
    for bad in ["", ".", "..", "a\0b"] {
        #expect(throws: Fault.self) {
            try PercentEncoding.path(template, filling: ["project_id": bad, "user_id": "u"])
        }
    }
    #expect(throws: Fault.self) { try PercentEncoding.path(template, filling: ["project_id": "a"]) }
    // A parameter may be a part of its segment only.
    #expect(try PercentEncoding.path("/v{a}/{b}.json", filling: ["a": "1/2", "b": "."]) == "/v1%2F2/..json")
    #expect(throws: Fault.self) { try PercentEncoding.path("/.{a}", filling: ["a": "."]) }
}

@Test func encodingAndDecodingAreInverse() {
    for text in ["", "a b", "%", "+/=&?#[]", "é\u{1F600}\n", "~-._"] {
        #expect(PercentEncoding.decode(PercentEncoding.encode(text)) == text)
    }
    #expect(PercentEncoding.decode("%4") == nil)
    #expect(PercentEncoding.decode("%FF") == nil)
}

@Test(arguments: [
    ("https://api.example.com/v1/x?page=2", "https://api.example.com:443/v1/x?page=2"),
    ("https://API.example.com:443/v1/x", "https://api.example.com:443/v1/x"),
    ("/v1/x?page=2", "https://api.example.com:443/v1/x?page=2"),
    ("https://evil.example/v1/x", nil), ("http://api.example.com/v1/x", nil), ("https://api.example.com:444/x", nil),
    ("https://api.example.com@evil.example/", nil), ("https://api.example.com\\@evil.example/", nil),
    ("//evil.example/x", nil), ("x?page=2", nil), ("https://api.example.com.evil.example/", nil),
    ("javascript:alert(1)", nil), ("https://api.example.com/a b", nil), ("", nil),
])
func nextPagesMustLieOnTheBaseURLsOrigin(absolute: String, url: String?) throws {
    let transport = try live("https://api.example.com/v1")
    if let url {
        #expect(try transport.url(for: request("/x", absolute: absolute)) == url)
    } else {
        let error = #expect(throws: TransportError.self) { try transport.url(for: request("/x", absolute: absolute)) }
        #expect(error?.kind == .untrusted)
    }
}

@Test(arguments: [
    ("https://api.example.com/v1", true), ("http://127.0.0.1:8080", true), ("http://localhost:1/v1", true),
    ("http://[::1]:8080/v1", true), ("http://127.9.9.9", true), ("http://127.0.0.1.evil.example", false),
    ("http://api.example.com/v1", false), ("http://0.0.0.0", false), ("http://192.168.0.1", false), ("ftp://a/", false),
    ("https://u:p@a/", false), ("https://", false), ("https://a/?x=1", false), ("api.example.com", false),
])
func plainHTTPGoesToLoopbackOnly(base: String, isAccepted: Bool) throws {
    if isAccepted {
        _ = try live(base)
    } else {
        let fault = #expect(throws: Fault.self) { try live(base) }
        #expect(fault?.code == .badPlan)
    }
    if base == "http://api.example.com/v1" { _ = try live(base, allowPlainHTTP: true) }
}

@Suite(.enabled(if: WireServer.isAvailable, "skipped: no python3"), .timeLimit(.minutes(10)))
struct LiveTransportTests {
    let server: WireServer
    let transport: LiveTransport

    init() throws {
        server = try WireServer()
        var limits = CurlLimits()
        limits.bodyBytes = 2_000_000
        limits.total = .seconds(2)
        transport = try LiveTransport(
            connector: .sample(),
            baseURL: server.base,
            credential: Secret("key-1", name: "SAMPLE_KEY"),
            options: ["organization": "org-1", "other": "x"],
            limits: limits,
            engine: try CurlEngine()
        )
    }

    @Test func credentialAndOptionsTravelAsHeaders() async throws {
        let reply = try await transport.send(request("/ok"))
        #expect(reply.headers["x-twice"] == "b")
        let log = try JSONValue(parsing: try await transport.send(request("/log")).body.array)
        let headers = log["headers"]?.elements?[0].elements?.compactMap(\.text) ?? []
        #expect(headers.contains("Authorization: Bearer key-1"))
        #expect(headers.contains("X-Org: org-1"))
        #expect(headers.contains("Accept: application/json"))
    }

    @Test(arguments: [
        ("/short", TransportError.Kind.cut), ("/cut_chunk", .cut), ("/gzip_bad", .cut), ("/rst_before", .unreachable),
        ("/rst_mid", .unreachable), ("/close_before", .unreachable), ("/drip", .timeout), ("/bomb", .tooLarge),
        ("/endless", .tooLarge), ("/big_header", .tooLarge), ("/huge_header", .tooLarge), ("/many_headers", .tooLarge),
    ])
    func whatGoesWrongOnTheWireIsNamed(path: String, kind: TransportError.Kind) async {
        do throws(TransportError) {
            _ = try await transport.send(request(path))
            Issue.record("a reply came")
        } catch {
            #expect(error.kind == kind, "\(error.reason)")
            #expect(!error.reason.contains("key-1"))
        }
    }

    @Test func aRedirectComesBackAsItIs() async throws {
        let reply = try await transport.send(request("/redirect", [("port", "1")]))
        #expect(reply.status == 302)
    }

    @Test func aFlakyServerIsOutlastedOverTheWire() async throws {
        let fetcher = PageFetcher(transport: transport, connector: .sample())
        let (reply, attempts) = try await fetcher.fetch(request("/flaky"))
        #expect(reply.status == 200)
        #expect(attempts.count == 3)
    }

    @Test func aBodyCutByTheConnectionsEndIsSaidSoInTheFault() async throws {
        let fetcher = PageFetcher(
            transport: transport,
            connector: .sample(),
            policy: RetryPolicy(firstDelay: .milliseconds(1))
        )
        let failure = await #expect(throws: FetchFailure.self) {
            try await fetcher.fetch(request("/until_close")) { _ in .malformed("data is cut") }
        }
        #expect(failure?.fault.what.contains("data is cut (the connection was closed") == true)
    }
}
