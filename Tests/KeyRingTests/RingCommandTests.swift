import Model
import Sealing
import Testing

@testable import KeyRing

@Suite struct RingCommandTests {
    /// A ring in a file, a program that prints it, and an environment that names both program and master key.
    private struct Printed {
        let folder: Folder
        let place: String
        var environment: [String: String]
        let entries: [KeyRing.Entry]

        init(script: (String) -> String = { "cat '\($0)'" }, keys: Int = 1) throws {
            folder = try Folder()
            let master = try folder.write([UInt8](repeating: 0xC3, count: 32), "master")
            environment = ["COGNI_MASTER_KEY_FILE": master]
            let path = folder.path("r")
            var ring = try RingKeeper.create(path, environment: environment, now: someTime).ring
            for _ in 1..<keys { ring = try RingKeeper.rotate(path, environment: environment, now: someTime) }
            entries = ring.entries
            let program = try folder.write(Array("#!/bin/sh\n\(script(path))\n".utf8), "print", mode: 0o700)
            place = "command:\(program) --token hidden"
            environment["COGNI_KEY_RING"] = place
        }

        func refusal(_ place: String? = nil, _ environment: [String: String]? = nil) -> Fault? {
            fault { _ = try KeyRing.load(place ?? self.place, environment: environment ?? self.environment) }
        }
    }

    @Test(arguments: [1, 30])
    func aProgramThatPrintsARingIsAsGoodAsItsFile(keys: Int) throws {
        let printed = try Printed(keys: keys)
        let ring = try KeyRing.load(printed.place, environment: printed.environment)
        #expect(ring.entries == printed.entries)
        #expect(ring.path.hasSuffix("/print"), "its arguments are shown to nobody")
    }

    @Test func aCommandThatIsNotOfTheEnvironmentIsNotStarted() throws {
        let printed = try Printed(script: { "touch '\($0).started'; cat '\($0)'" })
        var environment = printed.environment
        environment["COGNI_KEY_RING"] = nil
        let refused = printed.refusal(nil, environment)
        #expect(refused?.what == "a key ring's command is taken from the environment only")
        #expect(refused?.code == .cannotSeal)
        #expect(printed.refusal(printed.place + " more")?.what == refused?.what, "nor is another one")
        #expect(throws: (any Error).self) { try printed.folder.text("r.started") }
        #expect(try KeyRing.load(printed.place, environment: printed.environment).entries == printed.entries)
        #expect(try printed.folder.text("r.started") == "")
    }

    @Test(arguments: ["command:", "command:print", "command:./print", "command: "])
    func onlyAnAbsolutePathIsStarted(place: String) throws {
        let printed = try Printed()
        let environment = printed.environment.merging(["COGNI_KEY_RING": place]) { $1 }
        #expect(printed.refusal(place, environment)?.what == "the key ring command is not an absolute path")
    }

    @Test func itsMasterKeyHasToBeNamed() throws {
        let printed = try Printed()
        let refused = printed.refusal(nil, ["COGNI_KEY_RING": printed.place])
        #expect(refused?.what == "a key ring that a command prints has no master key beside it")
    }

    @Test func whatItPrintsIsCheckedAsAFileIs() throws {
        #expect(
            try Printed(script: { "sed 's/active/retired/' '\($0)'" }).refusal()?.what.contains("changed by something")
                == true
        )
        #expect(try Printed(script: { _ in "echo no ring" }).refusal()?.what.contains("not JSON") == true)
        #expect(
            try Printed(script: { _ in "head -c 2000000 /dev/zero" }).refusal()?.what.hasSuffix("1048576 bytes") == true
        )
        let key = "sk-" + "admin-abcdefghijklmnopqrstuvwxyz"
        let failed = try Printed(script: { _ in "echo 'bad \(key)' >&2; exit 7" }).refusal()
        #expect(failed?.what.hasSuffix("print ended with status 7: bad sk-a…wxyz") == true)
        #expect(failed.map { "\($0)".contains("hidden") } == false)
    }

    @Test func itSeesNothingOfOurEnvironment() throws {
        let printed = try Printed(script: { "env > '\($0).seen'; cat '\($0)'" })
        _ = try KeyRing.load(printed.place, environment: printed.environment)
        let names = Set(
            try printed.folder.text("r.seen").split(separator: "\n").compactMap {
                $0.split(separator: "=").first.map(String.init)
            }
        )
        #expect(names.subtracting(["PATH", "LANG", "PWD", "SHLVL", "_", "OLDPWD"]).isEmpty)
    }

    @Test func nothingChangesARingThatACommandPrints() throws {
        let printed = try Printed()
        let before = try printed.folder.text("r")
        let (place, environment) = (printed.place, printed.environment)
        for refused in [
            fault { _ = try RingKeeper.create(place, environment: environment, now: someTime) },
            fault { _ = try RingKeeper.rotate(place, environment: environment, now: someTime) },
            fault { _ = try RingKeeper.retire(place, kid: "aaaaaaaaaa", environment: environment) },
            fault { _ = try RingKeeper.rewrap(place, environment: environment, to: nil) },
        ] {
            #expect(refused?.what == "a key ring that a command prints can't be changed from here")
            #expect(refused.map { "\($0)".contains("hidden") } == false)
        }
        #expect(try printed.folder.text("r") == before)
    }
}
