import ArchiveWriting
import Disk
import TestKit
import Testing

/// Frames of which some blocks are searched by zstd and others are compressed from where they lie.
@Suite struct BlockWayTests {
    /// Content with what is known of its repeats, as items of three numbers.
    private struct Content {
        var bytes: [UInt8] = []
        var items: [[UInt32]] = []

        private static let row =
            Array(#"","kind":"the same text in every row, long enough to be worth a repeat"}"#.utf8) + [10]

        /// Rows of which all but a counter is known to stand in the row before.
        mutating func addRows(_ count: Int, _ random: inout Seeded) {
            for index in 0..<count {
                let counter = Array(#"{"id":"\#(1000 + random.next() % 9000)"#.utf8)
                bytes += counter + Content.row
                let (head, rest) = (UInt32(counter.count), UInt32(Content.row.count))
                items.append(index == 0 ? [head + rest, 0, 0] : [head, rest, head + rest])
            }
        }

        /// Phrases that come again and again, of which nothing is said: zstd finds them when it may look back.
        mutating func addText(_ count: Int, _ phrases: [[UInt8]], _ random: inout Seeded) {
            var text: [UInt8] = []
            while text.count < count { text += phrases.randomElement(using: &random) ?? [] }
            bytes += text
            items.append([UInt32(text.count), 0, 0])
        }

        /// The pieces between cuts, each with its items; one that is cut goes on with no literals.
        func pieces(_ cuts: [Int]) -> [(bytes: [UInt8], items: [UInt32])] {
            var pieces: [(bytes: [UInt8], items: [UInt32])] = []
            var (index, left) = (0, items.first ?? [])
            for (start, end) in zip([0] + cuts, cuts + [bytes.count]) {
                var (room, own) = (end - start, [UInt32]())
                while room > 0 {
                    let literals = min(room, Int(left[0]))
                    let length = min(room - literals, Int(left[1]))
                    own += [UInt32(literals), UInt32(length), length > 0 ? left[2] : 0]
                    left = [left[0] - UInt32(literals), left[1] - UInt32(length), left[2]]
                    room -= literals + length
                    if left[0] + left[1] == 0 {
                        index += 1
                        left = index < items.count ? items[index] : [0, 0, 0]
                    }
                }
                pieces.append((Array(bytes[start..<end]), own))
            }
            return pieces
        }
    }

    private func write(_ content: Content, cuts: [Int], to path: String) throws {
        let writer = ArchiveFileWriter(codec: .zstd)
        try #require(writer.takesRepeats)
        try writer.open(path)
        // The caller's memory, used for each piece: what zstd would still read of an earlier one is another's by then.
        var block: [UInt8] = []
        for piece in content.pieces(cuts) {
            if block.count < piece.bytes.count { block = piece.bytes }
            for (index, byte) in piece.bytes.enumerated() { block[index] = byte }
            try writer.write(block, count: piece.bytes.count, repeats: piece.items)
            for index in block.indices { block[index] = UInt8(ascii: "x") }
        }
        _ = try writer.finish(sync: false)
    }

    @Test func blocksAreReadBackAndDoNotDependOnThePiecesWhicheverWayTheyWent() throws {
        let seed = UInt64.random(in: 0..<1_000_000)
        print("seed \(seed)")
        var random = Seeded(seed)
        try withFolder { folder throws in
            for trial in 0..<8 {
                let phrases = (0..<40).map { _ in
                    Array("\(random.next()) \(random.next()) \(random.next()) \(random.next())".utf8)
                }
                var content = Content()
                for _ in 0..<Int.random(in: 1...7, using: &random) {
                    if Bool.random(using: &random) {
                        content.addRows(Int.random(in: 1...14_000, using: &random), &random)
                    } else {
                        content.addText(Int.random(in: 1...400_000, using: &random), phrases, &random)
                    }
                }
                for (name, size) in [("a", 5_000...300_000), ("b", 260_000...262_144), ("c", 1_000_000...2_000_000)] {
                    var (cuts, at) = ([Int](), Int.random(in: size, using: &random))
                    while at < content.bytes.count {
                        cuts.append(at)
                        at += Int.random(in: size, using: &random)
                    }
                    try write(content, cuts: cuts, to: folder + "/\(name).zst")
                    #expect(try read(folder + "/\(name).zst") == content.bytes, "trial \(trial), seed \(seed)")
                    if let (status, output) = try run("zstd", ["-dqc", folder + "/\(name).zst"]) {
                        #expect(status == 0 && [UInt8](output) == content.bytes, "trial \(trial), seed \(seed)")
                    }
                }
                let first = try Disk.contents(folder + "/a.zst")
                #expect(try Disk.contents(folder + "/b.zst") == first, "trial \(trial), seed \(seed)")
                #expect(try Disk.contents(folder + "/c.zst") == first, "trial \(trial), seed \(seed)")
            }
        }
    }

    @Test func textBehindManyRowsIsSearchedAgain() throws {
        var random = Seeded(3)
        let phrases = (0..<40).map { _ in Array("\(random.next()) \(random.next()) \(random.next())".utf8) }
        var content = Content()
        content.addRows(20_000, &random)
        let rows = content
        content.addText(2_000_000, phrases, &random)
        try withFolder { folder throws in
            try write(rows, cuts: [], to: folder + "/rows.zst")
            try write(content, cuts: [], to: folder + "/both.zst")
            let alone = try Disk.status(folder + "/rows.zst")?.size ?? .max
            let both = try Disk.status(folder + "/both.zst")?.size ?? .max
            // At most two blocks of the text are taken as they are, of which digits are less than half.
            #expect(both - alone < 2 * 131_072 / 2 + 2_000_000 / 8)
        }
    }
}
