internal import Connector
internal import Extract
internal import Load
internal import Model
internal import PageMemory
internal import RecordScan
internal import Transform

/// Takes the pages of one stream, from however many walks run side by side, and keeps their rows until the
/// stream is closed: in memory, or in staging when there are too many.
///
/// Pages are taken one at a time and whole. An actor, because walks of children fetch side by side.
actor StreamEngine {
    private let encoder: RowEncoder
    private let spec: StreamSpec
    private let stagingFolder: String
    private let runFileName: String
    private let memory: RowMemory
    private var counted = 0
    /// A stream with less than this does not spill, however much others hold: small runs cost more than they free.
    private static let smallest = 4 << 20
    private var runFile: SpillFile?
    private(set) var spilled: [StagedRun]
    /// Why rows are gone: staging did not take them, and memory has them no more. Nothing of this engine may be made durable then.
    private var loss: Fault?
    /// Partitions that are finished files already or become that, while the walk goes on.
    private let early: EarlyClosing
    private let closer: StreamClosing
    private var isHandedOver = false
    /// Closed early, or on their way to it: late rows of these wait for the end.
    private var wasRipe: Set<Int>

    /// - Parameters:
    ///   - runFileName: new in the folder for each attempt.
    ///   - spilled: what an earlier attempt left in staging and this one goes on from.
    init(
        spec: StreamSpec,
        primaryKey: [String],
        settings: RowEncoder.Settings,
        stagingFolder: String,
        runFileName: String,
        memory: RowMemory,
        spilled: [StagedRun],
        early: [Int: StreamClosing.Closed],
        closer: StreamClosing
    ) throws(Fault) {
        self.spec = spec
        self.stagingFolder = stagingFolder
        self.runFileName = runFileName
        self.memory = memory
        self.spilled = spilled
        let reader = closer.reader(primaryKey)
        self.early = EarlyClosing(closer, prefix: runFileName, reader: reader, closed: early)
        wasRipe = Set(early.keys)
        self.closer = closer
        encoder = try RowEncoder(spec: spec, primaryKey: primaryKey, settings: settings)
    }

    /// Adds one page, or says why it can't be one.
    func take(_ reply: Reply, parameters: [String: String], requestID: String?) -> Result<PageFacts, PageFailure> {
        if encoder.fetched == 0 { KernelMemory.expect(pageOf: reply.body.count) }
        do throws(PageFailure) {
            let facts = try encoder.take(reply.body, parameters: parameters, requestID: requestID)
            return .success(facts)
        } catch {
            return .failure(error)
        }
    }

    var counts: PageCounts {
        PageCounts(fetched: encoder.fetched, incomplete: encoder.incomplete, drift: encoder.drift)
    }

    /// Writes the rows in memory to staging.
    private func spill() throws(Fault) {
        if let loss { throw loss }
        let runs = encoder.takePartitions()
        guard runs.contains(where: { $0.value.count > 0 }) else { return }
        do throws(Fault) {
            if runFile == nil { runFile = try SpillFile(folder: stagingFolder, name: runFileName) }
            guard let file = runFile else { return }
            for (partition, run) in runs.sorted(by: { $0.key < $1.key }) where run.count > 0 {
                spilled.append(try file.append(run, partition: partition))
            }
        } catch {
            loss = error
            throw error
        }
    }

    /// Sends waiting rows to staging when all streams together hold too many. Call it after each page, when what
    /// could be closed is on its way.
    func relieve() throws(Fault) {
        let now = encoder.byteCount
        let isOver = memory.isOver(before: counted, now: now)
        counted = now
        guard isOver, now > StreamEngine.smallest else { return }
        try spill()
        _ = memory.isOver(before: counted, now: 0)
        counted = 0
    }

    /// Starts to write the partitions that end before `reached`: their rows are all there, since buckets come in order. Should
    /// the API send a late one after all, the partition is merged once more at the end.
    func closeRipe(reached: Instant, window: TimeWindow) async {
        let ripe = encoder.partitions.keys.filter {
            !wasRipe.contains($0) && closer.isRipe($0, reached: reached, window: window)
        }
        for number in ripe.sorted() {
            // Before the rows are taken: as long as they are on no list, other walks must not make theirs durable.
            await early.room()
            // Another walk may have had the same one in mind, and come first.
            guard !wasRipe.contains(number), let run = encoder.takePartition(number) else { continue }
            wasRipe.insert(number)
            let parts = spilled.filter { $0.partition == number }
            spilled.removeAll { $0.partition == number }
            let isLast = reached >= window.end && number == ripe.max()
            early.add(.init(number: number, run: run, spilled: parts, window: window, isLast: isLast))
        }
    }

    /// Partitions closed so far; waits for those on their way.
    func closedEarly() async throws(Fault) -> [Int: StreamClosing.Closed] { try await early.closed() }

    /// What had been taken at one moment: rows in staging, partitions that are closed or on their way to it, and counts.
    struct Taken: Sendable {
        var spilled: [StagedRun]
        var partitions: Set<Int>
        var counts: PageCounts
    }

    /// All that was taken so far, for ``makeDurable(_:)``. `nil` once the rows were handed over for closing: what was made durable
    /// last still holds then.
    func taken() throws(Fault) -> Taken? {
        guard !isHandedOver else { return nil }
        // Nothing waits here, so that the three belong together while other walks go on taking pages.
        try spill()
        return Taken(spilled: spilled, partitions: early.numbers, counts: counts)
    }

    /// More than this is not written twice.
    private static let mostCopied = 1 << 20

    /// All rows of a stream that was walked to its end, written to staging although they wait to be closed. `nil` where that costs
    /// too much. When it throws, nothing is lost: the rows are in memory.
    func copied() throws(Fault) -> Taken? {
        guard !isHandedOver, loss == nil, early.numbers.isEmpty, encoder.byteCount <= StreamEngine.mostCopied else {
            return nil
        }
        if runFile == nil { runFile = try SpillFile(folder: stagingFolder, name: runFileName) }
        guard let file = runFile else { return nil }
        var staged = spilled
        for (partition, run) in encoder.partitions.sorted(by: { $0.key < $1.key }) where run.count > 0 {
            staged.append(try file.append(run, partition: partition))
        }
        return Taken(spilled: staged, partitions: [], counts: counts)
    }

    /// What ``copied()`` wrote, on the medium.
    func syncCopy() throws(Fault) { try runFile?.sync() }

    /// Waits until all of it is on the medium: what a later attempt goes on from, with these partitions closed. Pages may be taken
    /// meanwhile.
    func makeDurable(_ taken: Taken) async throws(Fault) -> [Int: StreamClosing.Closed]? {
        let closed = try await early.closed(taken.partitions)
        guard !isHandedOver else { return nil }
        try runFile?.sync()
        return closed
    }

    /// Hands over everything, for closing.
    func takeAll() async throws(Fault) -> (
        runs: [Int: RowRun], spilled: [StagedRun], early: [Int: StreamClosing.Closed]
    ) {
        let early = try await closedEarly()
        isHandedOver = true
        return (encoder.takePartitions(), spilled, early)
    }
}
