internal import Model
internal import Sanitizing
internal import Sealing

/// The key that wraps the data keys (KEK), and how the ring names it.
struct MasterKey: Sendable {
    let bytes: KeyBytes
    let commit: [UInt8]
    /// `kek-` and ten letters that the key commits to.
    let id: String
    /// For a key that a KMS wraps: what the command answered. The ring keeps it.
    let blob: String?

    static let salt = Array("etl-keyring/v1".utf8)

    init(_ bytes: KeyBytes, blob: String?, ring path: String) throws(Fault) {
        self.bytes = bytes
        self.blob = blob
        do {
            commit = try HKDF.derive(from: bytes, salt: MasterKey.salt, info: Array("commit".utf8), count: 32).array
        } catch { throw RingFault.sealing(error, path) }
        id = "kek-" + DataKey.kid(of: commit)
    }

    /// Proves that the ring was written by someone who holds this key.
    func mac(of text: [UInt8], ring path: String) throws(Fault) -> [UInt8] {
        do {
            let key = try HKDF.derive(from: bytes, salt: MasterKey.salt, info: Array("mac".utf8), count: 32)
            return try HMACSHA256(key: key).code(text.span)
        } catch { throw RingFault.sealing(error, path) }
    }

    /// nonce ‖ ciphertext ‖ tag of a data key, tied to its name, its commitment and its tenant.
    func wrap(_ key: DataKey, tenant: String, ring path: String) throws(Fault) -> [UInt8] {
        do {
            let nonce = try randomBytes(GaloisCipher.nonceCount)
            let cipher = try GaloisCipher(key: bytes)
            let associated = associated(kid: key.kid, commit: key.commit, tenant: tenant)
            // `seal` reads the key where it lies; nothing of it is copied.
            var result: Result<[UInt8], SealingError> = .failure(.cannotOpen)
            key.bytes.withSpan { span in
                do throws(SealingError) {
                    result = .success(try cipher.seal(span, associated: associated, nonce: nonce))
                } catch { result = .failure(error) }
            }
            return try result.get()
        } catch { throw RingFault.sealing(error, path) }
    }

    /// The data key, or `nil` for any failure.
    func unwrap(_ blob: [UInt8], kid: String, commit: [UInt8], tenant: String) -> DataKey? {
        guard let cipher = try? GaloisCipher(key: bytes),
            let opened = try? cipher.open(blob, associated: associated(kid: kid, commit: commit, tenant: tenant))
        else { return nil }
        return try? DataKey(opened)
    }

    private func associated(kid: String, commit: [UInt8], tenant: String) -> [UInt8] {
        var out = Array("etl-dek/v1".utf8) + [0]
        for part in [Array(id.utf8), Array(kid.utf8), commit, Array(tenant.utf8)] {
            for shift in [24, 16, 8, 0] { out.append(UInt8(truncatingIfNeeded: part.count >> shift)) }
            out.append(contentsOf: part)
        }
        return out
    }
}
