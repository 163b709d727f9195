import Connector
import Testing

@testable import PipelineFile

@Suite struct VariablesTests {
    let variables = Variables(environment: ["A": "one", "EMPTY": "", "WILD": "x\ny: [\"z\"]\n# \u{1F600} ${A} $$"]) {
        path in
        path == "/run/key" ? Array("from file\n".utf8) : path == "/run/bytes" ? [0xFF] : nil
    }

    @Test(arguments: [
        ("plain", "plain"), ("${A}", "one"), ("a-${A}-${A}", "a-one-one"), ("${A:-two}", "one"),
        ("${NONE:-two}", "two"),
        ("${EMPTY}", ""), ("${EMPTY:-two}", "two"), ("${NONE:-}", ""), ("${NONE:-a:-b}", "a:-b"), ("$$", "$"),
        ("$${A}", "${A}"),
        ("$$$$", "$$"), ("5 $", "5 $"), ("$5", "$5"), ("${file:/run/key}", "from file"),
        ("${NONE:-https://x/y}", "https://x/y"),
    ])
    func valuesAreFilledIn(text: String, filled: String) throws {
        #expect(try variables.expand(text) == filled)
    }

    @Test func whatAVariableHoldsIsNotFilledInAgain() throws {
        #expect(try variables.expand("${WILD}") == "x\ny: [\"z\"]\n# \u{1F600} ${A} $$")
    }

    @Test(arguments: ["${NONE}", "x${NONE}y"]) func anUnsetVariableIsNamed(text: String) {
        #expect(throws: Variables.Problem.unset("NONE")) { try variables.expand(text) }
    }

    @Test(arguments: ["/nowhere", "/run/bytes"]) func aFileThatCannotBeReadIsNamed(path: String) {
        #expect(throws: Variables.Problem.unreadableFile(path)) { try variables.expand("${file:\(path)}") }
    }

    @Test(arguments: ["${A", "${}", "${1A}", "${A-b}", "${A:b}", "$A", "${file:}", "${ A }", "${A:=x}", "${é}"])
    func whatIsNoVariableIsRefused(text: String) {
        let problem = #expect(throws: Variables.Problem.self) { try variables.expand(text) }
        guard case .malformed = problem else {
            Issue.record("\(String(describing: problem))")
            return
        }
    }

    /// Nothing that a variable can hold becomes structure of the file.
    @Test(arguments: ["a\nformat: csv", "\"", "'", "}", "]: x", "# x", "&a *a", "!!int 3", "a: b", "- a", "\u{0}"])
    func whateverAVariableHoldsStaysOneValue(value: String) {
        for text in [
            "load: { directory: ${V} }", "load: { directory: \"${V}\" }", "load:\n  directory: ${V}",
            "load:\n  directory: '${V}'",
        ] {
            let file = "pipeline: p\nsource: { connector: openai_admin }\nstreams: { projects: {} }\n\(text)\n"
            let reading = PipelineReader.read(file: "p.yaml", bytes: Array(file.utf8), environment: ["V": value]) { _ in
                nil
            }
            #expect(reading.diagnostics.text == "")
            #expect(reading.pipeline?.load.directory == value)
            #expect(reading.pipeline?.load.format == .ndjson)
        }
    }
}
