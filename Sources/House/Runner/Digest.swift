internal import ArchiveWriting

/// SHA-256 of texts, for names and fingerprints.
enum Digest {
    static func hex(_ text: String) -> String { SHA256.hex(of: Array(text.utf8)) }
}
