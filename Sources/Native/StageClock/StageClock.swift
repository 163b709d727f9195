internal import Glibc
internal import Synchronization

/// How long the stages of a run take, and how many bytes pass through them.
///
/// A run that is to be measured installs a clock for its tasks (``current``); whoever does a stage's work adds to it,
/// once for each page, block or file, never for a row. Without a clock the look-up costs a few nanoseconds. Stages work side
/// by side, so their times add up to more than the run's.
package final class StageClock: Sendable {
    package enum Stage: Int, Sendable, CaseIterable {
        /// Waiting for replies; bytes of their bodies, decoded.
        case network
        /// Checking pages and finding their cells; bytes of the pages.
        case scan
        /// Masking and sealing values that were not met before; bytes of their texts.
        case encrypt
        /// Turning cells into rows; bytes that the rows take while they wait.
        case encode
        /// Putting waiting rows in order; bytes as for `encode`.
        case sort
        /// Leaving repeats out and writing lines; bytes of the lines.
        case dedupe
        /// Compressing, or gathering what is stored as it is, and writing to the file; bytes before compression.
        case compress
        /// SHA-256; bytes of contents and of files.
        case hash
        /// Waiting for the medium; no bytes.
        case sync
    }

    package struct Reading: Sendable, Equatable {
        package var stage: Stage
        package var nanoseconds: Int
        package var bytes: Int
    }

    @TaskLocal package static var current: StageClock?

    private struct Sum { var nanoseconds = 0, bytes = 0 }
    private let sums = Mutex([Sum](repeating: Sum(), count: Stage.allCases.count))

    package init() {}

    /// What was added so far, in the order of the stages.
    package var readings: [Reading] {
        let sums = sums.withLock { $0 }
        return Stage.allCases.map {
            Reading(stage: $0, nanoseconds: sums[$0.rawValue].nanoseconds, bytes: sums[$0.rawValue].bytes)
        }
    }

    package func add(_ stage: Stage, nanoseconds: Int, bytes: Int) {
        sums.withLock { sums in
            sums[stage.rawValue].nanoseconds += nanoseconds
            sums[stage.rawValue].bytes += bytes
        }
    }

    /// Nanoseconds of a clock that only goes forward.
    package static var now: Int {
        var time = timespec()
        unsafe clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    /// Runs `body` and adds its time to a stage of the current clock, if there is one.
    package static func measure<R, E: Error>(_ stage: Stage, bytes: Int = 0, _ body: () throws(E) -> R) throws(E) -> R {
        guard let clock = current else { return try body() }
        let begun = now
        defer { clock.add(stage, nanoseconds: now - begun, bytes: bytes) }
        return try body()
    }
}
