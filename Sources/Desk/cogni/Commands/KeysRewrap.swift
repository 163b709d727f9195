import ArgumentParser
import KeyRing
import Model

extension Keys {
    struct Rewrap: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rewrap",
            abstract: "Changes the master key; no token and no archive changes.",
            discussion: """
                Examples:
                  cogni keys rewrap                                   a new master key in the place of the old
                  cogni keys rewrap --to-file /etc/cogni/master-2027
                  cogni keys rewrap --to-command "/usr/local/bin/kms-hook eu-west"

                Without an option, a master key file gets a new key in its place, and a KMS a new key to wrap. With one, the ring opens
                only with the master key named from then on: change the variable that names it as well.
                """
        )
        @OptionGroup var place: Place
        @Option(help: ArgumentHelp("The new master key's file.", valueName: "file"), completion: .file())
        var toFile: String?
        @Option(help: ArgumentHelp("A systemd credential.", valueName: "name")) var toCredential: String?
        @Option(help: ArgumentHelp("An open file descriptor.", valueName: "n")) var toFd: String?
        @Option(help: ArgumentHelp("A program, by its absolute path, and arguments.", valueName: "command"))
        var toCommand: String?

        func validate() throws {
            if [toFile, toCredential, toFd, toCommand].compactMap(\.self).count > 1 {
                throw ValidationError("name one new master key, not several.")
            }
        }

        func run() throws {
            let path = try place.path
            let done = try RingKeeper.rewrap(path, environment: Environment.all, to: try target(path))
            place.show(done.ring, masterFile: done.masterFile)
            if let file = done.masterFile { Terminal.error("the new master key is in \(file); back it up") }
            Terminal.error("copies of the ring from before still open with \(done.before): keep it while you keep them")
        }

        private func target(_ path: String) throws(Fault) -> MasterSource? {
            if let toFile { return .file(toFile) }
            if let toCredential {
                return try MasterSource.credential(toCredential, in: Environment.all, ring: path)
            }
            if let toFd { return try MasterSource.descriptor(toFd, ring: path) }
            return toCommand.map { MasterSource.command($0) }
        }
    }
}
