internal import ArchiveWriting
internal import Connector
internal import Disk
internal import KeyRing
internal import Load
internal import Model
internal import RecordScan
internal import Transform

/// Streams that are read whole each time: singletons, and lists that are compared with their last snapshot.
extension StreamClosing {
    func closeSingleton(
        _ runs: [Int: RowRun],
        _ spilled: [StagedRun],
        _ reader: ArchiveLine,
        into result: inout StreamResult
    ) throws(Fault) {
        let (merge, files) = try merged(runs, spilled)
        let sink = sink(spec.name, spec.name, reader)
        result.files = try sink.write(merge, partition: "", timed: false)
        count(merge, into: &result)
        withExtendedLifetime(files) {}
    }

    /// - Returns: the run files too: they must stay open as long as the merge.
    private func merged(_ runs: [Int: RowRun], _ spilled: [StagedRun]) throws(Fault) -> (RunMerge, [DiskFile]) {
        let merge = RunMerge(keep: keep)
        let files = try add(spilled, to: merge)
        for run in runs.values { merge.add(run) }
        return (merge, files)
    }

    private func count(_ merge: RunMerge, into result: inout StreamResult) {
        result.tally.kept += merge.counts.fresh
        result.tally.identical += merge.counts.identical
        result.tally.conflicts += merge.counts.conflicts
        if result.files.isEmpty { result.emptied.append("") }
    }

    func closeSnapshot(
        _ runs: [Int: RowRun],
        _ spilled: [StagedRun],
        _ reader: ArchiveLine,
        into result: inout StreamResult
    ) throws(Fault) {
        let (merge, files) = try merged(runs, spilled)
        let comparison = SnapshotComparison(reader: reader, primaryKey: result.primaryKey, now: now)
        var changes = ChangeLog(stream: spec, primaryKey: result.primaryKey, format: format, now: now, isOn: old != nil)
        let oldPaths = paths(self.old?.partition(""))
        var old = try OldRowReader(OldRows(reader: reader, paths: oldPaths, resealing: resealing))
        var output = LineBuffer(sink: sink(spec.name, spec.name, reader))
        output.sink.begin("")
        var twins = twins?()
        while true {
            var next: RunMerge.Row?
            do throws(RunFileError) { next = try merge.next() } catch { throw ArchiveSink.fault(error) }
            var isKnown = false
            while let before = old.current {
                if let fresh = next, !before.key.lexicographicallyPrecedes(fresh.key) {
                    guard before.key == fresh.key else { break }
                    let line = kept(before.line, in: fresh.line, reader, &twins)
                    next?.line = line
                    changes.add(comparison.compared(old: before.line, new: line))
                    try old.advance()
                    isKnown = true
                    break
                }
                if let removed = comparison.removed(before.line) {
                    changes.add(removed.change)
                    try output.append(removed.line)
                }
                try old.advance()
            }
            guard let next else { break }
            if !isKnown { changes.add(comparison.added(next.line)) }
            try output.append(next.line)
        }
        try output.flush()
        result.files = try output.sink.end()
        count(merge, into: &result)
        withExtendedLifetime(files) {}
        result.changed = changes.count
        guard changes.count > 0 else { return }
        result.changeFiles = try appended(
            changes.run,
            to: changes.name,
            changes.writer,
            old: oldChanges,
            resealing: resealingChanges
        )
    }

    /// The new line, with the old one's cells where only tokens differ that hide the same.
    private func kept(_ old: [UInt8], in new: [UInt8], _ reader: ArchiveLine, _ twins: inout TokenTwins?) -> [UInt8] {
        guard twins != nil, old != new, let before = reader.cells(old), var cells = reader.cells(new) else {
            return new
        }
        for index in cells.indices where before[index] != cells[index] {
            let isTwin = twins?.areSame(before[index], cells[index], column: reader.columns[index].name) ?? false
            if isTwin { cells[index] = before[index] }
        }
        return reader.line(cells)
    }
}

/// Lines on their way to a sink, in blocks.
private struct LineBuffer {
    let sink: ArchiveSink
    private var bytes: [UInt8] = []
    private var rows = 0

    init(sink: ArchiveSink) { self.sink = sink }

    mutating func append(_ line: [UInt8]) throws(Fault) {
        bytes += line
        rows += 1
        if bytes.count >= sink.blockSize { try flush() }
    }

    mutating func flush() throws(Fault) {
        guard rows > 0 else { return }
        try sink.append(bytes, count: bytes.count, rows: rows, times: nil)
        bytes.removeAll(keepingCapacity: true)
        rows = 0
    }
}
