internal import Connector
internal import Disk
internal import Extract
internal import Ledger
internal import Load
package import Model
package import PipelineFile
internal import RecordScan
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
        let lock = try root.lock(since: doors.wall())
        defer { lock.release() }
        try root.prepare()
        for removed in try root.recover() { doors.progress(.note("removed \(removed), which a stopped run had left")) }
        let current = try root.current()
        let first = FirstPage(pipeline, options, doors, of: root, current: current)
        do throws(Fault) {
            let summary = try await run(in: root, lock, current, first, since: started)
            await first?.drop()
            return summary
        } catch {
            await first?.drop()
            throw error
        }
    }

    private func run(
        in root: OutputRoot,
        _ lock: RunLock,
        _ current: Generation?,
        _ first: FirstPage?,
        since started: Int
    ) async throws(Fault) -> RunSummary {
        let (store, taken) = try StateStore.open(root.statePath, pipeline: pipeline.name) { store throws(Fault) in
            try self.takeOver(store, current)
        }
        let taking = try taken.get()
        let (claim, forgotten) = (taking.claim, taking.forgotten)
        doors.log(.started(options, pipeline.name, generation: current?.number))
        await doors.began()
        let (plan, earlier) = try taking.plan.get()
        var options = options
        options.now = plan.asOf
        let staging = root.stagingPath + "/" + (options.dryRun ? "dry-run" : Digest.hex(plan.fingerprint).prefix(16))
        if options.dryRun { try root.empty(staging) } else { try clearStaging(root, keeping: staging) }
        // Nobody goes on from it. After a crash the next run clears it away.
        defer { if options.dryRun { try? Disk.removeTree(staging) } }
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
            organization: organization,
            first: first
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
        KernelMemory.drop()
        var conclusion = RunConclusion(
            of: self,
            results,
            options: options,
            fence: fence,
            keeper: keeper,
            forgotten: forgotten,
            organization: await organization.seen,
            started: started
        )
        let summary = try await conclusion.conclude()
        doors.left(store)
        return summary
    }

    /// What a run has once the state is its own.
    private struct Taking {
        let claim: Claim
        /// Streams that are still to be read from the beginning.
        let forgotten: Set<String>
        /// With the progress that a run before it has left; or why this run, which has begun, can't go on.
        let plan: Result<(OpenPlan, [SliceProgress]), Fault>
    }

    /// Makes the state this run's, and opens its plan. A refusal takes nothing back that came before it: neither what was
    /// caught up with, nor that the run has begun.
    private func takeOver(_ store: StateStore, _ current: Generation?) throws(Fault) -> Result<Taking, Fault> {
        // First: catching up takes the pipeline over from whoever holds it, and that must not be this run.
        try followManifest(current, store)
        let guards = guards(store, current)
        do throws(Fault) { try guards.check() } catch { return .failure(error) }
        let claim = try store.claim(runID: options.runID)
        try store.recordRun(RunRecord(runID: options.runID, started: options.now))
        try store.setListener(events.listener(file: options.pipelinePath))
        let forgotten = if let current { try store.forgotten(of: current) } else { Set<String>() }
        let keys = KeyCheck(ring: doors.ring, key: doors.key)
        do throws(Fault) {
            try refuseOtherSettings(current)
            try keys.check(store, options.fullRefresh ? nil : current)
        } catch { return .success(Taking(claim: claim, forgotten: forgotten, plan: .failure(error))) }
        try keys.note(store)
        // Of no force before something is published; from then on it is noted with what is.
        if current == nil, !options.dryRun { try store.setOwner(guards.owner, as: claim) }
        let plan = try openPlan(store, claim, current, guards.owner)
        return .success(Taking(claim: claim, forgotten: forgotten, plan: .success(plan)))
    }

    private func guards(_ store: StateStore, _ current: Generation?) -> RunGuards {
        RunGuards(pipeline: pipeline, options: options, store: store, current: current)
    }

    /// What would keep a run from beginning now, by the files that are there; `nil`: nothing. Reads only.
    package func refusal() throws(Fault) -> Fault? {
        let root = OutputRoot(options.output)
        let current = try root.current()
        do throws(Fault) {
            if let store = try StateStore.openToRead(root.statePath, pipeline: pipeline.name) {
                defer { try? store.close() }
                try guards(store, current).check()
            }
            try refuseOtherSettings(current)
        } catch { return error }
        return nil
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

    var events: RunEvents { RunEvents(pipeline, clean: doors.clean) }

    /// - Parameter forgotten: streams that are still to be read from the beginning.
    func commit(
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
            let names = Phrase.some(changed)
            throw Fault(
                .badPlan,
                "the settings of \(changed.count) streams have changed since generation \(current.number) (\(names)): format, grouping, bucket width, encryption, sanitizing or schema",
                mend:
                    "run once with `--full-refresh\(changed.count < selected.count ? " --streams " + changed.joined(separator: ",") : "")` to write these streams anew, or undo the change"
            )
        }
    }

    private var selected: [Pipeline.StreamPlan] {
        pipeline.streams.filter { options.selects($0.spec.name) }
    }

    /// The plan of a run that was cut off is finished first, with its own "now"; one of other settings is dropped.
    private func openPlan(
        _ store: StateStore,
        _ claim: Claim,
        _ current: Generation?,
        _ owner: SourceOwner
    ) throws(Fault) -> (OpenPlan, [SliceProgress]) {
        let base = StreamSettings.planFingerprint(
            pipeline,
            options,
            doors,
            selected,
            source: owner.source,
            current?.manifestSHA256
        )
        let plan = OpenPlan(runID: options.runID, fingerprint: base, asOf: options.now, created: options.now)
        if options.dryRun { return (try trial(of: plan, store), []) }
        if let open = try store.openPlan() {
            let slices = try store.slices()
            let isAhead = isAhead(open)
            if open.fingerprint == base, !isAhead {
                if !slices.isEmpty || open.asOf != options.now {
                    doors.progress(.note("going on with the run that stopped (as of \(open.asOf.text))"))
                }
                return (open, slices)
            }
            let why = isAhead ? "whose clock was ahead (as of \(open.asOf.text))" : "with other settings"
            doors.progress(.note("dropping what a stopped run \(why) had staged"))
            try store.discardPlan(as: claim)
        }
        try store.beginPlan(plan, as: claim)
        return (plan, [])
    }

    /// Made when the clock was ahead of what it says today.
    private func isAhead(_ open: OpenPlan) -> Bool {
        options.isNowFromClock && open.asOf.seconds > options.now.seconds + RunGuards.harmlessStep
    }

    /// What a dry run goes by: it shows what the next run would do, and leaves plan, progress and staging to that one.
    private func trial(of plan: OpenPlan, _ store: StateStore) throws(Fault) -> OpenPlan {
        guard let open = try store.openPlan() else { return plan }
        guard open.fingerprint == plan.fingerprint, !isAhead(open) else {
            doors.progress(.note("what a run that stopped had kept stays as it is; it was of other settings"))
            return plan
        }
        doors.progress(
            .note("as of \(open.asOf.text), as the run that stopped; the pages that it had kept stay for the next run")
        )
        return open
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
}
