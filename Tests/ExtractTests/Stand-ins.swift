import Connector
import Model
import PageMemory
import Synchronization

@testable import Extract

/// Time that passes only when somebody sleeps.
final class VirtualClock: RequestClock {
    private let state = Mutex((now: Duration.zero, sleeps: [Duration]()))
    let wall = Instant(seconds: 1_764_979_200)
    var elapsed: Duration { state.withLock { $0.now } }
    var sleeps: [Duration] { state.withLock { $0.sleeps } }
    func pass(_ duration: Duration) { state.withLock { $0.now += duration } }
    func sleep(for duration: Duration) async throws(CancellationError) {
        if Task.isCancelled { throw CancellationError() }
        state.withLock {
            $0.now += duration
            $0.sleeps.append(duration)
        }
    }
}

/// Answers from a list, then the last answer for ever.
final class Scripted: Transport {
    enum Answer: Sendable {
        case reply(Int, [String: String] = [:], String = #"{"data":[],"has_more":false}"#)
        case fail(TransportError.Kind, String = "reason")
    }
    private let answers: [Answer]
    private let requests = Mutex([Request]())
    private let clock: VirtualClock?
    private let each: Duration

    init(_ answers: [Answer], clock: VirtualClock? = nil, each: Duration = .zero) {
        self.answers = answers
        self.clock = clock
        self.each = each
    }

    var sent: [Request] { requests.withLock { $0 } }

    func send(_ request: Request) async throws(TransportError) -> Reply {
        let index = requests.withLock {
            $0.append(request)
            return $0.count - 1
        }
        clock?.pass(each)
        switch answers[min(index, answers.count - 1)] {
        case .reply(let status, let headers, let body):
            return Reply(status: status, headers: headers, body: PageBytes(Array(body.utf8)))
        case .fail(let kind, let reason):
            throw TransportError(kind, reason)
        }
    }
}

extension Connector {
    static func sample(_ streams: [StreamSpec] = []) -> Connector {
        Connector(
            name: "sample",
            baseURL: "https://api.example.com/v1",
            credentialVariable: "SAMPLE_KEY",
            credentialHeader: "Authorization",
            credentialPrefix: "Bearer ",
            optionHeaders: ["organization": "X-Org"],
            errors: ErrorRules(finalCodes: ["credit_balance_exhausted"]),
            streams: streams
        )
    }
}

let usersRequest = Request(
    stream: "users",
    template: "/organization/users",
    path: "/organization/users",
    query: [("limit", "100")]
)
