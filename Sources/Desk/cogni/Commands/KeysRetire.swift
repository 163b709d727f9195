import ArgumentParser
import Console
import KeyRing
import Load
import Model

extension Keys {
    struct Retire: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "retire",
            abstract: "Deletes a key for good: nobody can open what it sealed.",
            discussion: """
                Examples:
                  cogni keys retire bjugbow2rs --output output/security-inventory
                  cogni keys retire bjugbow2rs --output output/security-inventory --yes

                It says which generations of the outputs named become unreadable, and asks; without a terminal, --yes is the answer. A key that a current
                generation still uses is refused unless --force says otherwise. Copies of the ring in backups still hold the key.
                """
        )
        @OptionGroup var place: Place
        @Argument(help: "The key's name, from `cogni keys list`.") var key: String
        @Option(
            name: .customLong("output"),
            help: ArgumentHelp("A pipeline's output to look at; may be repeated.", valueName: "dir"),
            completion: .directory
        )
        var outputs: [String] = []
        @Flag(help: "Yes, what it sealed may be lost.") var yes = false
        @Flag(help: "Even when a current generation uses it.") var force = false

        func run() throws {
            let path = try place.path
            let ring = try KeyRing.load(path, environment: Environment.all)
            // Throws for a name that the ring has never had, before anything is asked for it.
            if ring.entry(key) == nil { _ = try ring.key(key) }
            var uses: [Use] = []
            for output in outputs { uses += try Use.all(of: key, in: try Output.published(output).root) }
            for use in uses { Terminal.error(use.text) }
            if outputs.isEmpty {
                Terminal.error("warning: no --output was named, so nobody looked which generations become unreadable")
            } else if uses.isEmpty {
                Terminal.error("no generation of the outputs named holds tokens of \(key)")
            }
            if let live = uses.first(where: \.isCurrent), !force {
                throw Fault(
                    .cannotSeal,
                    "the current generation of \(live.output) holds tokens of \(key)",
                    at: ["key ring \(path)"],
                    mend: "run `cogni keys reencrypt PIPELINE` first, or add --force to lose what it sealed"
                )
            }
            guard try yes || isConfirmed(uses) else {
                throw Fault(
                    .badPlan,
                    "retiring \(key) can't be undone, and what it sealed can't be opened any more: \(Use.sum(uses))",
                    mend: "add --yes; copies of the ring in backups still hold the key"
                )
            }
            place.show(try RingKeeper.retire(path, kid: key, environment: Environment.all))
        }

        /// Asks the person at the terminal; without one there is nobody to ask.
        private func isConfirmed(_ uses: [Use]) throws(Fault) -> Bool {
            guard Console.isTerminal(0), Console.isTerminal(2) else { return false }
            Terminal.error(
                "retiring \(key) can't be undone, and what it sealed can't be opened any more: \(Use.sum(uses))"
            )
            guard Terminal.answer(to: "type the key's name to retire it: ") == key else {
                throw Fault(
                    .badPlan,
                    "the key's name was not given, and nothing was retired",
                    mend: "type it as it stands"
                )
            }
            return true
        }
    }
}

/// A generation that holds tokens of a key.
private struct Use {
    let output: String
    let generation: Int
    let isCurrent: Bool
    let files: Int

    var text: String {
        "\(output): generation \(generation)\(isCurrent ? " (current)" : "") becomes unreadable in \(files) files"
    }

    static func sum(_ uses: [Use]) -> String {
        let files = uses.reduce(0) { $0 + $1.files }
        return "\(uses.count) generations with \(files) files of the outputs named"
    }

    static func all(of key: String, in root: OutputRoot) throws(Fault) -> [Use] {
        let current = try? root.currentNumber()
        var uses: [Use] = []
        for number in try root.generations() {
            let manifest = try root.generation(number).manifest
            // Older manifests do not say it of each file.
            let isNoted = manifest.files.contains { $0.keyID != nil }
            let unnoted = manifest.keyIDs.contains(key) ? manifest.files.count : 0
            let files = isNoted ? manifest.files.filter { $0.keyID == key }.count : unnoted
            guard files > 0 else { continue }
            uses.append(Use(output: root.path, generation: number, isCurrent: number == current, files: files))
        }
        return uses
    }
}
