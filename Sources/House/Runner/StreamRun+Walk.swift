internal import Connector
internal import Extract
internal import Model
internal import PageMemory
internal import PipelineFile
internal import Transform

/// The walks of a stream: page after page into its engine.
extension StreamRun {
    /// One walk from its first page, or from where an earlier attempt stopped, to its end.
    func walk(_ slice: Slice, engine: StreamEngine, requests: RequestBuilder) async -> SliceOutcome {
        let ahead = FetchAhead(fetcher: doors.fetcher, smallest: options.fetchAheadFrom) { walk in
            try? requests.request(slice, walk)
        }
        await ahead.take(first, for: spec.name)
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
        var walk = SliceWalk(spec, slice, width: bucketSeconds)
        if let kept = await progress.kept(spec.name, slice: id) {
            if kept.isDone {
                outcome.absent += kept.isAbsent ? 1 : 0
                return outcome
            }
            walk.resume(kept)
        }
        while !walk.isFinished {
            do throws(Fault) {
                switch try await page(slice, walk.cursor, at: place, engine: engine, requests: requests, ahead: ahead) {
                case .failure(let failure):
                    outcome.note(failure.attempts)
                    if isRefusedCursor(failure, walk.cursor), walk.restarts < StreamRun.restartLimit {
                        outcome.restarts += 1
                        walk.beginAnew()
                        continue
                    }
                    let fault = shown.cleaned(failure.fault, slice.parameters)
                    guard walk.pages == 0, isAbsent(failure) else {
                        outcome.end(failure, fault)
                        return outcome
                    }
                    outcome.noteAbsence(failure, fault)
                    // A refusal is not kept as an end: only when all walks have ended is it known whether it was one parent's or the
                    // stream's own, and a run that goes on would take the stream's for empty parents.
                    if outcome.refused == 0 {
                        await progress.finish(spec.name, slice: id, pages: walk.pages, isAbsent: true)
                    }
                    return outcome
                case .success(let page):
                    outcome.note(page.attempts)
                    outcome.notePage(page.attempts.requestID)
                    if walk.pages == 0, let told = page.serverTime, let window = openAtTheAPI(slice, told) {
                        outcome.serverTime = told
                        throw clockBehind(told, window)
                    }
                    outcome.parents += page.facts.parents
                    try walk.advance(page.facts, linkNext: page.linkNext, requestID: page.attempts.requestID)
                    doors.progress(.page(spec.name, rows: page.facts.rowCount, fraction: walk.coverage?.fraction))
                    doors.log(.page(spec.name, walk.pages, at: place, page.facts.rowCount, page.attempts))
                    if let coverage = walk.coverage {
                        await engine.closeRipe(reached: coverage.reached, window: coverage.window)
                    }
                    try await engine.relieve()
                    await keep(walk, of: slice, id)
                }
            } catch {
                outcome.fault = place.reversed().reduce(error) { $0.within($1) }
                return outcome
            }
        }
        return outcome
    }

    private func keep(_ walk: SliceWalk, of slice: Slice, _ id: String) async {
        if walk.isFinished { return await progress.finish(spec.name, slice: id, pages: walk.pages) }
        await progress.keep(
            spec.name,
            slice: id,
            place: slice,
            memento: walk.cursor.memento,
            pages: walk.pages,
            cursor: walk.cursor.cursor,
            buckets: walk.buckets
        )
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
        engine: StreamEngine,
        requests: RequestBuilder,
        ahead: FetchAhead
    ) async throws(Fault) -> Result<FetchedPage, FetchFailure> {
        let number = walk.pages + 1
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
                    case .failure(.unlike(let reason, let mend)): return .unlike(reason, mend: mend)
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
}

/// Carries what the validator found out of its closure; used by one task.
private final class FactsBox: @unchecked Sendable {  // written and read by the one task that awaits the fetch
    var facts = PageFacts()
    var refusal: Fault?
    var stopsRun = false
}
