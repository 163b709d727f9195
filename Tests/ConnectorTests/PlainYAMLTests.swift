import Foundation
import Testing

@testable import Connector

/// The quick reader may leave any file to the general one, and must never read one otherwise.
@Suite struct PlainYAMLTests {
    private func plainly(_ text: String) -> YAMLNode? {
        let source = SourceLines(text)
        return PlainYAML.root(of: source, suspects: SecretShapes.suspects(in: source))
    }

    private func generally(_ text: String) -> (node: YAMLNode?, said: Diagnostics) {
        let report = FileReport(file: "t.yaml")
        let node = YAMLFile.read(Array(text.utf8), into: report, plainly: false)
        return (node, report.diagnostics)
    }

    /// False: it was left to the general reader.
    @discardableResult private func readsAlike(_ text: String) -> Bool {
        guard let node = plainly(text) else { return false }
        let other = generally(text)
        #expect(node == other.node, "\(text)")
        #expect(other.said.isEmpty, "\(text)")
        return true
    }

    @Test func theBuiltInConnectorsAreReadHere() throws {
        for name in BuiltinConnectors.names {
            let bytes = try #require(BuiltinConnectors.bytes(name))
            #expect(readsAlike(String(decoding: bytes, as: UTF8.self)))
        }
    }

    static let usual = [
        "a: 1", "a: 1\n", "\n# x\na: 1 # y\n\n  # z\nb: 'c d'   \n", "a:\n  b: \"c: # d\"\n  e: f\ng: h\n",
        "a:\n- b\n- c\nd: e\n",
        "a:\n  - b: c\n    d:\n    - e\n    - f # g\n  - h: { i: j }\n", "a:   # b\n\n  c: d\n",
        "a: []\nb: {}\nc: [ ]\n",
        "a: [b, 'c', \"d e\", f g , { h: i, \"j\": [k] }]\n", "a: b#c\nd: e:f\ng: [h:i, j]\n",
        "a: ${B}\nc: { d: ${E:-f}, g: h${I, j: } }",
        "a: x${B}y $$ ${C:-d e: #f}\n", "a: $${b}\n", "credential: ${A}\nb: { webhook_secret: \"${file:/c}\" }\n",
        "a: https://x.org/y\n", "a: .\nb: /c/{d}/e\nf: ~\n", "a:\n    -   b:   c\n        d: e\n", "\"a b\": c\n1: 2\n",
        "a: it's \"so\"\nb: 5%\n", "a: don*t, *x\n",
    ]
    @Test(arguments: usual) func usualTextIsReadHere(text: String) { #expect(readsAlike(text)) }

    @Test(arguments: [
        "", "\n", "a", "[a]", "- a\n", "a:\n", "a: b\n c\n", "a: |\n  b\n", "a: 'b\n  c'\n", "a: \"\\n\"\n",
        "a: 'b''c'\n", "a: *b\n",
        "a: &b c\n", "a: !!str b\n", "? a\n: b\n", "<<: { a: 1 }\n", "a: 1\na: 2\n", "{ a: 1 }\n",
        "a: { b: 1, b: 2 }\n", "a: [b: c]\n",
        "a: [b,\n  c]\n", "a: [b, ]\n", "a: b: c\n", "a: { b: c } d\n", "a:\tb\n", "a: é\n", "a: 1\n---\nb: 2\n",
        "...\na: 1\n",
        "%YAML 1.2\n---\na: 1\n", "a:\n    b: c\n  d: e\n", "a:\n  - b\n - c\n", "a:\n- b\n  c: d\n", "a: - b\n",
        "a: 1\r\nb: 2\r\n",
        "credential: hunter2hunter2\n", "a: { webhook_secret: x }\n", "Credential: [a]\n", "a: { b }\n",
        "a: {b: c: d}\n", "a: [b?c]\n",
        "a: ${B\n", "a: [${B:-c\"}\"]\n", "a: @b\n", "a: `b`\n", "a: , b\n",
    ])
    func whatIsUnusualIsLeftAlone(text: String) { #expect(plainly(text) == nil) }

    @Test func aSecretIsLeftAlone() {
        let key = "sk-" + String(repeating: "a1", count: 12)
        #expect(plainly("a: 1\nb: \(key)\n") == nil)
        #expect(generally("a: 1\nb: \(key)\n").said.all.count == 1)
        #expect(plainly("a: https://b:\(key)@c/\n") == nil)
    }

    @Test func whatIsTooDeepOrTooMuchIsLeftAlone() {
        let flow = "a: " + String(repeating: "[", count: 70) + String(repeating: "]", count: 70)
        #expect(plainly(flow) == nil)
        #expect(plainly("a: [" + Array(repeating: "b", count: 100_001).joined(separator: ",") + "]") == nil)
        for depth in 55...66 {
            readsAlike("a: " + String(repeating: "[", count: depth) + String(repeating: "]", count: depth))
        }
    }

    /// Whatever a slip of the keyboard makes of a file.
    @Test(arguments: 0..<4) func slipsAreReadAlike(part: Int) throws {
        var state = UInt64(part + 1) &* 0x9E37_79B9_7F4A_7C15
        func below(_ bound: Int) -> Int {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Int(state % UInt64(bound))
        }
        let bytes = try #require(BuiltinConnectors.bytes("openai_admin"))
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
        let signs = Array(" \n:-#{}[],\"'$*&?.~<\\ab:  \n- ".unicodeScalars)
        var alike = 0
        for _ in 0..<200 {
            let some =
                below(3) == 0
                ? PlainYAMLTests.usual[below(PlainYAMLTests.usual.count)]
                : "streams:\n" + lines[(30 + below(900))...].prefix(20).joined(separator: "\n")
            var text = Array(some.unicodeScalars)
            for _ in 0...below(3) {
                let at = below(text.count)
                switch below(4) {
                case 0: text.remove(at: at)
                case 1: text[at] = signs[below(signs.count)]
                case 2: text.insert(signs[below(signs.count)], at: at)
                default: text.insert(contentsOf: text[at...].prefix(1 + below(8)), at: below(text.count))
                }
                if text.isEmpty { text = ["a"] }
            }
            if readsAlike(String(String.UnicodeScalarView(text))) { alike += 1 }
        }
        #expect(alike > 10)
    }
}
