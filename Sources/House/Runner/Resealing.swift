internal import KeyRing
internal import Load
internal import Model
internal import Sealing

/// How rows of the current generation get the tokens of today's key, where they meet new rows.
///
/// After a rotation the archive holds tokens of two keys, by partitions: one that is written anew is written under the new key as a
/// whole, so that no file mixes keys, lists stay comparable, and rows of a log still meet their repeats.
struct Resealing: Sendable {
    private let ring: KeyRing
    private let target: DataKey
    private let tenant: String
    private let domains: Resealer.Domains

    /// `nil` when the stream's files hold no token of another key than `target`.
    init?(stream name: String, in manifest: Manifest, ring: KeyRing?, target: DataKey?) {
        guard let ring, let target, let crypto = manifest.crypto, let stream = manifest.stream(name) else { return nil }
        let fields = Resealing.fields(of: name, crypto)
        guard !fields.isEmpty else { return nil }
        let files = stream.partitions.flatMap(\.files)
        let isCurrent = files.allSatisfy { ($0.keyID ?? manifest.keyIDs.first) == target.kid }
        guard !isCurrent else { return nil }
        self.ring = ring
        self.target = target
        tenant = crypto.tenant
        domains = Resealing.domains(of: fields)
    }

    func resealer() -> Resealer { Resealer(ring, to: target, tenant: tenant, domains: domains) }

    static func domains(of fields: [(path: String, domain: String)]) -> Resealer.Domains {
        var domains = Resealer.Domains()
        for (path, domain) in fields {
            if !path.contains(".") { domains.columns[path] = domain }
            if !domains.inside.contains(domain) { domains.inside.append(domain) }
        }
        return domains
    }

    /// The sealed places of a stream, without its name. What changed between snapshots, and what a re-read restated, is sealed as
    /// in the stream itself.
    static func fields(of name: String, _ crypto: Manifest.Crypto) -> [(path: String, domain: String)] {
        let suffix = [ChangeLog.name(""), RestatementLedger.name("")].first { name.hasSuffix($0) } ?? ""
        let base = String(name.dropLast(suffix.count))
        return crypto.fields.compactMap { field in
            for stream in Set([base, name]) where field.path.hasPrefix(stream + ".") {
                return (String(field.path.dropFirst(stream.count + 1)), field.domain)
            }
            return nil
        }
    }
}
