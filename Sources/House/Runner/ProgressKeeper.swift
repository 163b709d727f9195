internal import Extract
internal import Ledger
internal import Model

/// The name of a slice in the ledger: a hash of what it asks for, so that it holds no id in clear.
enum SliceID {
    static func text(_ stream: String, _ slice: Slice, groupBy: [String]) -> String {
        let parameters = slice.parameters.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }
        let window = slice.window?.text ?? ""
        let text = ([stream, String(slice.walk), window] + groupBy + parameters).joined(separator: "\u{1F}")
        return stream + "-" + Digest.hex(text).prefix(24)
    }
}

/// Makes progress durable while streams are walked, and finds it again after a crash.
///
/// Rows go to staging first, then the ledger says up to where: a crash between the two costs a page that is fetched
/// again, and whose rows are then identical repeats.
actor ProgressKeeper {
    /// What an earlier attempt left of a stream.
    struct Carried: Sendable {
        var spilled: [StagedRun]
        var early: [Int: StreamClosing.Closed]
        var counts: PageCounts
        var pages: Int
    }

    struct Kept: Sendable {
        var isDone: Bool
        /// The API had nothing to list (404).
        var isAbsent: Bool
        var memento: String
        var buckets: [(start: Instant, end: Instant)]?
    }

    private struct Stream {
        var engine: StreamEngine
        var carried: Carried?
        var isResumable: Bool
        var lastCheckpoint: ContinuousClock.Instant
        var slices: [String: SliceProgress] = [:]
        var dirty: Set<String> = []
        var groupBy: [String]
    }

    private let store: StateStore
    private let claim: Claim
    private let stagingFolder: String
    private let interval: Duration
    private let organization: OrganizationPin
    private let clean: @Sendable (JSONValue) -> JSONValue
    private var restsUntil = ContinuousClock.now
    private var streams: [String: Stream] = [:]
    private var earlier: [String: SliceProgress] = [:]
    /// Checkpoints on their way, which walks do not wait for.
    private var underWay: [String: Task<Void, Never>] = [:]
    /// Small streams that have been walked to their end: in staging, and not durable before the next checkpoint of any stream.
    private var parked: [String: Checkpoint] = [:]
    /// The first failure to make progress durable; the run can't be trusted to resume, and says so.
    private(set) var fault: Fault?

    init(
        store: StateStore,
        claim: Claim,
        stagingFolder: String,
        interval: Duration,
        earlier: [SliceProgress],
        organization: OrganizationPin,
        clean: @escaping @Sendable (JSONValue) -> JSONValue
    ) {
        self.store = store
        self.claim = claim
        self.stagingFolder = stagingFolder
        self.interval = interval
        self.organization = organization
        self.clean = clean
        for slice in earlier { self.earlier[slice.id] = slice }
    }

    /// What the replies that an earlier attempt kept said of whose data they are.
    static func organization(_ earlier: [SliceProgress]) -> String? {
        earlier.lazy.compactMap { $0.counters["organization"]?.text }.first
    }

    private static func engineID(_ stream: String) -> String { "engine:\(stream)" }

    func resume(_ stream: String, groupBy: [String]) -> Carried? {
        guard let row = earlier[ProgressKeeper.engineID(stream)],
            row.counters["group_by"] == JSONValue.strings(groupBy)
        else { return nil }
        let spilled = row.staged.compactMap { StagedRun(text: $0) }
        guard spilled.count == row.staged.count, StagedRun.allThere(spilled, in: stagingFolder) else {
            return nil
        }
        guard let early = ClosedPartitions.read(row.counters["closed"], stream: stream, folder: stagingFolder) else {
            return nil
        }
        return Carried(spilled: spilled, early: early, counts: PageCounts(kept: row.counters), pages: row.pages)
    }

    func begin(_ stream: String, engine: StreamEngine, groupBy: [String], carried: Carried?, isResumable: Bool) async {
        await underWay[stream]?.value  // of an engine that this one takes the place of
        // Progress under another grouping waits until that grouping is asked for.
        let kept = earlier[ProgressKeeper.engineID(stream)]?.counters["group_by"]
        let isOurs = kept == nil || kept == JSONValue.strings(groupBy)
        if carried == nil, isOurs, earlier.values.contains(where: { $0.stream == stream }) {
            // Otherwise a walk that counts as done could be skipped by a third attempt, though its rows are gone.
            earlier = earlier.filter { $0.value.stream != stream }
            do throws(Fault) { try store.forgetSlices(of: stream, as: claim) } catch { fault = fault ?? error }
        }
        streams[stream] = Stream(
            engine: engine,
            carried: carried,
            isResumable: isResumable,
            lastCheckpoint: .now,
            groupBy: groupBy
        )
    }

    /// Where an earlier attempt's walk stopped.
    func kept(_ stream: String, slice: String) -> Kept? {
        guard let row = earlier[slice], row.stream == stream else { return nil }
        let buckets = row.counters["buckets"]?.elements?.compactMap { pair -> (start: Instant, end: Instant)? in
            guard let values = pair.elements, values.count == 2, let start = values[0].integer,
                let end = values[1].integer
            else { return nil }
            return (Instant(seconds: Int64(start)), Instant(seconds: Int64(end)))
        }
        return Kept(
            isDone: row.state == .done,
            isAbsent: row.counters["absent"] != nil,
            memento: row.counters["walk"]?.text ?? "",
            buckets: buckets
        )
    }

    /// Notes that a page was taken; durable at the next checkpoint.
    /// - Parameter buckets: those of all pages so far, joined to spans.
    func keep(
        _ stream: String,
        slice: String,
        place: Slice,
        memento: String,
        pages: Int,
        cursor: String?,
        buckets: [(start: Instant, end: Instant)]
    ) async {
        guard streams[stream]?.isResumable == true else { return }
        var row = SliceProgress(
            id: slice,
            stream: stream,
            walk: place.walk,
            from: place.window?.start,
            to: place.window?.end
        )
        row.pages = pages
        row.nextPage = cursor
        row.counters = [
            "walk": .string(memento),
            "buckets": .array(buckets.map { [.integer($0.start.seconds), .integer($0.end.seconds)] }),
        ]
        await note(row)
    }

    /// Notes that a walk has ended, after so many pages.
    func finish(_ stream: String, slice: String, pages: Int, isAbsent: Bool = false) async {
        guard streams[stream]?.isResumable == true else { return }
        var row = streams[stream]?.slices[slice] ?? earlier[slice] ?? SliceProgress(id: slice, stream: stream)
        row.state = .done
        row.pages = pages
        row.nextPage = nil
        row.counters = isAbsent ? ["absent": .integer(1)] : [:]
        await note(row)
    }

    private func note(_ row: SliceProgress) async {
        streams[row.stream]?.slices[row.id] = row
        streams[row.stream]?.dirty.insert(row.id)
        let now = ContinuousClock.now
        guard let last = streams[row.stream]?.lastCheckpoint, now - last >= interval, now >= restsUntil else { return }
        // The walk goes on while its partitions are written and synced, unless every page is to be durable before the next.
        guard interval > .zero else { return await checkpoint(row.stream) }
        if underWay[row.stream] == nil { start(row.stream) }
    }

    /// Makes what a stream has so far durable.
    private func checkpoint(_ name: String) async {
        while let task = underWay[name] { await task.value }
        await start(name).value
    }

    /// One at a time for each stream: of two, the older might be saved last.
    @discardableResult private func start(_ name: String) -> Task<Void, Never> {
        let task = Task {
            if let begun = await begin(name) { await end(begun) }
            underWay[name] = nil
        }
        underWay[name] = task
        return task
    }

    /// What is to become durable: rows, and up to where the walks had come when these were taken.
    private struct Checkpoint {
        var name: String
        var stream: Stream
        var taken: StreamEngine.Taken
        var row: SliceProgress
        var walks: [SliceProgress]
        var start: ContinuousClock.Instant
    }

    /// Notes that all walks of a stream have ended and its rows are about to be closed, when they can no longer be asked for. Should
    /// the run be stopped before it publishes, they need not be fetched again. Where it throws, they must.
    func park(_ name: String) async throws(Fault) {
        while let task = underWay[name] { await task.value }
        guard let stream = streams[name], stream.isResumable, fault == nil, !stream.dirty.isEmpty else { return }
        guard let taken = try await stream.engine.copied() else { return }
        parked[name] = checkpoint(name, stream, taken, stream.dirty.sorted().compactMap { stream.slices[$0] })
    }

    private func checkpoint(
        _ name: String,
        _ stream: Stream,
        _ taken: StreamEngine.Taken,
        _ walks: [SliceProgress]
    ) -> Checkpoint {
        var row = SliceProgress(id: ProgressKeeper.engineID(name), stream: name)
        row.staged = taken.spilled.map(\.text)
        row.pages = stream.slices.values.reduce(0) { $0 + $1.pages }
        return Checkpoint(name: name, stream: stream, taken: taken, row: row, walks: walks, start: .now)
    }

    private func begin(_ name: String) async -> Checkpoint? {
        guard var stream = streams[name], stream.isResumable, fault == nil, !stream.dirty.isEmpty else { return nil }
        // As they are before the rows are taken: another walk may go on meanwhile.
        let walks = stream.dirty.sorted().compactMap { stream.slices[$0] }
        stream.dirty = []
        let start = ContinuousClock.now
        stream.lastCheckpoint = start
        streams[name] = stream
        do throws(Fault) {
            guard let taken = try await stream.engine.taken() else { return nil }
            var begun = checkpoint(name, stream, taken, walks)
            begun.start = start
            return begun
        } catch {
            fault = fault ?? error
            return nil
        }
    }

    private func end(_ checkpoint: Checkpoint) async {
        let stream = checkpoint.stream
        do throws(Fault) {
            guard let closed = try await stream.engine.makeDurable(checkpoint.taken) else { return }
            let rows = await rows(of: checkpoint, closed: closed)
            try store.saveProgress(try await parkedRows() + rows, as: claim)
            rest(after: ContinuousClock.now - checkpoint.start)
        } catch {
            fault = fault ?? error
        }
    }

    private func rows(of checkpoint: Checkpoint, closed: [Int: StreamClosing.Closed]) async -> [SliceProgress] {
        var counts = checkpoint.stream.carried?.counts ?? PageCounts()
        counts += checkpoint.taken.counts
        var row = checkpoint.row
        row.counters = .object(
            counts.kept(clean) + [
                .init("group_by", .strings(checkpoint.stream.groupBy)), .init("closed", ClosedPartitions.json(closed)),
                .init("organization", .optional(await organization.header)),
            ]
        )
        return [row] + checkpoint.walks
    }

    /// Of all streams that are parked; their rows are on the medium then.
    private func parkedRows() async throws(Fault) -> [SliceProgress] {
        let all = parked.sorted { $0.key < $1.key }.map(\.value)
        parked = [:]
        var saved: [SliceProgress] = []
        for checkpoint in all {
            try await checkpoint.stream.engine.syncCopy()
            saved += await rows(of: checkpoint, closed: [:])
        }
        return saved
    }

    /// Waits for what is under way: afterwards nothing is saved any more.
    func settle() async {
        while let task = underWay.values.first { await task.value }
    }

    /// A stream of many partitions has much to note, and a disk may be slow: noting takes a tenth of the time, unless
    /// every page is to be made durable.
    private func rest(after cost: Duration) {
        if interval > .zero { restsUntil = .now + min(cost * 9, .seconds(10)) }
    }

    /// Before the process ends with work undone.
    func checkpointAll() async {
        for name in streams.keys.sorted() { await checkpoint(name) }
        guard fault == nil else { return }
        do throws(Fault) {
            let rows = try await parkedRows()
            if !rows.isEmpty { try store.saveProgress(rows, as: claim) }
        } catch {
            fault = fault ?? error
        }
    }
}
