import Connector
import Model
import PageMemory
import RecordScan
import Testing

@testable import Transform

/// What a page says beside its rows.
@Suite struct PageFactsTests {
    private func facts(_ pages: Pagination, _ envelope: String) throws -> PageFacts {
        var spec = report
        spec.pagination = pages
        return try encoder(spec).take(page("{\"data\":[],\(envelope)}"), parameters: [:], requestID: nil)
    }

    static let nested = Pagination(
        style: .cursorAfterNext,
        cursorParameter: "after",
        cursorPath: ["paging", "next"],
        morePath: ["meta", "page", "more"]
    )

    @Test func cursorAndMoreAreReadAlongTheirPaths() throws {
        let found = try facts(Self.nested, #""paging":{"next":"c2","x":1},"meta":{"page":{"more":true}}"#)
        #expect(found.cursor == "c2" && found.hasMore == true && found.namesNext)
    }

    @Test(arguments: [
        (#""paging":{"next":null}"#, true), (#""paging":null"#, true), (#""meta":{"page":{"more":null}}"#, true),
        (#""meta":{"page":{"more":false}}"#, true), (#""paging":{"nextCursor":"c2"}"#, false), (#""next":"c2""#, false),
        (#""paging.next":"c2","has_more":true"#, false),
    ])
    func aPageNamesTheNextWhenItHoldsOneOfTheFieldsBeItAsNull(envelope: String, names: Bool) throws {
        let found = try facts(Self.nested, envelope)
        #expect(found.namesNext == names)
        #expect(found.cursor == nil && found.hasMore != true)
    }

    @Test(arguments: [#"{"next":{"id":1}}"#, #"{"next":["c2"]}"#, #"{"next":true}"#])
    func aCursorIsATextOrANumber(paging: String) throws {
        let failure = #expect(throws: PageFailure.self) { try facts(Self.nested, "\"paging\":\(paging)") }
        guard case .refused(let fault) = failure else { return #expect(Bool(false), "it is not asked for again") }
        #expect(fault.what.contains("`paging.next` of the reply is a"))
        #expect(fault.mend.contains("`cursor_from`"))
    }

    @Test func onePageSaysWhenItIsNotTheOnlyOne() throws {
        let pages = Pagination(style: .none, cursorParameter: "", cursorPath: [])
        #expect(try facts(pages, #""has_more":true"#).hasMore == true)
        #expect(try facts(pages, #""has_more":3"#).hasMore == nil, "another field of that name")
    }

    @Test func aPageThatHoldsItsRowsTwiceIsBrokenAndAskedForAgain() throws {
        let failure = #expect(throws: PageFailure.self) {
            try encoder().take(page(#"{"next_page":null,"data":[],"data":[]}"#), parameters: [:], requestID: nil)
        }
        guard case .malformed = failure else { return #expect(Bool(false), "\(String(describing: failure))") }
    }

    @Test func rowsUnderAnotherNameThanTheConnectorsAreToldWithItsKey() throws {
        let failure = #expect(throws: PageFailure.self) {
            try encoder().take(page(#"{"items":[]}"#), parameters: [:], requestID: nil)
        }
        guard case .unlike(_, let mend) = failure else { return #expect(Bool(false), "\(String(describing: failure))") }
        #expect(mend == "compare `rows` of the connector file (data[].results[]) with the reply")
    }

    @Test(arguments: [#""has_more":false"#, #""next_page":null"#])
    func aPageThatIsSurelyOneIsNotAskedForAgainForItsRows(envelope: String) throws {
        let failure = #expect(throws: PageFailure.self) {
            try encoder().take(page("{\"items\":[],\(envelope)}"), parameters: [:], requestID: nil)
        }
        guard case .refused(let fault) = failure else {
            return #expect(Bool(false), "\(String(describing: failure))")
        }
        #expect(fault.what.hasPrefix("the member that should hold the rows is missing, at byte"))
        #expect(fault.mend == "compare `rows` of the connector file (data[].results[]) with the reply")
    }

    /// Buckets that say `from` and `to`, as texts, and further inside than the report above.
    @Test func aBucketsTimesAreWhereItsColumnsAre() throws {
        var spec = report
        spec.columns[0] = Column(
            "start_time",
            path: ["span", "from"],
            origin: .bucket,
            kind: .timestamp,
            nullable: false
        )
        spec.columns[1] = Column("ends", path: ["span", "to"], origin: .bucket, kind: .timestamp, nullable: false)
        let encoder = try encoder(spec)
        let span = #"{"from":"2025-11-01T00:00:00Z","to":"2025-11-02T00:00:00Z"}"#
        let text = #"{"data":[{"span":\#(span),"results":[{"project_id":"a"}]}],"has_more":false}"#
        let facts = try encoder.take(page(text), parameters: [:], requestID: nil)
        #expect(facts.buckets.map(\.start.text) == ["2025-11-01T00:00:00Z"])
        #expect(facts.buckets.map(\.end.text) == ["2025-11-02T00:00:00Z"])
        #expect(try lines(encoder)[20393]?.count == 1)
        let failure = #expect(throws: PageFailure.self) {
            try encoder.take(page(Self.others), parameters: [:], requestID: nil)
        }
        guard case .unlike(let what, _) = failure else { return #expect(Bool(false), "\(String(describing: failure))") }
        #expect(what == "a bucket without span.from and span.to")
    }

    static let others = #"{"data":[{"start_time":1761955200,"end_time":1762041600,"results":[]}],"has_more":false}"#
}
