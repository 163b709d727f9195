import TestKit
import Testing

@testable import ArchiveWriting

@Suite struct ContentHasherTests {
    /// Many hashers at once, so that blocks of all lengths meet; each must say what OpenSSL says.
    @Test(arguments: 0..<8) func blocksThatMeetAreHashedAsBlocksAlone(_ lane: Int) async {
        await withTaskGroup(of: Void.self) { group in
            for task in 0..<4 {
                group.addTask {
                    var random = Seeded(UInt64(lane * 4 + task) &+ 20_261_126)
                    let hasher = ContentHasher()
                    let alone = ContentHasher(inPairs: false)
                    for _ in 0..<20 {
                        let plain = SHA256()
                        for _ in 0..<Int.random(in: 0...9, using: &random) {
                            let longest = [3, 64, 130, 9_000, 300_000].randomElement(using: &random) ?? 1
                            let size = Int.random(in: 0...longest, using: &random)
                            let block = (0..<size).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                            // A part of a block, as of one that is filled again and again.
                            let part = Int.random(in: 0...size, using: &random)
                            hasher.offer(block, count: part)
                            alone.offer(block, count: part)
                            plain.update(block.span.extracting(first: part))
                            if Bool.random(using: &random) { hasher.settle() }
                        }
                        let digest = plain.finish()
                        #expect(hasher.finish() == digest)
                        #expect(alone.finish() == digest)
                    }
                }
            }
        }
    }

    @Test func aBlockThatIsFilledAgainIsHashedAsItWas() {
        let hasher = ContentHasher()
        var block = [UInt8](repeating: 65, count: 100_000)
        for byte in UInt8(65)...70 {
            for index in block.indices { block[index] = byte }
            hasher.offer(block, count: block.count)
        }
        let content = (UInt8(65)...70).flatMap { [UInt8](repeating: $0, count: 100_000) }
        #expect(hasher.finish() == SHA256.hex(of: content))
    }

    @Test func nothingHasTheDigestOfNothing() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        #expect(ContentHasher().finish() == empty)
        #expect(SHA256().finish() == empty)
    }
}
