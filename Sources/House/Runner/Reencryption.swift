internal import ArchiveWriting
internal import Connector
internal import Disk
package import KeyRing
internal import Ledger
package import Load
package import Model
package import PipelineFile
internal import RecordScan
package import Sanitizing
package import Sealing
internal import Transform

/// Publishes a generation in which every token is of one key: opened, sealed anew, rows sorted again, nothing fetched.
///
/// Rows and partitions stay what they were, and partitions whose tokens are of that key already keep their files as hard links. The
/// commit is that of a run; killed anywhere, the generation before stays in force and the command can be given again.
package struct Reencryption: Sendable {
    package struct Outcome: Sendable, Equatable {
        /// The current generation afterwards.
        package var generation: Int
        package var isPublished: Bool
        /// Partitions that were written anew, their rows, and partitions that stayed.
        package var partitions = 0
        package var rows = 0
        package var kept = 0
    }

    private let pipeline: Pipeline
    private let root: OutputRoot
    private let ring: KeyRing
    private let target: DataKey
    private let runID: String
    private let now: Instant
    private let gate: LeakGate?

    package init(
        pipeline: Pipeline,
        root: OutputRoot,
        ring: KeyRing,
        target: DataKey,
        runID: String,
        now: Instant,
        gate: LeakGate?
    ) {
        self.pipeline = pipeline
        self.root = root
        self.ring = ring
        self.target = target
        self.runID = runID
        self.now = now
        self.gate = gate
    }

    package func perform() throws(Fault) -> Outcome {
        try root.refuseMissing()
        let lock = try root.lock(since: now)
        defer { lock.release() }
        try root.prepare()
        _ = try root.recover()
        guard let current = try root.current(), let crypto = current.manifest.crypto else {
            throw Fault(
                .badPlan,
                "`\(root.path)` holds no generation with encrypted fields",
                mend: "there is nothing to encrypt anew; `cogni history \(root.path)` tells what is there"
            )
        }
        let store = try StateStore.open(root.statePath, pipeline: pipeline.name)
        defer { try? store.close() }
        let forgotten = try store.forgotten(of: current)
        let staging = root.stagingPath + "/reencrypt"
        try onDisk { () throws(DiskError) in
            try Disk.removeTree(root.stagingPath)
            try Disk.makeFolders(staging, mode: 0o700)
        }
        // On failure nothing of it is left; after a crash the next run or the next try clears it away.
        defer { try? Disk.removeTree(staging) }
        var outcome = Outcome(generation: current.number, isPublished: false)
        let publication = try publication(current, crypto, staging, &outcome)
        let rules = FieldRules(pipeline: pipeline, key: target, tenant: crypto.tenant, mask: { _ in nil })
        if let leak = ControlLook(pipeline: pipeline, gate: gate, rules: rules).fault(publication) { throw leak }
        if case .published(let number) = try root.publish(publication) {
            outcome.generation = number
            outcome.isPublished = true
        }
        let generation = try root.generation(outcome.generation)
        // Positions stay, and so does what was reset; a stopped run's rows were sealed under the old key and are dropped with its plan.
        try store.rebuild(
            from: GenerationCommit(of: generation, reason: .rebuild, runID: runID, at: now, except: forgotten)
        )
        try store.noteRing(ring.lineage, generation: ring.generation)
        try root.empty(root.stagingPath)
        return outcome
    }

    private func publication(
        _ current: Generation,
        _ crypto: Manifest.Crypto,
        _ staging: String,
        _ outcome: inout Outcome
    ) throws(Fault) -> Publication {
        let paths = current.manifest.files.map(\.path)
        let format = RowFormat(path: paths.first ?? "")
        let codec = Codec(path: paths.first ?? "")
        var publication = Publication(pipeline: current.manifest.pipeline, format: format, codec: codec)
        publication.bundle =
            switch pipeline.load.bundle {
            case .none: nil
            case .tarZstd: .tarZstd
            case .zip: .zip
            }
        publication.manifest.extra = current.manifest.extra
        publication.manifest.crypto = crypto
        publication.manifest.organization = current.manifest.organization
        for stream in current.manifest.streams {
            let stream = KeyNames.labelled(stream, in: current.manifest)
            let resealing = Resealing(stream: stream.name, in: current.manifest, ring: ring, target: target)
            guard let resealing else {
                outcome.kept += stream.partitions.count
                publication.add(stream, columns: nil, staged: [])
                continue
            }
            do throws(Fault) {
                let files = try files(of: stream, current, resealing, format, codec, staging, &outcome)
                publication.add(stream, columns: nil, staged: files, keyID: target.kid)
            } catch {
                throw error.within("stream \(stream.name)")
            }
        }
        KeyNames.note(target, ring, current.manifest, in: &publication.manifest)
        // What was found is told by tokens, too.
        if current.manifest.diagnostics != nil {
            let rules = FieldRules(pipeline: pipeline, key: target, tenant: crypto.tenant, mask: { _ in nil })
            let check = RelationCheck(pipeline: pipeline, rules: rules, publication: publication, current: current)
            let found = try check.outcome()
            publication.add(found.relations, findings: found.bytes)
        }
        return publication
    }

    /// The new files of the stream's partitions that hold tokens of another key.
    private func files(
        of stream: Manifest.Stream,
        _ current: Generation,
        _ resealing: Resealing,
        _ format: RowFormat,
        _ codec: Codec,
        _ staging: String,
        _ outcome: inout Outcome
    ) throws(Fault) -> [StagedFile] {
        let reader = try reader(stream, format)
        let sink = ArchiveSink(
            stream: stream.name,
            folder: staging,
            prefix: stream.name,
            reader: reader,
            watched: [],
            maxFileSize: pipeline.load.maxFileSize.bytes,
            codec: codec,
            look: OutgoingLook(stream: stream.name, reader: reader, gate: gate)
        )
        var all: [StagedFile] = []
        for partition in stream.partitions {
            guard partition.files.contains(where: { $0.keyID != target.kid }) else {
                outcome.kept += 1
                continue
            }
            let rows = OldRows(
                reader: reader,
                paths: partition.files.map { current.path + "/" + $0.path },
                resealing: resealing
            )
            let merge = RunMerge(keep: .latest)
            merge.add(try rows.run { _ in true })
            let isTimed = partition.files.contains { $0.min != nil }
            let files = try sink.write(merge, partition: partition.value, timed: isTimed)
            let count = files.reduce(0) { $0 + $1.rows }
            guard count == partition.rows else {
                throw Fault(
                    .badReply,
                    "\(partition.rows) rows became \(count)",
                    at: ["partition \(partition.value)"],
                    mend: "nothing was published; run `cogni verify \(root.path)`"
                )
            }
            outcome.partitions += 1
            outcome.rows += count
            all += files
        }
        return all
    }

    /// Reads the stream's lines; its columns are those of the pipeline's connector.
    private func reader(_ stream: Manifest.Stream, _ format: RowFormat) throws(Fault) -> ArchiveLine {
        let cells: CellText.Format = format == .csv ? .csv : .ndjson
        for spec in pipeline.connector.streams {
            if spec.name == stream.name {
                return ArchiveLine(
                    format: cells,
                    guardsFormulas: pipeline.load.guardFormulas,
                    columns: spec.archiveColumns,
                    primaryKey: stream.primaryKey,
                    timeColumn: spec.timeColumn
                )
            }
            if ChangeLog.name(spec.name) == stream.name {
                let primaryKey = Array(stream.primaryKey.dropFirst())
                return ArchiveLine(
                    format: cells,
                    columns: ChangeColumns.columns(of: spec.archiveColumns, primaryKey: primaryKey),
                    primaryKey: stream.primaryKey,
                    timeColumn: "changed_at"
                )
            }
        }
        for spec in pipeline.connector.streams where RestatementLedger.name(spec.name) == stream.name {
            let own = RestatementLedger.primaryKey([])
            let primaryKey = stream.primaryKey.filter { !own.contains($0) }
            return ArchiveLine(
                format: cells,
                columns: RestatementLedger.columns(of: spec.archiveColumns, primaryKey: primaryKey),
                primaryKey: stream.primaryKey,
                timeColumn: "seen_at"
            )
        }
        throw Fault(
            .badPlan,
            "the pipeline's connector has no stream `\(stream.name)`",
            mend: "give the pipeline file that published this output"
        )
    }
}
