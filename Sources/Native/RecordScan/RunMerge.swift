internal import CRecordScan
internal import StageClock

/// Merges sorted runs into one sequence of rows, one for each key.
@safe package final class RunMerge: @unchecked Sendable {  // one owner at a time, like the runs it holds
    package enum Keep: Int32, Sendable { case first = 0, latest = 1 }

    /// Counts since the merge began; `rows` and the times since the last ``restartFile()``.
    package struct Counts: Sendable, Equatable {
        package var rows = 0
        /// Of the rows, those from new sources.
        package var fresh = 0
        /// Repeats of a key left out, with the same line, and with another.
        package var identical = 0
        package var conflicts = 0
        /// Rows of old sources whose key a new source has, and how many of them differ.
        package var replaced = 0
        package var changed = 0
        /// Unix seconds, of the rows given out.
        package var minTime: Int64 = 0
        package var maxTime: Int64 = 0
        package init() {}
    }

    package struct Row {
        package var key: [UInt8]
        package var line: [UInt8]
        package var time: Int64
        package var isOld: Bool
    }

    let raw: OpaquePointer
    private var runs: [RowRun] = []

    package init(keep: Keep) { unsafe raw = cogni_merge_new(keep.rawValue) }
    deinit { unsafe cogni_merge_free(raw) }

    /// Adds rows in memory; sorts them if they are not. Old sources must be added before new ones.
    package func add(_ run: RowRun, isOld: Bool = false) {
        StageClock.measure(.sort, bytes: run.byteCount) { run.sort() }
        runs.append(run)
        unsafe cogni_merge_add_run(raw, run.raw, isOld ? 1 : 0)
    }

    /// Adds a part of a run file. The descriptor stays the caller's and must outlive the merge.
    package func add(descriptor: Int32, offset: Int, length: Int, isOld: Bool = false) {
        unsafe cogni_merge_add_file(raw, descriptor, Int64(offset), Int64(length), isOld ? 1 : 0)
    }

    package var counts: Counts {
        let raw = unsafe cogni_merge_counts(self.raw)
        var counts = Counts()
        counts.rows = Int(raw.rows)
        counts.fresh = Int(raw.fresh)
        counts.identical = Int(raw.identical)
        counts.conflicts = Int(raw.conflicts)
        counts.replaced = Int(raw.replaced)
        counts.changed = Int(raw.changed)
        counts.minTime = raw.min_time
        counts.maxTime = raw.max_time
        return counts
    }

    package func restartFile() { unsafe cogni_merge_restart_file(raw) }

    /// The next row, or `nil` after the last. For streams of thousands of rows, not millions.
    package func next() throws(RunFileError) -> Row? {
        var record = unsafe cogni_record()
        let state = unsafe cogni_merge_next(raw, &record)
        guard state >= 0 else { throw RunFileError(number: -state) }
        guard state > 0 else { return nil }
        return unsafe Row(
            key: Array(UnsafeBufferPointer(start: record.key, count: Int(record.key_length))),
            line: Array(UnsafeBufferPointer(start: record.line, count: Int(record.line_length))),
            time: record.time,
            isOld: record.is_old != 0
        )
    }

    /// Fills `buffer` from its start with whole lines and returns how many bytes they are; 0 at the end. The buffer
    /// grows when one line alone is longer.
    package func nextBlock(into buffer: inout [UInt8]) throws(RunFileError) -> Int {
        while true {
            var needed = 0
            let begun = StageClock.current == nil ? 0 : StageClock.now
            let filled = unsafe buffer.withUnsafeMutableBufferPointer { room in
                guard let base = room.baseAddress else { return Int64(-1) }
                return unsafe cogni_merge_block(raw, base, room.count, &needed)
            }
            if filled >= 0 {
                if let clock = StageClock.current {
                    clock.add(.dedupe, nanoseconds: StageClock.now - begun, bytes: Int(filled))
                }
                return Int(filled)
            }
            guard needed > buffer.count else { throw RunFileError(number: Int32(-filled)) }
            buffer = [UInt8](repeating: 0, count: needed)
        }
    }
}
