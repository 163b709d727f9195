package import Model
internal import Sealing

/// The change of the master key: every data key is wrapped anew, and nothing else changes.
extension RingKeeper {
    package struct Rewrapped: Sendable {
        package let ring: KeyRing
        /// The file that holds the new master key, where we made it.
        package let masterFile: String?
        /// The master key before, by its name; what it wrapped in backups it still opens.
        package let before: String
    }

    /// Wraps the ring's keys with another master key. Tokens, archives and manifests stay as they are.
    ///
    /// Each key is unwrapped again with the new master key before the ring is written. The ring is one file, so at every instant
    /// it is wrapped by the old master key or by the new one; a new key that replaces its file waits beside it as `<file>.next`
    /// until then, and is found there by everyone when we are cut off in between.
    ///
    /// - Parameter target: Where the new master key comes from; `nil` makes one, in the place of the old.
    package static func rewrap(
        _ path: String,
        environment: [String: String],
        to target: MasterSource?
    ) throws(Fault) -> Rewrapped {
        let lock = try lock(path)
        defer { withExtendedLifetime(lock) {} }
        let source = try MasterSource.find(in: environment, ring: path)
        let (ring, old, master) = try KeyRing.open(path, master: source)
        try MasterKey.settle(source, id: master.id, ring: path)
        let (next, place) = try newMaster(source, target, path)
        guard next.id != master.id || next.blob != master.blob else {
            throw RingFault.of(
                "the new master key is the one that the ring has",
                path,
                mend: "give another one with --to-file, --to-credential, --to-fd or --to-command"
            )
        }
        var file = RingFile(generation: old.generation + 1, isExample: old.isExample, master: next, keys: old.keys)
        for index in file.keys.indices where file.keys[index].blob != nil {
            let entry = file.keys[index].entry
            let key = try ring.key(entry.kid)
            let blob = try next.wrap(key, tenant: entry.tenant, ring: path)
            let proof = next.unwrap(blob, kid: entry.kid, commit: entry.commit, tenant: entry.tenant)
            guard let proof, KeyBytes.matches(proof.commit, entry.commit) else {
                throw RingFault.of("the new master key does not open what it wrapped", path, mend: "try again")
            }
            file.keys[index].blob = blob
        }
        if next.blob != nil { try proveCommand(target ?? source, next, path) }
        try write(&file, next, path, replacing: true)
        if target == nil, let place { try MasterKey.settle(.file(place), id: next.id, ring: path) }
        return Rewrapped(
            ring: try KeyRing.load(path, master: target ?? source),
            masterFile: target == nil ? place : nil,
            before: master.id
        )
    }

    private static func newMaster(_ source: MasterSource, _ target: MasterSource?, _ path: String) throws(Fault) -> (
        key: MasterKey, file: String?
    ) {
        if let target { return try MasterKey.make(target, ring: path) }
        if let file = source.ownFile {
            return (try MasterKey.makeFile(MasterKey.waiting(file), ring: path, replacing: true), file)
        }
        guard case .command = source else {
            throw RingFault.of(
                "the \(source.name) can't be replaced from here",
                path,
                mend: "name the new one with --to-file, --to-credential, --to-fd or --to-command"
            )
        }
        return (try MasterKey.make(source, ring: path).key, nil)
    }

    /// A KMS must give back what it wrapped before anything depends on it.
    private static func proveCommand(_ source: MasterSource, _ master: MasterKey, _ path: String) throws(Fault) {
        let again = try MasterKey.load(source, id: master.id, blob: master.blob, ring: path, isPublic: false)
        guard KeyBytes.matches(again.commit, master.commit) else {
            throw RingFault.of(
                "the \(source.name) does not open what it wrapped",
                path,
                mend: "see what the command answers to \"unwrap\" when it is asked by hand"
            )
        }
    }
}
