import ArchiveWriting
import ArgumentParser
import Console
import Disk
import KeyRing
import Load
import Model

struct Decrypt: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Opens encrypted fields for those who hold the key ring.",
        discussion: """
            Examples:
              export COGNI_KEY_RING=keys.json
              cogni decrypt output/security-inventory/current/users/*.ndjson.zst --output users.ndjson
              cogni decrypt extract.csv --tenant security-inventory --domain email=email --domain id=user | head

            Tenant and domains come from the manifest beside the files; give them by hand for files from elsewhere. Rows come
            out as they are, with every token of a known column opened. What can't be opened at all ends with exit code 9.
            """
    )

    @Argument(help: "Archives: .ndjson or .csv, plain, .gz or .zst.", completion: .file()) var files: [String]
    @Option(
        help: ArgumentHelp("Where the rows go, readable by you alone; otherwise stdout.", valueName: "file"),
        completion: .file()
    )
    var output: String?
    @Option(help: ArgumentHelp("The key ring; otherwise COGNI_KEY_RING.", valueName: "file"), completion: .file())
    var ring: String?
    @Option(help: "Whose tokens these are, where no manifest says it.") var tenant: String?
    @Option(
        help: ArgumentHelp("A column's domain, where no manifest says it; may be repeated.", valueName: "column=domain")
    )
    var domain: [String] = []
    @Flag(help: "Yes, show opened fields on this terminal.") var yes = false
    @Flag(help: "Print counts as JSON on stdout; needs --output.") var json = false

    func validate() throws {
        if json, output == nil { throw ValidationError("--json needs --output, since both would go to stdout.") }
        for pair in domain where !pair.contains("=") || pair.hasPrefix("=") || pair.hasSuffix("=") {
            throw ValidationError("--domain \(pair) is not written as column=domain.")
        }
    }

    func run() throws {
        if output == nil, Console.isTerminal(1), !yes {
            throw Fault(
                .badPlan,
                "opened fields would be shown on this terminal",
                mend: "write them to a file with --output, or add --yes to see them"
            )
        }
        var place = Keys.Place()
        place.ring = ring
        let keys = try KeyRing.load(try place.path, environment: Environment.all)
        for warning in keys.warnings { Terminal.error("warning: \(warning)") }
        var sink = try OpenedSink(output)
        var counts = (opened: 0, left: 0, rows: 0)
        do {
            for file in files {
                let rules = try rules(for: file)
                let isCSV = RowFormat(path: file) == .csv
                var decryptor = Decryptor(
                    keys,
                    tenant: rules.tenant,
                    domains: rules.domains,
                    format: isCSV ? .csv : .ndjson
                )
                sink.beginFile(hasHeader: isCSV)
                let reader = try inArchive { () throws(ArchiveError) in try ArchiveReader(file) }
                while let block = try inArchive({ () throws(ArchiveError) in
                    try reader.nextBlock { span in span.indices.map { span[$0] } }
                }) {
                    var out: [UInt8] = []
                    do throws(Fault) { try decryptor.feed(block, into: &out) } catch {
                        throw error.within("file \(file)")
                    }
                    try sink.write(out)
                }
                var out: [UInt8] = []
                do throws(Fault) { try decryptor.finish(into: &out) } catch { throw error.within("file \(file)") }
                try sink.write(out)
                counts.opened += decryptor.opened
                counts.left += decryptor.left
                counts.rows += decryptor.rows
            }
            try sink.close()
        } catch {
            sink.abandon()
            throw error
        }
        if json {
            Terminal.out([
                "output": .optional(output), "files": .integer(files.count), "rows": .integer(counts.rows),
                "opened": .integer(counts.opened), "left": .integer(counts.left),
            ])
        } else {
            let left =
                counts.left == 0 ? "" : "; \(counts.left) left sealed: pseudonyms, or columns without a known domain"
            Terminal.error("\(counts.rows) rows, \(counts.opened) tokens opened\(left)")
        }
    }

    /// Tenant and domains: what was given by hand wins over what the manifest says.
    private func rules(for file: String) throws(Fault) -> (tenant: String, domains: [String: String]) {
        let found = try TokenRules.beside(file)
        var domains = found?.domains ?? [:]
        for pair in domain {
            let halves = pair.split(separator: "=", maxSplits: 1).map(String.init)
            domains[halves[0]] = halves[1]
        }
        guard let tenant = tenant ?? found?.tenant else {
            throw Fault(
                .badPlan,
                "no manifest beside \(file) says how it was encrypted",
                mend: "give --tenant NAME and --domain COLUMN=DOMAIN, or name a file inside of a generation"
            )
        }
        return (tenant, domains)
    }
}

/// How the columns of an archive were encrypted, from the manifest of its generation.
struct TokenRules {
    var tenant: String
    var domains: [String: String]

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
        // What changed between snapshots is sealed as in the snapshot itself.
        let suffix = "_changes"
        let base = stream.hasSuffix(suffix) ? String(stream.dropLast(suffix.count)) : stream
        for name in [base, stream] {
            for field in crypto.fields where field.path.hasPrefix(name + ".") {
                let column = String(field.path.dropFirst(name.count + 1))
                if !column.contains(".") { rules.domains[column] = field.domain }
            }
        }
        return rules
    }
}

/// Where opened rows go: stdout, or a private file that appears only when all of it is there.
struct OpenedSink {
    private let path: String?
    private var file: DiskFile?
    private var files = 0
    private var skipsHeader = false

    private var partial: String { (path ?? "") + ".partial" }

    init(_ path: String?) throws(Fault) {
        self.path = path
        guard path != nil else { return }
        let partial = partial
        file = try onDisk { () throws(DiskError) in
            if try Disk.exists(partial) { try Disk.remove(partial) }
            return try DiskFile.create(partial, mode: 0o600)
        }
    }

    /// Only the first CSV file's header is kept.
    mutating func beginFile(hasHeader: Bool) {
        skipsHeader = hasHeader && files > 0
        files += 1
    }

    mutating func write(_ bytes: [UInt8]) throws(Fault) {
        var bytes = bytes
        if skipsHeader, let end = bytes.firstIndex(of: 10) {
            bytes.removeFirst(end + 1)
            skipsHeader = false
        }
        guard !bytes.isEmpty else { return }
        guard let file else { return Terminal.data(bytes) }
        try onDisk { () throws(DiskError) in try file.write(bytes.span) }
    }

    mutating func close() throws(Fault) {
        guard let file, let path else { return }
        let partial = partial
        try onDisk { () throws(DiskError) in
            try file.sync()
            try file.close()
            try Disk.rename(partial, to: path)
        }
        self.file = nil
    }

    mutating func abandon() {
        guard let file else { return }
        try? file.close()
        try? Disk.remove(partial)
        self.file = nil
    }
}
