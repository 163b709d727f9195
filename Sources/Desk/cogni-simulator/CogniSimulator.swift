import ArgumentParser

@main
struct CogniSimulator: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cogni-simulator",
        abstract: "A faithful simulator of OpenAI's organization Admin API, on loopback, with faults on demand.",
        discussion: """
            EXAMPLES
              cogni-simulator serve --port 8080
              cogni-simulator serve --port 0 --port-file port.txt --now 2026-11-20T12:00:00Z --log requests.ndjson
              cogni-simulator behaviours
              cogni-simulator serve --scenario flaky.json --projects 200 --undocumented-fields

            Docs: docs/simulator.md
            """,
        version: "1.0.0",
        subcommands: [Serve.self, Behaviours.self]
    )
}
