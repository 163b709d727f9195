internal import ArchiveWriting
internal import Connector
internal import Ledger
internal import Load
internal import Model
internal import PipelineFile
internal import Reporting

/// What keeps a run from beginning though it holds the lock. Nothing has been written when one of these throws.
struct RunGuards {
    let pipeline: Pipeline
    let options: RunOptions
    let store: StateStore
    let current: Generation?

    /// Steps of this size are what time synchronization does.
    static let harmlessStep: Int64 = 300

    func check() throws(Fault) {
        try refuseMissingLibrary()
        try refuseClockThatWentBack()
        try refuseOtherOwner()
        try refuseEmptyRefresh()
    }

    var owner: SourceOwner {
        let options = pipeline.source.options.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }
        let words = [pipeline.connector.name] + options.map { "\($0.key) \($0.value)" }
        let source = words.joined(separator: ", ") + (self.options.isReplay ? RunGuards.recorded : "")
        return SourceOwner(source: source, file: self.options.pipelineFile)
    }

    /// The bundle is made last, when everything has been fetched.
    private func refuseMissingLibrary() throws(Fault) {
        guard pipeline.load.bundle != .none, let reason = BundleWriter.refusal else { return }
        throw Fault(
            .cannotWrite,
            "no bundle can be made: \(reason)",
            mend: "install libarchive 3, or set `bundle: none`"
        )
    }

    private static let recorded = ", recorded replies"

    /// Windows that end at "now" would be read up to an earlier end than is already published, and events dated before
    /// those that they follow.
    private func refuseClockThatWentBack() throws(Fault) {
        guard options.isNowFromClock, let last = try store.committedGeneration() else { return }
        guard options.now.seconds < last.committed.seconds - RunGuards.harmlessStep else { return }
        throw Fault(
            .badPlan,
            "the clock went back: it says \(options.now.text), and generation \(last.generation) was made at \(last.committed.text)",
            mend:
                "set the clock right (or wait for time synchronization); if it was ahead then, `cogni rollback` to the generation before; `--now` says a time by hand"
        )
    }

    private func refuseOtherOwner() throws(Fault) {
        // What has published nothing leaves nothing behind.
        guard !replacesAll, let current, let known = try store.owner(), known != owner else { return }
        let isRecorded = known.source.hasSuffix(RunGuards.recorded)
        if isRecorded != options.isReplay { throw mixed(isRecorded) }
        guard known.source == owner.source else {
            throw belongs(known, "it reads \(known.source), and this file reads \(owner.source)")
        }
        let names = RunGuards.withCompanions(pipeline.streams.map(\.spec.name))
        let lost = current.manifest.streams.map(\.name).filter { !names.contains($0) }
        guard !lost.isEmpty else { return }
        throw belongs(
            known,
            "this file lacks its \(lost.count == 1 ? "stream" : "streams") \(lost.joined(separator: ", "))"
        )
    }

    /// A refresh puts what is read in the place of what there is. Of a stream with no time to read nothing would come, and its rows
    /// would go; no guard looks at a stream that was not read.
    private func refuseEmptyRefresh() throws(Fault) {
        guard let current, options.fullRefresh else { return }
        let emptied = pipeline.streams.filter { plan in
            options.selects(plan.spec.name) && plan.spec.window != nil && options.window(of: plan, after: nil) == nil
                && (current.manifest.stream(plan.spec.name)?.rows ?? 0) > 0
        }
        guard let first = emptied.first else { return }
        let rows = emptied.reduce(0) { $0 + (current.manifest.stream($1.spec.name)?.rows ?? 0) }
        let shown = Phrase.some(emptied.map(\.spec.name))
        let start = (options.since ?? first.since).map { "from \($0.text) " } ?? ""
        let end = min(options.until ?? first.until ?? options.now, options.now)
        throw Fault(
            .badPlan,
            "there is nothing to read \(start)to \(end.text), and `--full-refresh` would drop the \(rows) rows of \(shown)",
            at: [options.pipelineFile],
            mend: "set `since` before `until` and before now, or leave these streams out with `--streams`"
        )
    }

    /// Whether the run reads anew whatever the output holds: then nothing of another source's is left beside its rows.
    private var replacesAll: Bool {
        guard options.fullRefresh, let asked = options.streams else { return options.fullRefresh }
        let names = RunGuards.withCompanions(asked)
        return (current?.manifest.streams ?? []).allSatisfy { names.contains($0.name) }
    }

    /// With the streams that cogni makes beside them.
    private static func withCompanions(_ streams: some Sequence<String>) -> Set<String> {
        Set(streams.flatMap { [$0, ChangeLog.name($0), RestatementLedger.name($0)] })
    }

    /// Why a run that takes the output over from another source may not publish: rows of that source would stay.
    ///
    /// - Parameter failed: streams that this run could not read.
    func refusal(of failed: [String]) throws(Fault) -> Fault? {
        guard let known = try store.owner(), known.source != owner.source else { return nil }
        let left = failed.filter { current?.manifest.stream($0)?.partitions.isEmpty == false }
        guard !left.isEmpty else { return nil }
        return Fault(
            .badPlan,
            "nothing was published: rows of \(left.joined(separator: ", ")) that `\(known.file)` had published (it reads \(known.source)) would stay beside those of \(owner.source)",
            at: [options.pipelineFile],
            mend:
                "run again with `--full-refresh` when these streams can be read, or take them out of the pipeline file"
        )
    }

    /// Recorded and live rows would stand beside each other, and those that only one of the two has would be taken for deleted.
    private func mixed(_ isRecorded: Bool) -> Fault {
        let (has, gets) = isRecorded ? ("recorded replies", "the live API's") : ("the live API", "recorded ones")
        return Fault(
            .badPlan,
            "the output \(options.output) holds rows of \(has), and this run would add \(gets)",
            at: [options.pipelineFile],
            mend: "give this run another `--output`, or write the archive anew with `--full-refresh` of all its streams"
        )
    }

    private func belongs(_ known: SourceOwner, _ why: String) -> Fault {
        Fault(
            .badPlan,
            "the output \(options.output) belongs to \(known.file): \(why)",
            at: [options.pipelineFile],
            mend:
                "give this file another `pipeline:` name or output, or take the output over with `--full-refresh` of all its streams"
        )
    }
}
