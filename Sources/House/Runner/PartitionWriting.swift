internal import Disk
internal import Extract
internal import Load
internal import Model
internal import PipelineFile
internal import RecordScan
internal import Transform

/// One partition on its way into files, block by block: whoever has two writes them in turn, and their contents are hashed
/// together.
final class PartitionWriting: @unchecked Sendable {  // one owner at a time, who may hand it over between two steps
    private(set) var closed: StreamClosing.Closed
    private let job: StreamClosing.Job
    private let merge: RunMerge
    let sink: ArchiveSink
    /// Run files must stay open as long as the merge.
    private var open: [DiskFile] = []
    private var isDone = false

    /// - Parameter inBackground: another thread compresses.
    init(
        _ job: StreamClosing.Job,
        by closing: StreamClosing,
        _ reader: ArchiveLine,
        window: TimeWindow?,
        sink: ArchiveSink,
        inBackground: Bool = false
    ) {
        self.job = job
        self.sink = sink
        closed = StreamClosing.Closed(name: job.name)
        merge = RunMerge(keep: closing.keep)
        do throws(Fault) {
            if let old = job.old, !closing.isCovered(job.name, by: window) {
                let rows = OldRows(reader: reader, paths: closing.paths(old), resealing: closing.resealing)
                // A report's window is read whole: of the old rows only those outside it count. Events of a log stay for good.
                let run = try rows.run { time in
                    guard let window else { return true }
                    return time < window.start.seconds || time >= window.end.seconds
                }
                merge.add(run, isOld: true)
            }
            if let early = job.early {
                let rows = OldRows(reader: reader, paths: early.files.map(\.path), codec: closing.codec)
                merge.add(try rows.run { _ in true })
            }
            open = try closing.add(job.spilled, to: merge)
            if let run = job.run { merge.add(run) }
            sink.begin(job.name, inBackground: inBackground)
        } catch {
            fail(error)
        }
    }

    /// Writes the next block. Returns `false` when there is nothing left to do: see ``closed``.
    func step() -> Bool {
        guard !isDone else { return false }
        do throws(Fault) {
            if try sink.writeBlock(of: merge, timed: true) { return true }
            closed.files = try sink.end()
            closed.counts = merge.counts
            if let early = job.early {
                closed.counts.identical += early.counts.identical
                closed.counts.conflicts += early.counts.conflicts
            }
            isDone = true
        } catch {
            fail(error)
        }
        return false
    }

    /// From now on another thread compresses.
    func goOnInBackground() { sink.goOnInBackground() }

    private func fail(_ fault: Fault) {
        closed.fault = fault.within("partition \(job.name)")
        isDone = true
    }
}
