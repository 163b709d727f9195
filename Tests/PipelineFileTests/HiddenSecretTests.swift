import Connector
import Model
import Testing
@testable import PipelineFile

/// What a mistake shows of the file, and that no secret in it is ever shown.
@Suite struct HiddenSecretTests {
    /// What follows `source:`, and what stands in the file behind it.
    static let literals: [(String, String)] = [
        ("  credential: hunter2hunter2", ""), ("  credential: \"hunter2\\x68unter2\"", ""),
        ("  credential: ${A:-hunter2hunter2}", ""), ("  credential: |\n    hunter2\n    hunter2", ""),
        ("  base_url: https://me:hunter2hunter2@example.com/v1", ""), ("  credential: hunter2hunter2\n  bad: [", ""),
        ("  retry: { credential: hunter2hunter2 } }", ""),
        // Below stands what is no YAML.
        ("  \"credential\": hunter2hunter2\n  bad: ]", ""), ("  credential : hunter2hunter2\n  bad: ]", ""),
        ("  credential: >-\n    hunter2hunter2\n   bad: ]", ""), ("  credential:\n    hunter2hunter2\n  bad: ]", ""),
        ("  credential hunter2hunter2", ""), ("  credential:hunter2hunter2", ""),
        ("  credential = hunter2hunter2", ""),
        ("  credential: hunter2: hunter2", ""), ("  credential: 'hunter2\n  hunter2", ""),
        ("  concurrency: 4", "alerts:\n  webhook_secret: hunter2hunter2\n  bad: ]"),
        ("  \"credential\": hunter2hunter2", "---\nsecond: document"),
        // Misspelled, miscased, in the wrong place, of the wrong kind.
        ("  credentials: hunter2hunter2", ""), ("  Credential: hunter2hunter2", ""),
        ("  credentail: hunter2hunter2", ""),
        ("  api_key: hunter2hunter2", ""), ("  credentials: >-\n    hunter2hunter2", ""),
        ("  credentials: [x, hunter2hunter2]", ""), ("  login: { name: me, password: hunter2hunter2 }", ""),
        ("  credential:\n    hunter2hunter2", ""), ("  credential: [hunter2hunter2]", ""),
        ("  credential: { value: hunter2hunter2 }", ""), ("  credential: { hunter2: 1, hunter2: 2 }", ""),
        ("  credential: !hunter2 x", ""), ("  credential: &hunter2 x", ""), ("  credential: *hunter2", ""),
        ("  credential: a\n  \"credential\": hunter2hunter2", ""),
        ("  # credential: hunter2hunter2\n  concurency: 4", ""),
        ("  concurrency: 4", "alerts:\n  webhook_secret: [hunter2hunter2]"),
        ("  concurrency: 4", "alerts:\n  webhook_secret: { a: hunter2hunter2 }"),
        ("  concurrency: 4", "alerts:\n  webhok_secret: hunter2hunter2"),
        ("  concurrency: 4", "sources: { connector: openai_admin, \"credential\": hunter2hunter2 }"),
        ("  concurrency: 4", "transform: [{ key: hunter2hunter2 }]"),
    ]

    @Test(arguments: literals) func aSecretInTheFileIsRefusedAndNowhereRepeated(source: String, behind: String) {
        let said = read("enabled: NO\n\(behind)\n", source: source + "\n").diagnostics
        #expect(said.hasErrors)
        for text in [said.text, said.github, said.json.compact, said.sarif.compact] {
            #expect(!text.contains("hunter2"), "\(text)")
        }
    }

    @Test(.timeLimit(.minutes(1))) func aSecretOfManyPiecesTakesNoLongerForThem() {
        let many = String(repeating: "hunter2, ", count: 40_000)
        let said = read("enabled: NO", source: "  credential: [\(many)]\n").diagnostics
        #expect(said.hasErrors && !said.text.contains("hunter2"))
        let marks = String(repeating: "# ", count: 300_000)
        #expect(read("enabled: NO \(marks)").diagnostics.hasErrors)
    }

    @Test func ofAFileThatIsNoYAMLTheKeyAndTheSignAreShown() {
        let said = read("load: { format: csv ]", source: "  credential: hunter2hunter2\n").diagnostics
        #expect(
            said.text == """
                p.yaml:5:21: error: not YAML: did not find expected ',' or '}' (while parsing a flow mapping, line 5)
                    5 | load: **************]
                      |                     ^
                """
        )
    }

    @Test func keysThatTakeReferencesAreShownWithThem() {
        let said = read("", source: "  credential: ${OPENAI_ADMIN_KEY}\n  concurency: 4\n").diagnostics
        #expect(
            said.text.contains("    4 |   credential: ${OPENAI_ADMIN_KEY}\n    5 |   concurency: 4\n"),
            "\(said.text)"
        )
        let key = read("", source: "  credentials: ${OPENAI_ADMIN_KEY}\n").diagnostics
        #expect(key.text.contains("    4 |   credentials: ${OPENAI_ADMIN_KEY}\n"), "\(key.text)")
    }

    @Test func whatAVariableHeldIsNotRepeated() {
        let said = read("load: { format: ${V} }", environment: ["V": "hunter2"]).diagnostics
        #expect(said.all.map(\.message) == ["\"format\" cannot be \"${V}\""])
        #expect(!said.text.contains("hunter2"))
    }
}
