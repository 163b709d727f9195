import GRDB
import Ledger
import Model
import Testing

@Suite struct PlanTests {
    let folder: Folder
    init() throws { folder = try Folder() }

    @Test func anUnfinishedPlanComesBackWithItsSlices() throws {
        let store = try folder.open()
        let claim = try store.claim(runID: "run-1")
        try store.beginPlan(plan(), as: claim)
        var done = slice("b", pages: 3)
        done.state = .done
        done.nextPage = nil
        try store.saveProgress(done, as: claim)
        try store.saveProgress(slice("a", pages: 1), as: claim)
        try store.close()

        let later = try folder.open()
        #expect(try later.openPlan() == plan())
        #expect(try later.slices() == [slice("a", pages: 1), done])
    }

    @Test func aCheckpointOfManyWalksIsWholeOrNotThere() throws {
        let store = try folder.open()
        let old = try store.claim(runID: "run-1")
        try store.beginPlan(plan(), as: old)
        try store.saveProgress([slice("a", pages: 1), slice("b", pages: 2)], as: old)
        #expect(try store.slices().map(\.id) == ["a", "b"])
        let new = try store.claim(runID: "run-2")
        #expect(throws: Fault.self) { try store.saveProgress([slice("a", pages: 9), slice("c", pages: 1)], as: old) }
        #expect(try store.slices() == [slice("a", pages: 1), slice("b", pages: 2)])
        try store.saveProgress([], as: new)
    }

    @Test func aStreamsProgressCanBeForgottenAlone() throws {
        let store = try folder.open()
        let claim = try store.claim(runID: "run-1")
        try store.beginPlan(plan(), as: claim)
        var other = SliceProgress(id: "z", stream: "another")
        other.pages = 2
        try store.saveProgress(slice("a", pages: 3), as: claim)
        try store.saveProgress(slice("b", pages: 1), as: claim)
        try store.saveProgress(other, as: claim)
        try store.forgetSlices(of: slice("a").stream, as: claim)
        #expect(try store.slices() == [other])
    }

    @Test func aSliceStandsWhereItWasSavedLast() throws {
        let store = try folder.open()
        let claim = try store.claim(runID: "run-1")
        try store.beginPlan(plan(), as: claim)
        for pages in Array(1...200) + [0, 1, 2] { try store.saveProgress(slice("a", pages: pages), as: claim) }
        #expect(try store.slices() == [slice("a", pages: 2)])
    }

    @Test func whatAnOlderVersionLeftOpenIsGoneOnFrom() throws {
        let store = try folder.open()
        let claim = try store.claim(runID: "run-1")
        try store.beginPlan(plan(), as: claim)
        try store.saveProgress(slice("a", pages: 7), as: claim)
        try store.close()
        // The tables as they were before columns that nobody filled were dropped.
        let queue = try DatabaseQueue(path: folder.state)
        try queue.write { db in
            try db.execute(
                sql: """
                    ALTER TABLE plans ADD COLUMN details_json TEXT NOT NULL DEFAULT '{}';
                    ALTER TABLE cursors ADD COLUMN seen_count INTEGER NOT NULL DEFAULT 0;
                    ALTER TABLE cursors ADD COLUMN parameters_json TEXT NOT NULL DEFAULT '{}';
                    ALTER TABLE cursors ADD COLUMN last_request_id TEXT;
                    CREATE TABLE seen_cursors (
                        pipeline TEXT NOT NULL, slice TEXT NOT NULL, position INTEGER NOT NULL, cursor TEXT NOT NULL,
                        PRIMARY KEY (pipeline, slice, position),
                        FOREIGN KEY (pipeline, slice) REFERENCES cursors(pipeline, slice) ON DELETE CASCADE
                    ) STRICT, WITHOUT ROWID;
                    PRAGMA user_version = 4;
                    """
            )
        }
        try queue.close()
        let old = try #require(try StateStore.openToRead(folder.state, pipeline: "demo"))
        #expect(try old.slices() == [slice("a", pages: 7)], "reading changes nothing")
        try old.close()
        let again = try folder.open()
        #expect(try again.openPlan() == plan())
        #expect(try again.slices() == [slice("a", pages: 7)])
        try again.saveProgress(slice("a", pages: 8), as: try again.claim(runID: "run-2"))
        #expect(try again.slices() == [slice("a", pages: 8)])
    }

    @Test func aSecondPlanIsRefusedWhileOneIsOpen() throws {
        let store = try folder.open()
        let claim = try store.claim(runID: "run-1")
        try store.beginPlan(plan(), as: claim)
        let fault = #expect(throws: Fault.self) { try store.beginPlan(plan("run-2"), as: claim) }
        #expect(fault?.what == "the plan of run run-1 is still unfinished")
        #expect(try store.openPlan()?.runID == "run-1")
    }

    @Test(arguments: [true, false])
    func anEndedPlanLeavesNoSlices(discarded: Bool) throws {
        let store = try folder.open()
        let claim = try store.claim(runID: "run-1")
        try store.beginPlan(plan(), as: claim)
        try store.saveProgress(slice("a", pages: 3), as: claim)
        if discarded { try store.discardPlan(as: claim) } else { try store.finishPlan(as: claim) }
        #expect(try store.openPlan() == nil)
        #expect(try store.slices() == [])
        try store.beginPlan(plan("run-2"), as: claim)
        #expect(try store.slices() == [])
    }

    @Test func progressWithoutAPlanIsRefused() throws {
        let store = try folder.open()
        let claim = try store.claim(runID: "run-1")
        #expect(throws: Fault.self) { try store.saveProgress(slice("a"), as: claim) }
    }

    @Test func aRunThatWasSupersededCanWriteNothing() throws {
        let store = try folder.open()
        let old = try store.claim(runID: "run-1")
        try store.beginPlan(plan(), as: old)
        try store.saveProgress(slice("a", pages: 1), as: old)
        let new = try store.claim(runID: "run-2")
        let attempts: [() throws -> Void] = [
            { try store.saveProgress(slice("a", pages: 2), as: old) },
            { try store.commitGeneration(commit(1, [mark("costs", day: 3)]), as: old) },
            { try store.finishPlan(as: old) },
            { try store.discardPlan(as: old) },
            { try store.beginPlan(plan(), as: old) },
        ]
        for attempt in attempts {
            let fault = #expect(throws: Fault.self) { try attempt() }
            #expect(fault?.code == .locked)
            #expect(fault?.what == "\(folder.state) was taken over by run run-2")
        }
        #expect(try store.slices() == [slice("a", pages: 1)])
        #expect(try store.watermarks() == [])
        try store.saveProgress(slice("a", pages: 2), as: new)
    }
}
