import Foundation
import GRDB
import Glibc
import Model
import Testing

@testable import Ledger

@Suite struct StateFileTests {
    let folder: Folder
    init() throws { folder = try Folder() }

    @Test func aNewStateIsPrivateAndNamesItsOwner() throws {
        let store = try folder.open()
        #expect(store.wasCreated)
        try store.close()
        let mode = try FileManager.default.attributesOfItem(atPath: folder.state)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let bytes = try folder.bytes(folder.state)
        #expect(Array(bytes[68..<72]) == Array("CgTk".utf8))
        #expect(folder.names == ["state.sqlite"])
        #expect(try !folder.open().wasCreated)
    }

    @Test func writesAreSyncedAsPromised() throws {
        let store = try folder.open()
        try store.setFlag(PipelineSwitch(enabled: true, reason: "", by: "me", at: noon))
        try store.close()
        let bytes = try folder.bytes(folder.state)
        #expect(bytes[18] == 1 && bytes[19] == 1, "1: rollback journal, 2: write-ahead log")
    }

    @Test func whatDoesNotExistIsNotCreatedByLooking() throws {
        #expect(try StateStore.openToRead(folder.state, pipeline: "demo") == nil)
        #expect(folder.names == [])
    }

    @Test func aStateWhoseFirstWriteWasCutOffIsAsNone() throws {
        // What SQLite leaves when it has taken the first transaction back: pages, and no table.
        let queue = try DatabaseQueue(path: folder.state)
        try queue.writeWithoutTransaction { db in
            try db.execute(sql: "PRAGMA application_id = \(0x4367_546B); CREATE TABLE t (a); DROP TABLE t")
        }
        try queue.close()
        #expect(try StateStore.openToRead(folder.state, pipeline: "demo") == nil)
        let store = try folder.open()
        #expect(store.wasCreated)
        #expect(try store.flag() == nil)
    }

    @Test func aFirstPageThatPowerLossToreIsTakenBackByItsJournal() throws {
        // The journal of a transaction on a database that had no page yet, and a page of which nothing arrived.
        let magic: [UInt8] = [0xD9, 0xD5, 0x05, 0xF9, 0x20, 0xA1, 0x63, 0xD7]
        let counts: [UInt8] = [0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 16, 0]
        let journal = magic + counts + [UInt8](repeating: 0, count: 512 - 28)
        try folder.write([UInt8](repeating: 0, count: 4096), to: folder.state)
        #expect(throws: Fault.self) { try folder.open() }  // zeros alone are nobody's
        try folder.write(journal, to: folder.state + "-journal")
        let store = try folder.open()
        #expect(store.wasCreated)
        #expect(try store.committedGeneration() == nil)
    }

    @Test func aFailedCallIsToldWithItsFileAndNumber() throws {
        let store = try folder.open()
        try FileManager.default.createDirectory(atPath: folder.state + "-journal", withIntermediateDirectories: false)
        let fault = #expect(throws: Fault.self) {
            try store.setFlag(PipelineSwitch(enabled: true, reason: "", by: "me", at: noon))
        }
        #expect(fault?.code == .cannotWrite)
        #expect(
            fault?.what.contains("\(folder.state)-journal: Is a directory (errno 21)") == true,
            "\(String(describing: fault))"
        )
    }

    @Test(arguments: [EMFILE, EIO, ENOSPC, EROFS])
    func aStateThatCanNotBeOpenedToWriteIsToldAlsoToAReader(number: Int32) throws {
        try folder.open().close()
        for opening in [StateStore.open, { try StateStore.openToRead($0, pipeline: $1)! }] {
            let fault = FailingCall.with("open", on: folder.state, number) {
                #expect(throws: Fault.self) { try opening(folder.state, "demo") }
            }
            #expect(fault?.code == .cannotWrite)
            #expect(fault?.what.contains("open \(folder.state): ") == true, "\(String(describing: fault))")
            #expect(fault?.what.contains("(errno \(number))") == true, "\(String(describing: fault))")
        }
    }

    @Test func aFolderThatCanNotBeLookedAtIsToldWithItsNumber() throws {
        try folder.open().close()
        let fault = FailingCall.with("lstat", on: folder.url.path, EIO) {
            #expect(throws: Fault.self) { try folder.open() }
        }
        #expect(
            fault?.what.contains("lstat \(folder.state): Input/output error (errno 5)") == true,
            "\(String(describing: fault))"
        )
    }

    @Test func aPageThatCanNotBeReadIsTheDisksFaultAndNoDamage() throws {
        let store = try folder.open()
        let fault = FailingCall.with("read", on: folder.state, EIO) {
            #expect(throws: Fault.self) { try store.flag() }
        }
        #expect(
            fault?.what.contains("could not be read or written: read \(folder.state): ") == true,
            "\(String(describing: fault))"
        )
        #expect(fault?.mend == "check the disk and run again")
        #expect(try store.flag() == nil)
    }

    @Test func aReaderSeesWhatWasWritten() throws {
        let store = try folder.open()
        try store.setFlag(PipelineSwitch(enabled: false, reason: "audit", by: "me", at: noon))
        let reader = try #require(try StateStore.openToRead(folder.state, pipeline: "demo"))
        #expect(try reader.flag()?.reason == "audit")
        try store.setFlag(PipelineSwitch(enabled: false, reason: "again", by: "me", at: noon))
        #expect(try reader.flag()?.reason == "again")
    }

    @Test(arguments: ["PRAGMA application_id = 7", "PRAGMA user_version = 99"])
    func aForeignOrNewerStateIsRefusedAndLeftAsItWas(change: String) throws {
        try folder.open().close()
        let queue = try DatabaseQueue(path: folder.state)
        try queue.writeWithoutTransaction { try $0.execute(sql: change) }
        try queue.close()
        let before = try folder.bytes(folder.state)
        for opening in [StateStore.open, { try StateStore.openToRead($0, pipeline: $1)! }] {
            let fault = #expect(throws: Fault.self) { try opening(folder.state, "demo") }
            #expect(fault?.code == .cannotWrite)
            #expect(fault?.mend == "run `cogni state rebuild` with the file of pipeline demo")
        }
        #expect(try folder.bytes(folder.state) == before)
        #expect(folder.names == ["state.sqlite"])
    }

    @Test func aFaultNamesTheNumbers() throws {
        try folder.open().close()
        let queue = try DatabaseQueue(path: folder.state)
        try queue.writeWithoutTransaction { try $0.execute(sql: "PRAGMA user_version = 99") }
        try queue.close()
        let fault = #expect(throws: Fault.self) { try folder.open() }
        #expect(
            fault?.what
                == "\(folder.state) was written by a newer cogni (state version 99, this one knows \(StateSchema.version))"
        )
    }

    @Test func aTextFileOrAFolderInItsPlaceIsRefused() throws {
        try folder.write(
            Array("not a database, but long enough to be taken for one; \(String(repeating: "x", count: 90))".utf8),
            to: folder.state
        )
        #expect(throws: Fault.self) { try folder.open() }
        try FileManager.default.removeItem(atPath: folder.state)
        try FileManager.default.createDirectory(atPath: folder.state, withIntermediateDirectories: false)
        #expect(throws: Fault.self) { try folder.open() }
        try FileManager.default.removeItem(atPath: folder.state)
        try FileManager.default.createSymbolicLink(atPath: folder.state, withDestinationPath: "/tmp/elsewhere.sqlite")
        #expect(throws: Fault.self) { try folder.open() }
    }

    /// Fills the state with enough to spread over all its tables, and returns its bytes.
    private func filled() throws -> [UInt8] {
        let store = try folder.open()
        let claim = try store.claim(runID: "run-0")
        try store.commitGeneration(commit(1, [mark("costs", day: 3), mark("projects", day: nil)]), as: claim)
        try store.beginPlan(plan(), as: claim)
        for number in 0..<40 { try store.saveProgress(slice("slice-\(number)", pages: 20), as: claim) }
        for number in 0..<40 { try store.recordRun(RunRecord(runID: "run-\(number)", started: noon + Int64(number))) }
        try store.setFlag(PipelineSwitch(enabled: true, reason: "", by: "me", at: noon))
        try store.close()
        return try folder.bytes(folder.state)
    }

    @Test func aTruncatedStateIsRefused() throws {
        let whole = try filled()
        for length in [1, 99, 100, 4095, 4096, 8192, whole.count - 4096, whole.count - 1] {
            try folder.write(Array(whole.prefix(length)), to: folder.state)
            let fault = #expect(throws: Fault.self, "cut to \(length) bytes") { try folder.open() }
            #expect(fault?.code == .cannotWrite)
            #expect(fault?.mend == "run `cogni state rebuild` with the file of pipeline demo")
            #expect(try folder.bytes(folder.state) == Array(whole.prefix(length)))
        }
    }

    @Test func aZeroedPageIsRefusedOrHoldsNothing() throws {
        let whole = try filled()
        let truth = try folder.open().export(runLimit: 100)
        var refused = 0
        for page in 0..<whole.count / 4096 {
            var damaged = whole
            damaged.replaceSubrange(page * 4096..<(page + 1) * 4096, with: repeatElement(0, count: 4096))
            try folder.write(damaged, to: folder.state)
            do {
                let store = try folder.open()
                #expect(try store.export(runLimit: 100) == truth, "page \(page) was lost in silence")
            } catch {
                #expect(error.mend == "run `cogni state rebuild` with the file of pipeline demo")
                refused += 1
            }
        }
        #expect(refused > 10, "the filled state spreads over more than ten pages")
    }

    @Test func aRebuiltStateHoldsTheManifestsPositionsAndKeepsTheOldFile() throws {
        let whole = try filled()
        let torn = Array(whole.prefix(5000))
        try folder.write(torn, to: folder.state)
        try folder.write([1, 2, 3], to: folder.state + "-journal")
        let again = commit(1, [mark("costs", day: 3), mark("projects", day: nil)], reason: .rebuild)
        let store = try StateStore.rebuild(folder.state, pipeline: "demo", from: again)
        #expect(try store.committedGeneration() == again)
        #expect(try store.openPlan() == nil)
        #expect(try folder.bytes(folder.state + ".damaged-1") == torn)
        #expect(folder.names == ["state.sqlite", "state.sqlite.damaged-1", "state.sqlite.damaged-1-journal"])
        try store.close()
        #expect(try folder.open().watermarks() == again.watermarks)
    }

    @Test func aStateThatAnotherProcessWritesIsLockedNotDamaged() throws {
        let store = try folder.open()
        let other = try DatabaseQueue(path: folder.state)
        try other.inDatabase { db in
            try db.execute(sql: "BEGIN EXCLUSIVE")
            let fault = #expect(throws: Fault.self) { try store.enqueue([]) }
            #expect(fault?.code == .locked)
            try db.execute(sql: "ROLLBACK")
        }
        try store.enqueue([])
    }
}
