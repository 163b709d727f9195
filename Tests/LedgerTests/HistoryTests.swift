import Model
import Testing

@testable import Ledger

@Suite struct HistoryTests {
    let folder: Folder
    let store: StateStore

    init() throws {
        folder = try Folder()
        store = try folder.open()
    }

    @Test func runsComeBackNewestFirst() throws {
        var first = RunRecord(runID: "run-1", started: noon)
        try store.recordRun(first)
        first.ended = noon + 9
        first.outcome = .published
        first.exitCode = 0
        first.generation = 3
        first.summary = ["fetched": 9_007_199_254_740_993]
        try store.recordRun(first)
        let second = RunRecord(runID: "run-2", started: noon + 60, outcome: .failed, exitCode: 4)
        try store.recordRun(second)
        #expect(try store.runs() == [second, first])
        #expect(try store.runs(limit: 1) == [second])
    }

    @Test func aRunThatNeverEndedIsAbandonedByTheNext() throws {
        try store.recordRun(RunRecord(runID: "run-1", started: noon))
        _ = try store.claim(runID: "run-2")
        #expect(try store.runs().map(\.outcome) == [.abandoned])
    }

    @Test func theExportTellsWhatIsKept() throws {
        let claim = try store.claim(runID: "run-1")
        try store.commitGeneration(commit(1, [mark("costs", day: 3, groupBy: ["line_item"])]), as: claim)
        try store.beginPlan(plan(), as: claim)
        try store.saveProgress(slice("a", pages: 1), as: claim)
        try store.recordRun(RunRecord(runID: "run-1", started: noon))
        let export = try store.export()
        #expect(
            export.canonicalText
                == #"{"format":"cogni-state/1","generation":{"committed":"2025-12-01T12:01:00Z","generation":1,"#
                + #""manifest_sha256":"\#(String(repeating: "a", count: 64))","reason":"run","run_id":"run-1"},"#
                + #""open_plan":{"as_of":"2025-12-01T12:00:00Z","created":"2025-12-01T12:00:05Z","#
                + #""fingerprint":"f00d","run_id":"run-1"},"pipeline":"demo","#
                + #""runs":[{"ended":null,"exit_code":null,"generation":null,"outcome":"running","run_id":"run-1","#
                + #""started":"2025-12-01T12:00:00Z","summary":{}}],"#
                + #""slices":[{"counters":{"fetched":7},"has_next_page":true,"pages":1,"slice":"a","#
                + #""staged":["costs-a.run"],"state":"open","stream":"costs","walk":0,"watermark":"2025-12-01T12:00:00Z","#
                + #""window":{"from":"2025-12-01T12:00:00Z","to":"2025-12-01T12:01:00Z"}}],"#
                + "\"state_version\":\(StateSchema.version),"
                + #""streams":[{"bucket_width":"1d","coverage":{"from":"2025-11-01T00:00:00Z","#
                + #""to":"2025-11-03T00:00:00Z"},"generation":1,"group_by":["line_item"],"stream":"costs","#
                + #""watermark":"2025-11-03T00:00:00Z"}],"switch":null}"#
        )
    }
}
