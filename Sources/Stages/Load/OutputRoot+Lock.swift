package import Disk
package import Model

extension OutputRoot {
    /// Takes the output for whoever changes it, or says who holds it. Released with the lock, at the latest with the
    /// process. Makes the folder itself where it is missing, and nothing else before the lock is held.
    /// - Parameter since: when this run began, for the message that others get.
    package func lock(since: Instant) throws(Fault) -> RunLock {
        try refuseLinks()
        let outcome = try onDisk { () throws(DiskError) in
            try Disk.makeFolders(path)
            return try RunLock.take(lockPath, since: since.text)
        }
        switch outcome {
        case .taken(let lock): return lock
        case .held(let holder): throw held(by: holder)
        }
    }

    /// For commands that change what runs have made: from a mistyped name they would make an empty output, and say that all
    /// went well.
    package func refuseMissing() throws(Fault) {
        let status = try onDisk { () throws(DiskError) in try Disk.target(path) }
        guard status == nil else { return }
        throw Fault(
            .badPlan,
            "there is no output at `\(path)`",
            mend: "check `load.directory` and `--output`; the first run makes it"
        )
    }

    private func held(by holder: RunLock.Holder) -> Fault {
        let who =
            holder.process.isEmpty
            ? "it has not said who it is, or its lock file was removed"
            : "process \(holder.process) on \(holder.host), since \(holder.since) (\(holder.command))"
        return Fault(
            .locked,
            "another run holds \(path): \(who)",
            mend: "wait until it ends, or stop that process; a run that died holds nothing"
        )
    }
}
