internal import Connector
internal import Disk
internal import Extract
internal import Ledger
internal import Load
package import Model
package import PipelineFile
package import Reporting
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
        try root.prepare()
        let lock = try root.lock(since: options.now)
        defer { lock.release() }
        for removed in try root.recover() { doors.progress(.note("removed \(removed), which a stopped run had left")) }
        let current = try root.current()
        let store = try StateStore.open(root.statePath, pipeline: pipeline.name)
        // First: catching up takes the pipeline over from whoever holds it, and that must not be this run.
        try followManifest(current, store)
        let claim = try store.claim(runID: options.runID)
        let remembered = Set(try store.watermarks().map(\.stream))
        let forgotten = Set(current?.manifest.streams.map(\.name) ?? []).subtracting(remembered)
        try store.recordRun(
            RunRecord(
                runID: options.runID,
                started: options.now,
                ended: nil,
                outcome: .running,
                exitCode: nil,
                generation: nil,
                summary: [:]
            )
        )
        try refuseOtherSettings(current)
        let (plan, earlier) = try openPlan(store, claim, current)
        var options = options
        options.now = plan.asOf
        let staging = root.stagingPath + "/" + Digest.hex(plan.fingerprint).prefix(16)
        try clearStaging(root, keeping: staging)
        let keeper = ProgressKeeper(
            store: store,
            claim: claim,
            stagingFolder: staging,
            interval: options.checkpointInterval,
            earlier: earlier
        )
        let organization = OrganizationPin(known: current?.manifest.organization, output: root.path)
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
        if let fault = await keeper.fault { throw fault }
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
            organization: await organization.seen
        )
        return summary
    }

    /// A crash between the swap and the ledger's commit leaves the ledger behind; the manifest is right.
    private func followManifest(_ current: Generation?, _ store: StateStore) throws(Fault) {
        guard let current else { return }
        let known = try store.committedGeneration()
        guard known?.manifestSHA256 != current.manifestSHA256 || known?.generation != current.number else { return }
        try store.rebuild(from: commit(current, reason: .rebuild))
        if known != nil { doors.progress(.note("the state was behind generation \(current.number) and has caught up")) }
    }

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
            if open.fingerprint == base {
                if !slices.isEmpty {
                    doors.progress(.note("going on with the run that stopped (as of \(open.asOf.text))"))
                }
                return (open, slices)
            }
            doors.progress(.note("dropping what a stopped run with other settings had staged"))
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
        organization: Manifest.Organization
    ) async throws(Fault) -> RunSummary {
        var faults = results.compactMap(\.fault).sorted { $0.code.gravity > $1.code.gravity }
        let isInterrupted = faults.contains { $0.code == .interrupted || $0.code == .terminated }
        // What the disk refused one stream says nothing about the API: with the others alone, the next run could no
        // longer end as an undisturbed one.
        let isDiskBroken = faults.contains { $0.code == .cannotWrite }
        let stopsRun = results.contains { $0.stopsRun } || isInterrupted || isDiskBroken
        let mustStop = pipeline.streams.contains { plan in
            plan.onFailure == .stop && results.contains { $0.name == plan.spec.name && $0.fault != nil }
        }
        let assembly = Assembly(pipeline: pipeline, options: options, doors: doors, current: current)
        let stillForgotten = forgotten.filter { name in !results.contains { $0.name == name && $0.fault == nil } }
        var outcome = RunSummary.Outcome.failed
        var number = current?.number
        var publication: Publication?
        if isInterrupted {
            outcome = .interrupted
            await keeper.checkpointAll()
        } else if !stopsRun, !mustStop, results.contains(where: { $0.fault == nil }) || results.isEmpty {
            var built = try assembly.publication(results)
            if organization != Manifest.Organization() { built.manifest.organization = organization }
            faults += try relate(&built, current, options, root: root)
            faults.sort { $0.code.gravity > $1.code.gravity }
            publication = built
            if options.dryRun {
                outcome = .dryRun
                try store.discardPlan(as: claim)
            } else {
                switch try root.publish(built) {
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
                    try store.commitGeneration(
                        commit(generation, reason: options.fullRefresh ? .fullRefresh : .run, except: stillForgotten),
                        as: claim
                    )
                    dropOld(root)
                }
            }
        }
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
        if !isInterrupted, outcome != .failed {
            try onDisk { () throws(DiskError) in try Disk.removeTree(root.stagingPath) }
            try root.prepare()
        }
        summary.milliseconds = doors.milliseconds() - started
        try remember(summary, results, root: root, store: store)
        return summary
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
        root: OutputRoot,
        store: StateStore
    ) throws(Fault) {
        let outcome: RunRecord.Outcome =
            switch summary.outcome {
            case .published: .published
            case .unchanged: .unchanged
            case .dryRun: .dryRun
            case .failed: .failed
            case .interrupted: .interrupted
            }
        try store.recordRun(
            RunRecord(
                runID: summary.runID,
                started: summary.started,
                ended: summary.started + Int64(summary.milliseconds / 1000),
                outcome: outcome,
                exitCode: summary.exitCode,
                generation: summary.generation,
                summary: doors.clean(summary.json)
            )
        )
        var members = summary.json.members ?? []
        members.append(JSONValue.Member("details", .array(results.map { RunDetails.json($0) })))
        try RunFile.write(root, id: summary.runID, doors.clean(.object(members)))
    }
}

/// What the run file says of a stream beyond the summary.
enum RunDetails {
    static func json(_ result: StreamResult) -> JSONValue {
        [
            "stream": .string(result.name),
            "window": .optional(result.window?.text),
            "group_by": .strings(result.groupBy),
            "watermark": .optional(result.watermark?.text),
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
