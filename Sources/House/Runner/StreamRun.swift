internal import Connector
internal import Extract
internal import Ledger
internal import Load
internal import Model
internal import PageMemory
internal import PipelineFile
internal import RecordScan
internal import Transform

/// Fetches one stream: all its walks, under all its parents, page by page into its engine.
struct StreamRun: Sendable {
    let plan: Pipeline.StreamPlan
    let pipeline: Pipeline
    let options: RunOptions
    let doors: RunDoors
    let progress: ProgressKeeper
    let window: TimeWindow?
    /// Columns of this stream that its children's paths are filled from.
    let parentColumns: [String]
    let stagingFolder: String
    /// How its partitions are closed.
    let closer: StreamClosing
    let memory: RowMemory
    let organization: OrganizationPin
    let first: FirstPage?

    /// What the walks brought home.
    struct Fetched: Sendable {
        var engine: StreamEngine
        var parents: [[String: String]] = []
        var result: StreamResult
        var window: TimeWindow?
        /// Where the window began that the API's history does not reach back to.
        var refusedFrom: Instant?
    }

    var spec: StreamSpec { plan.spec }
    var shown: ShownParameters {
        ShownParameters(spec: spec, rules: FieldRules(pipeline: pipeline, doors: doors))
    }

    /// Walks the stream. Faults are in the result; nothing is thrown.
    /// - Parameter parents: rows of the last parent stream, by column.
    func fetch(parents: [[String: String]]) async -> Result<Fetched, StreamFailure> {
        doors.progress(.started(spec.name))
        var groupBy = grouping
        var window = self.window
        var notes = groupingNotes
        var number = 0
        var refusedFrom: Instant?
        // A grouping or a history that the API refuses is asked for again with less; each attempt leaves one dimension
        // or a piece of history out, so that they end.
        while true {
            number += 1
            let attempt = await attempt(number, groupBy: groupBy, window: window, parents: parents)
            switch attempt {
            case .success(var fetched):
                fetched.result.notes = notes + fetched.result.notes
                fetched.refusedFrom = refusedFrom
                return .success(fetched)
            case .failure(let failure):
                if let dropped = fallback(groupBy, window, failure) {
                    if let held = held(without: dropped, failure) { return .failure(held) }
                    groupBy.removeAll { $0 == dropped }
                    notes.append("the API refused to group by \(dropped); fetched without it")
                    continue
                }
                if let start = laterStart(window, failure), let old = window {
                    window = TimeWindow(start: start, end: old.end)
                    refusedFrom = refusedFrom ?? old.start
                    notes.append("the API's history begins later: read from \(start.text) instead of \(old.start.text)")
                    continue
                }
                if let end = earlierEnd(window, failure), let old = window {
                    window = TimeWindow(start: old.start, end: end)
                    notes.append(
                        "the API's clock is at \(failure.serverTime?.text ?? ""): read up to \(end.text) instead of \(old.end.text)"
                    )
                    continue
                }
                return .failure(failure)
            }
        }
    }

    /// - number: from 1, and part of the staged files' names: an earlier attempt may have used the same grouping.
    private func attempt(
        _ number: Int,
        groupBy: [String],
        window: TimeWindow?,
        parents: [[String: String]]
    ) async -> Result<Fetched, StreamFailure> {
        let dimensions = Set(spec.grouping?.dimensions ?? [])
        let primaryKey = spec.primaryKey.filter { !dimensions.contains($0) || groupBy.contains($0) }
        var result = StreamResult(name: spec.name, groupBy: groupBy, primaryKey: primaryKey)
        result.window = window
        let resumed = isResumable ? await progress.resume(spec.name, groupBy: groupBy) : nil
        let engine: StreamEngine
        do throws(Fault) {
            engine = try StreamEngine(
                spec: spec,
                primaryKey: primaryKey,
                settings: settings(),
                stagingFolder: stagingFolder,
                runFileName: "\(spec.name)-\(options.runID)-\(groupBy.count)-\(number).runs",
                memory: memory,
                spilled: resumed?.spilled ?? [],
                early: resumed?.early ?? [:],
                closer: closer
            )
        } catch {
            return .failure(StreamFailure(fault: error.within("stream \(spec.name)"), result: result))
        }
        await progress.begin(
            spec.name,
            engine: engine,
            groupBy: groupBy,
            carried: resumed,
            isResumable: isResumable
        )
        if let resumed, resumed.pages > 0 {
            result.notes.append("went on after \(resumed.pages) pages that an earlier attempt had kept")
        }
        var requests = RequestBuilder(plan: plan, pageLimit: pipeline.source.pageLimit)
        requests.groupBy = groupBy
        let slices = slices(window: window, parents: parents)
        let (collected, ended) = await walkAll(slices, engine, requests)
        result.note(collected, of: slices.count, isChild: !spec.parents.isEmpty)
        result.pages += resumed?.pages ?? 0
        var counts = resumed?.counts ?? PageCounts()
        counts += await engine.counts
        result.note(counts)
        // Of all its parents refused, the last one's refusal is the stream's own.
        let refusal = collected.refused > 0 && collected.refused == slices.count ? collected.refusal : nil
        if let fault = ended?.fault ?? refusal {
            // Partitions that are being closed are waited for: nothing of this attempt may be written beside the next one.
            _ = try? await engine.closedEarly()
            result.fault = fault.within("stream \(spec.name)")
            return .failure(StreamFailure(fault.within("stream \(spec.name)"), result, of: ended))
        }
        do throws(Fault) { try await progress.park(spec.name) } catch {
            doors.progress(.note("no copy of \(spec.name) was kept for a run that is stopped: \(error.what)"))
        }
        return .success(Fetched(engine: engine, parents: collected.parents, result: result, window: window))
    }

    /// Walks all slices. Returns what the walks did together, and the first one that ended with a fault, which ends the others.
    private func walkAll(
        _ slices: [Slice],
        _ engine: StreamEngine,
        _ requests: RequestBuilder
    ) async -> (collected: SliceOutcome, ended: SliceOutcome?) {
        var collected = SliceOutcome()
        var ended: SliceOutcome?
        await withTaskGroup(of: SliceOutcome.self) { group in
            // Walks of one stream are started a few at a time; the gate decides who may fetch.
            var next = 0
            func start() {
                guard next < slices.count, ended == nil else { return }
                let slice = slices[next]
                next += 1
                group.addTask { await self.walk(slice, engine: engine, requests: requests) }
            }
            for _ in 0..<max(1, pipeline.source.concurrency) { start() }
            while let outcome = await group.next() {
                collected += outcome
                if outcome.fault != nil, ended == nil {
                    ended = outcome
                    group.cancelAll()
                }
                start()
            }
        }
        return (collected, ended)
    }

    /// Streams that other streams' paths are filled from are walked again after a crash, since those ids are kept
    /// nowhere. So are lists whose cursors are ids that the archive seals: the state must not hold them in clear.
    /// Of a dry run nothing is kept.
    private var isResumable: Bool {
        guard parentColumns.isEmpty, !options.dryRun else { return false }
        switch spec.pagination.style {
        case .cursorAfterLastID, .cursorAfterItemID:
            let rules = FieldRules(pipeline: pipeline, doors: doors)
            return !spec.columns.contains { rules.isSealed(stream: spec.name, column: $0) }
        case .bucketPage, .cursorAfterNext, .pageNumber, .linkHeader, .none: return true
        }
    }

    /// How lines of this stream look.
    func settings() -> RowEncoder.Settings {
        RowEncoder.Settings(
            text: CellText(
                format: pipeline.load.format == .csv ? .csv : .ndjson,
                guardsFormulas: pipeline.load.guardFormulas
            ),
            unit: spec.timeColumn == nil ? .none : pipeline.load.partitionBy == .month ? .month : .day,
            rules: FieldRules(pipeline: pipeline, doors: doors),
            parentColumns: parentColumns
        )
    }

    private func slices(window: TimeWindow?, parents: [[String: String]]) -> [Slice] {
        spec.walks.indices.flatMap { walk in
            spec.parents.isEmpty
                ? [Slice(walk: walk, parameters: [:], window: window)]
                : parents.compactMap { Slice(of: spec, walk: walk, under: $0, window: window) }
        }
    }
}

/// Why a stream came to nothing.
struct StreamFailure: Error, Sendable {
    var fault: Fault
    var result: StreamResult
    var status: Int?
    var envelope: ErrorEnvelope?
    var stopsRun = false
    /// The API's clock, when it is behind the window that was asked for.
    var serverTime: Instant?

    init(fault: Fault, result: StreamResult) {
        self.fault = fault
        self.result = result
    }

    /// - Parameter walk: the one that ended with the fault.
    init(_ fault: Fault, _ result: StreamResult, of walk: SliceOutcome?) {
        self.init(fault: fault, result: result)
        status = walk?.status
        envelope = walk?.envelope
        stopsRun = walk?.stopsRun ?? false
        serverTime = walk?.serverTime
    }
}

extension StreamResult {
    /// What the stream's walks did.
    fileprivate mutating func note(_ walks: SliceOutcome, of count: Int, isChild: Bool) {
        pages = walks.pages
        requests = walks.requests
        retries = walks.retries
        requestIDs = walks.requestIDs
        if walks.timed > 0 { meanReply = walks.transfer / walks.timed }
        if walks.restarts > 0 {
            notes.append("the API refused a cursor in the middle of a walk, which began anew (\(walks.restarts) times)")
        }
        if walks.absent > 0 {
            notes.append(isChild ? "\(walks.absent) of \(count) parents have none, or are gone" : "the API has none")
        }
        if walks.refused > 0 {
            notes.append("\(walks.refused) parents were refused by the API (400), as archived ones are")
        }
    }

    /// What their rows were.
    fileprivate mutating func note(_ counts: PageCounts) {
        drift = counts.drift
        tally.fetched = counts.fetched
        if counts.incomplete > 0 { tally.dropped["missing_field"] = counts.incomplete }
    }
}
