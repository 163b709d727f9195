internal import ArchiveWriting
internal import Model

/// `changes.json`: what a loader has to do to get from the generation before to this one.
///
/// Partitions are only ever replaced as a whole: drop the rows of the `remove` files (or of the partition), load the
/// `add` files. A file counts as the same when path and content are, whatever compressed it.
enum Changes {
    static func json(
        from old: Manifest?,
        to new: Manifest,
        oldDigest: String?,
        newDigest: String
    ) -> JSONValue {
        let oldStreams = Dictionary(uniqueKeysWithValues: (old?.streams ?? []).map { ($0.name, $0) })
        let newStreams = Dictionary(uniqueKeysWithValues: new.streams.map { ($0.name, $0) })
        var changes: [JSONValue] = []
        for name in Set(oldStreams.keys).union(newStreams.keys).sorted(by: bytewise) {
            let before = partitions(oldStreams[name])
            let after = partitions(newStreams[name])
            for value in Set(before.keys).union(after.keys).sorted(by: bytewise) {
                let gone = before[value]?.files ?? []
                let come = after[value]?.files ?? []
                if gone.map(identity) == come.map(identity) { continue }
                changes.append([
                    "stream": .string(name),
                    "partition": Manifest.Partition(value: value, files: []).name,
                    "remove": .strings(gone.map(\.path)),
                    "add": .array(come.map(\.json)),
                    "rows": .integer(come.reduce(0) { $0 + $1.rows }),
                ])
            }
        }
        return [
            "format": "cogni-changes/1",
            "manifest_sha256": .string(newDigest),
            "previous_manifest_sha256": .optional(oldDigest),
            "changes": .array(changes),
        ]
    }

    private static func identity(_ file: Manifest.File) -> [String] { [file.path, file.facts.contentSHA256] }

    private static func partitions(_ stream: Manifest.Stream?) -> [String: Manifest.Partition] {
        Dictionary(uniqueKeysWithValues: (stream?.partitions ?? []).map { ($0.value, $0) })
    }
}

/// The order of UTF-8 bytes: what `LC_ALL=C sort` does.
func bytewise(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
