import TestKit
import Testing

@testable import RecordScan

/// What lines repeat, in the numbers that ``LineTotals/repeats(into:)`` gives.
private struct Repeats: Equatable {
    private struct One: Equatable { var literals: UInt32, length: UInt32, distance: UInt32 }
    private var all: [One] = []

    /// Adds what was said of the next lines; where it goes on with what was said before, the two are one.
    mutating func add(_ numbers: [UInt32]) {
        for at in stride(from: 0, to: numbers.count, by: 3) {
            let next = One(literals: numbers[at], length: numbers[at + 1], distance: numbers[at + 2])
            if let last = all.last, last.length == 0 {
                all[all.count - 1] = next
                all[all.count - 1].literals += last.literals
            } else if let last = all.last, next.literals == 0, next.distance == last.distance {
                all[all.count - 1].length += next.length
            } else {
                all.append(next)
            }
        }
    }

    /// Bytes that repeat others; `nil` when what was said isn't true of `content` from its first byte to its last.
    func repeated(in content: [UInt8]) -> Int? {
        var at = 0
        var bytes = 0
        for one in all {
            at += Int(one.literals)
            let (length, distance) = (Int(one.length), Int(one.distance))
            guard at + length <= content.count else { return nil }
            if length > 0 {
                guard distance >= 1, distance <= min(at, 1 << 21) else { return nil }
                // Byte by byte, as a decompressor does: a repeat may overlap itself.
                for index in at..<(at + length) where content[index] != content[index - distance] { return nil }
            }
            at += length
            bytes += length
        }
        return at == content.count ? bytes : nil
    }
}

/// Lines of five columns whose texts come again, or do not, in every way that matters to the search.
private struct Lines {
    let isCSV: Bool
    var random: Seeded
    let columns: [(name: String, isNumber: Bool)] = [
        ("t", false), ("user", false), ("n", true), ("m", true), ("text", false),
    ]
    var totals: LineTotals {
        let totals = LineTotals(columns: columns, isCSV: isCSV, isStrict: true)
        #expect(totals.findRepeats())
        return totals
    }

    private mutating func cell(_ column: Int) -> String? {
        let text: String
        switch column {
        case 0: text = "2025-11-0\(1 + random.next() % 3)T00:00:00Z"
        case 1:
            guard random.next() % 10 > 0 else { return nil }
            text = "user-\(random.next() % 50)" + String(repeating: "x", count: Int(random.next() % 3))
        case 2: return random.next() % 8 == 0 ? "-\(random.next() % 99)" : String(random.next() % 20_000)
        case 3:
            return random.next() % 4 == 0 ? nil : ["0", "12345678", "123456789", "00", "1.5"][Int(random.next() % 5)]
        default:
            switch random.next() % 40 {
            case 0: text = String(repeating: "long \(random.next() % 2) ", count: 60)
            case 1: text = String(random.next())
            default: text = ["default", "flex", ""][Int(random.next() % 3)]
            }
        }
        return "\"\(text)\""
    }

    mutating func next() -> [UInt8] {
        let cells = columns.indices.map { cell($0) }
        let text =
            isCSV
            ? cells.map { $0 ?? "" }.joined(separator: ",") + "\n"
            : "{" + zip(columns, cells).map { "\"\($0.name)\":\($1 ?? "null")" }.joined(separator: ",") + "}\n"
        return Array(text.utf8)
    }

    mutating func next(_ count: Int) -> [[UInt8]] { (0..<count).map { _ in next() } }
}

@Suite struct RepeatsTests {
    private func taken(_ lines: [[UInt8]], by totals: LineTotals, pieces: () -> Int) -> Repeats {
        var found = Repeats()
        var room: [UInt32] = []
        var at = 0
        while at < lines.count {
            let end = min(lines.count, at + pieces())
            let block = Array(lines[at..<end].joined())
            #expect(totals.take(block, count: block.count) == block.count)
            totals.repeats(into: &room)
            found.add(room)
            at = end
        }
        return found
    }

    @Test(arguments: [false, true])
    func whatIsSaidIsTrueAndDoesNotDependOnThePieces(isCSV: Bool) throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var lines = Lines(isCSV: isCSV, random: Seeded(seed))
        var random = Seeded(seed &+ 1)
        let totals = lines.totals
        for round in 0..<6 {
            let all = lines.next([1, 2, 300, 6_000][round % 4])
            let content = Array(all.joined())
            let whole = taken(all, by: totals) { all.count }
            let bytes = try #require(whole.repeated(in: content), "seed \(seed), round \(round)")
            if all.count >= 300 { #expect(bytes > content.count / 3, "seed \(seed), round \(round)") }
            // For the next file all is forgotten: it says the same of the same lines.
            totals.restart()
            let divided = taken(all, by: totals) { 1 + Int(random.next() % 700) }
            #expect(divided == whole, "seed \(seed), round \(round)")
            totals.restart()
            let fresh = taken(all, by: lines.totals) { 1 + Int(random.next() % 7) }
            #expect(fresh == whole, "seed \(seed), round \(round)")
        }
    }

    @Test func textsThatNeverComeAgainFillNothing() throws {
        let totals = LineTotals(columns: [("id", false), ("kind", false)], isCSV: false, isStrict: true)
        #expect(totals.findRepeats())
        var random = Seeded(7)
        let lines = (0..<60_000).map { number in
            Array(#"{"id":"\#(random.next())","kind":"\#(number % 3)"}"#.utf8) + [10]
        }
        let found = taken(lines, by: totals) { 500 }
        #expect(try #require(found.repeated(in: Array(lines.joined()))) > 0)
    }

    /// Rows in words and the lines made of them lead to one file, whichever of them it is written from.
    @Test func rowsInWordsSayWhatTheirLinesSay() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var generator = Seeded(seed)
        for round in 0..<12 {
            let toy = Toy(keyed: 1 + round % 3)
            let distinct = [3, 40, 4_000][round % 3]
            toy.add((0..<3_000).map { _ in Row.random(&generator, distinct: distinct).page })
            let (ofRows, ofLines) = (toy.totals, toy.totals)
            let merge = RunMerge(keep: .latest)
            merge.add(toy.run)
            var (fromRows, fromLines) = (Repeats(), Repeats())
            var (block, room, content) = ([UInt8](repeating: 0, count: 20_000), [UInt32](), [UInt8]())
            while true {
                let filled = try merge.nextBlock(into: &block)
                if filled == 0 { break }
                #expect(ofRows.take(block, count: filled, of: merge) == filled)
                ofRows.repeats(into: &room)
                fromRows.add(room)
                #expect(ofLines.take(block, count: filled) == filled)
                ofLines.repeats(into: &room)
                fromLines.add(room)
                content += block.prefix(filled)
            }
            #expect(fromRows == fromLines, "seed \(seed), round \(round)")
            #expect(fromRows.repeated(in: content) != nil, "seed \(seed), round \(round)")
        }
    }

    @Test func moreColumnsThanAMaskHasBitsAreNotLookedAt() {
        let columns = (0..<65).map { (name: "c\($0)", isNumber: false) }
        #expect(!LineTotals(columns: columns, isCSV: true, isStrict: true).findRepeats())
        #expect(LineTotals(columns: Array(columns.dropLast()), isCSV: true, isStrict: true).findRepeats())
    }
}
