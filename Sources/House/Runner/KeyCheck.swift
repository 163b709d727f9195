internal import KeyRing
internal import Ledger
internal import Load
internal import Model
internal import Sealing

/// Refuses a key ring that is older than one that was used before, and one that can't have sealed what is there.
///
/// An old copy of a ring, put back, would seal with a key that was rotated away, or bring a retired key to life.
struct KeyCheck {
    let ring: KeyRing?
    let key: DataKey?

    /// - Parameter current: the generation whose rows the run will meet; `nil` when it starts anew.
    func check(_ store: StateStore, _ current: Generation?) throws(Fault) {
        guard let ring, let key else { return }
        if let seen = try store.ringGeneration(ring.lineage), ring.generation < seen {
            throw fault(
                "the key ring is generation \(ring.generation) and generation \(seen) was used before: an old copy was put back",
                mend: "restore the newest copy of the ring"
            )
        }
        guard let current else { return }
        let epoch = ring.entry(key.kid)?.epoch ?? 0
        for old in current.manifest.crypto?.keys ?? [] where old.kid != key.kid {
            guard let entry = ring.entry(old.kid) else {
                throw fault(
                    "the key ring has no key \(old.kid), which generation \(current.number) was sealed under",
                    mend:
                        "give the ring that sealed it, or run once with `--full-refresh` to seal everything under this one"
                )
            }
            if entry.epoch > epoch {
                throw fault(
                    "the active key \(key.kid) is of epoch \(epoch), and generation \(current.number) was sealed in epoch \(entry.epoch)",
                    mend: "restore the newest copy of the ring"
                )
            }
        }
    }

    /// Once nothing is refused: the ring is used from now on.
    func note(_ store: StateStore) throws(Fault) {
        guard let ring, key != nil else { return }
        try store.noteRing(ring.lineage, generation: ring.generation)
    }

    private func fault(_ what: String, mend: String) -> Fault {
        Fault(.cannotSeal, what, at: ["key ring \(ring?.path ?? "")"], mend: mend)
    }
}
