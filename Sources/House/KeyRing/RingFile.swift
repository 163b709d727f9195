internal import Model
internal import Sealing

/// A key ring as it stands in its file: canonical JSON, every data key wrapped, the whole under a MAC.
struct RingFile: Sendable {
    struct Key: Sendable {
        var entry: KeyRing.Entry
        /// nonce ‖ ciphertext ‖ tag; `nil` once the key is retired.
        var blob: [UInt8]?
    }

    static let format = "etl-keyring/1"

    var generation: Int
    var isExample: Bool
    var masterID: String
    var masterCommit: [UInt8]
    /// For a master key that a KMS keeps.
    var masterBlob: String?
    var keys: [Key]
    var mac: [UInt8] = []

    /// The ring's text without its MAC: what the MAC is made of.
    var body: JSONValue {
        var master: [JSONValue.Member] = [
            .init("commit", .string(Base64.standard.text(masterCommit))), .init("id", .string(masterID)),
            .init("source", .string(masterBlob == nil ? "key" : "command")),
        ]
        if let masterBlob { master.append(.init("blob", .string(masterBlob))) }
        var members: [JSONValue.Member] = [
            .init("format", .string(RingFile.format)), .init("generation", .integer(generation)),
            .init("keks", .array([.object(master)])), .init("deks", .array(keys.map(json))),
        ]
        if isExample { members.append(.init("example", true)) }
        return .object(members)
    }

    /// What is written: one line.
    var text: [UInt8] {
        guard case .object(let members) = body else { return [] }
        return JSONValue.object(members + [.init("mac", .string(Base64.standard.text(mac)))]).canonical + [0x0A]
    }

    private func json(_ key: Key) -> JSONValue {
        let wrapped = key.blob.map { blob -> JSONValue in
            [["alg": "A256GCM", "blob": .string(Base64.standard.text(blob)), "kek": .string(masterID)]]
        }
        return [
            "kid": .string(key.entry.kid), "epoch": .integer(key.entry.epoch),
            "state": .string(key.entry.state.rawValue),
            "commit": .string(Base64.standard.text(key.entry.commit)), "created": .string(key.entry.created.text),
            "tenant": .string(key.entry.tenant), "wrapped": wrapped ?? [],
        ]
    }

    init(generation: Int, isExample: Bool, master: MasterKey, keys: [Key]) {
        self.generation = generation
        self.isExample = isExample
        masterID = master.id
        masterCommit = master.commit
        masterBlob = master.blob
        self.keys = keys
    }

    init(parsing bytes: [UInt8], _ path: String) throws(Fault) {
        let json: JSONValue
        do { json = try JSONValue(parsing: bytes) } catch {
            throw RingFault.of("the key ring is not JSON: \(error)", path, mend: "restore the ring from a backup")
        }
        guard let format = json["format"]?.text else {
            throw RingFault.of(
                "the file is not a key ring",
                path,
                mend: "point COGNI_KEY_RING at the file that `cogni keys create` wrote"
            )
        }
        guard format == RingFile.format else {
            throw RingFault.of(
                "the key ring has another format than \(RingFile.format)",
                path,
                mend: "use the version of cogni that wrote it"
            )
        }
        guard let generation = json["generation"]?.integer, let masters = json["keks"]?.elements, masters.count == 1,
            let id = masters[0]["id"]?.text,
            let commit = masters[0]["commit"]?.text.flatMap({ Base64.standard.decode($0) }),
            let mac = json["mac"]?.text.flatMap({ Base64.standard.decode($0) }), let deks = json["deks"]?.elements
        else { throw RingFile.malformed(path) }
        self.generation = generation
        isExample = json["example"]?.boolean == true
        masterID = id
        masterCommit = commit
        masterBlob = masters[0]["blob"]?.text
        self.mac = mac
        keys = []
        for dek in deks { keys.append(try RingFile.key(dek, path)) }
    }

    private static func key(_ json: JSONValue, _ path: String) throws(Fault) -> Key {
        guard let kid = json["kid"]?.text, let epoch = json["epoch"]?.integer,
            let state = json["state"]?.text.flatMap(KeyRing.State.init(rawValue:)),
            let commit = json["commit"]?.text.flatMap({ Base64.standard.decode($0) }), commit.count == 32,
            let created = json["created"]?.text.flatMap(Instant.init(text:)), let wrapped = json["wrapped"]?.elements
        else { throw malformed(path) }
        let entry = KeyRing.Entry(
            kid: kid,
            epoch: epoch,
            state: state,
            created: created,
            tenant: json["tenant"]?.text ?? "",
            commit: commit
        )
        if state == .retired { return Key(entry: entry, blob: nil) }
        guard let blob = wrapped.first?["blob"]?.text.flatMap({ Base64.standard.decode($0) }) else {
            throw malformed(path)
        }
        return Key(entry: entry, blob: blob)
    }

    private static func malformed(_ path: String) -> Fault {
        RingFault.of("the key ring lacks something that every ring has", path, mend: "restore the ring from a backup")
    }
}
