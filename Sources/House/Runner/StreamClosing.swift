internal import ArchiveWriting
internal import Connector
internal import Disk
internal import Extract
internal import KeyRing
internal import Load
internal import Model
internal import PipelineFile
internal import RecordScan
internal import Sanitizing
internal import Transform

/// Turns a stream's fetched rows into finished files: merged with what earlier runs wrote, deduplicated, compressed.
struct StreamClosing: Sendable {
    let spec: StreamSpec
    let pipeline: Pipeline
    let now: Instant
    let stagingFolder: String
    /// The stream in the current generation, and that generation's folder; `nil` on the first run and after a refresh.
    let old: Manifest.Stream?
    let oldChanges: Manifest.Stream?
    let oldLedger: Manifest.Stream?
    let oldFolder: String?
    /// Partitions are closed on so many threads.
    let width: Int
    /// For old rows whose tokens are of an earlier key.
    var resealing: Resealing?
    var resealingChanges: Resealing?
    var resealingLedger: Resealing?
    /// For lists whose values are encrypted at random: a row that says the same keeps its tokens.
    var twins: (@Sendable () -> TokenTwins)?
    /// The last look at what is about to be published, and what the pipeline says of each field.
    var gate: LeakGate?
    var rules: FieldRules?
    /// Digest of the current generation's manifest, which the one of this run will follow.
    let previousManifest: String
    /// Columns whose distinct values relations ask for.
    let watched: [String]

    var naming: PartitionNaming { PartitionNaming(pipeline.load.partitionBy) }
    var format: CellText.Format { pipeline.load.format == .csv ? .csv : .ndjson }
    var keep: RunMerge.Keep { pipeline.transform.keep == .first ? .first : .latest }
    var codec: Codec { pipeline.load.codec }

    func close(_ fetched: StreamRun.Fetched) async throws(Fault) -> StreamResult {
        var result = fetched.result
        let (runs, spilled, early) = try await fetched.engine.takeAll()
        let reader = reader(result.primaryKey)
        switch spec.mode {
        case .report, .log:
            try await closePartitions(runs, spilled, early, reader, window: fetched.window, into: &result)
            if let moment = fetched.refusedFrom { result.coverage = result.coverage?.opened(from: moment) }
        case .snapshot: try closeSnapshot(runs, spilled, reader, into: &result)
        case .singleton: try closeSingleton(runs, spilled, reader, into: &result)
        }
        guard result.tally.balances else {
            throw Fault(
                .badReply,
                "rows were lost: \(result.tally.fetched) fetched, \(result.tally.kept) kept, \(result.tally.duplicates) duplicates, \(result.tally.droppedTotal) dropped",
                at: ["stream \(spec.name)"],
                mend: "this is a defect of cogni: report it with the run file"
            )
        }
        return result
    }

    func sink(
        _ stream: String,
        _ prefix: String,
        _ reader: ArchiveLine,
        isKept: Bool = false
    ) -> ArchiveSink {
        ArchiveSink(
            stream: stream,
            folder: stagingFolder,
            prefix: prefix,
            reader: reader,
            watched: stream == spec.name ? watched : [],
            maxFileSize: pipeline.load.maxFileSize.bytes,
            codec: codec,
            look: OutgoingLook(stream: stream, of: spec, reader: reader, gate: gate, rules: rules),
            isKept: isKept
        )
    }

    func paths(_ partition: Manifest.Partition?) -> [String] {
        guard let oldFolder, let partition else { return [] }
        return partition.files.map { oldFolder + "/" + $0.path }
    }

    // MARK: Reports and logs

    struct Job: Sendable {
        var number: Int?
        var name: String
        var run: RowRun?
        var spilled: [StagedRun]
        /// The partition in the current generation, when rows of it may stay.
        var old: Manifest.Partition?
        /// The partition was closed early, and more rows came for it since.
        var early: Closed?
    }

    struct Closed: Sendable {
        var name: String
        var files: [StagedFile] = []
        var counts = RunMerge.Counts()
        var fault: Fault?
    }

    private func closePartitions(
        _ runs: [Int: RowRun],
        _ spilled: [StagedRun],
        _ early: [Int: Closed],
        _ reader: ArchiveLine,
        window: TimeWindow?,
        into result: inout StreamResult
    ) async throws(Fault) {
        var jobs: [String: Job] = [:]
        for (number, run) in runs where run.count > 0 {
            let name = naming.name(number)
            jobs[name] = Job(number: number, name: name, run: run, spilled: [], old: nil)
        }
        for run in spilled {
            let name = naming.name(run.partition)
            jobs[name, default: Job(number: run.partition, name: name, run: nil, spilled: [], old: nil)].spilled.append(
                run
            )
        }
        var closed: [Closed] = []
        for (number, one) in early {
            if jobs[naming.name(number)] != nil {
                jobs[naming.name(number)]?.early = one
            } else {
                closed.append(one)
            }
        }
        let isClosed = Set(closed.map(\.name))
        for partition in old?.partitions ?? [] where !isClosed.contains(partition.value) {
            guard let span = naming.span(partition.value) else { continue }
            if jobs[partition.value] != nil {
                jobs[partition.value]?.old = partition
            } else if spec.mode == .report, let window, span.start < window.end, span.end > window.start {
                // Read again and now without rows: what the window covered of it is gone.
                jobs[partition.value] = Job(number: nil, name: partition.value, run: nil, spilled: [], old: partition)
            }
        }
        let ordered = jobs.values.sorted { $0.name < $1.name }
        let workers = max(1, min(width, ordered.count))
        let primaryKeyless = spec.mode == .report ? window : nil
        await withTaskGroup(of: [Closed].self) { group in
            for worker in 0..<workers {
                group.addTask {
                    let sink = sink(spec.name, "\(spec.name)-\(worker)", reader)
                    var done: [Closed] = []
                    for index in stride(from: worker, to: ordered.count, by: workers) {
                        let one = closeOne(ordered[index], reader, window: primaryKeyless, sink: sink)
                        done.append(one)
                        if one.fault != nil || Task.isCancelled { break }
                    }
                    return done
                }
            }
            for await part in group { closed += part }
        }
        if let fault = closed.compactMap(\.fault).first { throw fault.within("stream \(spec.name)") }
        if Task.isCancelled {
            throw Fault(.interrupted, "the run was stopped", mend: "run it again; it goes on from here")
        }
        var newest = Int64.min
        for one in closed.sorted(by: { $0.name < $1.name }) {
            result.tally.kept += one.counts.fresh
            result.tally.identical += one.counts.identical
            result.tally.conflicts += one.counts.conflicts
            result.replaced += one.counts.replaced
            result.changed += one.counts.changed
            if one.files.isEmpty { result.emptied.append(one.name) }
            result.files += one.files
            newest = max(newest, one.files.compactMap { $0.max?.seconds }.max() ?? newest)
        }
        position(window, newest: newest, into: &result)
        if spec.mode == .report { try note(restated: closed, reader, into: &result) }
    }

    /// Where the next run goes on.
    private func position(_ window: TimeWindow?, newest: Int64, into result: inout StreamResult) {
        result.coverage = old?.coverage
        result.watermark = old?.watermark
        if spec.mode == .log {
            let seen = newest > Int64.min ? Instant(seconds: newest) : nil
            result.watermark = [seen, old?.watermark].compactMap(\.self).max() ?? window?.start
            if let window { result.coverage = logCoverage(window, upTo: result.watermark) }
            return
        }
        guard let window else { return }
        let covered =
            old?.coverage?.adding(window.start, window.end) ?? Manifest.Coverage(from: window.start, to: window.end)
        for gap in covered.gaps where old?.coverage?.hasGap(gap.from, gap.to) == false {
            result.notes.append(
                "nothing was ever read from \(gap.from.text) to \(gap.to.text): the API has forgotten it"
            )
        }
        result.coverage = covered
        result.watermark = covered.to
    }

    /// What is known of a log ends with its newest event: the end of the window moves with the clock, and would make every
    /// run without events a new generation.
    private func logCoverage(_ window: TimeWindow, upTo watermark: Instant?) -> Manifest.Coverage {
        let end = max(window.start, min(window.end, watermark ?? window.start))
        return old?.covered?.adding(window.start, end) ?? Manifest.Coverage(from: window.start, to: end)
    }

    func closeOne(_ job: Job, _ reader: ArchiveLine, window: TimeWindow?, sink: ArchiveSink) -> Closed {
        let writing = PartitionWriting(job, by: self, reader, window: window, sink: sink)
        while writing.step() {}
        return writing.closed
    }

    /// Whether all rows of a partition come from this window, so that nothing of the current generation stays in it.
    func isCovered(_ name: String, by window: TimeWindow?) -> Bool {
        guard let window, let span = naming.span(name) else { return false }
        return span.start >= window.start && span.end <= window.end
    }

    /// Opens the run files; they must stay open as long as the merge.
    func add(_ spilled: [StagedRun], to merge: RunMerge) throws(Fault) -> [DiskFile] {
        var open: [String: DiskFile] = [:]
        for run in spilled {
            let file: DiskFile
            if let known = open[run.file] {
                file = known
            } else {
                file = try onDisk { () throws(DiskError) in try DiskFile.read(stagingFolder + "/" + run.file) }
                open[run.file] = file
            }
            file.withDescriptor { merge.add(descriptor: $0, offset: run.offset, length: run.length) }
        }
        return Array(open.values)
    }

    // MARK: Closing early

    /// Whether a partition ends before `reached`, and nothing of it comes from elsewhere than this window.
    func isRipe(_ number: Int, reached: Instant, window: TimeWindow) -> Bool {
        let name = naming.name(number)
        guard let span = naming.span(name) else { return false }
        return span.end <= reached && isCovered(name, by: window)
    }

    func reader(_ primaryKey: [String]) -> ArchiveLine {
        ArchiveLine(
            format: format,
            guardsFormulas: pipeline.load.guardFormulas,
            columns: spec.archiveColumns,
            primaryKey: primaryKey,
            timeColumn: spec.timeColumn
        )
    }

    func earlySink(_ number: Int, _ prefix: String, _ reader: ArchiveLine) -> ArchiveSink {
        sink(spec.name, "\(prefix)-\(number)", reader, isKept: true)
    }
}
