import Foundation
import Model
import Testing

@testable import Connector

private func read(_ text: String) -> (node: YAMLNode?, said: Diagnostics) {
    let report = FileReport(file: "t.yaml")
    let node = YAMLFile.read(Array(text.utf8), into: report)
    return (node, report.diagnostics)
}

private func values(_ text: String) -> [String: String] {
    guard case .map(let entries)? = read(text).node?.content else { return [:] }
    return entries.reduce(into: [:]) { all, entry in
        if case .text(let value, _) = entry.value.content { all[entry.key] = value }
    }
}

@Suite struct YAMLFileTests {
    @Test(arguments: [
        "NO", "017", "0x1F", "1_000", "12:30:45", "2026-11-03", "2026-11-03T04:05:06Z", "1e3", "~x", "yes", ".inf",
        "1.50",
    ])
    func scalarsStayText(text: String) {
        #expect(values("a: \(text)\n") == ["a": text])
    }

    @Test func placesCountFromOneInUnicodeScalars() throws {
        guard case .map(let entries)? = read("a: 1\n\"é\": { bé: \"x y\" }\n").node?.content else { throw Missing() }
        #expect(entries[1].keyPlace == Place(line: 2, column: 1, length: 3))
        guard case .map(let inner) = entries[1].value.content else { throw Missing() }
        #expect(inner[0].keyPlace == Place(line: 2, column: 8, length: 2))
        #expect(inner[0].value.place == Place(line: 2, column: 12, length: 5))
    }

    private struct Missing: Error {}

    @Test(arguments: ["\n", "\r\n", "\r"])
    func everyKindOfLineEndCounts(end: String) {
        let said = read(["a: 1", "b: 2", "a: 3"].joined(separator: end)).said
        #expect(said.all.map { $0.place?.line } == [3])
    }

    @Test func aByteOrderMarkShiftsNothing() {
        #expect(read("\u{FEFF}a: 1\na: 2\n").said.all.first?.place == Place(line: 2, column: 1))
    }

    // MARK: What is refused, and how it is told

    static let refusals: [(String, String)] = [
        ("a: &x 1\n", "t.yaml:1:4: error: anchors are not read here"),
        ("a: *x\n", "t.yaml:1:4: error: aliases are not read here"),
        ("b: [*x, 2]\n", "t.yaml:1:5: error: aliases are not read here"),
        ("a: !!binary aGk=\n", "t.yaml:1:4: error: tags such as \"tag:yaml.org,2002:binary\" are not read here"),
        ("a: !mine 1\n", "t.yaml:1:4: error: tags such as \"!mine\" are not read here"),
        ("a: 1\n---\nb: 2\n", "t.yaml:2:1: error: a second document begins here; only one is read"),
        ("<<: { a: 1 }\n", "t.yaml:1:1: error: merge keys are not read here"),
        ("[a]: 1\n", "t.yaml:1:1: error: a key must be plain text"),
        (
            "a:\n\tb: 1\n",
            "t.yaml:2:1: error: not YAML: found character that cannot start any token (while scanning for the next token, line 2)"
        ),
        (
            "a: \"x\n",
            "t.yaml:2:1: error: not YAML: found unexpected end of stream (while scanning a quoted scalar, line 1)"
        ),
        ("", "t.yaml: error: the file is empty"),
        ("# nothing\n", "t.yaml: error: the file is empty"),
    ]

    @Test(arguments: refusals) func whatSettingsDoNotNeedIsRefusedByName(text: String, first: String) {
        let said = read(text).said
        #expect(said.text.split(separator: "\n").first.map(String.init) == first)
        #expect(said.hasErrors)
    }

    @Test func keysThatStandTwiceAreFoundInOnePass() {
        let said = read("a: 1\nb: { c: 1, c: 2 }\n\"a\": 2\nb: 3\na: 4\n").said
        #expect(
            said.all.map { "\($0.place?.line ?? 0):\($0.place?.column ?? 0) \($0.message)" } == [
                "2:12 the key \"c\" stands twice", "3:1 the key \"a\" stands twice", "4:1 the key \"b\" stands twice",
                "5:1 the key \"a\" stands twice",
            ]
        )
    }

    @Test func referencesSurviveInsideBraces() {
        let text = "{ a: ${X}, b: ${Y:-[1, 2]: #no *x}, c: \"${Z}\", d: $$x }"
        #expect(read(text).said.isEmpty)
        #expect(values(text) == ["a": "${X}", "b": "${Y:-[1, 2]: #no *x}", "c": "${Z}", "d": "$$x"])
    }

    @Test func starsInQuotesAndCommentsAreNoAliases() {
        let text = "a: \"- *x\" # *y\nb: 'k: *z'\nc: |\n  - *w\nd: 2 *3\n"
        #expect(read(text).said.isEmpty)
        #expect(values(text) == ["a": "- *x", "b": "k: *z", "c": "- *w\n", "d": "2 *3"])
    }

    // MARK: Bombs

    @Test func anAliasBombIsRefusedWithoutExpandingIt() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...60 {
            text +=
                "a\(level): &a\(level) [" + Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ") + "]\n"
        }
        let said = read(text).said
        #expect(said.count(.error) == 61 + 60 * 9)
    }

    @Test func anAliasBombInAKeyIsRefusedToo() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
        for level in 1...40 {
            text +=
                "a\(level): &a\(level) { ? [" + Array(repeating: "*a\(level - 1)", count: 9).joined(separator: ", ")
                + "] : 1 }\n"
        }
        #expect(read(text).said.hasErrors)
    }

    @Test(arguments: [("[", 65), ("[", 20_000), ("{a: ", 65), ("? ", 5_000), ("- ", 5_000)])
    func deepNestingIsRefused(open: String, levels: Int) {
        #expect(read(String(repeating: open, count: levels)).said.hasErrors)
        let closed = String(repeating: "[", count: levels) + String(repeating: "]", count: levels)
        #expect(read(closed).said.hasErrors)
    }

    @Test func sixtyFourLevelsAreRead() {
        #expect(read(String(repeating: "[", count: 63) + "a" + String(repeating: "]", count: 63)).said.isEmpty)
    }

    @Test func tooManyValuesAreRefused() {
        let said = read("[" + String(repeating: "1,", count: 100_001) + "]").said
        #expect(said.all.map(\.message) == ["more than 100000 values; no real file has that many"])
    }

    @Test func aFileOfMoreThanAMebibyteIsRefused() {
        let said = read("a: " + String(repeating: "x", count: 1 << 20)).said
        #expect(said.text == "t.yaml: error: the file has 1048579 bytes; at most 1048576 are read")
    }

    @Test func manyRepeatedKeysEndInAnAnswer() {
        #expect(read(String(repeating: "a: 1\n", count: 20_000)).said.hasErrors)
    }

    @Test func bytesThatAreNoTextAreRefused() {
        let report = FileReport(file: "t.yaml")
        #expect(YAMLFile.read([0x61, 0x3A, 0xFF], into: report) == nil)
        #expect(report.diagnostics.text == "t.yaml: error: the file is not UTF-8 text\n  mend: save it as UTF-8")
    }

    // MARK: What is shown

    @Test func secretsAreRefusedWithoutQuotingThem() {
        let secret = "sk-" + "admin-" + String(repeating: "aB3", count: 12)
        let said = read("a: 1 # \(secret)\nb: 1\nb: \(secret)\n\(secret): 1\n").said
        #expect(said.all.count { $0.code == .secret } == 3)
        for text in [said.text, said.github, said.json.canonicalText, said.sarif.canonicalText] {
            #expect(!text.contains("aB3aB3"))
        }
    }

    @Test func controlCharactersDoNotReachTheTerminal() {
        let said = read("a: \"\u{202E}x\"\na: \"\\e[31m\"\n").said
        #expect(said.hasErrors)
        #expect(!said.text.contains("\u{202E}"))
        #expect(!said.text.contains("\u{1B}"))
    }

    /// Every case of the public test suite is read or refused; none stops the program.
    @Test func theYAMLTestSuiteNeverCrashesTheReader() throws {
        let repository = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let folder = repository.appending(path: "../shared/corpora/yaml-test-suite/src")
        guard let files = try? FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        else {
            print("skipped: no corpora")
            return
        }
        var count = 0
        for file in files {
            let bytes = try [UInt8](Data(contentsOf: file))
            let text = String(decoding: bytes, as: UTF8.self)
            let report = FileReport(file: file.lastPathComponent)
            _ = YAMLFile.read(bytes, into: report)
            _ = report.diagnostics.text
            // The cases themselves are block scalars inside the files; blanks are written as ␣ and ——».
            for part in text.components(separatedBy: "yaml: |").dropFirst() {
                let lines = part.split(separator: "\n", omittingEmptySubsequences: false).dropFirst()
                let body = lines.prefix { $0.hasPrefix("    ") || $0.isEmpty }.map { $0.dropFirst(4) }.joined(
                    separator: "\n"
                )
                let yaml = body.replacing("␣", with: " ").replacing("»", with: "\t").replacing("—", with: "").replacing(
                    "↵",
                    with: ""
                )
                .replacing("∎", with: "").replacing("←", with: "\r").replacing("⇔", with: "\u{FEFF}")
                let report = FileReport(file: file.lastPathComponent)
                _ = YAMLFile.read(Array(yaml.utf8), into: report)
                _ = report.diagnostics.text
                _ = ConnectorReader.read(file: "x", bytes: Array(yaml.utf8))
                count += 1
            }
        }
        #expect(count > 250)
    }
}
