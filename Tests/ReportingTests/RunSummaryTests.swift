import Model
import Reporting
import Testing

private func summary() -> RunSummary {
    var usage = StreamReport(name: "usage_completions", status: .ok)
    usage.tally.fetched = 1_234_567
    usage.tally.kept = 1_234_560
    usage.tally.identical = 4
    usage.tally.conflicts = 1
    usage.tally.dropped = ["unknown_text": 2]
    usage.pages = 40
    usage.requests = 42
    usage.retries = 2
    usage.files = 30
    usage.bytes = 34_012_345
    usage.milliseconds = 12_345
    var projects = StreamReport(name: "projects", status: .unchanged)
    projects.tally.fetched = 3
    projects.tally.kept = 3
    projects.pages = 1
    projects.requests = 1
    projects.files = 1
    projects.bytes = 812
    projects.milliseconds = 210
    projects.notes = ["new field \u{1B}[31m\"colour\" was dropped"]
    var users = StreamReport(name: "users", status: .stale)
    users.requests = 1
    users.files = 1
    users.bytes = 950
    users.milliseconds = 95
    let denied = Fault(
        .denied,
        "GET /organization/users answered 403",
        at: ["stream users", "page 1"],
        mend: "give the key the scope api.management.read"
    )
    return RunSummary(
        pipeline: "demo",
        runID: "run-1",
        outcome: .published,
        exitCode: 3,
        generation: 12,
        output: "output/demo",
        started: Instant(year: 2025, month: 12, day: 1),
        milliseconds: 12_600,
        streams: [usage, projects, users],
        faults: [denied]
    )
}

@Suite struct RunSummaryTests {
    @Test func theTableIsAligned() {
        #expect(
            summary().table(width: 120, color: false) == """
                stream               fetched    written  duplicates  dropped  files    bytes   time
                usage_completions  1,234,567  1,234,560           5        2     30  34.0 MB  12.3s
                projects                   3          3           0        0      1    812 B   0.2s  unchanged
                users                      0          0           0        0      1    950 B   0.1s  stale
                ----------------------------------------------------------------------------------------------
                total              1,234,570  1,234,563           5        2     32  34.0 MB  12.6s
                  usage_completions: 1 row repeated a key with another body
                  usage_completions: dropped: unknown_text 2
                  usage_completions: 2 of 42 requests were retries
                  projects: new field ?[31m"colour" was dropped
                denied: GET /organization/users answered 403
                  where: stream users › page 1
                  mend:  give the key the scope api.management.read
                published generation 12 in output/demo, 1 of 3 streams failed (exit 3)

                """
        )
    }

    @Test func aNarrowScreenLosesColumnsNotCounts() {
        let lines = summary().table(width: 64, color: false).split(separator: "\n")
        #expect(lines[0] == "stream               fetched    written  dropped")
        #expect(lines[2] == "projects                   3          3        0  unchanged")
    }

    @Test func colourIsOnlyAddedNeverNeeded() {
        let coloured = summary().table(width: 120, color: true)
        #expect(coloured.contains("\u{1B}[31musers                      0"))
        var plain = coloured
        for code in ["0", "1", "2", "31", "32", "33"] {
            plain = plain.split(separator: "\u{1B}[\(code)m", omittingEmptySubsequences: false).joined()
        }
        #expect(plain == summary().table(width: 120, color: false))
    }

    @Test func jsonHoldsTheSameNumbers() {
        var one = summary()
        one.streams.removeLast(2)
        #expect(
            one.json.compact
                == #"{"format":"cogni-run/1","pipeline":"demo","run_id":"run-1","outcome":"published","exit_code":3,"#
                + #""generation":12,"output":"output/demo","started":"2025-12-01T00:00:00Z","seconds":12.600,"#
                + #""streams":[{"name":"usage_completions","status":"ok","fetched":1234567,"written":1234560,"#
                + #""duplicates":{"identical":4,"conflicts":1},"dropped":{"unknown_text":2},"pages":40,"requests":42,"#
                + #""retries":2,"files":30,"bytes":34012345,"seconds":12.345,"notes":[]}],"#
                + #""totals":{"fetched":1234567,"written":1234560,"duplicates":{"identical":4,"conflicts":1},"#
                + #""dropped":{"unknown_text":2},"pages":40,"requests":42,"retries":2,"files":30,"bytes":34012345,"#
                + #""seconds":12.600},"faults":[{"code":"denied","exit_code":3,"#
                + #""what":"GET /organization/users answered 403","where":["stream users","page 1"],"#
                + #""mend":"give the key the scope api.management.read"}]}"#
        )
    }

    @Test func aSumThatDoesNotHoldIsSaid() {
        var broken = summary()
        broken.streams[1].tally.fetched = 4
        #expect(broken.table(width: 120, color: false).contains("projects: rows do not add up"))
    }

    @Test(arguments: [
        (RunSummary.Outcome.unchanged, 12 as Int?, "unchanged: generation 12 stays in output/demo"),
        (.failed, nil, "failed: nothing published, no generation yet in output/demo"),
        (.dryRun, 12, "dry run: nothing published, generation 12 stays in output/demo"),
        (.interrupted, 12, "interrupted: nothing published; run again to go on from the last page kept"),
    ])
    func theLastLineSaysWhatStands(outcome: RunSummary.Outcome, generation: Int?, line: String) {
        var run = summary()
        run.outcome = outcome
        run.generation = generation
        run.exitCode = 0
        run.streams.removeLast()
        #expect(run.table(width: 120, color: false).split(separator: "\n").last.map(String.init) == line)
    }

    @Test func aDryRunHoldsTheNextGenerationsRowsAgainstTheCurrentOnes() {
        var run = summary()
        run.outcome = .dryRun
        run.streams.removeLast()
        run.streams[0].rowChange = .init(current: 1_234_565, next: 1_234_560)
        run.streams[1].rowChange = .init(current: nil, next: 3)
        #expect(
            run.table(width: 120, color: false).contains(
                """

                rows               generation 12       next  difference
                usage_completions      1,234,565  1,234,560          -5
                projects                    none          3          +3
                -------------------------------------------------------
                total                  1,234,565  1,234,563          -2

                """
            )
        )
        let rows = run.json["streams"]?.elements?.map { $0["rows"]?.compact }
        #expect(
            rows == [
                #"{"current":1234565,"next":1234560,"difference":-5}"#, #"{"current":null,"next":3,"difference":3}"#,
            ]
        )
        #expect(run.json["totals"]?["rows"]?.compact == #"{"current":1234565,"next":1234563,"difference":-2}"#)
    }

    @Test func theClockStandsBesideWhatTheRunTookForNow() {
        var run = summary()
        run.clock = RunSummary.Clock(ended: Instant(year: 2026, month: 3, day: 1), milliseconds: 12_600)
        #expect(run.json["started"]?.text == "2025-12-01T00:00:00Z")
        #expect(run.json["clock"]?.compact == #"{"began":"2026-02-28T23:59:47Z","ended":"2026-03-01T00:00:00Z"}"#)
    }

    @Test func aFailureHasItsFinalLine() {
        #expect(
            summary().finalLine
                == "error: denied: GET /organization/users answered 403 (stream users › page 1)"
        )
        var fine = summary()
        fine.exitCode = 0
        #expect(fine.finalLine == nil)
    }
}
