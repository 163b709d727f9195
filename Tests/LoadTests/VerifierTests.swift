import ArchiveWriting
import Disk
import Foundation
import Load
import Model
import Testing

/// The way a generation is damaged, and the problem that must be told of.
struct Damage: Sendable, CustomTestStringConvertible {
    var name: String
    var problem: Verifier.Finding.Problem
    var make: @Sendable (_ generation: String, _ file: String) throws -> Void
    var testDescription: String { name }

    static func rewrite(_ path: String, _ change: ([UInt8]) -> [UInt8]) throws {
        let bytes = try Disk.contents(path)
        // A new file: hard links of other generations keep theirs.
        try Disk.remove(path)
        try Disk.replace(path, with: change(bytes))
    }

    /// A folder in the file's place: it opens, and no user can read it.
    static func unreadable(_ path: String) throws {
        if try Disk.exists(path) { try Disk.remove(path) }
        try Disk.makeFolder(path)
    }

    static let all: [Damage] = [
        Damage(name: "flipped byte", problem: .unreadable) { generation, file in
            try rewrite(generation + "/" + file) { bytes in
                var bytes = bytes
                bytes[bytes.count / 2] ^= 0x10
                return bytes
            }
        },
        Damage(name: "flipped time in the gzip header", problem: .sha256) { generation, file in
            try rewrite(generation + "/" + file) { Array($0[..<5]) + [1] + $0[6...] }
        },
        Damage(name: "cut", problem: .unreadable) { generation, file in
            try rewrite(generation + "/" + file) { Array($0.dropLast(3)) }
        },
        Damage(name: "lengthened", problem: .unreadable) { generation, file in
            try rewrite(generation + "/" + file) { $0 + [0] }
        },
        Damage(name: "missing", problem: .missing) { generation, file in try Disk.remove(generation + "/" + file) },
        Damage(name: "another file in its place", problem: .content) { generation, file in
            let writer = ArchiveFileWriter(codec: .gzip)
            try Disk.remove(generation + "/" + file)
            try writer.open(generation + "/" + file)
            try writer.write(Array("{\"id\":1}\n".utf8).span)
            _ = try writer.finish(sync: false)
        },
        Damage(name: "replaced by a link to itself elsewhere", problem: .link) { generation, file in
            try Disk.rename(generation + "/" + file, to: generation + "/../../runs/moved.gz")
            try FileManager.default.createSymbolicLink(
                atPath: generation + "/" + file,
                withDestinationPath: generation + "/../../runs/moved.gz"
            )
        },
        Damage(name: "extra file", problem: .extra) { generation, _ in
            try Disk.replace(generation + "/costs/stray.ndjson", with: [])
        },
        Damage(name: "extra folder", problem: .extra) { generation, _ in try Disk.makeFolder(generation + "/more") },
        Damage(name: "extra link", problem: .link) { generation, _ in
            try FileManager.default.createSymbolicLink(atPath: generation + "/way", withDestinationPath: "/etc")
        },
        Damage(name: "edited manifest", problem: .chain) { generation, _ in
            try rewrite(generation + "/manifest.json") { bytes in
                Array(String(decoding: bytes, as: UTF8.self).replacingFirst("snapshot", with: "singleton").utf8)
            }
        },
        Damage(name: "unreadable manifest", problem: .manifest) { generation, _ in
            try rewrite(generation + "/manifest.json") { Array($0.dropLast()) }
        },
        Damage(name: "edited sums", problem: .sums) { generation, _ in
            try rewrite(generation + "/SHA256SUMS") { bytes in
                var bytes = bytes
                bytes[0] = bytes[0] == 48 ? 49 : 48
                return bytes
            }
        },
        Damage(name: "edited schema", problem: .sha256) { generation, _ in
            try rewrite(generation + "/schemas/costs.json") { $0 + [32] }
        },
        Damage(name: "sums that can't be read", problem: .unreadable) { generation, _ in
            try unreadable(generation + "/SHA256SUMS")
        },
        Damage(name: "schema that can't be read", problem: .unreadable) { generation, _ in
            try unreadable(generation + "/schemas/costs.json")
        },
        Damage(name: "missing changes", problem: .missing) { generation, _ in
            try Disk.remove(generation + "/changes.json")
        },
        Damage(name: "missing _SUCCESS", problem: .chain) { generation, _ in try Disk.remove(generation + "/_SUCCESS")
        },
        Damage(name: "edited bundle", problem: .sha256) { generation, _ in
            try rewrite(generation + "/demo.zip") { bytes in
                var bytes = bytes
                bytes[bytes.count / 2] ^= 1
                return bytes
            }
        },
    ]
}

@Suite struct VerifierTests {
    private func twoGenerations(_ root: OutputRoot) throws {
        try Sample(costs: ["2025-11-03": ["1"], "2025-11-04": ["2"]], bundle: .zip).publish(root)
        try Sample(bundle: .zip).publish(root)
    }

    @Test(arguments: RowFormat.allCases, Codec.allCases)
    func whatWasPublishedIsFoundGood(format: RowFormat, codec: Codec) throws {
        try withRoot { root throws in
            try Sample(format: format, codec: codec, bundle: .tarZstd).publish(root)
            try Sample(costs: ["2025-11-03": ["5"]], format: format, codec: codec, bundle: .tarZstd).publish(root)
            var verifier = Verifier(root)
            let report = try verifier.verify(.all)
            #expect(report.findings == [])
            #expect(report.generations == [1, 2])
            #expect(report.files == 5)
            #expect(report.rows == 5 + 3)
            #expect(report.text.hasSuffix("all as the manifest says"))
        }
    }

    @Test(arguments: Damage.all)
    func everyDamageIsFoundAndNamed(damage: Damage) throws {
        try withRoot { root throws in
            try twoGenerations(root)
            let generation = try root.generation(2)
            let file = try #require(generation.manifest.stream("costs")?.partitions[0].files[0].path)
            try damage.make(generation.path, file)
            var verifier = Verifier(root)
            let report = try verifier.verify()
            #expect(report.findings.contains { $0.problem == damage.problem && $0.generation == 2 }, "\(report.text)")
            // The generation before does not suffer.
            #expect(!report.findings.contains { $0.generation == 1 }, "\(report.text)")
            #expect(report.json["ok"] == false)
        }
    }

    @Test func allFindingsAreTold() throws {
        try withRoot { root throws in
            try twoGenerations(root)
            let generation = try root.generation(2)
            for file in generation.manifest.files { try Disk.remove(generation.path + "/" + file.path) }
            var verifier = Verifier(root)
            let missing = try verifier.verify().findings.filter { $0.problem == .missing }.map(\.path)
            #expect(missing == generation.manifest.files.map(\.path))
        }
    }

    @Test func rowsThatTheManifestDoesNotCountAreFound() throws {
        try withRoot { root throws in
            var publication = try Sample(codec: .none).publication(root)
            publication.rereadsNewFiles = false
            publication.manifest.streams[0].partitions[0].files[0].rows += 1
            _ = try root.publish(publication)
            var verifier = Verifier(root)
            #expect(try verifier.verify().findings.map(\.problem) == [.rows])
        }
    }

    @Test func aGenerationThatWasTakenOutOfTheMiddleBreaksTheChain() throws {
        try withRoot { root throws in
            for amount in ["1", "2", "3"] { try Sample(costs: ["2025-11-03": [amount]]).publish(root) }
            try Disk.removeTree(root.generationPath(2))
            var verifier = Verifier(root)
            #expect(try verifier.verify().findings.map(\.problem) == [.chain])
        }
    }

    @Test func aGenerationThatVacuumDroppedDoesNot() throws {
        try withRoot { root throws in
            for amount in ["1", "2", "3", "4"] { try Sample(costs: ["2025-11-03": [amount]]).publish(root) }
            _ = try Rollback.perform(root, to: 1, at: Instant(seconds: 0))
            _ = try Vacuum.perform(root, keep: 1, at: Instant(seconds: 0))
            #expect(try root.generations() == [1, 4])
            var verifier = Verifier(root)
            #expect(try verifier.verify(.all).findings == [])
        }
    }

    @Test func aManifestThatCannotBeReadLeavesAHoleInTheChainOfOtherGenerations() throws {
        try withRoot { root throws in
            for amount in ["1", "2"] { try Sample(costs: ["2025-11-03": [amount]]).publish(root) }
            try Damage.unreadable(root.generationPath(1) + "/manifest.json")
            var verifier = Verifier(root)
            let found = try verifier.verify().findings
            #expect(found.map(\.problem) == [.unreadable])
            #expect(found.map(\.generation) == [1])
            try Disk.removeTree(root.generationPath(1) + "/manifest.json")
            #expect(try verifier.verify().findings.map(\.problem) == [.missing], "nor is one good that is gone")
        }
    }

    @Test func aLogThatCannotBeReadIsTheFindingAndNoGenerationIsCalledLost() throws {
        try withRoot { root throws in
            for amount in ["1", "2", "3"] { try Sample(costs: ["2025-11-03": [amount]]).publish(root) }
            _ = try Rollback.perform(root, to: 1, at: Instant(seconds: 0))
            try Sample(costs: ["2025-11-03": ["4"]]).publish(root)
            _ = try Vacuum.perform(root, keep: 1, at: Instant(seconds: 0))
            var verifier = Verifier(root)
            #expect(try verifier.verify(.all).findings == [])
            for path in [root.vacuumLogPath, root.rollbackLogPath] { try Damage.unreadable(path) }
            let found = try verifier.verify(.all).findings
            #expect(found.map(\.problem) == [.unreadable, .unreadable], "\(found)")
            #expect(found.map(\.path) == ["vacuum_log.ndjson", "rollback_log.ndjson"])
        }
    }

    @Test func aFileThatUnpacksToMoreThanTheManifestSaysIsNotReadOn() throws {
        try withRoot { root throws in
            try Sample().publish(root)
            let generation = try root.generation(1)
            let path = generation.path + "/" + generation.manifest.files[0].path
            try Disk.remove(path)
            let writer = ArchiveFileWriter(codec: .gzip)
            try writer.open(path)
            for _ in 0..<64 { try writer.write([UInt8](repeating: 10, count: 1 << 20).span) }
            _ = try writer.finish(sync: false)
            var verifier = Verifier(root)
            let report = try verifier.verify()
            #expect(report.findings.contains { $0.problem == .unreadable && $0.detail.contains("longer than") })
            #expect(report.bytes < 1 << 20)
        }
    }
}
