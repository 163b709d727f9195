import ArgumentParser
import KeyRing
import Model

struct Keys: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Makes and changes key rings.",
        discussion: """
            Examples:
              export COGNI_KEY_RING=keys.json
              cogni keys create
              cogni keys list
              cogni keys rotate

            The ring's keys are wrapped by a master key: in the file that COGNI_MASTER_KEY_FILE names, in COGNI_MASTER_KEY,
            from the program that COGNI_MASTER_KEY_COMMAND names, or else in a file beside the ring, made with it.
            """,
        subcommands: [Create.self, List.self, Rotate.self, Retire.self]
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
        static let configuration = CommandConfiguration(abstract: "A new ring with one fresh key.")
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
        static let configuration = CommandConfiguration(abstract: "The ring's keys by name, never the keys themselves.")
        @OptionGroup var place: Place

        func run() throws { place.show(try KeyRing.load(try place.path, environment: Environment.all)) }
    }

    struct Rotate: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Adds a key that seals from now on; the ones before go on opening.",
            discussion: "Tokens of different keys do not join: run once with --full-refresh to seal everything anew."
        )
        @OptionGroup var place: Place
        @Option(help: "Whose key; the one for all tenants by default.") var tenant = ""

        func run() throws {
            place.show(
                try RingKeeper.rotate(try place.path, environment: Environment.all, tenant: tenant, now: Output.now)
            )
        }
    }

    struct Retire: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Deletes a key for good: nobody can open what it sealed."
        )
        @OptionGroup var place: Place
        @Argument(help: "The key's name, from `cogni keys list`.") var key: String
        @Flag(help: "Yes, what it sealed may be lost.") var yes = false

        func run() throws {
            guard yes else {
                throw Fault(
                    .badPlan,
                    "retiring \(key) can't be undone, and what it sealed can't be opened any more",
                    mend: "add --yes; copies of the ring in backups still hold the key"
                )
            }
            place.show(try RingKeeper.retire(try place.path, kid: key, environment: Environment.all))
        }
    }
}
