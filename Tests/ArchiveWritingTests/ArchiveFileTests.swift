import ArchiveWriting
import Disk
import Foundation
import TestKit
import Testing

/// Writes `content` in pieces of random length and reads its facts off the writer.
private func write(
    _ content: [UInt8],
    to path: String,
    with writer: ArchiveFileWriter,
    inBackground: Bool = false,
    random: inout Seeded
) throws -> FileFacts {
    try writer.open(path, inBackground: inBackground)
    var at = 0
    while at < content.count {
        let largest = [1, 300, 70_000, 3_000_000].randomElement(using: &random) ?? 1
        let end = min(content.count, at + Int.random(in: 1...largest, using: &random))
        try writer.write(content[at..<end].span)
        at = end
    }
    return try writer.finish(sync: false)
}

private func failing(_ failing: String, _ number: Int32) -> DiskGate {
    DiskGate { call, path throws(DiskError) in
        if call == failing { throw DiskError(call, path, number: number) }
    }
}

@Suite struct ArchiveFileTests {
    @Test(arguments: Codec.allCases, [0, 1, 1 << 20, (1 << 20) + 1, 3_456_789])
    func bytesDependOnContentAndNotOnItsPieces(codec: Codec, size: Int) throws {
        try withFolder { folder throws in
            let seed = UInt64(size) &+ 17
            var random = Seeded(seed)
            let content = Array(rows(size, seed: seed).prefix(size))
            let used = ArchiveFileWriter(codec: codec)
            _ = try write(rows(900_000, seed: 3), to: folder + "/before", with: used, random: &random)
            let first = try write(content, to: folder + "/a" + codec.suffix, with: used, random: &random)
            let fresh = ArchiveFileWriter(codec: codec)
            _ = try write(
                rows(2_900_000, seed: 4),
                to: folder + "/before",
                with: fresh,
                inBackground: true,
                random: &random
            )
            let path = folder + "/b" + codec.suffix
            let second = try write(content, to: path, with: fresh, inBackground: true, random: &random)
            #expect(first == second, "seed \(seed)")
            #expect(try Disk.contents(folder + "/a" + codec.suffix) == Disk.contents(folder + "/b" + codec.suffix))
            #expect(try read(folder + "/a" + codec.suffix) == content)
            #expect(try ArchiveReader.facts(of: folder + "/a" + codec.suffix) == first)
            #expect(first.contentBytes == size)
            #expect(first.contentSHA256 == SHA256.hex(of: content))
        }
    }

    @Test func theDigestIsSHA256() {
        #expect(
            SHA256.hex(of: Array("abc".utf8))
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        )
        #expect(SHA256.hex(of: []) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    }

    @Test func gzipSpeaksOfNoTimeNameOrSystem() throws {
        try withFolder { folder throws in
            var random = Seeded(1)
            let writer = ArchiveFileWriter(codec: .gzip)
            _ = try write(rows(2_500_000, seed: 1), to: folder + "/a.gz", with: writer, random: &random)
            let bytes = try Disk.contents(folder + "/a.gz")
            #expect(Array(bytes[0..<8]) == [0x1F, 0x8B, 8, 0, 0, 0, 0, 0])
            #expect(bytes[9] == 255)
        }
    }

    @Test(arguments: [(Codec.gzip, "gzip"), (.zstd, "zstd")])
    func theUsualToolsReadOurFilesAndWeReadTheirs(codec: Codec, tool: String) throws {
        try withFolder { folder throws in
            var random = Seeded(2)
            let content = rows(2_500_000, seed: 2)
            let path = folder + "/ours" + codec.suffix
            _ = try write(content, to: path, with: ArchiveFileWriter(codec: codec), random: &random)
            guard let tested = try run(tool, ["-t", path]) else { return print("skipped: \(tool) is not installed") }
            #expect(tested.status == 0)
            #expect(try run(tool, ["-dc", path])?.output == Data(content))

            try Disk.replace(folder + "/theirs", with: content)
            #expect(try run(tool, ["-k", folder + "/theirs"])?.status == 0)
            #expect(try read(folder + "/theirs" + codec.suffix) == content)
        }
    }

    @Test(arguments: Codec.allCases.filter { $0 != .none })
    func everyCutAndEveryAdditionIsRefused(codec: Codec) throws {
        try withFolder { folder throws in
            var random = Seeded(4)
            let path = folder + "/a" + codec.suffix
            let content = rows(1_200_000, seed: 4)
            _ = try write(content, to: path, with: ArchiveFileWriter(codec: codec), random: &random)
            let whole = try Disk.contents(path)
            let cuts = [0, 1, 5, 20, whole.count / 2, whole.count - 9, whole.count - 4, whole.count - 1]
            for cut in cuts {
                try Disk.replace(path, with: Array(whole[..<cut]))
                #expect(throws: ArchiveError.self, "cut to \(cut) of \(whole.count)") { try read(path) }
            }
            for tail in [[UInt8(0)], [0, 0, 0, 0, 0, 0, 0, 0], [0x1F], Array("tail, quite some of it".utf8)] {
                try Disk.replace(path, with: whole + tail)
                #expect(throws: ArchiveError.self, "followed by \(tail)") { try read(path) }
            }
            for _ in 0..<40 {
                var changed = whole
                let at = Int.random(in: 0..<whole.count, using: &random)
                changed[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                try Disk.replace(path, with: changed)
                // A flipped bit in a header's free fields (gzip's time and system) changes no content: the file's
                // own digest finds those.
                let got = try? read(path)
                #expect(got == nil || got == content, "bit flipped in byte \(at)")
                #expect(try SHA256.hex(of: Disk.contents(path)) != SHA256.hex(of: whole))
            }
        }
    }

    @Test(arguments: Codec.allCases)
    func readingStopsAtTheMaximum(codec: Codec) throws {
        try withFolder { folder throws in
            let path = folder + "/bomb" + codec.suffix
            let writer = ArchiveFileWriter(codec: codec)
            try writer.open(path)
            let zeros = [UInt8](repeating: 0, count: 1 << 20)
            for _ in 0..<20 { try writer.write(zeros.span) }
            let facts = try writer.finish(sync: true)
            let error = #expect(throws: ArchiveError.self) { try read(path, maximum: facts.contentBytes - 1) }
            #expect(error == .tooLong(path: path, limit: facts.contentBytes - 1))
            #expect(try read(path, maximum: facts.contentBytes).count == facts.contentBytes)
        }
    }

    @Test func aForeignMemberLargerThanTheMaximumIsNotUnpacked() throws {
        try withFolder { folder throws in
            try Disk.replace(folder + "/bomb", with: [UInt8](repeating: 0, count: 40 << 20))
            guard try run("gzip", [folder + "/bomb"]) != nil else { return print("skipped: gzip is not installed") }
            let error = #expect(throws: ArchiveError.self) { try read(folder + "/bomb.gz", maximum: 3 << 20) }
            #expect(error == .tooLong(path: folder + "/bomb.gz", limit: 3 << 20))
            #expect(try read(folder + "/bomb.gz").count == 40 << 20)
        }
    }

    @Test func severalFramesOfZstdAreOneContent() throws {
        try withFolder { folder throws in
            var joined: [UInt8] = []
            var content: [UInt8] = []
            var random = Seeded(9)
            for seed in UInt64(0)..<3 {
                let part = rows(600_000, seed: seed)
                _ = try write(part, to: folder + "/p", with: ArchiveFileWriter(codec: .zstd), random: &random)
                joined += try Disk.contents(folder + "/p")
                content += part
            }
            try Disk.replace(folder + "/all.zst", with: joined)
            #expect(try read(folder + "/all.zst") == content)
        }
    }

    @Test(arguments: Codec.allCases)
    func linesComeWholeAcrossBlocks(codec: Codec) throws {
        try withFolder { folder throws in
            var random = Seeded(5)
            var content = rows(3_000_000, seed: 5)
            content.append(10)  // an empty line
            content.append(contentsOf: [UInt8](repeating: 0x78, count: 700_000))  // longer than a block, without LF
            let path = folder + "/lines" + codec.suffix
            _ = try write(content, to: path, with: ArchiveFileWriter(codec: codec), random: &random)
            var joined: [UInt8] = []
            var count = 0
            let reader = try ArchiveReader(path)
            try reader.forEachLine { line in
                for index in line.indices { joined.append(line[index]) }
                joined.append(10)
                count += 1
            }
            #expect(Array(joined.dropLast()) == content)
            #expect(count == content.split(separator: 10, omittingEmptySubsequences: false).count)
            #expect(!reader.endsWithNewline)
            #expect(throws: ArchiveError.self) { try ArchiveReader(path).forEachLine(limit: 699_999) { _ in } }
        }
    }

    @Test(arguments: [false, true])
    func anUnfinishedFileHasNoFinalName(inBackground: Bool) throws {
        try withFolder { folder throws in
            do {
                let writer = ArchiveFileWriter(codec: .zstd)
                try writer.open(folder + "/a.zst", inBackground: inBackground)
                try writer.write(rows(2_000_000, seed: 6).span)
            }
            #expect(try Disk.list(folder) == ["a.zst.part"])
            let writer = ArchiveFileWriter(codec: .zstd)
            try writer.open(folder + "/a.zst", inBackground: inBackground)
            try writer.write([1, 2, 3].span)
            _ = try writer.finish(sync: true)
            #expect(try Disk.list(folder) == ["a.zst"])
            try writer.open(folder + "/b.zst", inBackground: inBackground)
            try writer.write([1, 2, 3].span)
            writer.abandon()
            #expect(try Disk.list(folder) == ["a.zst"])
        }
    }

    @Test(arguments: ["open", "write", "fsync", "rename"], [false, true])
    func aFailedCallIsToldAndTheWriterGoesOn(call: String, inBackground: Bool) throws {
        try withFolder { folder throws in
            let number: Int32 = 28
            let writer = ArchiveFileWriter(codec: .gzip)
            let gate = failing(call, number)
            let error = #expect(throws: ArchiveError.self) {
                try gate.watching {
                    try writer.open(folder + "/a.gz", inBackground: inBackground)
                    try writer.write(rows(12_000_000, seed: 7).span)
                    _ = try writer.finish(sync: true)
                }
            }
            guard case .disk(let told) = error else { return #expect(Bool(false), "\(String(describing: error))") }
            #expect(told.call == call && told.number == number)
            let isThere = try Disk.exists(folder + "/a.gz")
            #expect(!isThere)
            writer.abandon()
            try writer.open(folder + "/a.gz", inBackground: inBackground)
            try writer.write([65].span)
            #expect(try writer.finish(sync: true) == ArchiveReader.facts(of: folder + "/a.gz"))
        }
    }
}

@Suite struct RepeatsInFilesTests {
    /// Lines that all have the same length, and what each repeats of the one before; the third number says how far back.
    private func content(_ count: Int) -> (bytes: [UInt8], repeats: [UInt32]) {
        var random = Seeded(5)
        var bytes: [UInt8] = []
        var repeats: [UInt32] = []
        let end = Array(#"","kind":"the same text in every line, long enough to be worth a repeat"}"#.utf8) + [10]
        for line in 0..<count {
            bytes += Array(#"{"id":"\#(1000 + random.next() % 9000)"#.utf8) + end
            repeats += line == 0 ? [UInt32(bytes.count), 0, 0] : [11, UInt32(end.count), UInt32(end.count + 11)]
        }
        return (bytes, repeats)
    }

    private func written(_ bytes: [UInt8], _ pieces: [(Int, [UInt32])], to path: String) throws {
        let writer = ArchiveFileWriter(codec: .zstd)
        try #require(writer.takesRepeats)
        try writer.open(path)
        var at = 0
        for (count, repeats) in pieces {
            let block = Array(bytes[at..<at + count])
            try writer.write(block, count: count, repeats: repeats)
            at += count
        }
        _ = try writer.finish(sync: false)
    }

    @Test func aFileOfKnownRepeatsIsReadAsAnyOther() throws {
        try withFolder { folder throws in
            let (bytes, repeats) = content(40_000)
            try written(bytes, [(bytes.count, repeats)], to: folder + "/a.zst")
            #expect(try read(folder + "/a.zst") == bytes)
            let aSize = try Disk.status(folder + "/a.zst")?.size ?? .max
            #expect(aSize < bytes.count / 10)
            // Divided within a repeat, which then goes on with no literals.
            let line = bytes.count / 40_000
            let (before, after) = (3 + 3 * 20_000, line * 20_000 + 30)
            var (first, second) = (Array(repeats[..<before]), Array(repeats[before...]))
            first[before - 2] = UInt32(30 - 11)
            second.insert(contentsOf: [0, UInt32(line - 30), UInt32(line)], at: 0)
            try written(bytes, [(after, first), (bytes.count - after, second)], to: folder + "/b.zst")
            #expect(try Disk.contents(folder + "/a.zst") == Disk.contents(folder + "/b.zst"))
            if let (status, output) = try run("zstd", ["-dqc", folder + "/b.zst"]) {
                #expect(status == 0)
                #expect([UInt8](output) == bytes)
            }
        }
    }

    @Test func bytesThatRepeatLittleOfWhatIsSaidAreSearched() throws {
        try withFolder { folder throws in
            let (bytes, _) = content(40_000)
            try written(bytes, [(bytes.count, [UInt32(bytes.count), 0, 0])], to: folder + "/said.zst")
            try written(bytes, [(bytes.count, [])], to: folder + "/unsaid.zst")
            #expect(try read(folder + "/said.zst") == bytes)
            #expect(try Disk.contents(folder + "/said.zst") == Disk.contents(folder + "/unsaid.zst"))
            let saidSize = try Disk.status(folder + "/said.zst")?.size ?? .max
            #expect(saidSize < bytes.count / 20)
        }
    }

    @Test func whatIsNotTrueOfTheBytesMakesNoFile() throws {
        try withFolder { folder throws in
            let (bytes, repeats) = content(3_000)
            // Too few bytes, another distance, and one that is no distance.
            for (place, number) in [(4, UInt32(1)), (3 * 2_000 + 2, 60), (3 * 2_000 + 2, 0)] {
                var wrong = repeats
                wrong[place] = number
                #expect(throws: ArchiveError.self) { try written(bytes, [(bytes.count, wrong)], to: folder + "/a.zst") }
                #expect(try Disk.status(folder + "/a.zst") == nil)
            }
        }
    }
}
