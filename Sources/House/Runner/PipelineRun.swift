internal import Connector
internal import Disk
internal import Extract
internal import Ledger
internal import Load
package import Model
package import PipelineFile
package import Reporting
internal import Telemetry
internal import Transform

/// Runs a pipeline once: lock, plan, fetch, close, publish, remember.
///
/// Before the swap of `current` nothing is visible; after a crash anywhere, running again is the whole recovery. The
/// ledger follows the manifest, never the other way round.
package struct PipelineRun: Sendable {
    package let pipeline: Pipeline
    package let options: RunOptions
    package let doors: RunDoors

    package init(pipeline: Pipeline, options: RunOptions, doors: RunDoors) {
        self.pipeline = pipeline
        self.options = options
        self.doors = doors
    }

    /// Runs to the end. Failures of streams are in the summary; what keeps the run from beginning is thrown.
    package func run() async throws(Fault) -> RunSummary {
        let started = doors.milliseconds()
        let root = OutputRoot(options.output)
        let lock = try root.lock(since: options.now)
        defer { lock.release() }
        try root.prepare()
        for removed in try root.recover() { doors.progress(.note("removed \(removed), which a stopped run had left")) }
        let current = try root.current()
        let store = try StateStore.open(root.statePath, pipeline: pipeline.name)
        // First: catching up takes the pipeline over from whoever holds it, and that must not be this run.
        try followManifest(current, store)
        let guards = RunGuards(pipeline: pipeline, options: options, store: store, current: current)
        try guards.check()
        let claim = try store.together { () throws(Fault) in
            let claim = try store.claim(runID: self.options.runID)
            try store.recordRun(RunRecord(runID: self.options.runID, started: self.options.now))
            try store.setListener(events.listener(file: self.options.pipelinePath))
            return claim
        }
        let remembered = Set(try store.watermarks().map(\.stream))
        let forgotten = Set(current?.manifest.streams.map(\.name) ?? []).subtracting(remembered)
        doors.log(.started(options, pipeline.name, generation: current?.number))
        await doors.began()
        try refuseOtherSettings(current)
        let (plan, earlier) = try store.together { () throws(Fault) in
            try store.setOwner(guards.owner, as: claim)
            try KeyCheck(ring: doors.ring, key: doors.key).check(store, self.options.fullRefresh ? nil : current)
            return try openPlan(store, claim, current)
        }
        var options = options
        options.now = plan.asOf
        let staging = root.stagingPath + "/" + Digest.hex(plan.fingerprint).prefix(16)
        try clearStaging(root, keeping: staging)
        let organization = OrganizationPin(
            known: current?.manifest.organization,
            kept: ProgressKeeper.organization(earlier),
            output: root.path
        )
        let keeper = ProgressKeeper(
            store: store,
            claim: claim,
            stagingFolder: staging,
            interval: options.checkpointInterval,
            earlier: earlier,
            organization: organization,
            clean: doors.clean
        )
        let work = RunWork(
            pipeline: pipeline,
            options: options,
            doors: doors,
            keeper: keeper,
            staging: staging,
            current: current,
            memory: RowMemory(limit: options.memoryForRows),
            forgotten: forgotten,
            organization: organization
        )
        let results = await work.results()
        await keeper.settle()
        let fence = CommitFence(root: root, lock: lock, store: store, claim: claim, base: current)
        let lost = await keeper.fault
        if lost != nil || results.contains(where: { $0.fault?.code == .cannotWrite }) {
            // Whoever has taken over may have taken state and staging away; then that is what happened.
            try fence.check()
        }
        if let lost { throw lost }
        let summary = try await conclude(
            results,
            root: root,
            store: store,
            claim: claim,
            current: current,
            options: options,
            keeper: keeper,
            started: started,
            forgotten: forgotten,
            fence: fence,
            organization: await organization.seen
        )
        return summary
    }

    /// A crash between the swap and the ledger's commit leaves the ledger behind; the manifest is right.
    private func followManifest(_ current: Generation?, _ store: StateStore) throws(Fault) {
        guard let current else { return }
        let known = try store.committedGeneration()
        guard known?.manifestSHA256 != current.manifestSHA256 || known?.generation != current.number else { return }
        // The run that published it did not live to tell of it.
        let told = events.found(current, after: known?.generation, runID: options.runID, at: doors.wall())
        try store.rebuild(from: commit(current, reason: .rebuild), events: known == nil ? [] : told)
        let what =
            known == nil
            ? "there was no state: it was made anew from generation \(current.number); history and switch begin anew"
            : "the state was behind generation \(current.number) and has caught up"
        doors.progress(.note(what))
    }

    private var events: RunEvents { RunEvents(pipeline, clean: doors.clean) }

    /// - Parameter forgotten: streams that are still to be read from the beginning.
    private func commit(
        _ generation: Generation,
        reason: GenerationCommit.Reason,
        except forgotten: Set<String> = []
    ) -> GenerationCommit {
        GenerationCommit(of: generation, reason: reason, runID: options.runID, at: options.now, except: forgotten)
    }

    /// Files written under other settings can't stand beside new ones: keys would not join and formats would mix.
    private func refuseOtherSettings(_ current: Generation?) throws(Fault) {
        guard let current, !options.fullRefresh else { return }
        var changed: [String] = []
        for plan in selected {
            guard let old = current.manifest.stream(plan.spec.name), !old.partitions.isEmpty,
                let settings = old.extra.first(where: { $0.key == "settings" })?.value.text
            else { continue }
            if settings != StreamSettings.fingerprint(plan, pipeline, doors) { changed.append(plan.spec.name) }
        }
        guard changed.isEmpty else {
            let names =
                changed.prefix(5).joined(separator: ", ") + (changed.count > 5 ? ", and \(changed.count - 5) more" : "")
            throw Fault(
                .badPlan,
                "the settings of \(changed.count) streams have changed since generation \(current.number) (\(names)): format, grouping, bucket width, encryption, sanitizing or schema",
                mend: "run once with `--full-refresh` to write these streams anew, or undo the change"
            )
        }
    }

    private var selected: [Pipeline.StreamPlan] {
        pipeline.streams.filter { options.streams?.contains($0.spec.name) ?? true }
    }

    /// The plan of a run that was cut off is finished first, with its own "now"; one of other settings is dropped.
    private func openPlan(
        _ store: StateStore,
        _ claim: Claim,
        _ current: Generation?
    ) throws(Fault) -> (OpenPlan, [SliceProgress]) {
        let base = StreamSettings.planFingerprint(pipeline, options, doors, selected, current?.manifestSHA256)
        if let open = try store.openPlan() {
            let slices = try store.slices()
            let isAhead = options.isNowFromClock && open.asOf.seconds > options.now.seconds + RunGuards.harmlessStep
            if open.fingerprint == base, !isAhead {
                if !slices.isEmpty {
                    doors.progress(.note("going on with the run that stopped (as of \(open.asOf.text))"))
                }
                return (open, slices)
            }
            let why = isAhead ? "whose clock was ahead (as of \(open.asOf.text))" : "with other settings"
            doors.progress(.note("dropping what a stopped run \(why) had staged"))
            try store.discardPlan(as: claim)
        }
        let plan = OpenPlan(runID: options.runID, fingerprint: base, asOf: options.now, created: options.now)
        try store.beginPlan(plan, as: claim)
        return (plan, [])
    }

    private func clearStaging(_ root: OutputRoot, keeping folder: String) throws(Fault) {
        try onDisk { () throws(DiskError) in
            for name in try Disk.list(root.stagingPath) where root.stagingPath + "/" + name != folder {
                try Disk.removeTree(root.stagingPath + "/" + name)
            }
            if let found = try Disk.status(folder), found.kind != .folder { try Disk.remove(folder) }
            try Disk.makeFolders(folder, mode: 0o700)
            // Finished files of an attempt that was cut off are made anew; run files are what its progress stands on.
            for name in try Disk.list(folder) where !name.hasSuffix(".runs") && !name.hasSuffix(".closed") {
                try Disk.removeTree(folder + "/" + name)
            }
        }
    }

    // MARK: The end of the run

    private func conclude(
        _ results: [StreamResult],
        root: OutputRoot,
        store: StateStore,
        claim: Claim,
        current: Generation?,
        options: RunOptions,
        keeper: ProgressKeeper,
        started: Int,
        forgotten: Set<String>,
        fence: CommitFence,
        organization: Manifest.Organization
    ) async throws(Fault) -> RunSummary {
        // The fault that stopped the run before those of streams that were only stopped by it.
        let causesFirst = results.filter(\.stopsRun) + results.filter { !$0.stopsRun }
        var faults = causesFirst.compactMap(\.fault).sorted { $0.code.gravity > $1.code.gravity }
        var isInterrupted = faults.contains { $0.code == .interrupted || $0.code == .terminated }
        // What the disk refused one stream says nothing about the API: with the others alone, the next run could no
        // longer end as an undisturbed one.
        let isDiskBroken = faults.contains { $0.code == .cannotWrite }
        let stopsRun = results.contains { $0.stopsRun } || isInterrupted || isDiskBroken
        var isLeaking = faults.contains { $0.place.contains(OutgoingLook.place) }
        let mustStop =
            isLeaking
            || pipeline.streams.contains { plan in
                plan.onFailure == .stop && results.contains { $0.name == plan.spec.name && $0.fault != nil }
            }
        let assembly = Assembly(pipeline: pipeline, options: options, doors: doors, current: current)
        let closed = doors.milliseconds()
        let stillForgotten = forgotten.filter { name in !results.contains { $0.name == name && $0.fault == nil } }
        var outcome = RunSummary.Outcome.failed
        var number = current?.number
        var latest = current
        var publication: Publication?
        if isInterrupted {
            await keeper.checkpointAll()
        } else if !stopsRun, !mustStop, results.contains(where: { $0.fault == nil }) || results.isEmpty {
            var built = try assembly.publication(results)
            if organization != Manifest.Organization() { built.manifest.organization = organization }
            faults += try relate(&built, current, options, root: root)
            faults.sort { $0.code.gravity > $1.code.gravity }
            publication = built
            let rules = FieldRules(pipeline: pipeline, doors: doors)
            let leak = ControlLook(pipeline: pipeline, gate: doors.gate, rules: rules).fault(built)
            if let leak {
                isLeaking = true
                faults.insert(leak, at: 0)
            } else if options.dryRun {
                outcome = .dryRun
                try store.discardPlan(as: claim)
            } else {
                if options.fullRefresh, let current { try mend(&built, current, root, fence) }
                switch try publish(built, over: current, root, fence) {
                case .none:
                    // What all walks gave was made durable when they ended; the next run makes its files from that.
                    isInterrupted = true
                    faults.insert(Fault(.interrupted, "the run was stopped", mend: "run again to go on"), at: 0)
                case .unchanged:
                    outcome = .unchanged
                    try store.finishPlan(as: claim)
                    if let current, stillForgotten != forgotten {
                        try store.rebuild(from: commit(current, reason: .rebuild, except: stillForgotten))
                    }
                    // A run that was killed after its commit may not have come to this.
                    dropOld(root)
                case .published(let published):
                    outcome = .published
                    number = published
                    let generation = try root.generation(published)
                    latest = generation
                    try store.commitGeneration(
                        commit(generation, reason: options.fullRefresh ? .fullRefresh : .run, except: stillForgotten),
                        as: claim,
                        events: events.published(generation, runID: options.runID, at: doors.wall())
                    )
                    dropOld(root)
                }
            }
        }
        if isInterrupted { outcome = .interrupted }
        // What was held back is asked for again next time, not taken from what this run had kept.
        if outcome == .failed, results.contains(where: { $0.isHeld }) { try store.discardPlan(as: claim) }
        var summary = RunSummary(
            pipeline: pipeline.name,
            runID: options.runID,
            outcome: outcome,
            exitCode: (isInterrupted ? doors.stopCode() : faults.first?.code)?.exitCode ?? 0,
            generation: number,
            output: root.path,
            started: options.now,
            milliseconds: doors.milliseconds() - started,
            streams: assembly.reports(results, publication: publication),
            faults: faults
        )
        // What a leak was found in may not wait in staging either, nor be taken up again by the next run.
        if isLeaking, !isInterrupted { try store.discardPlan(as: claim) }
        if !isInterrupted, outcome != .failed || isLeaking {
            try onDisk { () throws(DiskError) in try Disk.removeTree(root.stagingPath) }
            try root.prepare()
        }
        summary.milliseconds = doors.milliseconds() - started
        summary.stages = [
            "fetch": results.reduce(0) { $0 + $1.fetchMilliseconds },
            "close": results.reduce(0) { $0 + $1.closeMilliseconds }, "publish": doors.milliseconds() - closed,
        ]
        for index in summary.streams.indices {
            let name = summary.streams[index].name
            let count = results.first { $0.name == name && $0.fault == nil }?.restated.buckets ?? 0
            if count > 0 { summary.streams[index].counters["restated_buckets"] = count }
        }
        try remember(summary, results, before: current?.manifest, after: latest, root: root, store: store)
        return summary
    }

    /// What was read wholly anew also heals files that have rotted on the disk.
    private func mend(
        _ built: inout Publication,
        _ current: Generation,
        _ root: OutputRoot,
        _ fence: CommitFence
    ) throws(Fault) {
        try fence.check()
        for path in try root.mend(with: &built, over: current) {
            doors.progress(.note("\(path) was damaged, and is sound again"))
        }
    }

    /// `nil` when a signal came before the commit.
    private func publish(
        _ built: Publication,
        over current: Generation?,
        _ root: OutputRoot,
        _ fence: CommitFence
    ) throws(Fault) -> PublishOutcome? {
        do throws(Fault) { return try root.publish(built, over: current, fence: fence.check) } catch {
            guard error.code == .interrupted else { throw error }
            return nil
        }
    }

    /// Looks at what the streams say of each other, and returns what is more than the pipeline file allows.
    private func relate(
        _ publication: inout Publication,
        _ current: Generation?,
        _ options: RunOptions,
        root: OutputRoot
    ) throws(Fault) -> [Fault] {
        guard !pipeline.connector.relations.isEmpty else { return [] }
        let rules = FieldRules(pipeline: pipeline, doors: doors)
        let check = RelationCheck(pipeline: pipeline, rules: rules, publication: publication, current: current)
        let outcome = try check.outcome()
        publication.add(outcome.relations, findings: outcome.bytes)
        for relation in outcome.relations where relation.findings > 0 {
            let what = "\(relation.findings) findings, \(relation.rows) rows"
            doors.progress(.note("relation \(relation.name): \(what); see diagnostics/"))
        }
        return outcome.faults(pipeline.diagnostics, output: root.path)
    }

    /// Drops generations beyond `keep_generations`. What was published stands; that an old one could not be dropped is
    /// only worth a note, and the next run tries again.
    private func dropOld(_ root: OutputRoot) {
        do throws(Fault) {
            let vacuum = try Vacuum.perform(root, keep: pipeline.load.keepGenerations, at: options.now)
            guard let first = vacuum.dropped.first, let last = vacuum.dropped.last else { return }
            let names =
                first.generation == last.generation
                ? "\(first.generation)" : "\(first.generation) to \(last.generation)"
            doors.progress(.note("dropped generation \(names): keep_generations is \(pipeline.load.keepGenerations)"))
        } catch {
            doors.progress(.note("an old generation could not be dropped: \(error.what)"))
        }
    }

    private func remember(
        _ summary: RunSummary,
        _ results: [StreamResult],
        before: Manifest?,
        after: Generation?,
        root: OutputRoot,
        store: StateStore
    ) throws(Fault) {
        let json = doors.clean(summary.json)
        let record = RunRecord(
            runID: summary.runID,
            started: summary.started,
            ended: summary.started + Int64(summary.milliseconds / 1000),
            outcome: RunRecord.Outcome(summary.outcome),
            exitCode: summary.exitCode,
            generation: summary.generation,
            summary: json
        )
        try store.endRun(try ending(of: summary, results, record, after, store))
        var members = summary.json.members ?? []
        let details = results.map { RunDetails.json($0, before: before?.stream($0.name)?.watermark) }
        members.append(JSONValue.Member("details", .array(details)))
        try RunFile.write(root, id: summary.runID, doors.clean(.object(members)))
        doors.log(.ended(summary.json, summary.faults))
    }
}

/// What the run file says of a stream beyond the summary.
enum RunDetails {
    /// - Parameter before: where the stream's cursor stood when the run began.
    static func json(_ result: StreamResult, before: Instant?) -> JSONValue {
        [
            "stream": .string(result.name),
            "window": .optional(result.window?.text),
            "group_by": .strings(result.groupBy),
            "watermark_before": .optional(before?.text),
            "watermark": .optional((result.fault == nil ? result.watermark : before)?.text),
            "restated": [
                "replaced": .integer(result.replaced), "changed": .integer(result.changed),
                "rows": [
                    "changed": .integer(result.restated.changed), "appeared": .integer(result.restated.appeared),
                    "vanished": .integer(result.restated.vanished), "buckets": .integer(result.restated.buckets),
                ],
            ],
            "drift": result.drift.json,
            "missing": result.drift.missingJSON,
            "new_values": result.drift.newValuesJSON,
            "request_ids": .strings(result.requestIDs),
            "fault": result.fault.map { fault in
                ["code": .string(fault.code.rawValue), "what": .string(fault.what), "where": .strings(fault.place)]
            } ?? .null,
        ]
    }
}
