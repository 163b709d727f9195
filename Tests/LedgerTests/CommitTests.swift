import Ledger
import Model
import Testing

@Suite struct CommitTests {
    let folder: Folder
    let store: StateStore
    let claim: Claim

    init() throws {
        folder = try Folder()
        store = try folder.open()
        claim = try store.claim(runID: "run-1")
    }

    @Test func aCommitReplacesThePositionsAndEndsThePlanTogether() throws {
        try store.commitGeneration(commit(1, [mark("costs", day: 3), mark("old", day: 3)]), as: claim)
        try store.beginPlan(plan(), as: claim)
        try store.saveProgress(slice("a", pages: 1), as: claim)
        let next = commit(2, [mark("costs", day: 4, generation: 2), mark("projects", day: nil)])
        try store.commitGeneration(next, as: claim)
        try store.close()

        let later = try folder.open()
        #expect(try later.watermarks() == next.watermarks)
        #expect(try later.committedGeneration() == next)
        #expect(try later.openPlan() == nil)
        #expect(try later.slices() == [])
    }

    @Test func aCursorThatWouldGoBackStopsTheWholeCommit() throws {
        let first = commit(1, [mark("audit_logs", day: 3), mark("costs", day: 3)])
        try store.commitGeneration(first, as: claim)
        try store.beginPlan(plan(), as: claim)
        for day in [2, nil] {
            let back = commit(
                2,
                [
                    mark("audit_logs", day: 4),
                    Watermark(
                        stream: "costs",
                        watermark: day.map { Instant(year: 2025, month: 11, day: $0) },
                        bucketWidth: "1d",
                        generation: 2
                    ),
                ]
            )
            let fault = #expect(throws: Fault.self) { try store.commitGeneration(back, as: claim) }
            #expect(fault?.place == ["stream costs", "generation 2"])
        }
        #expect(try store.committedGeneration() == first)
        #expect(try store.openPlan() != nil)
    }

    @Test(arguments: [GenerationCommit.Reason.rollback, .fullRefresh, .rebuild])
    func whatMayGoBackGoesBack(reason: GenerationCommit.Reason) throws {
        try store.commitGeneration(commit(2, [mark("costs", day: 3)]), as: claim)
        try store.commitGeneration(commit(1, [mark("costs", day: 2)], reason: reason), as: claim)
        #expect(try store.watermarks() == [mark("costs", day: 2)])
    }

    @Test func anotherGroupingStartsAPositionOfItsOwn() throws {
        try store.commitGeneration(commit(1, [mark("costs", day: 9, groupBy: ["project_id"])]), as: claim)
        let regrouped = [mark("costs", day: 2, groupBy: ["project_id", "line_item"])]
        try store.commitGeneration(commit(2, regrouped), as: claim)
        #expect(try store.watermarks() == regrouped)
    }

    @Test func rebuildingFromTheManifestSupersedesTheRunThatWasUnderWay() throws {
        try store.beginPlan(plan(), as: claim)
        let found = commit(7, [mark("costs", day: 9)], reason: .rebuild, runID: "run-9")
        try store.rebuild(from: found)
        #expect(try store.committedGeneration() == found)
        #expect(try store.openPlan() == nil)
        let fault = #expect(throws: Fault.self) { try store.beginPlan(plan(), as: claim) }
        #expect(fault?.code == .locked)
    }

    @Test func resettingAStreamLeavesTheOthers() throws {
        try store.commitGeneration(commit(1, [mark("costs", day: 3), mark("users", day: nil)]), as: claim)
        try store.beginPlan(plan(), as: claim)
        #expect(try store.reset(streams: ["costs"]))
        #expect(try store.watermarks() == [mark("users", day: nil)])
        #expect(try store.openPlan() == nil)
        #expect(try !store.reset(streams: ["costs"]))
        #expect(try store.reset())
        #expect(try store.watermarks() == [])
    }

    @Test func pipelinesInOneFileDoNotSeeEachOther() throws {
        let other = try StateStore.open(folder.state, pipeline: "other")
        let theirs = try other.claim(runID: "x")
        try other.beginPlan(plan("x"), as: theirs)
        try other.saveProgress(slice("a", pages: 2), as: theirs)
        try store.beginPlan(plan(), as: claim)
        try store.commitGeneration(commit(1, [mark("costs", day: 3)]), as: claim)
        #expect(try store.slices() == [])
        #expect(try other.slices() == [slice("a", pages: 2)])
        #expect(try other.watermarks() == [])
    }
}
