internal import Connector
internal import Disk
internal import Extract
internal import Ledger
internal import Load
internal import Model
internal import PipelineFile
internal import Reporting
internal import Telemetry
internal import Transform

/// How a run ends: what its streams' faults mean for the whole, what is published, and what is remembered of it.
extension PipelineRun {
    func conclude(
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
