internal import KeyRing
internal import Load
internal import Model
internal import Sealing

/// What a manifest says of keys: which ones its files are sealed under, and the epoch of each.
enum KeyNames {
    /// Names every key that a file has, and the active one where anything is encrypted, in the order of their epochs.
    ///
    /// - Parameter key: `nil` when the pipeline encrypts nothing; files of earlier runs may still hold tokens.
    static func note(_ key: DataKey?, _ ring: KeyRing?, _ old: Manifest?, in manifest: inout Manifest) {
        var kids = Set(manifest.files.compactMap(\.keyID))
        if manifest.crypto != nil, let key { kids.insert(key.kid) }
        var keys: [Manifest.Crypto.Key] = []
        for kid in kids {
            if let entry = ring?.entry(kid) {
                let commit = Base64.standard.text(entry.commit)
                keys.append(Manifest.Crypto.Key(kid: kid, epoch: entry.epoch, commit: commit))
            } else if let known = old?.crypto?.keys.first(where: { $0.kid == kid }) {
                keys.append(known)
            }
        }
        keys.sort { ($0.epoch, $0.kid) < ($1.epoch, $1.kid) }
        let known = keys.map(\.kid)
        manifest.keyIDs = kids.subtracting(known).sorted() + known
        manifest.crypto?.keys = keys
    }

    /// The stream with the key noted at each of its files, as far as the manifest tells. Where it notes the key of any file, a file
    /// without one holds no token.
    static func labelled(_ stream: Manifest.Stream, in manifest: Manifest) -> Manifest.Stream {
        guard let crypto = manifest.crypto, let only = manifest.keyIDs.first,
            !Resealing.fields(of: stream.name, crypto).isEmpty, !manifest.files.contains(where: { $0.keyID != nil })
        else { return stream }
        var stream = stream
        for partition in stream.partitions.indices {
            for file in stream.partitions[partition].files.indices
            where stream.partitions[partition].files[file].keyID == nil {
                stream.partitions[partition].files[file].keyID = only
            }
        }
        return stream
    }
}
