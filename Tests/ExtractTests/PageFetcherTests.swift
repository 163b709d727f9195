import Connector
import Model
import PageMemory
import Testing

@testable import Extract

private struct Bench {
    let clock = VirtualClock()
    let transport: Scripted
    let fetcher: PageFetcher

    init(
        _ answers: [Scripted.Answer],
        each: Duration = .milliseconds(10),
        random: Double = 0.5,
        policy: RetryPolicy = RetryPolicy(),
        sanitize: @escaping @Sendable (String) -> String = MessageFilter.clean
    ) {
        transport = Scripted(answers, clock: clock, each: each)
        fetcher = PageFetcher(
            transport: transport,
            connector: .sample(),
            policy: policy,
            clock: clock,
            random: { random },
            sanitize: sanitize
        )
    }

    func fetch(_ validate: (Reply) -> PageVerdict = { _ in .ok }) async throws -> (reply: Reply, attempts: Attempts) {
        try await fetcher.fetch(usersRequest, scope: "api.users.read", at: ["page 3"], validate: validate)
    }

    func failure(_ validate: (Reply) -> PageVerdict = { _ in .ok }) async -> FetchFailure? {
        await #expect(throws: FetchFailure.self) { _ = try await fetch(validate) }
    }
}

@Test(arguments: [408, 409, 425, 429, 500, 502, 503, 504, 529])
func transientStatusesAreTriedAgain(status: Int) async throws {
    let bench = Bench([.reply(status), .reply(status), .reply(200)])
    let (reply, attempts) = try await bench.fetch()
    #expect(reply.status == 200)
    #expect(attempts.retries == 2)
    #expect(bench.clock.sleeps == [.milliseconds(250), .milliseconds(500)])  // half of 0.5 s, of 1 s
}

@Test(arguments: [TransportError.Kind.unreachable, .cut, .timeout])
func brokenConnectionsAreTriedAgain(kind: TransportError.Kind) async throws {
    let bench = Bench([.fail(kind), .reply(200)])
    #expect(try await bench.fetch().attempts.retries == 1)
}

@Test(arguments: [
    (400, Fault.Code.badReply), (401, .denied), (403, .denied), (404, .badReply), (405, .badReply), (422, .badReply),
    (204, .badReply), (206, .badReply), (304, .badReply), (201, .badReply),
    (301, .badReply), (302, .badReply), (307, .badReply), (308, .badReply),
])
func finalStatusesEndAtOnce(status: Int, code: Fault.Code) async {
    let bench = Bench([.reply(status, ["x-request-id": "req_7"], "")])
    let failure = await bench.failure()
    #expect(failure?.status == status)
    #expect(failure?.fault.code == code)
    #expect(failure?.fault.what.hasPrefix("GET /organization/users answered \(status)") == true)
    #expect(failure?.fault.place == ["stream users", "page 3", "request req_7"])
    #expect(failure?.fault.mend.isEmpty == false)
    #expect(failure?.stopsRun == (status == 401))
    #expect(bench.transport.sent.count == 1)
}

/// Of what is cut before it is cleaned, half a secret is left, and nothing knows that any more.
@Test func aRequestIDIsCleanedWholeBeforeItIsCut() async {
    let secret = "correct.horse.battery.staple.and.a.few.more.words.of.it"
    for count in 130...205 {
        let id = String(repeating: "r", count: count) + " " + secret
        let words = FaultWords(
            stream: "users",
            template: "/users",
            credentialName: "KEY",
            sanitize: { $0.replacing(secret, with: "[KEY]") }
        )
        let fault = words.fault(
            status: 400,
            headers: ["x-request-id": id],
            envelope: ErrorEnvelope(),
            isFinal: true,
            attempts: 1,
            after: .zero
        )
        #expect(fault.place.last?.hasPrefix("request rrr") == true)
        #expect(fault.place.last?.contains("correct") == false, "\(count)")
    }
    let bench = Bench([.reply(400, ["x-request-id": "req_7"], "")], sanitize: { "<\($0)>" })
    #expect(await bench.failure()?.fault.place.last == "request <req_7>")
}

@Test(arguments: [TransportError.Kind.untrusted, .tooLarge, .notRecorded, .cancelled])
func finalTransportErrorsEndAtOnce(kind: TransportError.Kind) async {
    let bench = Bench([.fail(kind)])
    let failure = await bench.failure()
    #expect(bench.transport.sent.count == 1)
    #expect(failure?.isCancelled == (kind == .cancelled))
}

@Test func aMissingScopeNamesTheScopeAndStopsOnlyItsStream() async {
    let body = #"{"error":{"message":"Missing scopes: api.usage.read","type":"x","param":null,"code":null}}"#
    for status in [401, 403] {
        let failure = await Bench([.reply(status, [:], body)]).failure()
        #expect(failure?.stopsRun == false)
        #expect(
            failure?.fault.mend
                == "set SAMPLE_KEY to a key with scope api.users.read, or leave stream users out (its rows then leave the archive)"
        )
    }
}

@Test func aRefusedKeyIsNotQuotedBack() async {
    let body = #"{"error":{"message":"Incorrect API key provided: sk-admin-abcdefghijklmnopqrstuvwxyz123456."}}"#
    let failure = await Bench([.reply(401, [:], body)]).failure()
    #expect(failure?.fault.what == "GET /organization/users answered 401 (Incorrect API key provided: [masked])")
}

@Test func aQuota429IsFinalAndAnyOther429IsNot() async throws {
    let quota = #"{"error":{"message":"m","type":"insufficient_quota","param":null,"code":"credit_balance_exhausted"}}"#
    let bench = Bench([.reply(429, [:], quota), .reply(200)])
    let failure = await bench.failure()
    #expect(failure?.fault.code == .denied)
    #expect(failure?.envelope?.code == "credit_balance_exhausted")
    #expect(bench.transport.sent.count == 1)
    let plain = #"{"error":{"message":"slow","type":"x","param":null,"code":"rate_limit_exceeded"}}"#
    #expect(try await Bench([.reply(429, [:], plain), .reply(200)]).fetch().attempts.count == 2)
}

@Test func theServersVerdictOverridesTheStatus() async throws {
    for status in [429, 500] {
        let bench = Bench([.reply(status, ["x-should-retry": "false"])])
        #expect(await bench.failure()?.fault.code == .unreachable)
        #expect(bench.transport.sent.count == 1)
    }
    #expect(try await Bench([.reply(400, ["x-should-retry": "true"]), .reply(200)]).fetch().attempts.count == 2)
    // but a refused key stays refused
    let refused = Bench([.reply(401, ["x-should-retry": "true"]), .reply(200)])
    #expect(await refused.failure()?.stopsRun == true)
}

@Test(arguments: [
    (["retry-after-ms": "200", "retry-after": "5"], Duration.milliseconds(200)),
    (["retry-after": "2"], .seconds(2)),
    (["retry-after": "2.5"], .seconds(2.5)),
    (["retry-after": "Sat, 06 Dec 2025 00:00:30 GMT", "date": "Sat, 06 Dec 2025 00:00:20 GMT"], .seconds(10)),
    (["retry-after": "Sat, 06 Dec 2025 00:00:30 GMT"], .seconds(30)),  // the virtual wall clock stands at 00:00:00
    (["retry-after": "Saturday, 06-Dec-25 00:00:30 GMT"], .seconds(30)),
    (["retry-after": "Sat Dec  6 00:00:30 2025"], .seconds(30)),
    // nothing usable: back-off, half of 0.5 s
    (["retry-after": "0"], .milliseconds(250)),
    (["retry-after": "-5"], .milliseconds(250)),
    (["retry-after": "abc"], .milliseconds(250)),
    (["retry-after": "inf"], .milliseconds(250)),
    (["retry-after": "nan"], .milliseconds(250)),
    (["retry-after": ""], .milliseconds(250)),
    (["retry-after": "Fri, 05 Dec 2025 00:00:30 GMT"], .milliseconds(250)),
    (["retry-after-ms": "soon", "retry-after": "3"], .seconds(3)),
])
func theServersWaitIsKept(headers: [String: String], wait: Duration) async throws {
    let bench = Bench([.reply(429, headers), .reply(200)])
    let attempts = try await bench.fetch().attempts
    #expect(bench.clock.sleeps == [wait])
    #expect(attempts.waited == wait)
}

@Test(arguments: ["1000000000", "1e999", "301", "Sun, 06 Dec 2026 00:00:00 GMT"])
func aWaitBeyondTheBudgetFailsAtOnceAndNamesBothNumbers(header: String) async {
    let bench = Bench(
        [.reply(503), .reply(429, ["retry-after": header])],
        each: .seconds(1),
        random: 0
    )
    let failure = await bench.failure()
    #expect(failure?.fault.code == .unreachable)
    #expect(failure?.fault.what.contains("only 299 s of the retry budget of 300 s are left") == true)
    #expect(bench.clock.sleeps == [.zero])
}

@Test func timeInTheQueueBeforeTheFirstAttemptIsNotOnTheBudget() async throws {
    let bench = Bench([.reply(503), .reply(200)], each: .seconds(400))
    #expect(try await bench.fetch().attempts.count == 2)
}

@Test(arguments: [Scripted.Answer.reply(503), .reply(429), .fail(.unreachable), .fail(.timeout)], [0.0, 0.3, 0.99])
func whatNeverHealsEndsUnreachableWithinTheBudget(answer: Scripted.Answer, random: Double) async {
    let bench = Bench([answer], each: .seconds(1), random: random)
    let failure = await bench.failure()
    #expect(failure?.fault.code == .unreachable)
    #expect(bench.clock.elapsed <= .seconds(302))
    #expect(bench.clock.sleeps.allSatisfy { $0 <= .seconds(75) })
    #expect(failure?.fault.what.contains("the last of \(bench.transport.sent.count) attempts") == true)
}

@Test func aBudgetOutlivesAOneMinuteWindowWithoutRetryAfter() async {
    // Refuses for 60 s after the first request, then answers: what admin endpoints are seen to do.
    let bench = Bench(Array(repeating: .reply(429), count: 8) + [.reply(200)])
    let fetched = try? await bench.fetch()
    #expect(fetched?.reply.status == 200)
    #expect(bench.clock.elapsed > .seconds(60))
}

@Test func aPageCutForEverIsABadReply() async {
    for answer in [
        Scripted.Answer.fail(.cut), .reply(200, ["content-type": "text/html"], "<html>"), .reply(200, [:], ""),
    ] {
        let bench = Bench([answer])
        let failure = await bench.failure()
        #expect(failure?.fault.code == .badReply)
        #expect(bench.transport.sent.count == 6)
    }
}

@Test func aMalformedPageIsFetchedAgainAndThenNamedWithItsRequest() async throws {
    let bench = Bench([.reply(200, ["x-request-id": "r1"], "{"), .reply(200, ["x-request-id": "r2"], "{}")])
    let good = try await bench.fetch { $0.body.count < 2 ? .malformed("cut") : .ok }
    #expect(good.attempts.count == 2)
    #expect(good.attempts.requestID == "r2")
    let failure = await bench.failure { _ in .malformed("data is missing") }
    #expect(failure?.status == 200)
    #expect(failure?.fault.what.contains("data is missing") == true)
    #expect(failure?.fault.place == ["stream users", "page 3", "request r2"])
}

@Test func anErrorWithStatus200IsNotAPage() async {
    let failure = await Bench([.reply(200, [:], #"{"error":{"message":"overloaded","code":"busy"}}"#)]).failure()
    #expect(failure?.fault.what.contains("it is an error: busy: overloaded") == true)
}

@Test func aRowThatHasAnErrorFieldIsAPage() async throws {
    let row = #"{"object":"organization.certificate","id":"c","error":"expired"}"#
    #expect(try await Bench([.reply(200, [:], row)]).fetch().attempts.count == 1)
}

@Test func aRedirectNamesTheOtherHostButNotItsPath() async {
    let failure = await Bench([.reply(302, ["location": "https://evil.example/x?token=1"], "")]).failure()
    #expect(failure?.fault.what.hasSuffix("a redirect to https://evil.example") == true)
}

@Test func aCancelledTaskSendsNothingMore() async {
    let bench = Bench([.reply(503)])
    let task = Task {
        while !Task.isCancelled { await Task.yield() }
        return await bench.failure()
    }
    task.cancel()
    let failure = await task.value
    #expect(failure?.isCancelled == true)
    #expect(failure?.fault.code == .interrupted)
    #expect(bench.transport.sent.isEmpty)
}

@Test(arguments: [
    (#"{"error":{"message":"a\nb\u001b[0m","type":"t","param":"p","code":42}}"#, "42, param p: a b [0m"),
    (#"{"error":"just words"}"#, "just words"),
    (#"{"message":"top"}"#, "top"),
    ("<html><body>502</body>", "a page of HTML instead of JSON"),
    ("oops", "4 bytes that are not JSON"),
    ("", ""),
    ("[]", ""),
])
func errorEnvelopesAreReadLeniently(body: String, text: String) {
    #expect(ErrorEnvelope(body: PageBytes(Array(body.utf8))).text == text)
}

@Test func messagesFromOutsideAreBoundedAndMasked() {
    let long = ErrorEnvelope(body: PageBytes(Array(#"{"error":"\#(String(repeating: "ab ", count: 500))"}"#.utf8)))
    #expect(long.message.count == 200)
    for secret in ["sk-proj-abcdefgh12345678", "eyJhbGciOiJIUzI1NiJ9.e30.abc", "https://u:p@h/", "\"sk-abc12345\""] {
        #expect(MessageFilter.clean("x \(secret) y") == "x [masked] y")
    }
    #expect(
        MessageFilter.clean("group_by=api_key_id on or after 1764979200.")
            == "group_by=api_key_id on or after 1764979200."
    )
}
