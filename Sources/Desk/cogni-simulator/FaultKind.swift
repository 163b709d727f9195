/// Everything that can be made to go wrong with single requests. `docs/simulator.md` has a line for each.
enum FaultKind: String, Sendable, CaseIterable {
    // An answer other than the one asked for.
    case retryAfter = "retry_after"
    case retryAfterMilliseconds = "retry_after_ms"
    case rateWindow = "rate_window"
    case shouldRetry = "should_retry"
    case quota
    case status
    case unauthorized
    case missingScope = "missing_scope"
    case notFound = "not_found"
    case tokenExpired = "token_expired"
    case redirect
    case errorWith200 = "error_200"
    // A page that its maker got wrong.
    case lastPageCursor = "last_page_cursor"
    case moreWithoutCursor = "has_more_no_cursor"
    case emptyPage = "empty_page"
    case constantCursor = "constant_cursor"
    case cursorCycle = "cursor_cycle"
    case rotatingLastID = "rotating_last_id"
    case noHasMore = "no_has_more"
    case replayPage = "replay_page"
    case overlap
    case gap
    case reversed
    case duplicateRow = "duplicate_row"
    case bigCounters = "big_counters"
    case oddAmounts = "odd_amounts"
    case longCursors = "long_cursors"
    case unknownObject = "unknown_object"
    case newestFirst = "newest_first"
    case bareCursors = "bare_cursors"
    // A body that is not what it says.
    case truncatedJSON = "truncate_json"
    case emptyBody = "empty_body"
    case html = "html_200"
    case trailingGarbage = "trailing_garbage"
    case byteOrderMark = "bom"
    case duplicateKeys = "duplicate_keys"
    case partialContent = "partial_content"
    case deepJSON = "deep_json"
    // Headers and encodings.
    case noRequestID = "no_request_id"
    case sameRequestID = "same_request_id"
    case dateSkew = "date_skew"
    case gzip
    case corruptGzip = "gzip_corrupt"
    case cutGzip = "gzip_cut"
    case gzipBomb = "gzip_bomb"
    case deflate
    case bigHeader = "big_header"
    case manyHeaders = "many_headers"
    case earlyHints = "early_hints"
    case chunked
    // The wire.
    case reset
    case resetInBody = "reset_mid_body"
    case shortBody = "short_body"
    case cutChunked = "cut_chunked"
    case cutClose = "cut_close"
    case endlessBody = "endless_body"
    case drip
    case stall
    // The organization changes, and the request is answered.
    case mutate

    var twist: PageTwist? {
        switch self {
        case .lastPageCursor: .cursorOnLastPage
        case .moreWithoutCursor: .moreWithoutCursor
        case .emptyPage: .emptyPage
        case .constantCursor: .constantCursor
        case .cursorCycle: .cursorCycle
        case .rotatingLastID: .rotatingLastID
        case .noHasMore: .noHasMore
        case .replayPage: .replayedPage
        case .overlap: .overlap
        case .gap: .gap
        case .reversed: .reversed
        case .duplicateRow: .duplicateRow
        case .bigCounters: .oddCounters
        case .oddAmounts: .oddAmounts
        case .longCursors: .longCursors
        case .unknownObject: .unknownObject
        case .newestFirst: .newestFirst
        case .bareCursors: .bareCursors
        default: nil
        }
    }

    /// Names that may stand in its entry besides target and trigger.
    var parameters: Set<String> {
        switch self {
        case .retryAfter: ["seconds", "value", "date_in_seconds", "status"]
        case .retryAfterMilliseconds: ["ms", "seconds"]
        case .rateWindow: ["limit", "seconds"]
        case .shouldRetry: ["status", "value"]
        case .quota: ["code"]
        case .status: ["status", "html", "code", "message", "type"]
        case .missingScope: ["status", "scope"]
        case .redirect: ["status", "location"]
        case .dateSkew: ["seconds"]
        case .errorWith200: ["code", "message", "type"]
        case .truncatedJSON, .resetInBody, .shortBody, .cutChunked, .cutClose, .cutGzip, .partialContent: ["keep"]
        case .gzipBomb, .bigHeader: ["bytes"]
        case .manyHeaders, .earlyHints: ["count"]
        case .deepJSON: ["depth"]
        case .drip: ["bytes", "interval_ms"]
        case .stall: ["at", "seconds"]
        case .mutate: ["change"]
        default: []
        }
    }
}
