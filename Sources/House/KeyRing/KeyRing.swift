package import Model
package import Sealing

/// The data keys of one installation, open in memory. Immutable, so one ring serves every task.
package struct KeyRing: Sendable {
    package enum State: String, Sendable, CaseIterable {
        /// Seals and opens. One for each tenant that has keys of its own, one for all others.
        case active
        /// Opens what it sealed before.
        case decryptOnly = "decrypt-only"
        /// Its key is gone, and with it what it sealed.
        case retired
    }

    /// What may be known about a key; safe to print.
    package struct Entry: Sendable, Equatable {
        package var kid: String
        /// Counts the rotations, from 1.
        package var epoch: Int
        package var state: State
        package var created: Instant
        /// The tenant that the key belongs to; empty for all.
        package var tenant: String
        /// 32 bytes that the key commits to; safe to publish.
        package var commit: [UInt8]
    }

    package let path: String
    /// Grows with every change, so that an older copy can be told from a newer one.
    package let generation: Int
    /// A ring that anyone can read, for demonstrations and tests.
    package let isExample: Bool
    /// What the user should be told, once.
    package let warnings: [String]
    /// In the order of their making.
    package let entries: [Entry]
    private let keys: [String: DataKey]

    init(_ file: RingFile, keys: [String: DataKey], path: String) {
        self.path = path
        generation = file.generation
        isExample = file.isExample
        entries = file.keys.map(\.entry)
        self.keys = keys
        warnings =
            file.isExample
            ? [
                "\(path) is a public example key ring: anyone can open what it seals; make your own with `cogni keys create`"
            ] : []
    }

    /// Opens the ring at `path` with the master key that `environment` names (see ``MasterSource``).
    ///
    /// Throws `.cannotSeal`, each time in other words, for a file that others can write or read, a wrong or
    /// malformed master key, a ring that was changed by hand, and keys that do not match their names.
    ///
    /// - Parameter path: or `command:` and a program that prints the ring (see ``RingCommand``).
    package static func load(_ path: String, environment: [String: String]) throws(Fault) -> KeyRing {
        guard let command = try RingCommand(path, in: environment) else {
            let source = try MasterSource.find(in: environment, ring: path)
            return try load(path, master: source)
        }
        let source = try MasterSource.find(in: environment, ring: command.name)
        if case .beside = source {
            throw RingFault.of(
                "a key ring that a command prints has no master key beside it",
                command.name,
                mend: "name the master key with COGNI_MASTER_KEY_FILE or another of its variables"
            )
        }
        return try open(try command.read(), command.name, master: source).ring
    }

    /// Whether a program printed it: then nothing can stand beside it, and it can't be changed.
    package static func isPrinted(_ path: String) -> Bool { path.hasPrefix(RingCommand.mark) }

    package static func load(_ path: String, master source: MasterSource) throws(Fault) -> KeyRing {
        try open(path, master: source).ring
    }

    /// The key that seals for `tenant`: its own if it has one, else the one for all.
    package func activeKey(for tenant: String = "") throws(Fault) -> DataKey {
        let active = entries.filter { $0.state == .active }
        let entry = active.first { $0.tenant == tenant } ?? active.first { $0.tenant.isEmpty }
        guard let entry, let key = keys[entry.kid] else {
            throw RingFault.of(
                "the key ring has no active key for this tenant",
                path,
                mend: "add one with `cogni keys rotate`"
            )
        }
        return key
    }

    /// Names the ring through all its changes: the first key it ever had stays in it, retired or not.
    package var lineage: String { entries.first?.kid ?? "" }

    /// What may be known about a key; `nil` for one that the ring never had.
    package func entry(_ kid: String) -> Entry? { entries.first { $0.kid == kid } }

    /// The key of that name, active or not.
    package func key(_ kid: String) throws(Fault) -> DataKey {
        if let key = keys[kid] { return key }
        if entries.contains(where: { $0.kid == kid }) {
            throw RingFault.of(
                "the key \(kid) was retired",
                path,
                mend: "what it sealed can't be had back; use data sealed under another key"
            )
        }
        throw RingFault.of(
            "the key ring has no key \(kid)",
            path,
            mend: "point COGNI_KEY_RING at the ring that sealed the data"
        )
    }
}

extension KeyRing {
    /// Reads, checks and unwraps. The master key comes along for those who change the ring.
    static func open(_ path: String, master source: MasterSource) throws(Fault) -> (
        ring: KeyRing, file: RingFile, master: MasterKey
    ) {
        let content: PrivateFile.Content
        do {
            content = try PrivateFile.read(path, limit: 1 << 20)
        } catch { throw RingFault.file(error, "key ring", path) }
        // Whoever can write the ring can put another in its place; that is looked at before anything is parsed.
        try RingFault.checkAccess(content, "key ring", path, isPublic: true)
        let file = try RingFile(parsing: content.bytes.array, path)
        try RingFault.checkAccess(content, "key ring", path, isPublic: file.isExample)
        return try open(file, path, master: source)
    }

    private static func open(_ file: RingFile, _ path: String, master source: MasterSource) throws(Fault) -> (
        ring: KeyRing, file: RingFile, master: MasterKey
    ) {
        let master = try MasterKey.load(
            source,
            id: file.masterID,
            blob: file.masterBlob,
            ring: path,
            isPublic: file.isExample
        )
        guard KeyBytes.matches(master.commit, file.masterCommit), master.id == file.masterID else {
            throw RingFault.of(
                "the \(source.name) is not the one that this key ring was made with",
                path,
                mend: "give the master key \(file.masterID)"
            )
        }
        guard KeyBytes.matches(try master.mac(of: file.body.canonical, ring: path), file.mac) else {
            throw RingFault.of(
                "the key ring was changed by something other than cogni",
                path,
                mend: "restore the ring from a backup"
            )
        }
        return (KeyRing(file, keys: try keys(of: file, master, path), path: path), file, master)
    }

    private static func keys(of file: RingFile, _ master: MasterKey, _ path: String) throws(Fault) -> [String: DataKey]
    {
        var keys: [String: DataKey] = [:]
        var seen: Set<String> = []
        var active: Set<String> = []
        for key in file.keys {
            let entry = key.entry
            guard seen.insert(entry.kid).inserted else {
                throw RingFault.of(
                    "the key ring has the key \(entry.kid) twice",
                    path,
                    mend: "restore the ring from a backup"
                )
            }
            guard DataKey.kid(of: entry.commit) == entry.kid else {
                throw RingFault.of(
                    "the key \(entry.kid) is not named by its commitment",
                    path,
                    mend: "restore the ring from a backup"
                )
            }
            if entry.state == .active, !active.insert(entry.tenant).inserted {
                throw RingFault.of(
                    "the key ring has two active keys for one tenant",
                    path,
                    mend: "restore the ring from a backup"
                )
            }
            guard let blob = key.blob else { continue }
            guard let opened = master.unwrap(blob, kid: entry.kid, commit: entry.commit, tenant: entry.tenant) else {
                throw RingFault.of(
                    "the key \(entry.kid) can't be unwrapped",
                    path,
                    mend: "restore the ring from a backup"
                )
            }
            guard KeyBytes.matches(opened.commit, entry.commit) else {
                throw RingFault.of(
                    "the key \(entry.kid) is not the one that its name says",
                    path,
                    mend: "restore the ring from a backup"
                )
            }
            keys[entry.kid] = opened
        }
        guard !active.isEmpty else {
            throw RingFault.of("the key ring has no active key", path, mend: "add one with `cogni keys rotate`")
        }
        return keys
    }
}
