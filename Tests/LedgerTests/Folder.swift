import Foundation
import Ledger
import Model

/// A fresh folder that goes away with the test, and the state file in it.
final class Folder {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("cogni-ledger-\(UUID().uuidString)")
    var state: String { url.appendingPathComponent("state.sqlite").path }

    init() throws { try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true) }
    deinit { try? FileManager.default.removeItem(at: url) }

    func open() throws(Fault) -> StateStore { try StateStore.open(state, pipeline: "demo") }
    func bytes(_ path: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path))) }
    func write(_ bytes: [UInt8], to path: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }
    var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: url.path)) ?? []).sorted() }
}

let noon = Instant(year: 2025, month: 12, day: 1) + 43_200

func plan(_ runID: String = "run-1") -> OpenPlan {
    OpenPlan(runID: runID, fingerprint: "f00d", asOf: noon, created: noon + 5)
}

func mark(_ stream: String, day: Int?, groupBy: [String] = [], generation: Int = 1) -> Watermark {
    Watermark(
        stream: stream,
        watermark: day.map { Instant(year: 2025, month: 11, day: $0) },
        coverageFrom: day.map { _ in Instant(year: 2025, month: 11, day: 1) },
        coverageTo: day.map { Instant(year: 2025, month: 11, day: $0) },
        groupBy: groupBy,
        bucketWidth: day == nil ? nil : "1d",
        generation: generation
    )
}

func commit(
    _ generation: Int,
    _ marks: [Watermark],
    reason: GenerationCommit.Reason = .run,
    runID: String = "run-1"
) -> GenerationCommit {
    GenerationCommit(
        generation: generation,
        manifestSHA256: String(repeating: "a", count: 64),
        runID: runID,
        committed: noon + 60,
        reason: reason,
        watermarks: marks
    )
}

func slice(_ id: String, pages: Int = 0) -> SliceProgress {
    var slice = SliceProgress(id: id, stream: "costs", from: noon, to: noon + 60)
    slice.pages = pages
    slice.nextPage = "page_\(pages)"
    slice.counters = ["fetched": .integer(pages * 7)]
    slice.staged = ["costs-\(id).run"]
    slice.watermark = noon
    return slice
}
