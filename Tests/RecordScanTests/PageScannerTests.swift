import Model
import PageMemory
import TestKit
import Testing

@testable import RecordScan

/// Scans a whole page and says whether it was accepted.
func accepts(_ bytes: [UInt8], members: [String] = ["data"]) -> Bool {
    let shape = PageShape(members: members)
    _ = shape.slot(level: shape.rowLevel, path: ["id"])
    let scanner = PageScanner(shape: shape)
    scanner.open(PageBytes(bytes))
    while true {
        switch scanner.next(maxRows: 3) {
        case .rows: continue
        case .end: return true
        case .malformed: return false
        }
    }
}

@Suite struct PageScannerTests {
    @Test(arguments: [
        #"{"data":[]}"#, #" { "data" : [ { "id" : "a" } , {} ] , "x":[1,2,{"y":null}] } "#,
        #"{"data":[{"id":{"deep":[[[]]]}}]}"#,
        #"{"data":[{"id":"\u00e9\"\\\/\b\f\n\r\t"}],"has_more":false}"#,
    ])
    func wellFormedPagesAreAccepted(text: String) { #expect(accepts(Array(text.utf8))) }

    @Test(arguments: [
        "", "[]", "{}", #"{"data":{}}"#, #"{"data":[1]}"#, #"{"data":[{}]"#, #"{"data":[{}]}x"#, #"{"data":[{},]}"#,
        #"{"data":[{"id":01}]}"#, #"{"data":[{"id":"a}]}"#, #"{"data":[{"id":"\x"}]}"#, #"{"data":[{"id":nul}]}"#,
        #"{"data":[],"data":[]}"#, #"{"data":[{"a":1 "b":2}]}"#, "{\"data\":[{\"id\":\"\u{01}\"}]}",
        #"{"data":[{"x":{"y":}}]}"#,
        "\u{FEFF}{\"data\":[]}",
    ])
    func brokenPagesAreRefused(text: String) { #expect(!accepts(Array(text.utf8))) }

    /// Before the rows, behind them, and in buckets; a batch is as small as can be.
    @Test(arguments: [
        #"{"paging":{"x":{"y":1},"next":"c"},"data":[{"in":{"from":1},"results":[{"id":1},{"id":2,"z":3}]}]}"#,
        #"{"data":[{"results":[{"id":1},{"id":2,"z":3}],"in":{"w":{},"from":1}}],"paging":{"next":"c","w":[{}]}}"#,
        #"{"data":[{"results":[{"id":1},{"id":2,"z":3}],"in":{"from":1},"q":4}],"paging":{ "p" : 1 , "next" : "c" } , "r":5}"#,
    ])
    func membersInsideOfObjectsBesideTheRowsAreFound(text: String) {
        let shape = PageShape(members: ["data", "results"])
        let next = shape.slot(level: 0, path: ["paging", "next"])
        let paging = shape.slot(level: 0, path: ["paging"])
        let from = shape.slot(level: 1, path: ["in", "from"])
        _ = shape.slot(level: 2, path: ["id"])
        let scanner = PageScanner(shape: shape)
        scanner.open(PageBytes(Array(text.utf8)))
        var unknown: [String] = []
        while case .rows = scanner.next(maxRows: 1) {
            for row in 0..<scanner.rowCount {
                #expect(scanner.integer(scanner.cell(level: 1, slot: from)) == 1)
                unknown += scanner.unknownFields(row: row).map(\.key)
            }
        }
        #expect(scanner.text(scanner.cell(level: 0, slot: next)) == Array("c".utf8))
        #expect(scanner.cell(level: 0, slot: paging).kind == .object)
        #expect(scanner.elementCount == 1)
        #expect(unknown == ["z"], "what stands beside the rows is of no row")
    }

    @Test func anObjectBesideTheRowsIsCheckedLikeEverythingElse() {
        let shape = PageShape(members: ["data"])
        _ = shape.slot(level: 0, path: ["paging", "next"])
        for paging in [#"{"next":01}"#, #"{"next":1 "x":2}"#, #"{"next":"#, #"{"x":tru}"#] {
            let scanner = PageScanner(shape: shape)
            scanner.open(PageBytes(Array("{\"data\":[],\"paging\":\(paging)}".utf8)))
            var step = scanner.next()
            while case .rows = step { step = scanner.next() }
            guard case .malformed = step else { return #expect(Bool(false), "\(paging)") }
        }
    }

    @Test func everyCutOfAPageIsRefused() {
        let whole = Array(
            #"{"object":"list","data":[{"id":"a","n":-1.5e+3,"x":[true,null]},{"id":"é\u00e9"}],"has_more":true}"#.utf8
        )
        #expect(accepts(whole))
        for length in 0..<whole.count { #expect(!accepts(Array(whole.prefix(length))), "cut at \(length)") }
    }

    @Test func hostileDepthIsRefusedWithoutACrash() {
        let deep = Array(#"{"data":[{"id":"#.utf8) + [UInt8](repeating: UInt8(ascii: "["), count: 100_000)
        #expect(!accepts(deep))
    }

    /// Random pages, damaged or not: the kernel and the readable Swift reader must agree on what is JSON.
    @Test func theKernelAgreesWithTheSwiftReader() {
        var generator = Seeded(20_261_123)
        print("seed 20261123")
        for _ in 0..<20_000 {
            var row = randomValue(&generator, depth: 0).compact
            if !row.hasPrefix("{") { row = #"{"id":\#(row)}"# }
            var bytes = Array(#"{"data":[\#(row)]}"#.utf8)
            if generator.next() % 2 == 0 {
                let at = 10 + Int(generator.next() % UInt64(bytes.count - 10))
                switch generator.next() % 3 {
                case 0: bytes[at] = UInt8(truncatingIfNeeded: generator.next())
                case 1: bytes.remove(at: at)
                default: bytes.insert(Array("{}[],:\"\\0 e-.".utf8)[Int(generator.next() % 13)], at: at)
                }
            }
            let twin = try? JSONValue(parsing: bytes)
            let isPage = twin?["data"]?.elements?.allSatisfy { $0.members != nil } ?? false
            let twice = (twin?.members?.filter { $0.key == "data" }.count ?? 0) > 1
            #expect(accepts(bytes) == (isPage && !twice), "\(String(decoding: bytes, as: UTF8.self))")
        }
    }
}

func randomValue(_ generator: inout Seeded, depth: Int) -> JSONValue {
    let strings = [
        "id", "a", "é", "😀", "x\"y", "\\", "\n", "", "a longer string that fills more than one vector of bytes",
        "\u{2028}",
    ]
    switch generator.next() % (depth > 4 ? 5 : 8) {
    case 0: return .null
    case 1: return .bool(generator.next() % 2 == 0)
    case 2: return .number(["0", "-1", "12.50", "1e-05", "9007199254740993", "-0.0E+7"][Int(generator.next() % 6)])
    case 3, 4: return .string(strings[Int(generator.next() % UInt64(strings.count))])
    case 5: return .array((0..<Int(generator.next() % 4)).map { _ in randomValue(&generator, depth: depth + 1) })
    default:
        return .object(
            (0..<Int(generator.next() % 5)).map { _ in
                let key = strings[Int(generator.next() % UInt64(strings.count))]
                return .init(key, randomValue(&generator, depth: depth + 1))
            }
        )
    }
}
