import ArgumentParser
import KeyRing
import Model

extension Keys {
    struct Audit: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "audit",
            abstract: "Re-reads the trail of openings and checks its chain.",
            discussion: """
                Examples:
                  cogni keys audit
                  cogni keys audit --file /var/log/cogni/openings.ndjson --json

                `cogni decrypt` writes the trail. Ends with 1 when a record was changed, moved or taken out.
                """
        )
        @Option(help: ArgumentHelp("The key ring; otherwise COGNI_KEY_RING.", valueName: "file"), completion: .file())
        var ring: String?
        @Option(
            help: ArgumentHelp("The trail; otherwise the one beside the ring.", valueName: "file"),
            completion: .file()
        )
        var file: String?
        @Flag(help: "Print the result as JSON on stdout.") var json = false

        func run() throws {
            var place = Place()
            place.ring = ring
            let trail = try place.trail(file, option: "--file")
            let report = try trail.verify()
            if json {
                Terminal.out([
                    "trail": .string(trail.path), "records": .integer(report.records), "last": .string(report.last),
                    "good": .bool(report.isGood), "findings": .strings(report.findings),
                ])
            } else {
                for finding in report.findings { Terminal.out("BROKEN: \(finding)") }
                Terminal.out("\(report.records) records in \(trail.path), the last is \(report.last)")
            }
            guard report.isGood else {
                throw Ending(
                    .difference,
                    "the trail is broken: \(report.findings[0])",
                    at: ["audit trail \(trail.path)"]
                )
            }
        }
    }
}
