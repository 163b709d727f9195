/// A data key (DEK) with the name that it commits to. Shared freely between tasks; never printed.
package final class DataKey: Sendable {
    /// 32 bytes.
    package let bytes: KeyBytes
    /// HKDF of the key, 32 bytes; safe to publish.
    package let commit: [UInt8]
    /// First ten letters of base32(commit).
    package let kid: String

    private static let salt = Array("etl-field/v1".utf8)

    package init(_ bytes: KeyBytes) throws(SealingError) {
        guard bytes.count == 32 else { throw .wrongKeyLength(count: bytes.count, needed: 32) }
        self.bytes = bytes
        let derived = try HKDF.derive(
            from: bytes,
            salt: DataKey.salt,
            info: Array("etl-commit/v1".utf8),
            count: 32
        )
        commit = derived.withSpan { span in span.indices.map { span[$0] } }
        kid = DataKey.kid(of: commit)
    }

    /// The name that a commitment gives its key.
    package static func kid(of commit: [UInt8]) -> String {
        let letters = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
        var name: [UInt8] = []
        var held: UInt32 = 0
        var bits = 0
        for byte in commit {
            held = held << 8 | UInt32(byte)
            bits += 8
            while bits >= 5, name.count < FieldToken.kidCount {
                bits -= 5
                name.append(letters[Int(held >> UInt32(bits) & 31)])
            }
            held &= 0xFF
        }
        return String(decoding: name, as: UTF8.self)
    }

    /// The key for one algorithm, tenant and domain: 64 bytes for AES-SIV, 32 otherwise.
    package func subkey(
        _ algorithm: FieldToken.Algorithm,
        tenant: String,
        domain: String
    ) throws(SealingError) -> KeyBytes {
        try HKDF.derive(
            from: bytes,
            salt: DataKey.salt,
            info: DataKey.framed([[algorithm.rawValue], Array(tenant.utf8), Array(domain.utf8)]),
            count: algorithm == .deterministic ? 64 : 32
        )
    }

    /// What a token is bound to beside its key.
    package func associated(
        _ algorithm: FieldToken.Algorithm,
        tenant: String,
        domain: String,
        binding: [UInt8]
    ) -> [UInt8] {
        DataKey.framed([
            [algorithm.rawValue], Array(kid.utf8), Array(tenant.utf8), Array(domain.utf8), binding,
        ])
    }

    /// `etl-field/v1\0`, then each part behind its 32-bit big-endian length: no two lists of parts give the
    /// same bytes.
    private static func framed(_ parts: [[UInt8]]) -> [UInt8] {
        var out = salt + [0]
        for part in parts {
            withBigEndian(UInt32(part.count)) { out.append($0) }
            out.append(contentsOf: part)
        }
        return out
    }
}

extension DataKey: CustomStringConvertible, CustomReflectable {
    package var description: String { "‹data key \(kid)›" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// The four bytes of a length, most significant first.
func withBigEndian(_ value: UInt32, _ take: (UInt8) -> Void) {
    for shift in [24, 16, 8, 0] as [UInt32] { take(UInt8(truncatingIfNeeded: value >> shift)) }
}
