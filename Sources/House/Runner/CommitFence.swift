internal import Disk
internal import Ledger
internal import Load
internal import Model

/// Looks, before a run commits, whether it may still do so.
///
/// The lock keeps runs apart. The fence is for the run that lost it without noticing: a machine that was stopped for an
/// hour, a network disk that forgot its locks, an output folder that was moved away and restored. What such a run has
/// fetched was compared with a generation that is no longer the current one.
struct CommitFence {
    let root: OutputRoot
    let lock: RunLock
    let store: StateStore
    let claim: Claim
    /// The generation that was current when this run began.
    let base: Generation?

    /// Throws `.locked` when another run has taken over.
    func check() throws(Fault) {
        let isHeld = try onDisk { () throws(DiskError) in try lock.isStillHeld() }
        guard isHeld else { throw superseded("`\(root.path)` was replaced, and the lock with it,") }
        try store.check(claim)
        let current = try root.current()
        guard current?.number == base?.number, current?.manifestSHA256 == base?.manifestSHA256 else {
            throw superseded("generation \(current.map { "\($0.number)" } ?? "none") was made current by somebody else")
        }
    }

    private func superseded(_ what: String) -> Fault {
        Fault(
            .locked,
            "\(what) while this run was under way",
            at: ["run \(claim.runID)"],
            mend: "run again; nothing of this run was published"
        )
    }
}
