internal import Model
internal import Sealing

/// How master keys are fetched from where they are kept, and made where there is none.
extension MasterKey {
    /// Where a new master key waits until the ring is wrapped by it.
    static func waiting(_ file: String) -> String { file + ".next" }

    /// The master key for a ring that exists.
    ///
    /// - Parameters:
    ///   - id: The ring's own. A change of the master key that was cut off leaves the key that fits in `<file>.next`.
    ///   - blob: What a KMS wrapped when the ring was made; `nil` for a key that is given as it is.
    ///   - isPublic: The ring is a public example, so the file beside it may be read by anyone.
    static func load(
        _ source: MasterSource,
        id: String,
        blob: String?,
        ring path: String,
        isPublic: Bool
    ) throws(Fault) -> MasterKey {
        guard case .command(let words) = source else {
            let key: MasterKey
            do throws(Fault) {
                key = try given(source, ring: path, isPublic: isPublic)
            } catch {
                // The old key's file is gone only when the new one was to take its place.
                guard let next = try? waitingKey(source, id: id, ring: path) else { throw error }
                return next
            }
            if key.id != id, let next = try? waitingKey(source, id: id, ring: path) { return next }
            return key
        }
        let hook = try KeyHook(words, ring: path)
        let answer = try hook.ask(blob == nil ? "read" : "unwrap", kek: id, blob: blob ?? "")
        return try MasterKey(try answer.key(source.name, ring: path), blob: blob, ring: path)
    }

    /// The key in `<file>.next`, if it is the one that the ring needs.
    private static func waitingKey(_ source: MasterSource, id: String, ring path: String) throws(Fault) -> MasterKey? {
        guard let file = source.ownFile else { return nil }
        let key = try fromFile(waiting(file), source.name, ring: path, isPublic: false)
        return key.id == id ? key : nil
    }

    /// Ends a change of the master key that was cut off after the ring was written: the new key gets its place.
    static func settle(_ source: MasterSource, id: String, ring path: String) throws(Fault) {
        guard let file = source.ownFile, (try? waitingKey(source, id: id, ring: path)) != nil else { return }
        do { try PrivateFile.move(waiting(file), to: file) } catch {
            throw RingFault.file(error, "master key file", file)
        }
    }

    /// A key that is given as it is, by anything but a command.
    private static func given(_ source: MasterSource, ring path: String, isPublic: Bool) throws(Fault) -> MasterKey {
        switch source {
        case .file(let file): return try fromFile(file, source.name, ring: path, isPublic: false)
        case .credential(let file):
            return try fromFile(file, source.name, ring: path, isPublic: false, isCredential: true)
        case .beside(let file): return try fromFile(file, source.name, ring: path, isPublic: isPublic)
        case .descriptor(let number): return try fromDescriptor(number, source.name, ring: path)
        case .inline(let secret): return try fromText(secret, source.name, ring: path)
        case .command: preconditionFailure("a command is asked, not read")
        }
    }

    /// The master key for a ring that is about to be made, or wrapped anew, and the file it was put into if it had to be made
    /// too.
    static func make(_ source: MasterSource, ring path: String) throws(Fault) -> (key: MasterKey, file: String?) {
        switch source {
        case .file, .credential, .descriptor, .inline:
            return (try given(source, ring: path, isPublic: false), nil)
        case .beside(let file): return (try makeFile(file, ring: path, replacing: false), file)
        case .command(let words):
            let fresh = try fresh(ring: path)
            let plain = try MasterKey(fresh, blob: nil, ring: path)
            let hook = try KeyHook(words, ring: path)
            let answer = try hook.ask("wrap", kek: plain.id, data: try text(of: fresh, ring: path))
            // A program that only prints a key is a master key like any other.
            guard case .json(let wrapped) = answer else {
                return (try MasterKey(try answer.key(source.name, ring: path), blob: nil, ring: path), nil)
            }
            return (try MasterKey(fresh, blob: String(decoding: wrapped.array, as: UTF8.self), ring: path), nil)
        }
    }

    /// A fresh key in a file of its own.
    static func makeFile(_ file: String, ring path: String, replacing: Bool) throws(Fault) -> MasterKey {
        let fresh = try fresh(ring: path)
        let text = try text(of: fresh, ring: path)
        let line: KeyBytes
        do { line = try KeyBytes([], text, [0x0A]) } catch { throw RingFault.sealing(error, path) }
        do {
            try PrivateFile.write(line, to: file, replacing: replacing)
        } catch { throw RingFault.file(error, "master key file", file) }
        return try MasterKey(fresh, blob: nil, ring: path)
    }

    private static func text(of key: KeyBytes, ring path: String) throws(Fault) -> KeyBytes {
        do { return try Base64.standard.keyText(of: key) } catch { throw RingFault.sealing(error, path) }
    }

    private static func fresh(ring path: String) throws(Fault) -> KeyBytes {
        do { return try KeyBytes(randomCount: 32) } catch { throw RingFault.sealing(error, path) }
    }

    private static func fromFile(
        _ file: String,
        _ name: String,
        ring path: String,
        isPublic: Bool,
        isCredential: Bool = false
    ) throws(Fault) -> MasterKey {
        let content: PrivateFile.Content
        do {
            content = try PrivateFile.read(file, limit: 4096)
        } catch {
            throw RingFault.file(error, isCredential ? "master key credential" : "master key file", file)
        }
        // systemd gives credentials to the unit's user by an access list, which shows as the group's right to read.
        let isGranted = isCredential && content.mode & 0o037 == 0 && content.isOurs
        if !isGranted { try RingFault.checkAccess(content, "master key file", file, isPublic: isPublic) }
        let key = try MasterKeyText.decode(content.bytes, name: name, ring: path, allowsRaw: true)
        return try MasterKey(key, blob: nil, ring: path)
    }

    private static func fromDescriptor(_ number: Int32, _ name: String, ring path: String) throws(Fault) -> MasterKey {
        let bytes: KeyBytes
        do { bytes = try InheritedKey.bytes(number, limit: 4096) } catch {
            if error == .missing {
                throw RingFault.of(
                    "file descriptor \(number) is not open",
                    path,
                    mend:
                        "open the master key for cogni, as in `\(MasterSource.descriptorVariable)=9 cogni run … 9< key`"
                )
            }
            throw RingFault.file(error, name, "descriptor \(number)")
        }
        return try MasterKey(
            try MasterKeyText.decode(bytes, name: name, ring: path, allowsRaw: true),
            blob: nil,
            ring: path
        )
    }

    private static func fromText(_ secret: Secret, _ name: String, ring path: String) throws(Fault) -> MasterKey {
        let text: KeyBytes
        let bytes = Array(secret.reveal().utf8)
        do { text = try KeyBytes(copying: bytes.span) } catch { throw RingFault.sealing(error, path) }
        let key = try MasterKeyText.decode(text, name: name, ring: path, allowsRaw: false)
        return try MasterKey(key, blob: nil, ring: path)
    }
}
