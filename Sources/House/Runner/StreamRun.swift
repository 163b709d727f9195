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

    /// What the walks brought home.
    struct Fetched: Sendable {
        var engine: StreamEngine
        var parents: [[String: String]] = []
        var result: StreamResult
        var window: TimeWindow?
    }

    private var spec: StreamSpec { plan.spec }
    private var shown: ShownParameters {
        ShownParameters(spec: spec, rules: FieldRules(pipeline: pipeline, doors: doors))
    }

    /// Walks the stream. Faults are in the result; nothing is thrown.
    /// - Parameter parents: rows of the last parent stream, by column.
    func fetch(parents: [[String: String]]) async -> Result<Fetched, StreamFailure> {
        doors.progress(.started(spec.name))
        var groupBy = plan.groupBy
        var window = self.window
        var notes: [String] = []
        var number = 0
        // A grouping or a history that the API refuses is asked for again with less; each attempt leaves one dimension
        // or a piece of history out, so that they end.
        while true {
            number += 1
            let attempt = await attempt(number, groupBy: groupBy, window: window, parents: parents)
            switch attempt {
            case .success(var fetched):
                fetched.result.notes = notes + fetched.result.notes
                return .success(fetched)
            case .failure(let failure):
                if let dropped = fallback(groupBy, window, failure) {
                    groupBy.removeAll { $0 == dropped }
                    notes.append("the API refused to group by \(dropped); fetched without it")
                    continue
                }
                if let start = laterStart(window, failure), let old = window {
                    window = TimeWindow(start: start, end: old.end)
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
        let slices = slices(window: window, parents: parents)
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
        let builder = requests
        var collected = SliceOutcome()
        var failure: StreamFailure?
        await withTaskGroup(of: SliceOutcome.self) { group in
            // Walks of one stream are started a few at a time; the gate decides who may fetch.
            var next = 0
            func start() {
                guard next < slices.count, failure == nil else { return }
                let slice = slices[next]
                next += 1
                group.addTask { await self.walk(slice, engine: engine, requests: builder) }
            }
            for _ in 0..<max(1, pipeline.source.concurrency) { start() }
            while let outcome = await group.next() {
                collected += outcome
                if let fault = outcome.fault, failure == nil {
                    failure = StreamFailure(
                        fault: fault.within("stream \(spec.name)"),
                        result: result,
                        status: outcome.status,
                        envelope: outcome.envelope,
                        stopsRun: outcome.stopsRun,
                        serverTime: outcome.serverTime
                    )
                    group.cancelAll()
                }
                start()
            }
        }
        result.pages = collected.pages + (resumed?.pages ?? 0)
        result.requests = collected.requests
        result.retries = collected.retries
        if collected.timed > 0 { result.meanReply = collected.transfer / collected.timed }
        result.requestIDs = collected.requestIDs
        result.drift = await engine.drift
        result.tally.fetched = await engine.fetched + (resumed?.fetched ?? 0)
        result.window = window
        if collected.restarts > 0 {
            result.notes.append(
                "the API refused a cursor in the middle of a walk, which began anew (\(collected.restarts) times)"
            )
        }
        if collected.absent > 0 {
            result.notes.append(
                spec.parents.isEmpty
                    ? "the API has none" : "\(collected.absent) of \(slices.count) parents have none, or are gone"
            )
        }
        if collected.refused > 0 {
            result.notes.append("\(collected.refused) parents were refused by the API (400), as archived ones are")
            if collected.refused == slices.count, let fault = collected.refusal, failure == nil {
                failure = StreamFailure(fault: fault.within("stream \(spec.name)"), result: result)
            }
        }
        if var failure {
            // Partitions that are being closed are waited for: nothing of this attempt may be written beside the next one.
            _ = try? await engine.closedEarly()
            failure.result = result
            failure.result.fault = failure.fault
            return .failure(failure)
        }
        return .success(Fetched(engine: engine, parents: collected.parents, result: result, window: window))
    }

    /// Streams that other streams' paths are filled from are walked again after a crash, since those ids are kept
    /// nowhere. So are lists whose cursors are ids that the archive seals: the state must not hold them in clear.
    private var isResumable: Bool {
        guard parentColumns.isEmpty else { return false }
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

    /// One walk from its first page, or from where an earlier attempt stopped, to its end.
    private func walk(_ slice: Slice, engine: StreamEngine, requests: RequestBuilder) async -> SliceOutcome {
        let ahead = FetchAhead(fetcher: doors.fetcher, smallest: options.fetchAheadFrom) { walk in
            try? requests.request(slice, walk)
        }
        var outcome = await pages(slice, engine: engine, requests: requests, ahead: ahead)
        await ahead.drop()
        outcome.requests += await ahead.dropped
        return outcome
    }

    private func pages(
        _ slice: Slice,
        engine: StreamEngine,
        requests: RequestBuilder,
        ahead: FetchAhead
    ) async -> SliceOutcome {
        var outcome = SliceOutcome()
        // Once a walk, not once a page: a sealed id costs a key derivation.
        let place = slice.place(shown.shown(slice.parameters))
        let id = SliceID.text(spec.name, slice, groupBy: requests.groupBy)
        var walk = CursorWalk(spec.pagination)
        var restarts = 0
        var coverage = spec.mode == .report ? slice.window.map { Coverage(window: $0) } : nil
        var buckets: [(start: Instant, end: Instant)] = []
        if let kept = await progress.kept(spec.name, slice: id) {
            if kept.isDone { return outcome }
            if let resumed = CursorWalk(spec.pagination, resuming: kept.memento) {
                walk = resumed
                buckets = kept.buckets ?? []
                try? coverage?.resume(buckets)
            }
        }
        while !walk.isFinished {
            do throws(Fault) {
                let number = walk.pages + 1
                let fetched = try await page(
                    slice,
                    walk,
                    at: place,
                    number: number,
                    engine: engine,
                    requests: requests,
                    ahead: ahead
                )
                switch fetched {
                case .failure(let failure):
                    outcome.note(failure.attempts)
                    if isRefusedCursor(failure, walk), restarts < StreamRun.restartLimit {
                        // From the first page on: rows that come again are repeats, and stand once.
                        restarts += 1
                        outcome.restarts += 1
                        walk = CursorWalk(spec.pagination)
                        coverage = spec.mode == .report ? slice.window.map { Coverage(window: $0) } : nil
                        buckets = []
                        continue
                    }
                    if walk.pages == 0, isAbsent(failure) {
                        outcome.absent += failure.status == 404 ? 1 : 0
                        outcome.refused += failure.status == 400 ? 1 : 0
                        if failure.status == 400 { outcome.refusal = shown.cleaned(failure.fault, slice.parameters) }
                        await progress.finish(spec.name, slice: id, pages: walk.pages)
                        return outcome
                    }
                    outcome.fault = shown.cleaned(failure.fault, slice.parameters)
                    outcome.status = failure.status
                    outcome.envelope = failure.envelope
                    outcome.stopsRun = failure.stopsRun
                    return outcome
                case .success(let page):
                    outcome.note(page.attempts)
                    outcome.pages += 1
                    if let id = page.attempts.requestID, outcome.requestIDs.count < 20 { outcome.requestIDs.append(id) }
                    if walk.pages == 0, let told = page.serverTime, let window = openAtTheAPI(slice, told) {
                        outcome.serverTime = told
                        throw clockBehind(told, window)
                    }
                    outcome.parents += page.facts.parents
                    do throws(Fault) {
                        try coverage?.note(page.facts.buckets)
                        buckets += page.facts.buckets
                        let step = try walk.advance(
                            EnvelopeFacts(
                                hasMore: page.facts.hasMore,
                                cursor: page.facts.cursor,
                                lastItemID: page.facts.lastItemID,
                                elementCount: page.facts.elementCount,
                                linkNext: page.linkNext,
                                items: page.facts.items
                            )
                        )
                        if step == .done { try coverage?.finish() }
                    } catch {
                        var fault = error
                        if let id = page.attempts.requestID { fault.place.append("request \(id)") }
                        throw fault
                    }
                    doors.progress(.page(spec.name, rows: page.facts.rowCount, fraction: coverage?.fraction))
                    doors.log(.page(spec.name, walk.pages, at: place, page.facts.rowCount, page.attempts))
                    if let coverage { await engine.closeRipe(reached: coverage.reached, window: coverage.window) }
                    try await engine.relieve()
                    if walk.isFinished {
                        await progress.finish(spec.name, slice: id, pages: walk.pages)
                    } else {
                        await progress.keep(
                            spec.name,
                            slice: id,
                            place: slice,
                            memento: walk.memento,
                            pages: walk.pages,
                            cursor: walk.cursor,
                            buckets: buckets
                        )
                    }
                }
            } catch {
                outcome.fault = place.reversed().reduce(error) { $0.within($1) }
                return outcome
            }
        }
        return outcome
    }

    private struct FetchedPage {
        var facts: PageFacts
        var attempts: Attempts
        var linkNext: String?
        /// The API's own clock, from the reply's `Date`.
        var serverTime: Instant?
    }

    private func page(
        _ slice: Slice,
        _ walk: CursorWalk,
        at place: [String],
        number: Int,
        engine: StreamEngine,
        requests: RequestBuilder,
        ahead: FetchAhead
    ) async throws(Fault) -> Result<FetchedPage, FetchFailure> {
        let request = try requests.request(slice, walk)
        let early = await ahead.reply(to: request)
        let box = FactsBox()
        let fetched: Result<FetchedPage, FetchFailure>
        do throws(FetchFailure) {
            let (reply, attempts) = try await doors.fetcher.fetch(
                request,
                early: early,
                scope: spec.scope,
                at: place + ["page \(number)"],
                validate: { reply in
                    if let header = pipeline.connector.organizationHeader,
                        let fault = await organization.check(header: reply.headers[header.lowercased()])
                    {
                        box.refusal = fault
                        box.stopsRun = true
                        return .ok
                    }
                    await ahead.look(at: reply, of: walk)
                    let requestID = reply.headers[pipeline.connector.requestIDHeader.lowercased()]
                    switch await engine.take(reply, parameters: slice.parameters, requestID: requestID) {
                    case .success(let facts):
                        box.facts = facts
                        return .ok
                    case .failure(.malformed(let reason)): return .malformed(reason)
                    case .failure(.refused(let fault)):
                        box.refusal = fault.within("page \(number)")
                        return .ok
                    }
                }
            )
            if let refusal = box.refusal {
                var fault = refusal
                if let id = attempts.requestID { fault.place.append("request \(id)") }
                fetched = .failure(
                    FetchFailure(
                        fault: place.reversed().reduce(fault) { $0.within($1) },
                        status: 200,
                        envelope: nil,
                        attempts: attempts,
                        stopsRun: box.stopsRun
                    )
                )
            } else {
                let link = reply.headers["link"].flatMap { LinkHeader.next(in: $0) }
                let told = reply.headers["date"].flatMap(HTTPDate.parse)
                fetched = .success(
                    FetchedPage(facts: box.facts, attempts: attempts, linkNext: link, serverTime: told)
                )
            }
        } catch {
            var failure = error
            // The place already names the stream; the run adds it once more on the way out.
            if failure.fault.place.first == "stream \(spec.name)" { failure.fault.place.removeFirst() }
            fetched = .failure(failure)
        }
        return fetched
    }

    /// A walk begins anew so many times before a refused cursor is a fault.
    private static let restartLimit = 2

    /// Whether the API no longer knows the cursor that a page was asked for with: it has aged, or the row it names is gone.
    private func isRefusedCursor(_ failure: FetchFailure, _ walk: CursorWalk) -> Bool {
        guard walk.pages > 0, walk.cursor != nil, let status = failure.status, [400, 404, 410, 422].contains(status)
        else { return false }
        let final = pipeline.connector.errors.historyCodes
        return spec.pagination.style != .pageNumber && !(failure.envelope?.code.map(final.contains) ?? false)
    }

    /// Whether a refusal only says that this parent has nothing to list. Of its first page: later, rows would be lost.
    private func isAbsent(_ failure: FetchFailure) -> Bool {
        guard spec.absent == .empty else { return false }
        if failure.status == 404 { return true }
        return failure.status == 400 && !spec.parents.isEmpty
    }

    /// The dimension to leave out after a 400, when the connector knows that this grouping may be refused.
    private func fallback(_ groupBy: [String], _ window: TimeWindow?, _ failure: StreamFailure) -> String? {
        guard failure.status == 400, let refusals = spec.grouping?.refusals else { return nil }
        if let code = failure.envelope?.code, pipeline.connector.errors.historyCodes.contains(code) { return nil }
        let refusal = refusals.first { refusal in
            refusal.dimensions.allSatisfy { groupBy.contains($0) } && groupBy.contains(refusal.without)
                && (refusal.startBefore.map { before in (window?.start.seconds ?? 0) < before } ?? true)
        }
        return refusal?.without
    }

    // MARK: Two clocks

    /// The slice's window, when it holds buckets that are still open by the API's clock though closed by ours.
    private func openAtTheAPI(_ slice: Slice, _ told: Instant) -> TimeWindow? {
        guard spec.mode == .report, !plan.includeOpenBucket, let window = slice.window, told < window.end else {
            return nil
        }
        return window
    }

    private func clockBehind(_ told: Instant, _ window: TimeWindow) -> Fault {
        Fault(
            .badReply,
            "by the API's clock it is \(told.text), before the window ends: its last buckets are still open there",
            at: ["page 1"],
            mend: "set this machine's clock right, or run again when the API's clock has passed \(window.end.text)"
        )
    }

    /// The end of the last bucket that is closed by the API's clock too.
    private func earlierEnd(_ window: TimeWindow?, _ failure: StreamFailure) -> Instant? {
        guard let told = failure.serverTime, let window else { return nil }
        let width = (plan.bucketWidth ?? spec.window?.defaultWidth).flatMap { TimeSpan(text: $0)?.seconds } ?? 1
        let end = told.aligned(down: max(1, width))
        return end > window.start && end < window.end ? end : nil
    }

    /// Where history begins, after the API said that it does not reach back to the window's start.
    private func laterStart(_ window: TimeWindow?, _ failure: StreamFailure) -> Instant? {
        guard failure.status == 400, let window, let envelope = failure.envelope, let code = envelope.code,
            pipeline.connector.errors.historyCodes.contains(code)
        else { return nil }
        let named = HistoryFloor.date(in: envelope.message)
        let stepped = [365, 180, 90, 30, 7].map { (options.now - $0 * 86_400).aligned(down: 86_400) + 86_400 }
        let candidates = [named].compactMap(\.self) + stepped
        return candidates.first { $0 > window.start && $0 < window.end }
    }
}

/// Carries what the validator found out of its closure; used by one task.
private final class FactsBox: @unchecked Sendable {  // written and read by the one task that awaits the fetch
    var facts = PageFacts()
    var refusal: Fault?
    var stopsRun = false
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
}
