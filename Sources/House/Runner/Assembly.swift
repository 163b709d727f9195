internal import ArchiveWriting
internal import Connector
internal import Extract
internal import KeyRing
internal import Load
internal import Model
internal import PipelineFile
internal import Reporting
internal import Sealing
internal import Transform

/// Puts the streams' results together: the next generation's manifest and files, and the report for people.
struct Assembly {
    let pipeline: Pipeline
    let options: RunOptions
    let doors: RunDoors
    let current: Generation?

    private var format: RowFormat { pipeline.load.format == .csv ? .csv : .ndjson }

    func publication(_ results: [StreamResult]) throws(Fault) -> Publication {
        var publication = Publication(pipeline: pipeline.name, format: format, codec: pipeline.load.codec)
        publication.bundle =
            switch pipeline.load.bundle {
            case .none: nil
            case .tarZstd: .tarZstd
            case .zip: .zip
            }
        let written = Set(results.filter { $0.fault == nil }.map(\.name))
        let sealed = SealedColumns(pipeline: pipeline, doors: doors, current: current?.manifest)
        publication.manifest.crypto = try sealed.crypto(written: written)
        for plan in pipeline.streams {
            let name = plan.spec.name
            let old = current?.manifest.stream(name)
            let oldChanges = current?.manifest.stream(ChangeLog.name(name))
            let oldLedger = current?.manifest.stream(RestatementLedger.name(name))
            guard let result = results.first(where: { $0.name == name }) else {
                // Not asked for this time: as it was.
                for old in [old, oldChanges, oldLedger].compactMap(\.self) {
                    publication.add(labelled(old), columns: nil, staged: [])
                }
                continue
            }
            if result.fault != nil {
                addStale(plan, old.map(labelled), to: &publication)
                for old in [oldChanges, oldLedger].compactMap(\.self) {
                    publication.add(labelled(old), columns: nil, staged: [])
                }
            } else {
                add(plan, result, options.fullRefresh ? nil : old.map(labelled), to: &publication)
                addChanges(plan, result, options.fullRefresh ? nil : oldChanges.map(labelled), to: &publication)
                addLedger(plan, result, options.fullRefresh ? nil : oldLedger.map(labelled), to: &publication)
            }
        }
        KeyNames.note(doors.key, doors.ring, current?.manifest, in: &publication.manifest)
        return publication
    }

    /// Files of versions that did not note the key of each file have the only one that there was.
    private func labelled(_ stream: Manifest.Stream) -> Manifest.Stream {
        guard let old = current?.manifest else { return stream }
        return KeyNames.labelled(stream, in: old)
    }

    /// The key that a stream's new files are sealed under.
    private func keyID(_ name: String, _ publication: Publication) -> String? {
        guard let crypto = publication.manifest.crypto, !Resealing.fields(of: name, crypto).isEmpty else { return nil }
        return doors.key?.kid
    }

    private func entry(_ plan: Pipeline.StreamPlan, _ result: StreamResult?) -> Manifest.Stream {
        var stream = Manifest.Stream(
            name: plan.spec.name,
            mode: plan.spec.mode.rawValue,
            primaryKey: result?.primaryKey ?? plan.primaryKey,
            bucketWidth: plan.bucketWidth ?? plan.spec.window?.defaultWidth,
            groupBy: plan.spec.grouping == nil ? nil : result?.groupBy ?? plan.groupBy
        )
        stream.extra = [.init("settings", .string(StreamSettings.fingerprint(plan, pipeline, doors)))]
        return stream
    }

    /// What the schemas tell of: columns after the pipeline's rules.
    private func stored(_ plan: Pipeline.StreamPlan) -> [Column] {
        OutgoingLook.stored(plan.spec, FieldRules(pipeline: pipeline, doors: doors))
    }

    private func add(
        _ plan: Pipeline.StreamPlan,
        _ result: StreamResult,
        _ old: Manifest.Stream?,
        to publication: inout Publication
    ) {
        var stream = entry(plan, result)
        stream.coverage = result.coverage
        stream.watermark = result.watermark
        stream.partitions = (old?.partitions ?? []).filter { !result.emptied.contains($0.value) }
        let keyID = keyID(stream.name, publication)
        publication.add(stream, columns: stored(plan), staged: result.files, keyID: keyID)
    }

    private func addChanges(
        _ plan: Pipeline.StreamPlan,
        _ result: StreamResult,
        _ old: Manifest.Stream?,
        to publication: inout Publication
    ) {
        guard plan.spec.mode == .snapshot, old != nil || !result.changeFiles.isEmpty else { return }
        let primaryKey = ["changed_at"] + result.primaryKey
        var stream = Manifest.Stream(name: ChangeLog.name(plan.spec.name), mode: "log", primaryKey: primaryKey)
        stream.partitions = old?.partitions ?? []
        let columns = ChangeColumns.columns(of: stored(plan), primaryKey: result.primaryKey)
        let keyID = keyID(stream.name, publication)
        publication.add(stream, columns: columns, staged: result.changeFiles, keyID: keyID)
    }

    private func addLedger(
        _ plan: Pipeline.StreamPlan,
        _ result: StreamResult,
        _ old: Manifest.Stream?,
        to publication: inout Publication
    ) {
        guard plan.spec.mode == .report, old != nil || !result.ledgerFiles.isEmpty else { return }
        var stream = Manifest.Stream(
            name: RestatementLedger.name(plan.spec.name),
            mode: "log",
            primaryKey: RestatementLedger.primaryKey(result.primaryKey)
        )
        stream.partitions = old?.partitions ?? []
        let columns = RestatementLedger.columns(of: stored(plan), primaryKey: result.primaryKey)
        let keyID = keyID(stream.name, publication)
        publication.add(stream, columns: columns, staged: result.ledgerFiles, keyID: keyID)
    }

    private func addStale(_ plan: Pipeline.StreamPlan, _ old: Manifest.Stream?, to publication: inout Publication) {
        if var old {
            old.isStale = true
            publication.add(old, columns: nil, staged: [])
        } else {
            var stream = entry(plan, nil)
            stream.isStale = true
            publication.add(stream, columns: stored(plan), staged: [])
        }
    }

    /// One line a stream, for the table.
    func reports(_ results: [StreamResult], publication: Publication?) -> [StreamReport] {
        results.map { result in
            let old = current?.manifest.stream(result.name)
            let new = publication?.manifest.stream(result.name)
            var status = StreamReport.Status.ok
            if result.fault != nil {
                status = old == nil ? .failed : .stale
            } else if let old, let new, old.partitions == new.partitions {
                status = .unchanged
            }
            var report = StreamReport(name: result.name, status: status)
            if options.dryRun, let new { report.rowChange = .init(current: old?.rows, next: new.rows) }
            report.tally = result.tally
            report.pages = result.pages
            report.requests = result.requests
            report.retries = result.retries
            let files = (new ?? old)?.partitions.flatMap(\.files) ?? []
            report.files = files.count
            report.bytes = files.reduce(0) { $0 + $1.facts.bytes }
            report.milliseconds = result.milliseconds
            report.replyMilliseconds = result.meanReply.map { Int(($0.inSeconds * 1000).rounded()) }
            report.notes = result.notes + result.drift.notes + restatedNotes(result) + keyNotes(new)
            return report
        }
    }

    /// Tokens of two keys do not join, and nobody should find that out from a join that came up empty.
    private func keyNotes(_ stream: Manifest.Stream?) -> [String] {
        let kids = Set(stream?.partitions.flatMap(\.files).compactMap(\.keyID) ?? []).union(
            doors.key.map { [$0.kid] } ?? []
        )
        guard kids.count > 1, stream?.partitions.contains(where: { $0.files.contains { $0.keyID != nil } }) == true
        else {
            return []
        }
        return [
            "holds tokens of \(kids.count) keys (\(kids.sorted().joined(separator: ", "))), which do not join; `cogni keys reencrypt` gives all of them the active one"
        ]
    }

    private func restatedNotes(_ result: StreamResult) -> [String] {
        let restated = result.restated
        guard restated.buckets > 0 else { return [] }
        return [
            "\(restated.buckets) buckets were restated: \(restated.changed) rows changed, \(restated.appeared) appeared, \(restated.vanished) vanished"
        ]
    }
}
