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

extension MasterKey {
    /// The master key for a ring that exists.
    ///
    /// - Parameters:
    ///   - blob: What a KMS wrapped when the ring was made; `nil` for a key that is given as it is.
    ///   - isPublic: The ring is a public example, so the file beside it may be read by anyone.
    static func load(
        _ source: MasterSource,
        id: String,
        blob: String?,
        ring path: String,
        isPublic: Bool
    ) throws(Fault) -> MasterKey {
        switch source {
        case .file(let file): return try fromFile(file, source.name, ring: path, isPublic: false)
        case .beside(let file): return try fromFile(file, source.name, ring: path, isPublic: isPublic)
        case .inline(let secret): return try fromText(secret, source.name, ring: path)
        case .command(let words):
            let answer = try KeyHook(words, ring: path).ask(blob == nil ? "read" : "unwrap", kek: id, data: blob ?? "")
            return try MasterKey(try answer.key(source.name, ring: path), blob: blob, ring: path)
        }
    }

    /// The master key for a ring that is about to be made, and the file it was put into if it had to be made too.
    static func make(_ source: MasterSource, ring path: String) throws(Fault) -> (key: MasterKey, file: String?) {
        switch source {
        case .file(let file): return (try fromFile(file, source.name, ring: path, isPublic: false), nil)
        case .inline(let secret): return (try fromText(secret, source.name, ring: path), nil)
        case .beside(let file):
            let fresh = try fresh(ring: path)
            var text: [UInt8] = []
            fresh.withSpan { Base64.standard.encode($0, into: &text) }
            do {
                try PrivateFile.write(text + [0x0A], to: file, replacing: false)
            } catch { throw RingFault.file(error, "master key file", file) }
            return (try MasterKey(fresh, blob: nil, ring: path), file)
        case .command(let words):
            let fresh = try fresh(ring: path)
            let plain = try MasterKey(fresh, blob: nil, ring: path)
            var text: [UInt8] = []
            fresh.withSpan { Base64.standard.encode($0, into: &text) }
            let hook = try KeyHook(words, ring: path)
            let answer = try hook.ask("wrap", kek: plain.id, data: String(decoding: text, as: UTF8.self))
            // A program that only prints a key is a master key like any other.
            guard case .json(let blob) = answer else {
                return (try MasterKey(try answer.key(source.name, ring: path), blob: nil, ring: path), nil)
            }
            return (try MasterKey(fresh, blob: blob, ring: path), nil)
        }
    }

    private static func fresh(ring path: String) throws(Fault) -> KeyBytes {
        do { return try KeyBytes(randomCount: 32) } catch { throw RingFault.sealing(error, path) }
    }

    private static func fromFile(_ file: String, _ name: String, ring path: String, isPublic: Bool) throws(Fault)
        -> MasterKey
    {
        let content: PrivateFile.Content
        do {
            content = try PrivateFile.read(file, limit: 4096)
        } catch {
            throw RingFault.file(error, "master key file", file)
        }
        try RingFault.checkAccess(content, "master key file", file, isPublic: isPublic)
        let key = try MasterKeyText.decode(content.bytes, name: name, ring: path, allowsRaw: true)
        return try MasterKey(key, blob: nil, ring: path)
    }

    private static func fromText(_ secret: Secret, _ name: String, ring path: String) throws(Fault) -> MasterKey {
        let text: KeyBytes
        let bytes = Array(secret.reveal().utf8)
        do { text = try KeyBytes(copying: bytes.span) } catch { throw RingFault.sealing(error, path) }
        let key = try MasterKeyText.decode(text, name: name, ring: path, allowsRaw: false)
        return try MasterKey(key, blob: nil, ring: path)
    }
}
