internal import ArchiveWriting
internal import Extract
internal import Load
internal import Model
internal import RecordScan
internal import Synchronization
internal import Transform

/// Writes partitions whose rows are all there while the walk goes on.
///
/// A thread takes two waiting partitions and writes them in turn, so that their contents are hashed together, which takes little
/// longer than one alone. A second thread joins when the walk can't go on, and leaves as soon as it can: both processors are busy
/// only as long as there are rows to come while others are written.
final class EarlyClosing: Sendable {
    struct Ripe: Sendable {
        var number: Int
        var run: RowRun
        var spilled: [StagedRun]
        var window: TimeWindow
        /// Nothing is read any more while this one is written: two threads share its work.
        var isLast: Bool
    }

    private struct Begun: Sendable {
        var number: Int
        var writing: PartitionWriting
    }

    private struct Work {
        var waiting: [Ripe] = []
        /// Begun by a thread that left; they are part of `written`.
        var left: [Begun] = []
        /// By number, with the memory of their rows.
        var written: [Int: Int] = [:]
        /// Partitions whose files wait for the medium: their rows are in memory no more.
        var unsettled: Set<Int> = []
        var threads = 0
        /// Nothing more will be added: the walk needs no processor any more.
        var isEnding = false
        var idle: [ArchiveSink] = []
        var sinks = 0
        var closed: [Int: StreamClosing.Closed]
        var fault: Fault?
        /// Walks that wait until there is room.
        var walks = 0
        /// Those who wait until fewer partitions are on their way.
        var sleepers: [CheckedContinuation<Void, Never>] = []

        var isFull: Bool {
            let count = waiting.count + written.count
            return count >= EarlyClosing.most || unsettled.count >= EarlyClosing.mostUnsettled
                || (count > EarlyClosing.inTurn && bytes >= EarlyClosing.mostBytes)
        }
        /// Memory of the rows of all that wait or are written.
        var bytes: Int { waiting.reduce(0) { $0 + $1.run.byteCount } + written.values.reduce(0, +) }
        var hasMore: Bool { !waiting.isEmpty || !left.isEmpty }
        var isIdle: Bool { waiting.isEmpty && written.isEmpty && unsettled.isEmpty }
        /// Those who wait, to be woken outside the lock: something has changed.
        mutating func wake() -> [CheckedContinuation<Void, Never>] {
            defer { sleepers = [] }
            return sleepers
        }
        /// Whether it has to be waited for, so that all of `numbers` are closed.
        func lacks(_ numbers: Set<Int>) -> Bool { fault == nil && numbers.contains { closed[$0] == nil } }
    }

    /// Partitions that wait or are written; with one more the walk waits. Each holds its rows in memory.
    private static let most = 4
    /// Of large ones so many bytes of rows, and never less than one more than a thread takes.
    private static let mostBytes = 18 << 20
    /// Partitions whose files wait for the medium; a medium that falls behind holds the walk.
    private static let mostUnsettled = 8
    /// Partitions that a thread writes in turn.
    private static let inTurn = 2
    private static let threadsAtOnce = 2

    private let closing: StreamClosing
    private let prefix: String
    private let reader: ArchiveLine
    private let work: Mutex<Work>

    /// - Parameters:
    ///   - prefix: of file names, new in the folder for each attempt.
    ///   - closed: what an earlier attempt closed.
    init(_ closing: StreamClosing, prefix: String, reader: ArchiveLine, closed: [Int: StreamClosing.Closed]) {
        self.closing = closing
        self.prefix = prefix
        self.reader = reader
        work = Mutex(Work(closed: closed))
    }

    /// Waits until there is room for one more.
    func room() async {
        while work.withLock({ $0.isFull }) {
            startThread(upTo: EarlyClosing.threadsAtOnce)
            work.withLock { $0.walks += 1 }
            await change { $0.isFull }
            work.withLock { $0.walks -= 1 }
        }
    }

    func add(_ ripe: Ripe) {
        work.withLock { work in
            work.waiting.append(ripe)
            work.isEnding = work.isEnding || ripe.isLast
        }
        startThread(upTo: ripe.isLast ? EarlyClosing.threadsAtOnce : 1)
    }

    /// Partitions closed so far; waits for those on their way.
    func closed() async throws(Fault) -> [Int: StreamClosing.Closed] {
        while !work.withLock({ $0.isIdle }) {
            startThread(upTo: EarlyClosing.threadsAtOnce)
            await change { !$0.isIdle }
        }
        return try soFar()
    }

    /// Partitions that are closed or on their way to it.
    var numbers: Set<Int> {
        work.withLock { $0.unsettled.union($0.written.keys).union($0.closed.keys).union($0.waiting.map(\.number)) }
    }

    /// Some of the partitions, once they are closed; the walk goes on meanwhile.
    func closed(_ numbers: Set<Int>) async throws(Fault) -> [Int: StreamClosing.Closed] {
        while work.withLock({ $0.lacks(numbers) }) { await change { $0.lacks(numbers) } }
        return try soFar().filter { numbers.contains($0.key) }
    }

    private func soFar() throws(Fault) -> [Int: StreamClosing.Closed] {
        let (closed, fault) = work.withLock { ($0.closed, $0.fault) }
        if let fault { throw fault }
        return closed
    }

    /// Waits for the end of a partition, as long as `isNeeded`.
    private func change(while isNeeded: @Sendable (borrowing Work) -> Bool) async {
        await withCheckedContinuation { sleeper in
            let goesOn = work.withLock { work in
                guard isNeeded(work) else { return true }
                work.sleepers.append(sleeper)
                return false
            }
            if goesOn { sleeper.resume() }
        }
    }

    // MARK: Threads

    private func startThread(upTo most: Int) {
        let isWanted = work.withLock { work in
            guard work.hasMore, work.threads < most else { return false }
            work.threads += 1
            return true
        }
        guard isWanted else { return }
        Task { self.write() }
    }

    private func write(_ begun: [Begun] = []) {
        var writings = begun
        while let (left, ripe) = next(beside: writings.count) {
            writings += left + ripe.map { Begun(number: $0.number, writing: writing($0)) }
            // As soon as there is another one it joins, lest the contents of those left are hashed alone.
            while !writings.isEmpty, writings.count == EarlyClosing.inTurn || work.withLock({ !$0.hasMore }) {
                writings.removeAll { begun in
                    if begun.writing.step() { return false }
                    hand(begun.writing, begun.number)
                    return true
                }
                if makesWay(writings) { return }
                share(&writings)
            }
        }
    }

    /// One of two threads leaves what it has begun to the other one when a walk can go on: it needs the processor.
    private func makesWay(_ writings: [Begun]) -> Bool {
        work.withLock { work in
            guard work.walks > 0, work.threads > 1, !work.isFull else { return false }
            work.left += writings
            work.threads -= 1
            return true
        }
    }

    /// At the end, when the other thread has nothing to do: it takes one of two partitions, or compresses for the only one.
    private func share(_ writings: inout [Begun]) {
        guard let last = writings.last else { return }
        let isOther = writings.count > 1
        let isWanted = work.withLock { work in
            guard work.isEnding, !work.hasMore, work.threads < EarlyClosing.threadsAtOnce else { return false }
            if isOther { work.threads += 1 }
            return true
        }
        guard isWanted else { return }
        guard isOther else { return last.writing.goOnInBackground() }
        writings.removeLast()
        Task { self.write([last]) }
    }

    private func hand(_ writing: PartitionWriting, _ number: Int) {
        let (files, closed) = (writing.sink.takeUnsettled(), writing.closed)
        let sleepers = work.withLock { work in
            // After a failure its writer holds a part of a file.
            if closed.fault == nil { work.idle.append(writing.sink) }
            work.written[number] = nil
            work.unsettled.insert(number)
            return work.wake()
        }
        Task { await settle(files, closed, number) }
        for sleeper in sleepers { sleeper.resume() }
    }

    private func writing(_ ripe: Ripe) -> PartitionWriting {
        let name = closing.naming.name(ripe.number)
        let job = StreamClosing.Job(number: ripe.number, name: name, run: ripe.run, spilled: ripe.spilled, old: nil)
        return PartitionWriting(
            job,
            by: closing,
            reader,
            window: ripe.window,
            sink: sink(),
            inBackground: ripe.isLast
        )
    }

    /// Partitions for a thread that has so many, those begun first; `nil`: there is nothing more to do.
    private func next(beside count: Int) -> (left: [Begun], ripe: [Ripe])? {
        work.withLock { work in
            guard count > 0 || work.hasMore else {
                work.threads -= 1
                return nil
            }
            let left = Array(work.left.prefix(EarlyClosing.inTurn - count))
            work.left.removeFirst(left.count)
            let ripe = Array(work.waiting.prefix(EarlyClosing.inTurn - count - left.count))
            work.waiting.removeFirst(ripe.count)
            for one in ripe { work.written[one.number] = one.run.byteCount }
            return (left, ripe)
        }
    }

    private func sink() -> ArchiveSink {
        let (idle, number) = work.withLock { work -> (ArchiveSink?, Int) in
            if let idle = work.idle.popLast() { return (idle, 0) }
            work.sinks += 1
            return (nil, work.sinks)
        }
        return idle ?? closing.earlySink(number, prefix, reader)
    }

    /// Nobody compresses while a file waits for the medium, so this is another task's.
    private func settle(_ files: [UnsettledFile], _ closed: StreamClosing.Closed, _ number: Int) async {
        let failure = closed.fault == nil ? await UnsettledFile.settle(files) : nil
        let sleepers = work.withLock { work in
            work.unsettled.remove(number)
            if let fault = closed.fault ?? failure.map({ Fault($0).within("partition \(closed.name)") }) {
                work.fault = work.fault ?? fault
            } else {
                work.closed[number] = closed
            }
            return work.wake()
        }
        for sleeper in sleepers { sleeper.resume() }
    }
}
