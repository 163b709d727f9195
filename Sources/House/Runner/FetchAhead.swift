internal import Connector
internal import Extract
internal import Model
internal import PageMemory

/// Fetches a walk's next page while the present one is scanned.
///
/// The end of a large page tells where the next one probably lies (``EnvelopeTail``); its request is sent at once, one
/// and no more. When the scan has said where the walk really goes on, the reply is used if it is to that very request, and
/// dropped otherwise. Nothing of an early reply is looked at before that.
actor FetchAhead {
    private let fetcher: PageFetcher
    private let smallest: Int
    private let build: @Sendable (CursorWalk) -> Request?
    private var early: EarlyReply?
    /// Requests sent in vain.
    private(set) var dropped = 0

    init(fetcher: PageFetcher, smallest: Int, build: @escaping @Sendable (CursorWalk) -> Request?) {
        self.fetcher = fetcher
        self.smallest = smallest
        self.build = build
    }

    /// Takes over what is on its way already. Nobody else keeps it: a page takes as much memory as thousands of rows.
    func take(_ first: FirstPage?, for stream: String) async {
        early = await first?.take(for: stream)
    }

    /// Looks at a page that came for `walk`, and sends for the page after it.
    func look(at reply: Reply, of walk: CursorWalk) async {
        // Another attempt of the same page: what the one before foretold may be wrong as well.
        await drop()
        guard reply.body.count >= smallest, !Task.isCancelled else { return }
        switch walk.pagination.style {
        case .bucketPage, .cursorAfterLastID, .cursorAfterNext: break
        case .cursorAfterItemID, .pageNumber, .linkHeader, .none: return
        }
        let (cursorPath, morePath) = (walk.pagination.cursorPath, walk.pagination.morePath)
        guard let tail = EnvelopeTail(reply.body, cursorPath: cursorPath, morePath: morePath) else { return }
        var next = walk
        let facts = EnvelopeFacts(hasMore: tail.hasMore, cursor: tail.cursor, elementCount: 1)
        guard case .next? = try? next.advance(facts) else { return }
        guard let request = build(next) else { return }
        early = fetcher.sendEarly(request)
    }

    /// The early reply, if it is to this request. Any other is dropped.
    func reply(to request: Request) async -> EarlyReply? {
        guard let early, early.request == request else {
            await drop()
            return nil
        }
        self.early = nil
        return early
    }

    /// When nothing more is wanted of what is under way.
    func drop() async {
        guard let unwanted = early else { return }
        early = nil
        dropped += 1
        await unwanted.drop()
    }
}
