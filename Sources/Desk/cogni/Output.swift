import ArgumentParser
import Console
import Disk
import Ledger
import Load
import Model

/// A published output, named by its folder, and what commands do to it.
struct Output {
    let root: OutputRoot

    /// Throws when there is no such folder, or when it holds no generation.
    init(_ path: String) throws(Fault) {
        root = OutputRoot(path)
        let isFolder = try onDisk { () throws(DiskError) in try Disk.target(path)?.kind == .folder }
        guard isFolder else {
            throw Fault(
                .badPlan,
                "there is no folder `\(path)`",
                mend: "give a pipeline's output, for example output/openai-admin"
            )
        }
    }

    /// As ``init(_:)``, and refuses a folder without generations.
    static func published(_ path: String) throws(Fault) -> Output {
        let output = try Output(path)
        guard try !output.root.generations().isEmpty else {
            throw Fault(
                .badPlan,
                "`\(path)` holds no generation",
                mend: "give the folder that holds `current`, for example output/openai-admin"
            )
        }
        return output
    }

    static var now: Instant { Instant(seconds: Console.wallSeconds) }

    /// Holds the output's lock while `body` runs.
    static func locked<R>(_ root: OutputRoot, _ body: () throws -> R) throws -> R {
        try root.prepare()
        let outcome = try onDisk { () throws(DiskError) in try RunLock.take(root.lockPath, since: now.text) }
        switch outcome {
        case .taken(let lock):
            defer { lock.release() }
            return try body()
        case .held(let holder):
            throw Fault(
                .locked,
                "another run holds \(root.path): process \(holder.process) on \(holder.host), since \(holder.since)",
                mend: "wait until it ends, or stop that process; a run that died holds nothing"
            )
        }
    }

    /// The positions that a generation's manifest states, for the state to take over.
    static func commit(
        _ generation: Generation,
        reason: GenerationCommit.Reason,
        runID: String
    ) -> GenerationCommit {
        GenerationCommit(
            generation: generation.number,
            manifestSHA256: generation.manifestSHA256,
            runID: runID,
            committed: now,
            reason: reason,
            watermarks: generation.manifest.streams.map { stream in
                Watermark(
                    stream: stream.name,
                    watermark: stream.watermark,
                    coverageFrom: stream.coverage?.from,
                    coverageTo: stream.coverage?.to,
                    groupBy: stream.groupBy ?? [],
                    bucketWidth: stream.bucketWidth,
                    generation: generation.number
                )
            }
        )
    }
}
