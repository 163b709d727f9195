internal import Connector
internal import Extract
internal import KeyRing
internal import Load
internal import Model
internal import PipelineFile
internal import Transform

/// Fetches and closes all streams of a run, parents before their children, the rest side by side.
struct RunWork: Sendable {
    let pipeline: Pipeline
    let options: RunOptions
    let doors: RunDoors
    let keeper: ProgressKeeper
    let staging: String
    let current: Generation?
    let memory: RowMemory
    /// Streams whose cursor was reset: their files stay until they have been read again from the beginning.
    var forgotten: Set<String> = []

    let organization: OrganizationPin
    let first: FirstPage?

    /// What a stream's children wait for.
    private enum ParentRows: Sendable {
        case rows([[String: String]])
        /// `isHeld`: the parent was listed, and is not published all the same.
        case failed(Fault, stopsRun: Bool, isHeld: Bool)
    }

    /// Every selected stream's result, in the connector's order.
    func results() async -> [StreamResult] {
        let selected = Set(pipeline.streams.map(\.spec.name).filter(options.selects))
        let needed = withParents(selected)
        let order = pipeline.connector.streams.map(\.name).filter { needed.contains($0) }
        let desk = ParentDesk()
        var results: [String: StreamResult] = [:]
        await withTaskGroup(of: StreamResult.self) { group in
            for name in order {
                guard let plan = plan(name) else { continue }
                let isSelected = selected.contains(name)
                let columns = parentColumns(of: name, among: needed)
                group.addTask { await self.one(plan, isSelected: isSelected, parentColumns: columns, desk: desk) }
            }
            while let result = await group.next() {
                if result.stopsRun { group.cancelAll() }
                results[result.name] = result
            }
        }
        // When the key itself was refused, the other streams were only stopped: one fault says it all.
        let stopping = order.compactMap { results[$0] }.first { $0.stopsRun }?.fault
        let hasStopped = stopping != nil
        return order.filter { selected.contains($0) }.compactMap { name in
            guard var result = results[name] else { return nil }
            if hasStopped, !result.stopsRun, result.fault?.code == .interrupted {
                result.fault = stopped(name, stopping)
            }
            return result
        }
            + order.filter { !selected.contains($0) }.compactMap { name in
                results[name].flatMap { $0.stopsRun ? $0 : nil }
            }
    }

    private func stopped(_ name: String, _ cause: Fault?) -> Fault {
        let why = cause?.code == .badReply ? "the run was stopped" : "the API refused the key"
        return Fault(cause?.code ?? .denied, "not fetched, because \(why)", at: ["stream \(name)"], mend: "")
    }

    private func withParents(_ names: Set<String>) -> Set<String> {
        var all = names
        for spec in pipeline.connector.streams.reversed() where all.contains(spec.name) {
            if let last = spec.parents.last { all.insert(last.stream) }
        }
        return all
    }

    private func plan(_ name: String) -> Pipeline.StreamPlan? { pipeline.plan(for: name) }

    /// The columns of a stream that other streams of this run need: their parents' ids, and what is skipped by.
    private func parentColumns(of name: String, among needed: Set<String>) -> [String] {
        var columns: [String] = []
        for spec in pipeline.connector.streams where needed.contains(spec.name) {
            guard let last = spec.parents.last, last.stream == name else { continue }
            columns += [last.column] + last.skip.map(\.column) + spec.parents.dropLast().map(\.parameter)
        }
        var seen: Set<String> = []
        return columns.filter { seen.insert($0).inserted }
    }

    private func one(
        _ plan: Pipeline.StreamPlan,
        isSelected: Bool,
        parentColumns: [String],
        desk: ParentDesk
    ) async -> StreamResult {
        let spec = plan.spec
        let begun = doors.milliseconds()
        var failed = StreamResult(name: spec.name, groupBy: plan.groupBy, primaryKey: plan.primaryKey)
        var parents: [[String: String]] = []
        if let last = spec.parents.last {
            switch await desk.rows(of: last.stream) {
            case .rows(let rows): parents = kept(rows, last)
            case .failed(let fault, let stopsRun, let isHeld):
                failed.fault = Fault(
                    stopsRun ? .interrupted : fault.code,
                    "its parent stream \(last.stream) could not be listed: \(fault.what)",
                    at: ["stream \(spec.name)"],
                    mend: isHeld ? fault.mend : "mend that first, then run again"
                )
                failed.isHeld = isHeld
                await desk.put(spec.name, .failed(fault, stopsRun: stopsRun, isHeld: isHeld))
                return failed
            }
        }
        let run = StreamRun(
            plan: plan,
            pipeline: pipeline,
            options: options,
            doors: doors,
            progress: keeper,
            window: window(plan),
            parentColumns: parentColumns,
            stagingFolder: staging,
            closer: closing(spec),
            memory: memory,
            organization: organization,
            first: first
        )
        var result: StreamResult
        let fetching = doors.milliseconds()
        let outcome: Result<StreamRun.Fetched?, StreamFailure> =
            await nothingToRead(plan) ? .success(nil) : run.fetch(parents: parents).map(Optional.some)
        let fetched = doors.milliseconds()
        switch outcome {
        case .failure(let failure):
            await desk.put(spec.name, .failed(failure.fault, stopsRun: failure.stopsRun, isHeld: false))
            result = failure.result
            result.fault = failure.fault
            result.stopsRun = failure.stopsRun
        case .success(.none):
            await desk.put(spec.name, .rows([]))
            result = failed
            // Its rows are grouped as they were, which may be less than what is asked for.
            result.groupBy = old(spec.name)?.groupBy ?? failed.groupBy
            result.primaryKey = old(spec.name)?.primaryKey ?? failed.primaryKey
            result.coverage = old(spec.name)?.coverage
            result.watermark = old(spec.name)?.watermark
            if result.watermark == nil {
                result.notes.append("there was no time to read: `since` is not before `until`, or not before now")
            }
        case .success(.some(let brought)):
            // Below a list that may be held back nothing is asked for before it is known not to be: whatever stands below a parent that it
            // lacks would count as deleted, though the list itself does not say so.
            let isWaitedFor = mayBeHeld(plan)
            if !isWaitedFor { await desk.put(spec.name, .rows(brought.parents)) }
            result = brought.result
            if isSelected {
                do throws(Fault) {
                    result = try await closing(spec).close(brought)
                    result.fault = await held(plan, result)
                    result.isHeld = result.fault != nil
                } catch {
                    result.fault = error
                }
            } else if isWaitedFor, spec.mode == .snapshot {
                // Not closed, so repeats are not known: they count as rows.
                var counted = result
                counted.tally.kept = result.tally.fetched - result.tally.droppedTotal
                result.fault = shrunk(plan, counted)
                result.isHeld = result.fault != nil
            }
            if isWaitedFor {
                let isHeld = result.isHeld
                let failure = result.fault.map { ParentRows.failed($0, stopsRun: false, isHeld: isHeld) }
                await desk.put(spec.name, failure ?? .rows(brought.parents))
            }
        }
        if result.fault != nil { result.tally = .unpublished(result.tally.fetched) }
        result.milliseconds = doors.milliseconds() - begun
        result.fetchMilliseconds = fetched - fetching
        result.closeMilliseconds = doors.milliseconds() - fetched
        doors.progress(.ended(spec.name, failed: result.fault != nil))
        doors.log(.ended(result, before: forgotten.contains(spec.name) ? nil : old(spec.name)?.watermark))
        return result
    }

    /// Rows of a parent that its children are walked under: each id once, archived ones left out.
    private func kept(_ rows: [[String: String]], _ parent: StreamSpec.Parent) -> [[String: String]] {
        // By their bytes: an é of one letter and one of two are equal as texts, and two ids to the API.
        var seen: Set<[[UInt8]]> = []
        return rows.filter { row in
            let bytes = row.sorted { $0.key < $1.key }.flatMap { [Array($0.key.utf8), Array($0.value.utf8)] }
            let isSkipped = parent.skip.contains { skip in row[skip.column].map { skip.values.contains($0) } ?? false }
            return !isSkipped && seen.insert(bytes).inserted
        }
    }

    /// Why a stream that was read whole is not published all the same.
    private func held(_ plan: Pipeline.StreamPlan, _ result: StreamResult) async -> Fault? {
        for column in OrganizationPin.columns(of: plan.spec) {
            let rules = FieldRules(pipeline: pipeline, doors: doors)
            guard let spec = plan.spec.column(column), !rules.isSealed(stream: plan.spec.name, column: spec),
                rules.rules["\(plan.spec.name).\(column)"] == nil, rules.rules[column] == nil
            else { continue }
            let ids: [String]
            do throws(Fault) { ids = try self.ids(column, plan.spec, result.files) } catch { return error }
            if let fault = await organization.check(ids: ids) { return fault.within("stream \(plan.spec.name)") }
        }
        return shrunk(plan, result)
    }

    /// Why a stream that came out suspiciously small is not published, unless somebody said that it may be.
    private func shrunk(_ plan: Pipeline.StreamPlan, _ result: StreamResult) -> Fault? {
        if options.acceptShrink.contains(plan.spec.name) { return nil }
        let naming = PartitionNaming(pipeline.load.partitionBy)
        return PublishGuard(plan: plan, old: current?.manifest.stream(plan.spec.name), naming: naming).fault(result)
    }

    /// Whether a stream that was read whole might not be published all the same.
    private func mayBeHeld(_ plan: Pipeline.StreamPlan) -> Bool {
        plan.minRows != nil || plan.maxShrink != nil || !OrganizationPin.columns(of: plan.spec).isEmpty
    }

    /// What a column of the stream's new files names. Files that an earlier attempt closed are read for it.
    private func ids(_ column: String, _ spec: StreamSpec, _ files: [StagedFile]) throws(Fault) -> [String] {
        let reading = ColumnReading(
            columns: spec.archiveColumns,
            column: column,
            format: pipeline.load.format,
            guardsFormulas: pipeline.load.guardFormulas
        )
        var found: Set<String> = []
        for file in files {
            let values = try reading.values(of: file, codec: pipeline.load.codec)
            found.formUnion((values ?? []).map { $0.text })
        }
        return found.sorted()
    }

    private func old(_ name: String) -> Manifest.Stream? {
        guard !options.fullRefresh, let old = current?.manifest.stream(name) else { return nil }
        // A stream that has failed from its first run on has nothing to be compared with: its first rows are no changes.
        let wasNeverRead = old.isStale && old.partitions.isEmpty && old.watermark == nil && old.coverage == nil
        return wasNeverRead ? nil : old
    }

    private func closing(_ spec: StreamSpec) -> StreamClosing {
        var closing = StreamClosing(
            spec: spec,
            pipeline: pipeline,
            now: options.now,
            stagingFolder: staging,
            old: old(spec.name),
            oldChanges: old(ChangeLog.name(spec.name)),
            oldLedger: old(RestatementLedger.name(spec.name)),
            oldFolder: current?.path,
            width: 2,
            previousManifest: current?.manifestSHA256 ?? "",
            watched: watched(spec)
        )
        closing.gate = doors.gate
        closing.rules = FieldRules(pipeline: pipeline, doors: doors)
        if let current, !options.fullRefresh {
            let changes = ChangeLog.name(spec.name)
            closing.resealing = Resealing(stream: spec.name, in: current.manifest, ring: doors.ring, target: doors.key)
            closing.resealingChanges = Resealing(
                stream: changes,
                in: current.manifest,
                ring: doors.ring,
                target: doors.key
            )
            closing.resealingLedger = Resealing(
                stream: RestatementLedger.name(spec.name),
                in: current.manifest,
                ring: doors.ring,
                target: doors.key
            )
            closing.twins = twins(spec, in: current.manifest, closing.rules)
        }
        return closing
    }

    private func twins(
        _ spec: StreamSpec,
        in manifest: Manifest,
        _ rules: FieldRules?
    ) -> (@Sendable () -> TokenTwins)? {
        guard spec.mode == .snapshot, rules?.mode == .randomized, let ring = doors.ring, let crypto = manifest.crypto
        else { return nil }
        let fields = Resealing.fields(of: spec.name, crypto)
        guard !fields.isEmpty else { return nil }
        let domains = Resealing.domains(of: fields)
        return { TokenTwins(ring, tenant: crypto.tenant, domains: domains) }
    }

    /// Columns whose distinct values the end of the run asks for.
    private func watched(_ spec: StreamSpec) -> [String] {
        let names = Set(pipeline.streams.map(\.spec.name))
        // A relation whose lists are not in this pipeline will not be looked at.
        let relations = pipeline.connector.relations.filter { $0.listed.allSatisfy { names.contains($0.stream) } }
        let places = relations.flatMap { $0.rows + $0.listed }.filter { $0.stream == spec.name }
        return Set(places.map(\.column) + OrganizationPin.columns(of: spec)).sorted()
    }

    private func nothingToRead(_ plan: Pipeline.StreamPlan) -> Bool {
        plan.spec.window != nil && window(plan) == nil
    }

    func window(_ plan: Pipeline.StreamPlan) -> TimeWindow? {
        options.window(
            of: plan,
            after: old(plan.spec.name),
            isForgotten: forgotten.contains(plan.spec.name)
        )
    }

    /// Where finished parents leave their rows, and children wait for them.
    private actor ParentDesk {
        private var ready: [String: ParentRows] = [:]
        private var waiting: [String: [CheckedContinuation<ParentRows, Never>]] = [:]

        func rows(of stream: String) async -> ParentRows {
            if let rows = ready[stream] { return rows }
            return await withCheckedContinuation { waiting[stream, default: []].append($0) }
        }

        func put(_ stream: String, _ rows: ParentRows) {
            ready[stream] = rows
            for waiter in waiting.removeValue(forKey: stream) ?? [] { waiter.resume(returning: rows) }
        }
    }
}
