import ArchiveWriting
import ArgumentParser
import Console
import Disk
import KeyRing
import Load
import Model
import Sanitizing

struct Decrypt: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "decrypt",
        abstract: "Opens encrypted fields for those who hold the key ring.",
        discussion: """
            Examples:
              export COGNI_KEY_RING=keys.json
              cogni decrypt output/security-inventory/current/users/*.ndjson.zst --reason "ticket 4711" --output users.ndjson
              cogni decrypt extract.csv --reason audit --tenant security-inventory --domain email=email | head

            Tenant and domains come from the manifest beside the files; give them by hand for files from elsewhere. Rows come
            out as they are, with every token of a known column opened. What can't be opened at all ends with exit code 9.
            Several files make one result, so they are all NDJSON, or all CSV with the same columns.

            Of a CSV archive with load.guard_formulas, opened texts need the guard as well before a spreadsheet opens them:
            --guard-formulas gives it to them.

            Before the first byte a record of who opens what and why is added to the trail beside the ring; `cogni keys audit`
            checks the trail.
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
        help: ArgumentHelp(
            "A column's domain, where no manifest says it, or that of a value inside of it (column.key); may be repeated.",
            valueName: "column=domain"
        )
    )
    var domain: [String] = []
    @Option(help: ArgumentHelp("Why; kept in the trail.", valueName: "text")) var reason: String
    @Option(help: ArgumentHelp("Open only these columns.", valueName: "a,b")) var fields: String?
    @Option(help: ArgumentHelp("The trail; otherwise the one beside the ring.", valueName: "file"), completion: .file())
    var audit: String?
    @Flag(help: "CSV: put ' before opened texts that a spreadsheet would run, as load.guard_formulas does.")
    var guardFormulas = false
    @Flag(help: "Yes, show opened fields on this terminal.") var yes = false
    @Flag(help: "Print counts as JSON on stdout; needs --output.") var json = false

    func validate() throws {
        if json, output == nil { throw ValidationError("--json needs --output, since both would go to stdout.") }
        if reason.allSatisfy(\.isWhitespace) { throw ValidationError("--reason is empty: say why.") }
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
        if guardFormulas, let other = files.first(where: { RowFormat(path: $0) != .csv }) {
            throw Fault(
                .badPlan,
                "--guard-formulas is for CSV, and \(other) is NDJSON",
                mend: "leave it out: no spreadsheet runs NDJSON"
            )
        }
        var place = Keys.Place()
        place.ring = ring
        let keys = try KeyRing.load(try place.path, environment: Environment.all)
        for warning in keys.warnings { Terminal.error("warning: \(warning)") }
        try JoinedFiles.check(files)
        try note(keys, in: try place.trail(audit, option: "--audit"))
        var sink = try OpenedSink(output)
        var counts = (opened: 0, left: 0, rows: 0)
        do {
            for file in files {
                let rules = try rules(for: file)
                let isCSV = RowFormat(path: file) == .csv
                var decryptor = Decryptor(
                    keys,
                    tenant: rules.tenant,
                    places: SealedPlaces(rules.domains, rows: rules.rows),
                    format: isCSV ? .csv : .ndjson,
                    guardsFormulas: guardFormulas
                )
                sink.beginFile(hasHeader: isCSV)
                let reader = try inArchive { () throws(ArchiveError) in try ArchiveReader(file) }
                while let block = try inArchive({ () throws(ArchiveError) in
                    try reader.nextBlock { span in span.indices.map { span[$0] } }
                }) {
                    var out: [UInt8] = []
                    do throws(Fault) { try decryptor.feed(block, into: &out) } catch {
                        throw explained(error, keys).within("file \(file)")
                    }
                    try sink.write(out)
                }
                var out: [UInt8] = []
                do throws(Fault) { try decryptor.finish(into: &out) } catch {
                    throw explained(error, keys).within("file \(file)")
                }
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
            let unasked = fields == nil ? "" : "columns that were not asked for, "
            let left =
                counts.left == 0
                ? "" : "; \(counts.left) left sealed: \(unasked)pseudonyms, or places without a known domain"
            Terminal.error("\(counts.rows) rows, \(counts.opened) tokens opened\(left)")
        }
    }

    /// That a key was retired is no secret, and the one reason why a token can't be opened that nobody can mend.
    private func explained(_ fault: Fault, _ keys: KeyRing) -> Fault {
        let names = fault.place.filter { $0.hasPrefix("key ") }.map { String($0.dropFirst(4)) }
        guard let kid = names.first(where: { keys.entry($0)?.state == .retired }) else { return fault }
        var fault = fault
        fault.what = "a token can't be opened: its key \(kid) was retired"
        fault.mend = "what it sealed can't be had back; name other columns with --fields, or other files"
        return fault
    }

    /// The record in the trail, durable before anything is opened.
    private func note(_ keys: KeyRing, in trail: AuditTrail) throws(Fault) {
        var columns: Set<String> = []
        for file in files { columns.formUnion(try rules(for: file).domains.keys) }
        let user = Console.user
        let sanitizer = Terminal.sanitizer
        let usable = keys.entries.filter { $0.state != .retired }.map(\.kid)
        try trail.append([
            .init("action", "decrypt"), .init("at", .string(Output.now.text)),
            .init("by", ["uid": .integer(user.id), "user": .string(user.name), "host": .string(Console.hostName)]),
            .init("sudo_user", .optional(Environment.all["SUDO_USER"].map { sanitizer.clean($0) })),
            .init("reason", .string(sanitizer.clean(reason))),
            .init("files", .strings(files.map { sanitizer.clean($0) })), .init("fields", .strings(columns.sorted())),
            .init("key_ids", .strings(usable)), .init("ring", .string(sanitizer.clean(keys.path))),
            .init("ring_generation", .integer(keys.generation)),
            .init("output", .optional(output.map { sanitizer.clean($0) })),
        ])
    }

    /// Tenant and domains: what was given by hand wins over what the manifest says.
    private func rules(for file: String) throws(Fault) -> TokenRules {
        let isThere = try onDisk { () throws(DiskError) in try Disk.target(file) != nil }
        guard isThere else {
            throw Fault(
                .badPlan,
                "there is no file \(file)",
                mend: "name an archive, such as output/openai-admin/current/users/….ndjson.gz"
            )
        }
        let found = try TokenRules.beside(file)
        var domains = found?.domains ?? [:]
        for pair in domain {
            let halves = pair.split(separator: "=", maxSplits: 1).map(String.init)
            domains[halves[0]] = halves[1]
        }
        if let fields {
            let wanted = Set(fields.split(separator: ",").map(String.init))
            // A column stands for all that is sealed in it.
            func column(_ path: String) -> String { String(path.prefix { $0 != "." }) }
            let missing = wanted.subtracting(domains.keys).subtracting(domains.keys.map(column))
            guard missing.isEmpty else {
                throw Fault(
                    .badPlan,
                    "\(file) has no encrypted column \(missing.sorted().joined(separator: ", "))",
                    mend: "it has: \(domains.keys.sorted().joined(separator: ", "))"
                )
            }
            domains = domains.filter { wanted.contains($0.key) || wanted.contains(column($0.key)) }
        }
        guard let tenant = tenant ?? found?.tenant else {
            throw Fault(
                .badPlan,
                "no manifest beside \(file) says how it was encrypted",
                mend: "give --tenant NAME and --domain COLUMN=DOMAIN, or name a file inside of a generation"
            )
        }
        return TokenRules(tenant: tenant, domains: domains, rows: found?.rows ?? .plain)
    }
}
