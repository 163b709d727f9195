internal import ArchiveWriting
internal import Connector
internal import Load
internal import Model
internal import RecordScan
internal import Transform

extension StreamClosing {
    /// Says in the ledger what differs in partitions that were there before.
    func note(restated closed: [Closed], _ reader: ArchiveLine, into result: inout StreamResult) throws(Fault) {
        var ledger = RestatementLedger(
            stream: spec,
            primaryKey: result.primaryKey,
            reader: reader,
            now: now,
            previousManifest: previousManifest,
            covered: old?.coverage
        )
        for one in closed.sorted(by: { $0.name < $1.name }) {
            guard let before = old?.partition(one.name),
                before.files.map(\.facts.contentSHA256) != one.files.map(\.facts.contentSHA256)
            else { continue }
            do throws(Fault) {
                try ledger.compare(
                    old: OldRows(reader: reader, paths: paths(before), resealing: resealing),
                    new: OldRows(reader: reader, paths: one.files.map(\.path), codec: codec)
                )
            } catch {
                throw error.within("partition \(one.name)").within("stream \(spec.name)")
            }
        }
        guard !ledger.isEmpty else { return }
        result.restated = Restated(
            changed: ledger.changed,
            appeared: ledger.appeared,
            vanished: ledger.vanished,
            buckets: ledger.buckets.count
        )
        result.ledgerFiles = try appended(
            ledger.run,
            to: ledger.name,
            ledger.writer,
            old: oldLedger,
            resealing: resealingLedger
        )
    }

    /// What a stream tells of another one stands in the partition of the run's day, beside what earlier runs told that day.
    func appended(
        _ run: RowRun,
        to name: String,
        _ writer: ArchiveLine,
        old: Manifest.Stream?,
        resealing: Resealing?
    ) throws(Fault) -> [StagedFile] {
        let partition = naming.name(of: now)
        let merge = RunMerge(keep: .latest)
        let rows = OldRows(reader: writer, paths: paths(old?.partition(partition)), resealing: resealing)
        merge.add(try rows.run { _ in true }, isOld: true)
        merge.add(run)
        return try sink(name, name, writer).write(merge, partition: partition, timed: true)
    }
}
