import ArchiveWriting
import Disk
import Foundation
import Load
import Model
import TestKit
import Testing

@Suite struct PublishTests {
    @Test func aGenerationHasEverythingTheContractNames() throws {
        try withRoot { root throws in
            #expect(try Sample().publish(root) == .published(1))
            let names = try Disk.walk(root.path + "/current/").map(\.path)
            for name in [
                "manifest.json", "SHA256SUMS", "datapackage.json", "changes.json", "_SUCCESS", "schemas/costs.json",
            ] {
                #expect(names.contains(name), "\(name)")
            }
            #expect(try Disk.readLink(root.currentPath) == "generations/000001")
            let generation = try #require(try root.current())
            #expect(generation.manifest.rows == 5)
            #expect(generation.manifest.files.allSatisfy { names.contains($0.path) })
        }
    }

    @Test func theCommandLineToolFindsEverySumRight() throws {
        try withRoot { root throws in
            try Sample().publish(root)
            guard let checked = try run("sha256sum", ["-c", "--strict", "SHA256SUMS"], in: root.path + "/current")
            else {
                return print("skipped: sha256sum is not installed")
            }
            #expect(checked.status == 0, "\(checked.output)")
            for name in ["manifest.json: OK", "datapackage.json: OK", "schemas/costs.json: OK", "changes.json: OK"] {
                #expect(checked.output.contains(name))
            }
        }
    }

    @Test func theSameDataPublishesNothing() throws {
        try withRoot { root throws in
            try Sample().publish(root)
            let before = try golden(root)
            #expect(try Sample().publish(root) == .unchanged)
            #expect(try golden(root) == before)
        }
    }

    @Test func anotherPackingOfTheSameContentIsNoChange() throws {
        try withRoot { root throws in
            try Sample(level: 1).publish(root)
            #expect(try Sample(level: 9).publish(root) == .unchanged)
        }
    }

    @Test func unchangedFilesAreTheSameFilesOnDisk() throws {
        try withRoot { root throws in
            try Sample().publish(root)
            var next = Sample()
            next.costs["2025-11-04"] = ["7"]
            #expect(try next.publish(root) == .published(2))
            let old = try root.generation(1)
            let new = try root.generation(2)
            let path = try #require(new.manifest.stream("costs")?.partition("2025-11-03")?.files.first?.path)
            let inodes = try [old, new].map { try Disk.status($0.path + "/" + path)?.inode }
            #expect(inodes[0] != nil && inodes[0] == inodes[1])
        }
    }

    @Test func whereHardLinksAreRefusedFilesAreCopied() throws {
        let gate = DiskGate { call, path throws(DiskError) in
            if call == "link" { throw DiskError(call, path, number: 18) }
        }
        try withRoot { root throws in
            try gate.watching {
                try Sample().publish(root)
                try Sample(costs: ["2025-11-03": ["0.06", "1.10"]]).publish(root)
            }
            var verifier = Verifier(root)
            #expect(try verifier.verify(.all).findings == [])
            let path = try #require(try root.generation(2).manifest.files.first?.path)
            let inodes = try [1, 2].map { try Disk.status(root.generationPath($0) + "/" + path)?.inode }
            #expect(inodes[0] != inodes[1])
        }
    }

    @Test func changesSayWhatToRemoveAndWhatToLoad() throws {
        try withRoot { root throws in
            try Sample().publish(root)
            var next = Sample()
            next.costs = ["2025-11-03": ["0.06", "1.10"], "2025-11-05": ["1", "2", "3"]]
            next.projects = []
            try next.publish(root)
            let changes = try JSONValue(parsing: Disk.contents(root.path + "/current/changes.json"))
            let list = try #require(changes["changes"]?.elements)
            #expect(list.map { $0["partition"]?.compact } == [#"{"dt":"2025-11-04"}"#, #"{"dt":"2025-11-05"}"#, "{}"])
            #expect(list.map { $0["stream"]?.text } == ["costs", "costs", "projects"])
            #expect(list.map { $0["rows"]?.integer } == [0, 3, 0])
            #expect(list.map { $0["remove"]?.elements?.count } == [1, 0, 1])
            #expect(list.map { $0["add"]?.elements?.count } == [0, 1, 0])
            let first = try root.generation(1)
            #expect(changes["previous_manifest_sha256"]?.text == first.manifestSHA256)
            #expect(
                list[0]["remove"]?.elements?.first?.text == first.manifest.stream("costs")?.partitions[1].files[0].path
            )
        }
    }

    @Test func foldingTheChangesGivesTheLastManifest() throws {
        try withRoot { root throws in
            let seed: UInt64 = 77
            var random = Seeded(seed)
            var loaded: Set<String> = []
            for _ in 0..<12 {
                var sample = Sample()
                sample.costs = [:]
                for day in 1...5 where Bool.random(using: &random) {
                    sample.costs["2025-11-0\(day)"] = ["\(Int.random(in: 1...2, using: &random))"]
                }
                sample.projects = Bool.random(using: &random) ? ["p"] : []
                guard case .published(let number) = try sample.publish(root) else { continue }
                let changes = try JSONValue(parsing: Disk.contents(root.generationPath(number) + "/changes.json"))
                for change in changes["changes"]?.elements ?? [] {
                    for path in change["remove"]?.elements ?? [] {
                        #expect(loaded.remove(path.text ?? "") != nil, "seed \(seed)")
                    }
                    for file in change["add"]?.elements ?? [] { loaded.insert(file["path"]?.text ?? "") }
                }
                let files = try root.generation(number).manifest.files
                #expect(Set(files.map(\.path)) == loaded, "seed \(seed)")
            }
        }
    }

    @Test func eachGenerationNamesTheOneBefore() throws {
        try withRoot { root throws in
            for amount in ["1", "2", "3"] { try Sample(costs: ["2025-11-03": [amount]]).publish(root) }
            var previous: String?
            for number in 1...3 {
                let generation = try root.generation(number)
                let success = try JSONValue(parsing: Disk.contents(generation.path + "/_SUCCESS"))
                #expect(success["generation"]?.integer == number)
                #expect(success["manifest_sha256"]?.text == generation.manifestSHA256)
                #expect(success["previous_manifest_sha256"]?.text == previous)
                previous = generation.manifestSHA256
            }
        }
    }

    @Test func anEmptyOrganizationHasAManifestAndNoDataPackage() throws {
        try withRoot { root throws in
            #expect(try Sample(costs: [:], projects: []).publish(root) == .published(1))
            #expect(
                try Disk.list(root.path + "/current/")
                    == ["SHA256SUMS", "_SUCCESS", "changes.json", "manifest.json", "schemas"]
            )
        }
    }

    @Test func aFailedStreamKeepsFilesAndSchema() throws {
        try withRoot { root throws in
            try Sample().publish(root)
            let first = try root.generation(1)
            var publication = Publication(pipeline: "demo", format: .ndjson, codec: .gzip)
            for var stream in first.manifest.streams {
                stream.isStale = stream.name == "costs"
                publication.add(stream, columns: nil, staged: [])
            }
            #expect(try root.publish(publication) == .published(2))
            let second = try root.generation(2)
            #expect(second.manifest.stream("costs")?.isStale == true)
            #expect(second.manifest.files == first.manifest.files)
            #expect(
                try Disk.contents(second.path + "/schemas/costs.json")
                    == Disk.contents(first.path + "/schemas/costs.json")
            )
        }
    }

    @Test(arguments: [BundleWriter.Format.tarZstd, .zip])
    func theBundleHoldsTheGenerationAndItsSums(format: BundleWriter.Format) throws {
        try withRoot { root throws in
            try Sample(bundle: format).publish(root)
            let out = root.stagingPath + "/out"
            try Disk.makeFolders(out)
            let bundle = root.path + "/current/demo.\(format.rawValue)"
            guard let unpacked = try run("bsdtar", ["-xf", bundle, "-C", out], in: out) else {
                return print("skipped: bsdtar is not installed")
            }
            #expect(unpacked.status == 0)
            #expect(try run("sha256sum", ["-c", "--strict", "SHA256SUMS"], in: out)?.status == 0)
            #expect(try Disk.contents(out + "/manifest.json") == Disk.contents(root.path + "/current/manifest.json"))
        }
    }

    @Test func streamNamesThatWouldBecomeOurOwnFilesAreRefused() throws {
        try withRoot { root throws in
            for name in ["schemas", "../x", "manifest.json", "", "A", "_x", "a/b"] {
                var publication = Publication(pipeline: "demo", format: .ndjson, codec: .gzip)
                publication.add(.init(name: name, mode: "snapshot", primaryKey: []), columns: [], staged: [])
                let fault = #expect(throws: Fault.self) { try root.publish(publication) }
                #expect(fault?.code == .badPlan)
            }
            #expect(try root.generations().isEmpty)
        }
    }

    @Test func aStagedFileThatShrankIsNotPublished() throws {
        try withRoot { root throws in
            let publication = try Sample().publication(root)
            try Disk.replace(root.stagingPath + "/1", with: [1, 2, 3])
            let fault = #expect(throws: Fault.self) { try root.publish(publication) }
            #expect(fault?.code == .cannotWrite)
            #expect(try root.currentNumber() == nil)
        }
    }

    @Test func aMissingCurrentIsToldAndNotTakenForANewOutput() throws {
        try withRoot { root throws in
            for amount in ["1", "2"] { try Sample(costs: ["2025-11-03": [amount]]).publish(root) }
            try Disk.remove(root.currentPath)
            #expect(try root.recover() == [])
            let fault = #expect(throws: Fault.self) { try Sample().publish(root) }
            #expect(fault?.mend.contains("cogni rollback") == true)
            _ = try Rollback.perform(root, to: 2, at: Instant(seconds: 0))
            #expect(try root.currentNumber() == 2)
        }
    }
}
