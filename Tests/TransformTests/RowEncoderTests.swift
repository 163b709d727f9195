import Connector
import Model
import PageMemory
import RecordScan
import Testing

@testable import Transform

/// A report with one dimension and one column of each kind.
let report = StreamSpec(
    name: "costs",
    mode: .report,
    path: "/costs",
    pagination: Pagination(style: .bucketPage, cursorParameter: "page", cursorPath: ["next_page"]),
    rows: .init(members: ["data", "results"]),
    primaryKey: ["start_time", "project_id"],
    timeColumn: "start_time",
    columns: [
        Column("start_time", path: ["start_time"], origin: .bucket, kind: .timestamp, nullable: false),
        Column("end_time", path: ["end_time"], origin: .bucket, kind: .timestamp, nullable: false),
        Column("project_id", path: ["project_id"], kind: .string, nullable: true),
        Column("amount_value", path: ["amount", "value"], kind: .decimal, nullable: true),
        Column("count", path: ["count"], kind: .integer, nullable: true),
        Column("batch", path: ["batch"], kind: .boolean, nullable: true),
    ],
    ignoredFields: [["object"]]
)

func encoder(
    _ spec: StreamSpec = report,
    format: CellText.Format = .ndjson,
    unknown: FieldRules.UnknownFields = .numbers
) throws -> RowEncoder {
    var rules = FieldRules(maskSecrets: { $0.starts(with: Array("sk-".utf8)) ? Array("sk-m…sked".utf8) : nil })
    rules.unknownFields = unknown
    return try RowEncoder(
        spec: spec,
        primaryKey: spec.primaryKey,
        settings: .init(text: CellText(format: format, guardsFormulas: false), unit: .day, rules: rules)
    )
}

func lines(_ encoder: RowEncoder, keep: RunMerge.Keep = .latest) throws -> [Int: [String]] {
    var out: [Int: [String]] = [:]
    for (partition, run) in encoder.takePartitions() {
        let merge = RunMerge(keep: keep)
        merge.add(run)
        while let row = try merge.next() {
            out[partition, default: []].append(String(decoding: row.line, as: UTF8.self))
        }
    }
    return out
}

func page(_ text: String) -> PageBytes { PageBytes(Array(text.utf8)) }

@Suite struct RowEncoderTests {
    static let twoDays = """
        {"object":"page","data":[
          {"object":"bucket","start_time":1761955200,"end_time":1762041600,"results":[
            {"object":"c","amount":{"value":1e-05,"currency":"usd"},"count":9007199254740993,"project_id":"b","batch":false},
            {"object":"c","amount":{"value":"0.0042"},"project_id":null,"count":null,"new_counter":7,"user":"x"},
            {"project_id":"a\\u0041\\ud83d\\ude00\\n","amount":{"value":0.8958740000000000}}]},
          {"results":[{"project_id":"sk-secret","amount":{"value":-3}}],"object":"bucket","start_time":1762041600,"end_time":1762128000}
        ],"has_more":true,"next_page":"page_x="}
        """

    @Test func rowsBecomeSortedLinesOfTheirDays() throws {
        let encoder = try encoder()
        let facts = try encoder.take(page(Self.twoDays), parameters: [:], requestID: "req_1")
        #expect(facts.rowCount == 4)
        #expect(facts.elementCount == 2)
        #expect(facts.hasMore == true)
        #expect(facts.cursor == "page_x=")
        #expect(facts.buckets.map(\.start.text) == ["2025-11-01T00:00:00Z", "2025-11-02T00:00:00Z"])
        let days = try lines(encoder)
        let start = #"{"start_time":"2025-11-01T00:00:00Z","end_time":"2025-11-02T00:00:00Z","#
        #expect(
            days[20393] == [
                start
                    + #""project_id":null,"amount_value":"0.0042","count":null,"batch":null,"extra":{"new_counter":7}}"#
                    + "\n",
                start
                    + #""project_id":"aA😀\n","amount_value":"0.8958740000000000","count":null,"batch":null,"extra":null}"#
                    + "\n",
                start
                    + #""project_id":"b","amount_value":"0.00001","count":9007199254740993,"batch":false,"extra":null}"#
                    + "\n",
            ]
        )
        #expect(days[20394]?.count == 1)
        #expect(days[20394]?[0].contains(#""project_id":"sk-m…sked","amount_value":"-3""#) == true)
        #expect(encoder.drift.unknown["user"]?.action == "dropped")
        #expect(encoder.drift.unknown["amount.currency"]?.count == 1)
    }

    /// `amount` is a map here, as far as anybody can tell: its keys are data.
    static let map = """
        {"data":[{"start_time":1761955200,"end_time":1762041600,"results":[
        {"amount":{"value":1,"Alice Liddell":5,"dora@corp.example":3,"+4915112345":4,"J\\u00fcrgen":1,"by_hand":2},"größe":7,"44":6,"note to self":"x"}
        ]}],"has_more":false}
        """

    static let personal = ["Alice", "Liddell", "dora", "4915112345", "rgen", "größe", "44", "note to self"]

    @Test(arguments: [FieldRules.UnknownFields.numbers, .drop, .keep])
    func keysOfMapsAreNotToldAndNoNumbersAreKeptUnderThemUnlessAskedFor(rule: FieldRules.UnknownFields) throws {
        let encoder = try encoder(unknown: rule)
        _ = try encoder.take(page(Self.map), parameters: [:], requestID: "req_1")
        #expect(Set(encoder.drift.unknown.keys) == ["amount.*", "amount.by_hand", "*"])
        #expect(encoder.drift.unknown["amount.*"]?.count == 4)
        #expect(encoder.drift.unknown["amount.*"]?.action == (rule == .keep ? "kept" : "dropped"))
        #expect(encoder.drift.unknown["*"]?.count == 3)
        let told = encoder.drift.notes.joined()
        for name in Self.personal { #expect(!told.contains(name)) }
        let line = try #require(try lines(encoder)[20393]?.first)
        switch rule {
        case .numbers: #expect(line.contains(#""extra":{"amount":{"by_hand":2}}}"#))
        case .drop: #expect(line.contains(#""extra":null}"#))
        default: for name in Self.personal { #expect(line.contains(name)) }
        }
    }

    @Test func aRefusalDoesNotTellAMapsKeys() throws {
        let encoder = try encoder(unknown: .fail)
        let failure = #expect(throws: PageFailure.self) {
            _ = try encoder.take(page(Self.map), parameters: [:], requestID: "req_1")
        }
        let told = "\(String(describing: failure))"
        #expect(told.contains("field amount.* is not in the schema"))
        for name in Self.personal { #expect(!told.contains(name)) }
    }

    @Test(arguments: [
        ("inputTokens", true), ("_x", true), ("a-b.c_1", true), ("1h", false), ("", false), ("a b", false),
        ("ä", false),
    ])
    func namesOfFieldsAreToldFromKeysOfMaps(key: String, isName: Bool) {
        #expect(RowEncoder.isFieldName(key) == isName)
    }

    @Test func csvHoldsTheSameRows() throws {
        let encoder = try encoder(format: .csv)
        _ = try encoder.take(page(Self.twoDays), parameters: [:], requestID: nil)
        let days = try lines(encoder)
        #expect(
            days[20393] == [
                "2025-11-01T00:00:00Z,2025-11-02T00:00:00Z,,0.0042,,,\"{\"\"new_counter\"\":7}\"\n".replacing(
                    "\"{\"\"new_counter\"\":7}\"",
                    with: "\"{\"\"new_counter\"\":7}\""
                ),
                "2025-11-01T00:00:00Z,2025-11-02T00:00:00Z,\"aA😀\n\",0.8958740000000000,,,\n",
                "2025-11-01T00:00:00Z,2025-11-02T00:00:00Z,b,0.00001,9007199254740993,false,\n",
            ]
        )
    }

    @Test func aBrokenPageLeavesNothingBehind() throws {
        let encoder = try encoder()
        _ = try encoder.take(page(Self.twoDays), parameters: [:], requestID: nil)
        let broken = String(Self.twoDays.dropLast(4))
        #expect(throws: PageFailure.self) { try encoder.take(page(broken), parameters: [:], requestID: nil) }
        #expect(encoder.fetched == 4)
        #expect(try lines(encoder).values.map(\.count).sorted() == [1, 3])
    }

    @Test func whatABrokenPageToldIsToldAgainByTheOneInItsPlace() throws {
        var spec = report
        spec.columns.append(Column("note", path: ["note"], kind: .string, nullable: false))
        let encoder = try encoder(spec)
        let whole = Self.twoDays.replacing("\"count\":null", with: "\"count\":null,\"note\":null")
        #expect(throws: PageFailure.self) {
            try encoder.take(page(String(whole.dropLast(1))), parameters: [:], requestID: "req_1")
        }
        #expect(encoder.drift.isEmpty)
        _ = try encoder.take(page(whole), parameters: [:], requestID: "req_2")
        #expect(encoder.drift.missing["note"]?.firstRequestID == "req_2")
    }

    @Test func repeatsOfAKeyAreCountedApart() throws {
        let encoder = try encoder()
        _ = try encoder.take(page(Self.twoDays), parameters: [:], requestID: nil)
        _ = try encoder.take(
            page(Self.twoDays.replacing("9007199254740993", with: "5")),
            parameters: [:],
            requestID: nil
        )
        let run = try #require(encoder.takePartition(20393))
        let merge = RunMerge(keep: .latest)
        merge.add(run)
        var kept: [String] = []
        while let row = try merge.next() { kept.append(String(decoding: row.line, as: UTF8.self)) }
        #expect(merge.counts.identical == 2)
        #expect(merge.counts.conflicts == 1)
        #expect(kept.last?.contains("\"count\":5") == true)
    }

    @Test func archiveLinesAreReadBack() throws {
        for format in [CellText.Format.ndjson, .csv] {
            let encoder = try encoder(format: format)
            _ = try encoder.take(page(Self.twoDays), parameters: [:], requestID: nil)
            let reader = ArchiveLine(
                format: format,
                columns: encoder.columns,
                primaryKey: report.primaryKey,
                timeColumn: "start_time"
            )
            let run = try #require(encoder.takePartition(20393))
            let merge = RunMerge(keep: .latest)
            merge.add(run)
            while let row = try merge.next() {
                let cells = try #require(reader.cells(row.line))
                #expect(reader.line(cells) == row.line)
                #expect(reader.sortKey(cells) == row.key)
                #expect(reader.time(cells) == row.time)
            }
        }
    }
}

@Suite struct PlainDecimalTests {
    @Test(arguments: [
        ("1e-05", "0.00001"), ("1.50e1", "15.0"), ("0.8958740000000000", "0.8958740000000000"), ("-1E3", "-1000"),
        ("0E-6176", "0"), ("12", "12"), ("1e0", "1"), ("0.001e2", "0.1"), ("123.456e-2", "1.23456"),
    ])
    func plainNotationIsExact(text: String, plain: String) {
        #expect(PlainDecimal.normalized(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) } == plain)
    }

    @Test(arguments: ["", "abc", "1.", ".5", "01", "1e", "NaN", "+1", "1e500", " 1"])
    func whatIsNoNumberIsRefused(text: String) {
        #expect(PlainDecimal.normalized(Array(text.utf8)) == nil)
    }
}
