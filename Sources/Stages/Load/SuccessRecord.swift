internal import Model

/// `_SUCCESS`: the last file of a generation to be written, and its link in the chain.
///
/// - `previous`: the generation that was current when this one was published; after a rollback not the number before.
/// - `sumsSHA256`: digest of `SHA256SUMS`, through which every file hangs on the chain.
package struct SuccessRecord: Sendable, Equatable {
    package struct Bundle: Sendable, Equatable {
        package var path: String
        package var bytes: Int
        package var sha256: String
    }

    package var generation: Int
    package var manifestSHA256: String
    package var previous: Int?
    package var previousManifestSHA256: String?
    package var sumsSHA256: String
    package var bundle: Bundle?

    var json: JSONValue {
        .object(
            [
                .init("generation", .integer(generation)),
                .init("manifest_sha256", .string(manifestSHA256)),
                .init("previous_generation", previous.map { .integer($0) } ?? .null),
                .init("previous_manifest_sha256", .optional(previousManifestSHA256)),
                .init("sums_sha256", .string(sumsSHA256)),
            ]
                + member(
                    "bundle",
                    bundle.map {
                        ["path": .string($0.path), "bytes": .integer($0.bytes), "sha256": .string($0.sha256)]
                    }
                )
        )
    }

    init(
        generation: Int,
        manifestSHA256: String,
        previous: Int?,
        previousManifestSHA256: String?,
        sumsSHA256: String,
        bundle: Bundle?
    ) {
        self.generation = generation
        self.manifestSHA256 = manifestSHA256
        self.previous = previous
        self.previousManifestSHA256 = previousManifestSHA256
        self.sumsSHA256 = sumsSHA256
        self.bundle = bundle
    }

    /// `nil` when the bytes are not a record of ours.
    init?(parsing bytes: [UInt8]) {
        guard let value = try? JSONValue(parsing: bytes), let generation = value["generation"]?.integer,
            let manifest = value["manifest_sha256"]?.text, let sums = value["sums_sha256"]?.text
        else { return nil }
        self.generation = generation
        manifestSHA256 = manifest
        previous = value["previous_generation"]?.integer
        previousManifestSHA256 = value["previous_manifest_sha256"]?.text
        sumsSHA256 = sums
        if let found = value["bundle"] {
            guard let path = found["path"]?.text, let bytes = found["bytes"]?.integer,
                let digest = found["sha256"]?.text
            else { return nil }
            bundle = Bundle(path: path, bytes: bytes, sha256: digest)
        }
    }
}
