import Connector
import Model
import Testing

@testable import Extract

private func walk(_ style: Pagination.Style, pageLimit: Int = 1_000_000) -> CursorWalk {
    CursorWalk(Pagination(style: style, cursorParameter: "cursor", cursorPath: ["token"]), pageLimit: pageLimit)
}

/// The facts that make every style go on to `cursor`.
private func more(_ cursor: String, elements: Int = 1) -> EnvelopeFacts {
    EnvelopeFacts(hasMore: true, cursor: cursor, lastItemID: cursor, elementCount: elements, linkNext: cursor)
}

private let cursorStyles: [Pagination.Style] = [
    .bucketPage, .cursorAfterLastID, .cursorAfterItemID, .cursorAfterNext, .linkHeader,
]

@Test(arguments: Pagination.Style.allCases)
func hasMoreFalseEndsEveryWalkEvenWithACursor(style: Pagination.Style) throws {
    var walk = walk(style)
    var facts = more("x")
    facts.hasMore = false
    #expect(try walk.advance(facts) == .done)
    #expect(walk.isFinished)
    #expect(walk.pages == 1)
}

@Test(arguments: cursorStyles)
func theCursorOfAPageIsWhatTheNextRequestCarries(style: Pagination.Style) throws {
    var walk = walk(style)
    #expect(walk.cursor == nil)
    #expect(try walk.advance(more("a")) == .next(cursor: "a"))
    #expect(walk.cursor == "a")
    #expect(try walk.advance(more("b")) == .next(cursor: "b"))
    var request = Request(stream: "s", template: "/s", path: "/s", query: [("limit", "2")])
    walk.apply(to: &request)
    if style == .linkHeader {
        #expect(request.absoluteURL == "b")
    } else {
        #expect(request.query.map(\.name) == ["limit", "cursor"])
        #expect(request.query.last?.value == "b")
    }
}

@Test func everyStyleReadsItsOwnSourceAndNoOther() throws {
    let facts = EnvelopeFacts(hasMore: true, cursor: "envelope", lastItemID: "item", elementCount: 1, linkNext: "link")
    let expected: [Pagination.Style: String] = [
        .bucketPage: "envelope", .cursorAfterLastID: "envelope", .cursorAfterNext: "envelope",
        .cursorAfterItemID: "item", .linkHeader: "link", .pageNumber: "2",
    ]
    for (style, cursor) in expected {
        var walk = walk(style)
        #expect(try walk.advance(facts) == .next(cursor: cursor), "\(style)")
    }
}

@Test(arguments: cursorStyles + [.none])
func hasMoreWithoutACursorIsAFaultAndNeverTheEnd(style: Pagination.Style) throws {
    for empty in [nil, ""] as [String?] {
        var walk = walk(style)
        let facts = EnvelopeFacts(hasMore: true, cursor: empty, lastItemID: empty, elementCount: 3, linkNext: empty)
        let fault = #expect(throws: Fault.self) { try walk.advance(facts) }
        #expect(fault?.code == .badReply)
        #expect(fault?.what.contains("has_more is true") == true)
        #expect(fault?.place == ["page 1"])
    }
}

@Test(arguments: cursorStyles, [1, 2, 5])
func aCursorSeenBeforeIsAFaultThatNamesTheCycleLength(style: Pagination.Style, length: Int) throws {
    var walk = walk(style)
    for page in 0..<length { _ = try walk.advance(more("c\(page)")) }
    let fault = #expect(throws: Fault.self) { try walk.advance(more("c0")) }
    #expect(fault?.code == .badReply)
    #expect(fault?.what.contains("cycle of \(length) pages") == true)
    #expect(fault?.place == ["page \(length + 1)"])
}

@Test func fiveEmptyPagesAreFollowedAndTheSixthIsAFault() throws {
    var walk = walk(.bucketPage)
    for page in 0..<5 { _ = try walk.advance(more("e\(page)", elements: 0)) }
    _ = try walk.advance(more("rows"))  // resets the count
    for page in 5..<10 { _ = try walk.advance(more("e\(page)", elements: 0)) }
    let fault = #expect(throws: Fault.self) { try walk.advance(more("e10", elements: 0)) }
    #expect(fault?.what.contains("6 pages in a row were empty") == true)
}

@Test(arguments: [Pagination.Style.bucketPage, .cursorAfterLastID, .cursorAfterItemID, .cursorAfterNext])
func withoutHasMoreTheWalkGoesOnUntilAnEmptyPageOrNoCursor(style: Pagination.Style) throws {
    func facts(_ cursor: String?, _ count: Int) -> EnvelopeFacts {
        EnvelopeFacts(cursor: cursor, lastItemID: cursor, elementCount: count)
    }
    var untilEmpty = walk(style)
    #expect(try untilEmpty.advance(facts("a", 2)) == .next(cursor: "a"))
    #expect(try untilEmpty.advance(facts("b", 0)) == .done)
    guard style != .cursorAfterItemID else { return }
    var untilNoCursor = walk(style)
    #expect(try untilNoCursor.advance(facts(nil, 2)) == .done)
}

private let tokenStyles: [Pagination.Style] = [.bucketPage, .cursorAfterLastID, .cursorAfterNext]

@Test(arguments: tokenStyles, [0, 3])
func aReplyWithNeitherCursorNorMoreIsNoLastPage(style: Pagination.Style, elements: Int) throws {
    var walk = walk(style)
    let fault = #expect(throws: Fault.self) {
        try walk.advance(EnvelopeFacts(namesNext: false, elementCount: elements))
    }
    #expect(fault?.code == .badReply)
    #expect(fault?.what == "the reply has neither token nor has_more")
    #expect(fault?.mend.contains("compare `cursor_from` of the connector file with the reply") == true)
}

@Test(arguments: tokenStyles)
func aLastPageMayLeaveTheCursorOutWhereTheConnectorSaysSoOrMoreIsFalse(style: Pagination.Style) throws {
    var told = walk(style)
    #expect(try told.advance(EnvelopeFacts(hasMore: false, namesNext: true, elementCount: 3)) == .done)
    let pages = Pagination(style: style, cursorParameter: "c", cursorPath: ["paging", "next"], isOmittedAtEnd: true)
    var omitted = CursorWalk(pages)
    #expect(try omitted.advance(EnvelopeFacts(namesNext: false, elementCount: 3)) == .done)
    var more = CursorWalk(pages)
    let fault = #expect(throws: Fault.self) {
        try more.advance(EnvelopeFacts(hasMore: true, namesNext: true, elementCount: 3))
    }
    #expect(fault?.what == "has_more is true, but paging.next gives no cursor to go on with")
}

@Test func anItemWithoutItsIDIsNoEndOfTheList() throws {
    var walk = walk(.cursorAfterItemID)
    let fault = #expect(throws: Fault.self) { try walk.advance(EnvelopeFacts(elementCount: 3)) }
    #expect(fault?.what == "the reply has no has_more, and its last item no token")
    var empty = CursorWalk(walk.pagination)
    #expect(try empty.advance(EnvelopeFacts(elementCount: 0)) == .done)
}

@Test func oneOfSeveralPagesIsNotTakenForTheOnlyOne() throws {
    var walk = walk(.none)
    let fault = #expect(throws: Fault.self) { try walk.advance(EnvelopeFacts(hasMore: true, elementCount: 3)) }
    #expect(fault?.what == "has_more is true, but the connector says that there is one page")
    #expect(fault?.mend.contains("`pagination`") == true)
}

@Test(arguments: [true, false])
func onlyStreamsWithWindowsAreToldToNarrowThem(hasWindow: Bool) throws {
    let pages = walk(.cursorAfterNext).pagination
    var cycle = CursorWalk(pages, hasWindow: hasWindow)
    _ = try cycle.advance(more("a"))
    #expect(#expect(throws: Fault.self) { try cycle.advance(more("a")) }?.mend.contains("--since") == hasWindow)
    var long = CursorWalk(pages, hasWindow: hasWindow, pageLimit: 1)
    #expect(#expect(throws: Fault.self) { try long.advance(more("a")) }?.mend.contains("--since") == hasWindow)
}

@Test func pageNumbersCountFromOneUntilAnEmptyPage() throws {
    var walk = walk(.pageNumber)
    #expect(walk.cursor == "1")
    #expect(try walk.advance(EnvelopeFacts(elementCount: 10)) == .next(cursor: "2"))
    #expect(try walk.advance(EnvelopeFacts(hasMore: true, elementCount: 10)) == .next(cursor: "3"))
    #expect(try walk.advance(EnvelopeFacts(elementCount: 0)) == .done)
}

@Test func aLinkHeaderWalkEndsWhereNoLinkPointsOn() throws {
    var walk = walk(.linkHeader)
    _ = try walk.advance(EnvelopeFacts(elementCount: 0, linkNext: "https://a/2"))
    #expect(try walk.advance(EnvelopeFacts(elementCount: 5)) == .done)
}

@Test func thePageLimitIsAFaultAndNotTheEnd() throws {
    var walk = walk(.bucketPage, pageLimit: 3)
    for page in 0..<2 { _ = try walk.advance(more("\(page)")) }
    let fault = #expect(throws: Fault.self) { try walk.advance(more("2")) }
    #expect(fault?.what.contains("longer than 3 pages") == true)
    var exact = CursorWalk(walk.pagination, pageLimit: 3)
    for page in 0..<2 { _ = try exact.advance(more("\(page)")) }
    #expect(try exact.advance(EnvelopeFacts(hasMore: false, elementCount: 1)) == .done)
}

@Test func anotherPagesItemsUnderThisPagesCursorAreAFault() throws {
    var walk = walk(.cursorAfterNext)
    func page(_ cursor: String, _ items: String?, count: Int = 3) -> EnvelopeFacts {
        EnvelopeFacts(hasMore: true, cursor: cursor, elementCount: count, items: items)
    }
    _ = try walk.advance(page("a", "i1 i3 3"))
    _ = try walk.advance(page("b", "i4 i6 3"))
    _ = try walk.advance(page("c", nil))
    _ = try walk.advance(page("d", "i4 i6 3", count: 0))  // an empty page has no items to be repeated
    var resumed = try #require(CursorWalk(walk.pagination, resuming: walk.memento))
    for var one in [walk, resumed] {
        let fault = #expect(throws: Fault.self) { try one.advance(page("e", "i4 i6 3")) }
        #expect(fault?.what == "its 3 items are those of page 2 once more")
        #expect(fault?.place == ["page 5"])
    }
    #expect(try resumed.advance(page("e", "i6 i7 2")) == .next(cursor: "e"))
}

@Test func aMementoOfAnOlderVersionIsReadWithoutItems() throws {
    let old = #"{"cursor":"c","empty":0,"finished":false,"pages":1,"seen":["1:1"]}"#
    let resumed = try #require(CursorWalk(walk(.bucketPage).pagination, resuming: old))
    #expect(resumed.cursor == "c")
}

@Test func aWalkResumedFromItsMementoStillSeesTheCycle() throws {
    var walk = walk(.cursorAfterNext)
    for page in 0..<300 { _ = try walk.advance(more("p\(page)", elements: page == 299 ? 0 : 1)) }
    var resumed = try #require(CursorWalk(walk.pagination, resuming: walk.memento))
    #expect(resumed.pages == 300)
    #expect(resumed.cursor == "p299")
    #expect(resumed.memento == walk.memento)
    let fault = #expect(throws: Fault.self) { try resumed.advance(more("p100")) }
    #expect(fault?.what.contains("cycle of 200 pages") == true)
    #expect(CursorWalk(walk.pagination, resuming: "{}") == nil)
    #expect(CursorWalk(walk.pagination, resuming: "not json") == nil)
}

@Test(arguments: [
    ("<https://a/2>; rel=\"next\"", "https://a/2"),
    ("<https://a/0>; rel=prev, <https://a/2?x=1,2>; rel=next", "https://a/2?x=1,2"),
    ("<https://a/9>; title=\"a, <b>; rel=next\"; rel=\"last\", </2>; REL=\"Prev NEXT\"", "/2"),
    ("<https://a/2>; rel=\"last\"", nil),
    ("<https://a/2>; anchor=\"#x\"; rel=next", nil),
    ("<https://a/2>; rel=last; rel=next", nil),
    ("<>; rel=next", nil),
    ("", nil),
    ("garbage <https://a/2>; rel=next", nil),
    ("<https://a/2; rel=next", nil),
])
func linkHeadersAreReadAsRFC8288Says(header: String, next: String?) {
    #expect(LinkHeader.next(in: header) == next)
}
