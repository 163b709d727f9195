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

    /// As ``init(_:)``, and refuses a folder that no pipeline has ever worked in. It need not have published.
    static func used(_ path: String) throws(Fault) -> Output {
        let output = try Output(path)
        let root = output.root
        for place in [root.statePath, root.runsPath, root.currentPath, RunLogFile.folder(root)] {
            if try onDisk({ () throws(DiskError) in try Disk.exists(place) }) { return output }
        }
        throw Fault(
            .badPlan,
            "`\(path)` is no pipeline's output",
            mend: "give the folder that holds `current`, for example output/openai-admin"
        )
    }

    static var now: Instant { Instant(seconds: Console.wallSeconds) }

    /// Holds the output's lock while `body` runs.
    static func locked<R>(_ root: OutputRoot, _ body: () throws -> R) throws -> R {
        let lock = try root.lock(since: now)
        defer { lock.release() }
        try root.prepare()
        return try body()
    }
}
