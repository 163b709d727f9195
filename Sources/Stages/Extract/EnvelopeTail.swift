internal import Model
package import PageMemory

/// What the end of a page says about the next one, before the page has been read.
///
/// APIs put `has_more` and the cursor behind the rows. Looked at first, they let the next page be fetched while this
/// one is scanned. A guess and nothing more: the scan decides whether the page is one and where the walk goes on, and a
/// reply to another request than the walk then wants is thrown away.
package struct EnvelopeTail: Sendable, Equatable {
    package var hasMore: Bool?
    package var cursor: String?

    /// How much of the page is looked at.
    private static let length = 4096

    /// `nil` when the page does not end with an array and then nothing but small members.
    package init?(_ page: PageBytes, cursorPath: [String], morePath: [String]) {
        self.init(page.suffix(EnvelopeTail.length), cursorPath: cursorPath, morePath: morePath)
    }

    init?(_ end: [UInt8], cursorPath: [String], morePath: [String]) {
        guard let bracket = end.lastIndex(of: UInt8(ascii: "]")) else { return nil }
        // With a beginning put before them, the members after the rows are an object of their own.
        let object = Array(#"{"":0"#.utf8) + end[(bracket + 1)...]
        guard let members = try? JSONValue(parsing: object), let cursor = members.member(cursorPath)?.text,
            !cursor.isEmpty
        else { return nil }
        self.cursor = cursor
        hasMore = members.member(morePath)?.boolean
    }
}
