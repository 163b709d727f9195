/// How a file's content is stored.
package enum Codec: String, Sendable, CaseIterable {
    case none, gzip, zstd

    /// What the file name ends with: `.gz`, `.zst`, nothing.
    package var suffix: String {
        switch self {
        case .none: ""
        case .gzip: ".gz"
        case .zstd: ".zst"
        }
    }

    /// The codec that a file's name speaks of.
    package init(path: String) {
        self = path.hasSuffix(".gz") ? .gzip : path.hasSuffix(".zst") ? .zstd : .none
    }
}

/// What the manifest records of a file. Digests are 64 lower-case hex digits of SHA-256.
package struct FileFacts: Sendable, Equatable {
    /// Of the file as stored.
    package var bytes: Int
    package var sha256: String
    /// Of what is inside, uncompressed.
    package var contentBytes: Int
    package var contentSHA256: String

    package init(bytes: Int, sha256: String, contentBytes: Int, contentSHA256: String) {
        self.bytes = bytes
        self.sha256 = sha256
        self.contentBytes = contentBytes
        self.contentSHA256 = contentSHA256
    }
}
