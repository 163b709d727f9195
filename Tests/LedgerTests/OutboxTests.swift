import Ledger
import Model
import Testing

private func event(_ id: String, _ type: String = "run.failed") -> OutboxEvent {
    OutboxEvent(id: id, type: type, body: "{}", created: noon)
}

private func ending(
    _ runID: String,
    _ verdict: RunVerdict,
    _ breaker: Breaker = Breaker(),
    isProbe: Bool = false,
    events: [OutboxEvent] = [],
    counters: [Measure] = [],
    gauges: [Measure]? = nil
) -> RunEnding {
    RunEnding(
        record: RunRecord(runID: runID, started: noon, ended: noon, outcome: verdict == .failed ? .failed : .unchanged),
        verdict: verdict,
        breaker: breaker,
        isProbe: isProbe,
        at: noon,
        events: events,
        counters: counters,
        gauges: gauges,
        announce: { [event("msg_\($0.enabled ? "on" : "off")_\(runID)", "pipeline")] }
    )
}

@Suite struct OutboxTests {
    let folder: Folder
    let store: StateStore

    init() throws {
        folder = try Folder()
        store = try folder.open()
    }

    @Test func anEventOfACommitIsThereIfAndOnlyIfTheCommitIs() throws {
        let claim = try store.claim(runID: "run-1")
        try store.commitGeneration(commit(1, [mark("costs", day: 5)]), as: claim, events: [event("msg_1")])
        #expect(throws: Fault.self) {
            try store.commitGeneration(commit(2, [mark("costs", day: 3)]), as: claim, events: [event("msg_2")])
        }
        #expect(try store.outbox().map(\.event.id) == ["msg_1"])
    }

    @Test func whatWasFoundOutTwiceIsToldOnce() throws {
        try store.enqueue([event("msg_1"), event("msg_1")])
        try store.enqueue([event("msg_1")])
        #expect(try store.outbox().count == 1)
    }

    @Test func aTakenEventIsHeldBackFromOthersUntilItsLeaseEnds() throws {
        try store.enqueue([event("msg_1")])
        let first = try #require(try store.takeEvent(after: nil, at: noon, lease: noon + 30, isForced: false))
        #expect(first.entry.attempts == 1)
        #expect(try store.takeEvent(after: nil, at: noon + 29, lease: noon + 60, isForced: false) == nil)
        // Its sender died: the same event, the same id, another attempt.
        try store.close()
        let later = try folder.open()
        let again = try #require(try later.takeEvent(after: nil, at: noon + 30, lease: noon + 60, isForced: false))
        #expect(again.entry.event == first.entry.event)
        #expect(again.entry.attempts == 2)
        try later.markSent(again.number, answer: "answered 200")
        #expect(try later.takeEvent(after: nil, at: noon + 9000, lease: noon + 9030, isForced: true) == nil)
        #expect(try later.outbox().map(\.state) == [.sent])
    }

    @Test func anEventWithoutAnAttemptLeftIsGivenUp() throws {
        try store.enqueue([event("msg_1")])
        let taken = try #require(try store.takeEvent(after: nil, at: noon, lease: noon + 30, isForced: false))
        try store.markFailed(taken.number, answer: "answered 500", next: nil)
        #expect(try store.outbox().map(\.state) == [.givenUp])
        #expect(try store.outbox().map(\.lastAnswer) == ["answered 500"])
    }

    @Test func oldEventsGoButWaitingOnesStay() throws {
        try store.enqueue([event("msg_1"), event("msg_2")])
        let taken = try #require(try store.takeEvent(after: nil, at: noon, lease: noon + 30, isForced: false))
        try store.markSent(taken.number, answer: "answered 200")
        try store.dropOldEvents(at: noon + 31 * 86_400)
        #expect(try store.outbox().map(\.event.id) == ["msg_2"])
    }
}

@Suite struct BreakerTests {
    let folder: Folder
    let store: StateStore

    init() throws {
        folder = try Folder()
        store = try folder.open()
    }

    @Test func theSwitchGoesOffAtTheLimitTellsOfItAndStaysOff() throws {
        let breaker = Breaker(failuresInARow: 2)
        #expect(try store.endRun(ending("run-1", .failed, breaker)) == nil)
        let off = try store.endRun(ending("run-2", .failed, breaker))
        #expect(
            off
                == PipelineSwitch(
                    enabled: false,
                    reason: "2 failures in a row",
                    by: "cogni",
                    at: noon,
                    consecutiveFailures: 2,
                    recent: "xx"
                )
        )
        #expect(try store.outbox().map(\.event.id) == ["msg_off_run-2"])
        _ = try store.endRun(ending("run-3", .succeeded, breaker))
        try store.close()
        let later = try folder.open()
        #expect(try later.flag()?.enabled == false)
        #expect(try later.flag()?.consecutiveFailures == 0)
        #expect(try later.outbox().count == 1)
    }

    @Test func aSuccessBetweenFailuresBreaksTheRow() throws {
        for number in 0..<3 {
            try store.endRun(ending("run-\(number)-a", .failed, Breaker(failuresInARow: 2)))
            try store.endRun(ending("run-\(number)-b", .succeeded, Breaker(failuresInARow: 2)))
        }
        #expect(try store.flag()?.enabled == true)
    }

    @Test func whatSaysNothingAboutThePipelineNeitherCountsNorBreaksTheRow() throws {
        let breaker = Breaker(failuresInARow: 2)
        try store.endRun(ending("run-1", .failed, breaker))
        for number in 2..<9 { try store.endRun(ending("run-\(number)", .uncounted, breaker)) }
        #expect(try store.flag()?.consecutiveFailures == 1)
        #expect(try store.endRun(ending("run-9", .failed, breaker))?.enabled == false)
    }

    @Test func aShareOfFailuresSwitchesOffOnceTheWindowIsFull() throws {
        let breaker = Breaker(share: .init(percent: 50, runs: 4))
        let verdicts: [RunVerdict] = [.failed, .failed, .succeeded, .succeeded, .failed, .failed]
        var turned: [Int] = []
        for (number, verdict) in verdicts.enumerated() {
            if try store.endRun(ending("run-\(number)", verdict, breaker)) != nil { turned.append(number) }
        }
        // After the fourth, half have failed, but a success never switches off; the fifth failure does.
        #expect(turned == [4])
        #expect(try store.flag()?.reason == "2 of the last 4 runs failed")
    }

    @Test func onlyASuccessfulProbeSwitchesOnAgain() throws {
        try store.endRun(ending("run-1", .failed, Breaker(failuresInARow: 1)))
        #expect(try store.endRun(ending("run-2", .failed, isProbe: true)) == nil)
        #expect(try store.flag()?.isTripped == true)
        #expect(try store.endRun(ending("run-3", .succeeded, isProbe: true))?.enabled == true)
        #expect(try store.flag()?.recent == "")
    }

    @Test func aProbeDoesNotUndoWhatAPersonSwitchedOffMeanwhile() throws {
        try store.endRun(ending("run-1", .failed, Breaker(failuresInARow: 1)))
        try store.setFlag(PipelineSwitch(enabled: false, reason: "audit", by: "ada", at: noon + 1))
        #expect(try store.endRun(ending("run-2", .succeeded, isProbe: true)) == nil)
        #expect(try store.flag()?.enabled == false)
    }
}

@Suite struct MeasureTests {
    @Test func countersGoOnOverRestartsAndGaugesAreReplaced() throws {
        let folder = try Folder()
        let label = [Measure.Label("stream", "costs")]
        for (number, gauge) in ["1.5", "2.5"].enumerated() {
            let store = try folder.open()
            try store.endRun(
                ending(
                    "run-\(number)",
                    .succeeded,
                    counters: [Measure("rows", label, 9_007_199_254_740_993)],
                    gauges: [Measure("age", value: gauge)] + (number == 0 ? [Measure("gone", 1)] : [])
                )
            )
            try store.close()
        }
        let kept = try folder.open().measures()
        #expect(kept.map(\.measure) == [Measure("age", value: "2.5"), Measure("rows", label, 18_014_398_509_481_986)])
        #expect(kept.map(\.isCounter) == [false, true])
    }
}
