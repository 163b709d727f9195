import Disk
import Foundation
import Glibc
import TestKit
import Testing

/// A gate at which every call of one name fails.
func failing(_ failing: String, _ number: Int32) -> DiskGate {
    DiskGate { call, path throws(DiskError) in
        if call == failing { throw DiskError(call, path, number: number) }
    }
}

@Suite struct DiskTests {
    @Test func aNewFileNeverTakesATakenName() throws {
        try withFolder { folder throws in
            let file = try DiskFile.create(folder + "/a")
            try file.write("one")
            try file.sync()
            try file.close()
            let error = #expect(throws: DiskError.self) { try DiskFile.create(folder + "/a") }
            #expect(error?.isExisting == true)
            #expect(try Disk.contents(folder + "/a") == Array("one".utf8))
        }
    }

    @Test func aNewFileIsNotWrittenThroughADanglingLink() throws {
        try withFolder { folder throws in
            try FileManager.default.createSymbolicLink(atPath: folder + "/a", withDestinationPath: folder + "/b")
            #expect(throws: DiskError.self) { try DiskFile.create(folder + "/a") }
            #expect(try !Disk.exists(folder + "/b"))
        }
    }

    @Test func aLinkIsNotReadThrough() throws {
        try withFolder { folder throws in
            try Disk.replace(folder + "/b", with: [1])
            try FileManager.default.createSymbolicLink(atPath: folder + "/a", withDestinationPath: "b")
            let error = #expect(throws: DiskError.self) { try DiskFile.read(folder + "/a") }
            #expect(error?.isLoop == true)
        }
    }

    @Test(arguments: ["../out", "in/../../out", "/etc/passwd", "", "in//f", "way/f"])
    func readingBelowAFolderNeverLeavesIt(path: String) throws {
        try withFolder { base throws in
            let root = base + "/root"
            try Disk.makeFolders(root + "/in")
            try Disk.replace(base + "/out", with: [1])
            try Disk.replace(root + "/in/f", with: [2])
            try FileManager.default.createSymbolicLink(atPath: root + "/way", withDestinationPath: "in")
            #expect(throws: DiskError.self) { try DiskFile.read(path, beneath: root) }
            #expect(try DiskFile.read("in/f", beneath: root).readAll(limit: 9) == [2])
        }
    }

    @Test func namesAreListedInTheOrderOfTheirBytes() throws {
        try withFolder { folder throws in
            for name in ["b", "B", "ä", "a", "_", ".x", "10", "9"] { try Disk.replace(folder + "/" + name, with: []) }
            #expect(try Disk.list(folder) == [".x", "10", "9", "B", "_", "a", "b", "ä"])
        }
    }

    @Test func removingATreeLeavesWhatItsLinksPointTo() throws {
        try withFolder { folder throws in
            try Disk.makeFolders(folder + "/keep/inner")
            try Disk.replace(folder + "/keep/inner/f", with: [1])
            try Disk.makeFolders(folder + "/gone/deep/deeper")
            try Disk.replace(folder + "/gone/deep/f", with: [1])
            let manager = FileManager.default
            try manager.createSymbolicLink(atPath: folder + "/gone/deep/way", withDestinationPath: folder + "/keep")
            try manager.createSymbolicLink(atPath: folder + "/gone/file", withDestinationPath: folder + "/keep/inner/f")
            try Disk.removeTree(folder + "/gone")
            #expect(try Disk.list(folder) == ["keep"])
            #expect(try Disk.contents(folder + "/keep/inner/f") == [1])
            try Disk.removeTree(folder + "/never was")
        }
    }

    @Test func aRootThatIsALinkIsRemovedAndNotEntered() throws {
        try withFolder { folder throws in
            try Disk.makeFolders(folder + "/keep")
            try Disk.replace(folder + "/keep/f", with: [1])
            try FileManager.default.createSymbolicLink(atPath: folder + "/way", withDestinationPath: "keep")
            try Disk.removeTree(folder + "/way")
            #expect(try Disk.walk(folder).map(\.path) == ["keep", "keep/f"])
        }
    }

    @Test func pointingALinkReplacesTheOldOneAndWhatACrashLeft() throws {
        try withFolder { folder throws in
            try Disk.makeFolders(folder + "/one")
            try Disk.makeFolders(folder + "/two")
            let link = folder + "/current"
            try Disk.pointLink(link, at: "one", temporary: folder + "/.current.new")
            try FileManager.default.createSymbolicLink(atPath: folder + "/.current.new", withDestinationPath: "x")
            try Disk.pointLink(link, at: "two", temporary: folder + "/.current.new")
            #expect(try Disk.readLink(link) == "two")
            #expect(try Disk.list(folder) == ["current", "one", "two"])
        }
    }

    @Test func readingStopsAtTheLimit() throws {
        try withFolder { folder throws in
            try Disk.replace(folder + "/f", with: Array(repeating: 7, count: 100_000))
            #expect(throws: DiskError.self) { try Disk.contents(folder + "/f", limit: 99_999) }
            #expect(try Disk.contents(folder + "/f", limit: 100_000).count == 100_000)
        }
    }

    @Test func anErrorNamesCallPathNumberAndWords() throws {
        let error = #expect(throws: DiskError.self) { try Disk.list("/nowhere at all") }
        #expect(error?.description == "opendir /nowhere at all: No such file or directory (errno 2)")
    }

    @Test func logsGrowByWholeLinesAlsoAfterATornOne() throws {
        try withFolder { folder throws in
            try Disk.appendLine(folder + "/log", Array("one".utf8))
            try Disk.replace(folder + "/log", with: Array("one\ntor".utf8))
            try Disk.appendLine(folder + "/log", Array("two".utf8))
            #expect(try Disk.contents(folder + "/log") == Array("one\ntor\ntwo\n".utf8))
            #expect(try Disk.list(folder) == ["log"])
        }
    }

    @Test func aCopyIsAnotherFileWithTheSameBytes() throws {
        try withFolder { folder throws in
            let bytes = (0..<700_000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
            try Disk.replace(folder + "/a", with: bytes)
            try Disk.copy(folder + "/a", to: folder + "/b")
            #expect(try Disk.contents(folder + "/b") == bytes)
            let inodes = try ["/a", "/b"].map { try Disk.status(folder + $0)?.inode }
            #expect(inodes[0] != inodes[1])
            #expect(try Disk.freeSpace(folder) > 0)
            #expect(Disk.isWritable(folder) && !Disk.isWritable("/nowhere"))
        }
    }

    @Test func everyChangeOfTheDiskPassesTheGate() throws {
        try withFolder { folder throws in
            let gate = failing("fsync", 5)
            let error = #expect(throws: DiskError.self) {
                try gate.watching { try Disk.replace(folder + "/f", with: [1]) }
            }
            #expect(error?.number == 5)
            let isThere = try Disk.exists(folder + "/f")
            #expect(!isThere)
        }
    }
}

@Suite struct RunLockTests {
    @Test func aSecondTakerLearnsWhoHoldsIt() throws {
        try withFolder { folder throws in
            guard case .taken(let lock) = try RunLock.take(folder + "/lock", since: "2026-11-03T00:00:00Z") else {
                Issue.record("a free lock was refused")
                return
            }
            guard case .held(let holder) = try RunLock.take(folder + "/lock", since: "later") else {
                Issue.record("a held lock was given away")
                return
            }
            #expect(holder.process == "\(ProcessInfo.processInfo.processIdentifier)")
            #expect(holder.since == "2026-11-03T00:00:00Z")
            lock.release()
            guard case .taken = try RunLock.take(folder + "/lock", since: "later") else {
                Issue.record("a released lock was refused")
                return
            }
        }
    }

    @Test func aFolderThatCanNotBeLockedLeavesTheFileAndADiskThatFailsIsTold() throws {
        try withFolder { folder throws in
            func take(_ number: Int32) throws -> RunLock.Outcome {
                let gate = DiskGate { (call, path) throws(DiskError) in
                    if call == "flock", path == folder { throw DiskError(call, path, number: number) }
                }
                return try gate.watching { try RunLock.take(folder + "/lock", since: "now") }
            }
            let error = #expect(throws: DiskError.self) { try take(EIO) }
            #expect(error?.description == "flock \(folder): Input/output error (errno 5)")
            guard case .taken(let lock) = try take(ENOLCK) else {
                Issue.record("a free lock was refused because its folder can't be locked")
                return
            }
            guard case .held = try take(ENOLCK) else {
                Issue.record("a held file was given away")
                return
            }
            lock.release()
        }
    }

    @Test func aLockWhoseFileIsGoneIsStillHeldAndOneWhoseFolderIsReplacedIsNot() throws {
        try withFolder { above throws in
            let folder = above + "/root"
            try Disk.makeFolder(folder)
            guard case .taken(let lock) = try RunLock.take(folder + "/lock", since: "now") else {
                Issue.record("a free lock was refused")
                return
            }
            try Disk.remove(folder + "/lock")
            guard case .held = try RunLock.take(folder + "/lock", since: "later") else {
                Issue.record("a lock was given away because its file was removed")
                return
            }
            #expect(try lock.isStillHeld())
            try Disk.rename(folder, to: above + "/moved")
            #expect(try !lock.isStillHeld())
            try Disk.makeFolder(folder)
            #expect(try !lock.isStillHeld())
        }
    }
}
