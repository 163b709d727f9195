import TestKit
import Testing

@testable import RecordScan

/// Random beginnings and text over few letters, so that they meet; `found` is what the scan says, `plain` what is there.
private func scanned(_ seed: UInt64, _ letters: [UInt8], beginnings most: UInt64) -> (found: [Int], plain: [Int]) {
    var random = Seeded(seed)
    func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in letters[Int(random.next() % UInt64(letters.count))] } }
    let beginnings = Set((0..<(random.next() % most)).map { _ in bytes(3) })
    let scan = TriggerScan(beginnings)
    let text = bytes(Int(random.next() % 300))
    var at = 0
    var found: [Int] = []
    while let place = scan.next(text, count: text.count, from: at) {
        found.append(place)
        at = place + 1
    }
    let plain = text.indices.filter { $0 + 3 <= text.count && beginnings.contains(Array(text[$0..<$0 + 3])) }
    return (found, plain)
}

/// The vectorized scan must find what a plain one finds, in any place and at any length.
@Test func theScanAgreesWithAPlainOneOnRandomBytes() {
    for seed in UInt64(1)...400 {
        let (found, plain) = scanned(seed, Array("abcsk-:/".utf8), beginnings: 6)
        #expect(found == plain, "seed \(seed)")
    }
}

/// Of up to 64 beginnings each is told apart; of more, neighbours share a group, and the scan may say more, never less.
@Test func ofManyBeginningsNoneIsMissed() {
    for seed in UInt64(1)...200 {
        let few = scanned(seed, Array(0...255), beginnings: 64)
        #expect(few.found == few.plain, "seed \(seed)")
        let many = scanned(seed, Array("abcdefghijklmno-_ABCDE0123".utf8), beginnings: 900)
        #expect(Set(many.found).isSuperset(of: many.plain), "seed \(seed)")
        #expect(many.found.count <= 300)
    }
}

@Test func aScanForEitherStopsWhereTheFirstOfBothDoes() {
    for seed in UInt64(1)...400 {
        var random = Seeded(seed)
        let letters = Array("abcsk-:/%u".utf8)
        func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in letters[Int(random.next() % 10)] } }
        func scan() -> TriggerScan { TriggerScan(Set((0..<(random.next() % 4)).map { _ in bytes(3) })) }
        let (one, two) = (scan(), scan())
        let text = bytes(Int(random.next() % 400))
        for start in [0, 1, text.count / 2, max(0, text.count - 3), text.count] {
            let places = [one, two].compactMap { $0.next(text, count: text.count, from: start) }
            let found = one.next(orOf: two, text, count: text.count, from: start)
            #expect(found == places.min(), "seed \(seed), from \(start)")
        }
    }
}

@Test func aProtectedColumnInTheClearIsToldByItsNumber() {
    func totals(_ protection: LineTotals.Protection, isCSV: Bool = false) -> LineTotals {
        let totals = LineTotals(columns: [("id", false), ("email", false)], isCSV: isCSV, isStrict: false)
        totals.protect(1, protection)
        return totals
    }
    func bare(_ protection: LineTotals.Protection, _ cell: String) -> Int? {
        let line = Array("{\"id\":\"a\",\"email\":\(cell)}\n".utf8)
        let json = totals(protection)
        let isWhole = json.take(line, count: line.count) == line.count
        #expect(isWhole == (json.bareColumn == nil))
        let csv = totals(protection, isCSV: true)
        let row = Array("a,\(cell == "null" ? "" : cell)\n".utf8)
        _ = csv.take(row, count: row.count)
        #expect(csv.bareColumn == json.bareColumn, "\(cell)")
        return json.bareColumn
    }
    for protection in [LineTotals.Protection.sealed, .masked, .dropped] { #expect(bare(protection, "null") == nil) }
    #expect(bare(.sealed, "\"ef1.s.bjugbow2rs.UOZQ\"") == nil)
    #expect(bare(.sealed, "\"ada@example.com\"") == 1)
    #expect(bare(.sealed, "\"\"") == 1)
    #expect(bare(.masked, "\"ada@….com\"") == nil)
    #expect(bare(.masked, "\"ada@example.com\"") == 1)
    #expect(bare(.dropped, "\"x\"") == 1)
}
