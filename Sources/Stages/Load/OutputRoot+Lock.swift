package import Disk
package import Model

extension OutputRoot {
    /// Takes the output for whoever changes it, or says who holds it. Released with the lock, at the latest with the process.
    /// - Parameter since: when this run began, for the message that others get.
    package func lock(since: Instant) throws(Fault) -> RunLock {
        let outcome = try onDisk { () throws(DiskError) in try RunLock.take(lockPath, since: since.text) }
        switch outcome {
        case .taken(let lock): return lock
        case .held(let holder):
            throw Fault(
                .locked,
                "another run holds \(path): process \(holder.process) on \(holder.host), since \(holder.since)",
                mend: "wait until it ends, or stop that process; a run that died holds nothing"
            )
        }
    }
}
