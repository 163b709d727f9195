import Foundation
import Model
import Testing

@testable import Connector

@Suite struct DiagnosticTests {
    private let one: Diagnostic = {
        var one = Diagnostic(
            .error,
            .unknownKey,
            "unknown key \"gruop_by\" in stream \"costs\"",
            file: "pipelines/a,b.yaml",
            at: Place(line: 14, column: 5, length: 8),
            hint: "did you mean \"group_by\"?",
            allowed: ["since", "group_by"]
        )
        one.excerpt = [
            .init(number: 13, text: "    since: 2026-06-01"), .init(number: 14, text: "    gruop_by: [project_id]"),
        ]
        return one
    }()

    @Test func textShowsTheLineBeforeTheCaretsAndWhatIsAllowed() {
        #expect(
            Diagnostics([one]).text == """
                pipelines/a,b.yaml:14:5: error: unknown key "gruop_by" in stream "costs"
                   13 |     since: 2026-06-01
                   14 |     gruop_by: [project_id]
                      |     ^^^^^^^^ did you mean "group_by"?
                  allowed: group_by, since
                """
        )
    }

    @Test func caretsStandUnderTabsAndNeverReachBeyondTheLine() {
        var tabbed = one
        tabbed.place = Place(line: 1, column: 2, length: 99)
        tabbed.excerpt = [.init(number: 1, text: "\tabc")]
        tabbed.hint = nil
        tabbed.allowed = []
        #expect(tabbed.text.hasSuffix("    1 | \tabc\n      | \t^^^"))
    }

    @Test func aMistakeOfTheWholeFileHasNoPlace() {
        let whole = Diagnostic(.error, .tooLarge, "too large", file: "a.yaml", at: nil, hint: "cut it")
        #expect(whole.text == "a.yaml: error: too large\n  mend: cut it")
        #expect(Diagnostics([whole]).json["diagnostics"]?.elements?.first?["line"] == .some(.null))
    }

    @Test func githubCommandsEscapeWhatWouldEndThem() {
        #expect(
            Diagnostics([one]).github
                == "::error file=pipelines/a%2Cb.yaml,line=14,col=5,endColumn=13,title=unknown-key::unknown key \"gruop_by\" in stream \"costs\"; did you mean \"group_by\"?; allowed: group_by, since"
        )
        let note = Diagnostic(.note, .window, "50%\nof it", file: "a.yaml", at: nil)
        #expect(Diagnostics([note]).github == "::notice file=a.yaml,title=window::50%25%0Aof it")
    }

    @Test func jsonCountsAndLists() {
        let json = Diagnostics([one]).json
        #expect(json["errors"]?.integer == 1)
        #expect(json["warnings"]?.integer == 0)
        let first = json["diagnostics"]?.elements?.first
        #expect(first?["code"]?.text == "unknown-key")
        #expect(first?["line"]?.integer == 14)
        #expect(first?["length"]?.integer == 8)
        #expect(first?["allowed"]?.elements?.count == 2)
    }

    @Test func sarifNamesItsRulesAndEscapesTheAddress() {
        let sarif = Diagnostics([one]).sarif
        #expect(sarif["version"]?.text == "2.1.0")
        let run = sarif["runs"]?.elements?.first
        let result = run?["results"]?.elements?.first
        let rules = run?["tool"]?["driver"]?["rules"]?.elements ?? []
        let index = result?["ruleIndex"]?.integer ?? -1
        #expect(rules.indices.contains(index) && rules[index]["id"]?.text == "unknown-key")
        let physical = result?["locations"]?.elements?.first?["physicalLocation"]
        #expect(physical?["artifactLocation"]?["uri"]?.text == "pipelines/a%2Cb.yaml")
        #expect(physical?["region"]?["endColumn"]?.integer == 13)
    }

    @Test func aFaultCarriesAllMistakesAndExitsWithTwo() {
        let fault = Diagnostics([one]).fault
        #expect(fault?.code.exitCode == 2)
        #expect(fault?.what.contains("did you mean \"group_by\"?") == true)
        #expect(Diagnostics([]).fault == nil)
        #expect(Diagnostics([one, one]).summary == "2 mistakes")
        #expect(Diagnostics([]).summary == "no mistakes")
    }
}

@Suite struct SpellingTests {
    @Test(arguments: [
        ("gruop_by", "group_by"), ("grop_by", "group_by"), ("GROUP_BY", "group_by"), ("lookbak", "lookback"),
        ("sinc", "since"), ("untill", "until"), ("look", "lookback"),
    ])
    func oneSlipInThreeLettersIsUnderstood(word: String, meant: String) {
        #expect(Spelling.nearest(to: word, in: ["group_by", "lookback", "since", "until", "on_failure"]) == meant)
    }

    @Test(arguments: ["", "zebra", "x", "group_by_everything_else", String(repeating: "a", count: 5000)])
    func whatIsFarFromEverythingIsNotGuessed(word: String) {
        #expect(Spelling.nearest(to: word, in: ["group_by", "lookback", "since", "until"]) == nil)
    }
}

@Suite struct SecretShapesTests {
    /// Put together here, so that this file holds none itself.
    static let secrets = [
        "sk-" + "admin-" + String(repeating: "aB3", count: 12), "ghp_" + String(repeating: "x7", count: 18),
        "whsec_" + "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "github_pat_" + String(repeating: "A1b", count: 9),
        "AKIA" + "IOSFODNN7EXAMPLE", "eyJhbGciOi" + "JIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc",
        "xoxb-" + "123456789012-abcdef",
        "https://user:" + "hunter2@example.com/x", "-----BEGIN " + "RSA PRIVATE KEY-----",
    ]

    @Test(arguments: secrets) func secretsOfKnownVendorsAreSeen(secret: String) {
        let line = "  key: \"\(secret)\" # x"
        let found = SecretShapes.matches(in: line)
        #expect(found.count == 1)
        #expect(SecretShapes.starred(line).unicodeScalars.count == line.unicodeScalars.count)
        #expect(!SecretShapes.starred(line).contains(secret.suffix(8)) || secret.hasPrefix("https"))
    }

    @Test(arguments: [
        "task-list-of-all-projects-here", "disk-usage-of-last-month-2025", "${OPENAI_ADMIN_KEY}",
        "https://api.openai.com/v1",
        "sk-short", "eyJwYWdlIjoyfQ", "usage_completions", "https://example.com/a@b:c", "name@example.com",
        "http://${USER}:${PASSWORD}@example.com", "-----BEGIN CERTIFICATE-----",
    ])
    func ordinaryTextIsNone(text: String) {
        #expect(SecretShapes.matches(in: text).isEmpty)
    }
}
