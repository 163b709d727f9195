import Disk
import KeyRing
import Load
import Model

/// How the columns of an archive were encrypted, from the manifest of its generation.
struct TokenRules {
    var tenant: String
    /// By column, and by `column.key.key` for values inside of one.
    var domains: [String: String]
    var rows = SealedPlaces.Rows.plain

    /// Looks for `manifest.json` in the file's folder and the two above it; `nil` when there is none, or when nothing
    /// in it is encrypted.
    static func beside(_ file: String) throws(Fault) -> TokenRules? {
        var folder = Disk.parent(file)
        var names = [file.split(separator: "/").last.map(String.init) ?? file]
        for _ in 0..<3 {
            let path = folder + "/manifest.json"
            let isThere = try onDisk { () throws(DiskError) in try Disk.target(path)?.kind == .file }
            if isThere { return rules(try Manifest(at: path), for: names.joined(separator: "/")) }
            guard folder != ".", folder != "/" else { return nil }
            names.insert(folder.split(separator: "/").last.map(String.init) ?? "", at: 0)
            folder = Disk.parent(folder)
        }
        return nil
    }

    private static func rules(_ manifest: Manifest, for path: String) -> TokenRules? {
        guard let crypto = manifest.crypto else { return nil }
        let owner = manifest.streams.first { stream in
            stream.partitions.contains { $0.files.contains { $0.path == path } }
        }
        let stream = owner?.name ?? path.split(separator: "/").first.map(String.init) ?? ""
        var rules = TokenRules(tenant: crypto.tenant, domains: [:])
        // What changed between snapshots, and what a re-read restated, is sealed as in the stream itself.
        var base = stream
        for (suffix, rows) in [("_changes", SealedPlaces.Rows.changes), ("_restatements", .restatements)]
        where stream.hasSuffix(suffix) {
            base = String(stream.dropLast(suffix.count))
            rules.rows = rows
        }
        for name in [base, stream] {
            for field in crypto.fields where field.path.hasPrefix(name + ".") {
                rules.domains[String(field.path.dropFirst(name.count + 1))] = field.domain
            }
        }
        return rules
    }
}
