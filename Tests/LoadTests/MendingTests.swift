import ArchiveWriting
import Disk
import Foundation
import Load
import Model
import Testing

@Suite struct MendingTests {
    private func rot(_ path: String) throws {
        var bytes = try Disk.contents(path)
        bytes[bytes.count / 2] ^= 0x55
        // In place: all generations that share the file have the damage.
        let handle = try #require(FileHandle(forUpdatingAtPath: path))
        try handle.write(contentsOf: Data(bytes))
        try handle.close()
    }

    private func project(_ root: OutputRoot) throws -> String {
        let manifest = try #require(try root.current()).manifest
        return try #require(manifest.stream("projects")?.partitions.first?.files.first?.path)
    }

    private func remade(_ sample: Sample, _ root: OutputRoot) throws -> (damaged: [String], outcome: PublishOutcome) {
        var publication = try sample.publication(root)
        let damaged = try root.mend(with: &publication, over: try #require(try root.current()))
        return (damaged, try root.publish(publication))
    }

    @Test(arguments: [true, false])
    func aDamagedOrMissingFileThatComesOutTheSameTakesItsPlaceInEveryGeneration(isMissing: Bool) throws {
        try withRoot { root throws in
            for amount in ["1", "2"] { try Sample(costs: ["2025-11-03": [amount]]).publish(root) }
            let sound = try golden(root)
            let path = try project(root)
            try rot(root.currentPath + "/" + path)
            if isMissing { try Disk.remove(root.currentPath + "/" + path) }
            #expect(try golden(root) != sound)
            let done = try remade(Sample(costs: ["2025-11-03": ["2"]]), root)
            #expect(done.damaged == [path])
            #expect(done.outcome == .unchanged)
            #expect(try golden(root) == sound)
            var verifier = Verifier(root)
            #expect(try verifier.verify(.all).isGood)
        }
    }

    @Test func whatAHealingThatWasCutOffLeftStopsNoOther() throws {
        try withRoot { root throws in
            try Sample().publish(root)
            let sound = try golden(root)
            try rot(root.currentPath + "/" + (try project(root)))
            var publication = try Sample().publication(root)
            let staged = try #require(publication.stagedFile(try project(root)))
            try Disk.create(staged.path + ".mend", [1, 2, 3])
            #expect(try root.mend(with: &publication, over: try #require(try root.current())).count == 1)
            #expect(try golden(root) == sound)
        }
    }

    @Test func anOlderManifestThatCannotBeReadKeepsNoOtherGenerationFromBeingHealed() throws {
        try withRoot { root throws in
            for amount in ["1", "2", "3"] { try Sample(costs: ["2025-11-03": [amount]]).publish(root) }
            let path = try project(root)
            try rot(root.currentPath + "/" + path)
            try Damage.unreadable(root.generationPath(2) + "/manifest.json")
            #expect(try remade(Sample(costs: ["2025-11-03": ["3"]]), root).damaged == [path])
            for number in [1, 3] {
                var verifier = Verifier(root)
                let found = try verifier.verify(.one(number)).findings
                #expect(!found.contains { $0.generation == number && $0.path == path }, "\(found)")
            }
        }
    }

    @Test func soundFilesAreLeftAlone() throws {
        try withRoot { root throws in
            try Sample().publish(root)
            let before = try Disk.status(root.currentPath + "/" + (try project(root)))?.inode
            #expect(try remade(Sample(), root).damaged == [])
            #expect(try Disk.status(root.currentPath + "/" + (try project(root)))?.inode == before)
        }
    }

    @Test func whatAnotherCompressorPacksIsPublishedInsteadAndNotTakenFromTheDamagedFile() throws {
        try withRoot { root throws in
            try Sample(level: 1).publish(root)
            let path = try project(root)
            try rot(root.currentPath + "/" + path)
            let done = try remade(Sample(level: 9), root)
            #expect(done.damaged == [path])
            #expect(done.outcome == .published(2))
            var verifier = Verifier(root)
            #expect(try verifier.verify(.current).isGood)
        }
    }
}
