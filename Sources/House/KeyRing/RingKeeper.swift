package import Model
internal import Sealing

/// Makes and changes key rings. Every change is a new file in the old one's place, with a higher generation.
package enum RingKeeper {
    package struct Made: Sendable {
        package let ring: KeyRing
        /// The master key file that had to be made, because no master key was set; the user must hear of it.
        package let masterFile: String?
    }

    /// A ring with one fresh key at `path`, where no file may be yet.
    ///
    /// - Parameter tenant: Whom the key is for; empty for all.
    package static func create(
        _ path: String,
        environment: [String: String],
        tenant: String = "",
        now: Instant
    ) throws(Fault) -> Made {
        let key: DataKey
        do { key = try DataKey(try KeyBytes(randomCount: 32)) } catch { throw RingFault.sealing(error, path) }
        return try create(path, environment: environment, key: key, tenant: tenant, now: now, isExample: false)
    }

    static func create(
        _ path: String,
        environment: [String: String],
        key: DataKey,
        tenant: String,
        now: Instant,
        isExample: Bool
    ) throws(Fault) -> Made {
        let lock = try lock(path)
        defer { withExtendedLifetime(lock) {} }
        // Looked at before the master key is made, so that a refusal leaves nothing behind.
        var exists = true
        do {
            _ = try PrivateFile.read(path, limit: .max)
        } catch PrivateFileError.missing { exists = false } catch {}
        if exists { throw RingFault.file(.exists, "key ring", path) }

        let source = try MasterSource.find(in: environment, ring: path)
        let (master, masterFile) = try MasterKey.make(source, ring: path)
        let entry = KeyRing.Entry(
            kid: key.kid,
            epoch: 1,
            state: .active,
            created: now,
            tenant: tenant,
            commit: key.commit
        )
        var file = RingFile(generation: 1, isExample: isExample, master: master, keys: [])
        file.keys = [RingFile.Key(entry: entry, blob: try master.wrap(key, tenant: tenant, ring: path))]
        try write(&file, master, path, replacing: false)
        // What was written is read back as everyone will read it.
        return Made(ring: try KeyRing.load(path, master: source), masterFile: masterFile)
    }

    /// Adds a key and makes it the active one of its tenant; the ones before go on opening what they sealed.
    package static func rotate(
        _ path: String,
        environment: [String: String],
        tenant: String = "",
        now: Instant
    ) throws(Fault) -> KeyRing {
        let lock = try lock(path)
        defer { withExtendedLifetime(lock) {} }
        let source = try MasterSource.find(in: environment, ring: path)
        let (_, old, master) = try KeyRing.open(path, master: source)
        try MasterKey.settle(source, id: master.id, ring: path)
        let key: DataKey
        do { key = try DataKey(try KeyBytes(randomCount: 32)) } catch { throw RingFault.sealing(error, path) }
        var file = old
        file.generation += 1
        for index in file.keys.indices where file.keys[index].entry.tenant == tenant {
            if file.keys[index].entry.state == .active { file.keys[index].entry.state = .decryptOnly }
        }
        let epoch = (file.keys.map(\.entry.epoch).max() ?? 0) + 1
        let entry = KeyRing.Entry(
            kid: key.kid,
            epoch: epoch,
            state: .active,
            created: now,
            tenant: tenant,
            commit: key.commit
        )
        file.keys.append(RingFile.Key(entry: entry, blob: try master.wrap(key, tenant: tenant, ring: path)))
        try write(&file, master, path, replacing: true)
        return try KeyRing.load(path, master: source)
    }

    /// Deletes a key for good: what it sealed can't be opened any more, by anyone. The active key can't be
    /// retired. Copies of the ring in backups still hold it; say so before calling this.
    package static func retire(_ path: String, kid: String, environment: [String: String]) throws(Fault) -> KeyRing {
        let lock = try lock(path)
        defer { withExtendedLifetime(lock) {} }
        let source = try MasterSource.find(in: environment, ring: path)
        let (ring, old, master) = try KeyRing.open(path, master: source)
        try MasterKey.settle(source, id: master.id, ring: path)
        var file = old
        guard let index = file.keys.firstIndex(where: { $0.entry.kid == kid }) else {
            _ = try ring.key(kid)  // throws, and says what there is to say
            return ring
        }
        guard file.keys[index].entry.state != .active else {
            throw RingFault.of(
                "the key \(kid) is active",
                path,
                mend: "run `cogni keys rotate` first, and retire it then"
            )
        }
        file.generation += 1
        file.keys[index].entry.state = .retired
        file.keys[index].blob = nil
        try write(&file, master, path, replacing: true)
        return try KeyRing.load(path, master: source)
    }

    /// One process at a time reads a ring, changes it and writes it.
    static func lock(_ path: String) throws(Fault) -> FolderLock {
        try RingCommand.refuse(path)
        do { return try FolderLock(of: path) } catch { throw RingFault.file(error, "key ring's folder", path) }
    }

    static func write(_ file: inout RingFile, _ master: MasterKey, _ path: String, replacing: Bool)
        throws(Fault)
    {
        file.mac = try master.mac(of: file.body.canonical, ring: path)
        do {
            try PrivateFile.write(file.text, to: path, replacing: replacing)
        } catch { throw RingFault.file(error, "key ring", path) }
    }
}
