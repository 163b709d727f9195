internal import Connector
internal import Disk
internal import Ledger
internal import Load
internal import Model
internal import PipelineFile
internal import Reporting
internal import Telemetry
internal import Transform

/// How a run ends: what is published of what its streams gave, and what is remembered of it.
struct RunConclusion {
    private let run: PipelineRun
    /// The run's own, but for "now": that is the plan's.
    private let options: RunOptions
    private let fence: CommitFence
    private let keeper: ProgressKeeper
    private let results: [StreamResult]
    private let forgotten: Set<String>
    private let organization: Manifest.Organization
    private let started: Int

    private var faults: RunFaults
    private var outcome = RunSummary.Outcome.failed
    private var latest: Generation?

    /// - Parameters:
    ///   - options: with the plan's "now".
    ///   - fence: what the run holds, and was built over.
    ///   - forgotten: streams that were to be read from the beginning.
    ///   - started: when the run began, by the doors' milliseconds.
    init(
        of run: PipelineRun,
        _ results: [StreamResult],
        options: RunOptions,
        fence: CommitFence,
        keeper: ProgressKeeper,
        forgotten: Set<String>,
        organization: Manifest.Organization,
        started: Int
    ) {
        self.run = run
        self.results = results.map { result in
            var result = result
            // Whoever finds that the run was stopped does not know by which signal.
            if result.fault?.code == .interrupted { result.fault?.code = run.doors.stopCode() }
            return result
        }
        self.options = options
        self.fence = fence
        self.keeper = keeper
        self.forgotten = forgotten
        self.organization = organization
        self.started = started
        faults = RunFaults(self.results, run.pipeline)
        latest = fence.base
    }

    private var root: OutputRoot { fence.root }
    private var store: StateStore { fence.store }
    private var current: Generation? { fence.base }
    private var pipeline: Pipeline { run.pipeline }
    private var doors: RunDoors { run.doors }

    mutating func conclude() async throws(Fault) -> RunSummary {
        let closed = doors.milliseconds()
        let assembly = Assembly(pipeline: pipeline, options: options, doors: doors, current: current)
        var publication: Publication?
        if faults.isInterrupted {
            await keeper.checkpointAll()
        } else if !faults.keepsBack, results.contains(where: { $0.fault == nil }) || results.isEmpty {
            publication = try settle(assembly)
        }
        if faults.isInterrupted { outcome = .interrupted }
        do throws(Fault) { try tidy() } catch {
            // What was published stands: the next run clears what is left.
            guard outcome == .published || outcome == .unchanged else { throw error }
            doors.progress(.note("what the run had staged could not be removed: \(error.what)"))
        }
        let summary = summary(assembly.reports(results, publication: publication), closed: closed)
        try remember(summary)
        return summary
    }

    /// Puts the streams' results together, looks at them as a whole, and publishes what may be.
    private mutating func settle(_ assembly: Assembly) throws(Fault) -> Publication {
        var built = try assembly.publication(results)
        if organization != Manifest.Organization() { built.manifest.organization = organization }
        tellOfLeavers()
        faults.add(try relate(&built))
        let rules = FieldRules(pipeline: pipeline, doors: doors)
        if let leak = ControlLook(pipeline: pipeline, gate: doors.gate, rules: rules).fault(built) {
            faults.addLeak(leak)
        } else if options.dryRun {
            outcome = .dryRun
        } else if let refusal = try guards.refusal(of: results.filter { $0.fault != nil }.map(\.name)) {
            faults.add([refusal])
        } else {
            if options.fullRefresh, let current { try mend(&built, current) }
            try commit(built)
        }
        return built
    }

    /// A stream that was taken out of the pipeline file leaves the archive: nobody should find that out from a loader.
    private func tellOfLeavers() {
        guard let current else { return }
        let names = Set(pipeline.streams.map(\.spec.name))
        let known = names.union(names.map(ChangeLog.name)).union(names.map(RestatementLedger.name))
        for stream in current.manifest.streams where !known.contains(stream.name) && !stream.partitions.isEmpty {
            doors.progress(
                .note(
                    "\(stream.name) is no longer in the pipeline file: its \(stream.rows) rows are in generation \(current.number), and in none after it"
                )
            )
        }
    }

    private var guards: RunGuards {
        RunGuards(pipeline: pipeline, options: run.options, store: store, current: current)
    }

    private mutating func commit(_ built: Publication) throws(Fault) {
        let stillForgotten = forgotten.filter { name in !results.contains { $0.name == name && $0.fault == nil } }
        switch try publish(built) {
        case .none:
            // What all walks gave was made durable when they ended; the next run makes its files from that.
            return faults.interrupt(doors.stopCode())
        case .unchanged:
            outcome = .unchanged
            try store.together { () throws(Fault) in
                try store.finishPlan(as: fence.claim)
                try store.setOwner(guards.owner, as: fence.claim)
            }
            if let current, stillForgotten != forgotten {
                try store.rebuild(from: run.commit(current, reason: .rebuild, except: stillForgotten))
            }
        case .published(let number):
            outcome = .published
            let generation = try root.generation(number)
            latest = generation
            let reason: GenerationCommit.Reason = options.fullRefresh ? .fullRefresh : .run
            try store.together { () throws(Fault) in
                try store.commitGeneration(
                    run.commit(generation, reason: reason, except: stillForgotten),
                    as: fence.claim,
                    events: run.events.published(generation, runID: options.runID, at: doors.wall())
                )
                try store.setOwner(guards.owner, as: fence.claim)
            }
        }
        // Also when nothing has changed: a run that was killed after its commit may not have come to this.
        dropOld()
    }

    /// What was read wholly anew also heals files that have rotted on the disk.
    private func mend(_ built: inout Publication, _ current: Generation) throws(Fault) {
        try fence.check()
        for path in try root.mend(with: &built, over: current) {
            doors.progress(.note("\(path) was damaged, and is sound again"))
        }
    }

    /// `nil` when a signal came before the commit.
    ///
    /// An output that another source takes over is the new one's before the swap, not after it: of a crash between the two, the file
    /// that owned it may be refused once too often, and never goes on over rows that are not its own.
    private func publish(_ built: Publication) throws(Fault) -> PublishOutcome? {
        let (known, owner) = (try store.owner(), guards.owner)
        let isTakenOver = known.map { $0.source != owner.source } ?? false
        do throws(Fault) {
            return try root.publish(built, over: current, fence: fence.check) { () throws(Fault) in
                if isTakenOver { try store.setOwner(owner, as: fence.claim) }
            }
        } catch {
            if isTakenOver, let known, (try? root.currentNumber()) == current?.number {
                try? store.setOwner(known, as: fence.claim)
            }
            guard error.code == .interrupted else { throw error }
            return nil
        }
    }

    /// Looks at what the streams say of each other, and returns what is more than the pipeline file allows.
    private func relate(_ publication: inout Publication) throws(Fault) -> [Fault] {
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
    private func dropOld() {
        do throws(Fault) {
            let vacuum = try Vacuum.perform(root, keep: pipeline.load.keepGenerations, at: run.options.now)
            guard let first = vacuum.dropped.first, let last = vacuum.dropped.last else { return }
            let names =
                first.generation == last.generation
                ? "\(first.generation)" : "\(first.generation) to \(last.generation)"
            doors.progress(.note("dropped generation \(names): keep_generations is \(pipeline.load.keepGenerations)"))
        } catch {
            doors.progress(.note("an old generation could not be dropped: \(error.what)"))
        }
    }

    /// Takes away what the next run must not find.
    private func tidy() throws(Fault) {
        // What a dry run has staged goes with it, and what a stopped run has kept is not its own.
        if options.dryRun { return }
        // What was held back is asked for again next time, not taken from what this run had kept.
        let isHeld = outcome == .failed && results.contains(where: \.isHeld)
        // What a leak was found in may not wait in staging either, nor be taken up again by the next run.
        if isHeld || (faults.isLeaking && !faults.isInterrupted) { try store.discardPlan(as: fence.claim) }
        if !faults.isInterrupted, outcome != .failed || faults.isLeaking {
            try root.empty(root.stagingPath)
        }
    }

    private func summary(_ streams: [StreamReport], closed: Int) -> RunSummary {
        var summary = RunSummary(
            pipeline: pipeline.name,
            runID: options.runID,
            outcome: outcome,
            exitCode: (faults.isInterrupted ? doors.stopCode() : faults.all.first?.code)?.exitCode ?? 0,
            generation: latest?.number,
            output: root.path,
            started: options.now,
            milliseconds: doors.milliseconds() - started,
            streams: streams,
            faults: faults.all
        )
        summary.clock = RunSummary.Clock(ended: doors.wall(), milliseconds: summary.milliseconds)
        summary.stages = [
            "fetch": results.reduce(0) { $0 + $1.fetchMilliseconds },
            "close": results.reduce(0) { $0 + $1.closeMilliseconds }, "publish": doors.milliseconds() - closed,
        ]
        for index in summary.streams.indices {
            let name = summary.streams[index].name
            let count = results.first { $0.name == name && $0.fault == nil }?.restated.buckets ?? 0
            if count > 0 { summary.streams[index].counters["restated_buckets"] = count }
        }
        return summary
    }

    private func remember(_ summary: RunSummary) throws(Fault) {
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
        try store.endRun(try run.ending(of: summary, results, record, latest, store))
        var members = summary.json.members ?? []
        let before = current?.manifest
        let details = results.map { RunDetails.json($0, before: before?.stream($0.name)?.watermark) }
        members.append(JSONValue.Member("details", .array(details)))
        try RunFile.write(root, id: summary.runID, doors.clean(.object(members)))
        doors.log(.ended(summary.json, summary.faults))
    }
}
