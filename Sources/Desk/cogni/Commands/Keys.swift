import ArgumentParser
import KeyRing
import Model

struct Keys: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys",
        abstract: "Makes and changes key rings.",
        discussion: """
            Examples:
              export COGNI_KEY_RING=keys.json
              cogni keys create
              cogni keys list
              cogni keys rotate
              cogni keys reencrypt pipelines/security-inventory.yaml
              cogni keys retire bjugbow2rs --output output/security-inventory

            The ring's keys are wrapped by a master key: in the file that COGNI_MASTER_KEY_FILE names, in the systemd credential
            that COGNI_MASTER_KEY_CREDENTIAL names, in the open file descriptor COGNI_MASTER_KEY_FD, in COGNI_MASTER_KEY, from
            the program that COGNI_MASTER_KEY_COMMAND names, in the credential `cogni-master-key` where there is one, or else in a
            file beside the ring, made with it. With COGNI_KEY_RING=command:/path/to/program a program prints the ring; then it can
            be read and not changed. `rewrap` changes the master key, `rotate` the key that seals.
            """,
        subcommands: [
            Create.self, List.self, Rotate.self, Rewrap.self, Reencrypt.self, Retire.self, Audit.self,
        ]
    )

    struct Place: ParsableArguments {
        @Option(help: ArgumentHelp("The key ring; otherwise COGNI_KEY_RING.", valueName: "file"), completion: .file())
        var ring: String?
        @Flag(help: "Print the ring's entries (never a key) as JSON on stdout.") var json = false

        var path: String {
            get throws {
                if let ring { return ring }
                if let path = Environment.all["COGNI_KEY_RING"], !path.isEmpty { return path }
                throw Fault(.badPlan, "no key ring is named", mend: "set COGNI_KEY_RING to its path, or give --ring")
            }
        }

        /// The trail that is named, or the one beside the ring.
        func trail(_ named: String?, option: String) throws -> AuditTrail {
            if let named { return AuditTrail(named) }
            let path = try path
            guard !KeyRing.isPrinted(path) else {
                throw Fault(
                    .badPlan,
                    "the key ring comes from a command, and a trail can't stand beside it",
                    mend: "name the trail with \(option)"
                )
            }
            return AuditTrail.beside(ring: path)
        }

        func show(_ ring: KeyRing, masterFile: String? = nil) {
            for warning in ring.warnings { Terminal.error("warning: \(warning)") }
            if json {
                return Terminal.out([
                    "ring": .string(ring.path), "generation": .integer(ring.generation),
                    "master_file": .optional(masterFile),
                    "keys": .array(
                        ring.entries.map { entry in
                            [
                                "kid": .string(entry.kid), "epoch": .integer(entry.epoch),
                                "state": .string(entry.state.rawValue), "created": .string(entry.created.text),
                                "tenant": .string(entry.tenant),
                            ]
                        }
                    ),
                ])
            }
            var table = TextTable(["key", "epoch", "state", "created", "tenant"], numbers: [1])
            for entry in ring.entries {
                table.add(
                    entry.kid,
                    String(entry.epoch),
                    entry.state.rawValue,
                    entry.created.text,
                    entry.tenant.isEmpty ? "(all)" : entry.tenant
                )
            }
            Terminal.out(table.text)
        }
    }

    struct Create: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "create",
            abstract: "A new ring with one fresh key."
        )
        @OptionGroup var place: Place
        @Option(help: "Whom the key is for; all tenants by default.") var tenant = ""

        func run() throws {
            let made = try RingKeeper.create(
                try place.path,
                environment: Environment.all,
                tenant: tenant,
                now: Output.now
            )
            place.show(made.ring, masterFile: made.masterFile)
            if let file = made.masterFile {
                Terminal.error("the master key was made too: \(file). Keep it apart from the ring, and back up both")
            }
        }
    }

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "The ring's keys by name, never the keys themselves."
        )
        @OptionGroup var place: Place

        func run() throws { place.show(try KeyRing.load(try place.path, environment: Environment.all)) }
    }

    struct Rotate: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate",
            abstract: "Adds a key that seals from now on; the ones before go on opening.",
            discussion: """
                A new key begins a new epoch. From the next run on, partitions that are written anew are sealed under it as a whole;
                those that are not touched keep their tokens, and tokens of two keys do not join. The manifest names the key of
                each file. `cogni keys reencrypt PIPELINE` gives everything the new key at once.
                """
        )
        @OptionGroup var place: Place
        @Option(help: "Whose key; the one for all tenants by default.") var tenant = ""

        func run() throws {
            place.show(
                try RingKeeper.rotate(try place.path, environment: Environment.all, tenant: tenant, now: Output.now)
            )
        }
    }
}
