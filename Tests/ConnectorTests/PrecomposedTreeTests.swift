import Foundation
import Model
import Testing

@testable import Connector

/// The trees of the built-in connectors. With COGNI_WRITE_NODES they are written in place of compared.
@Suite struct PrecomposedTreeTests {
    static let isWriting = ProcessInfo.processInfo.environment["COGNI_WRITE_NODES"] != nil

    private func composed(_ yaml: [UInt8]) -> (node: YAMLNode?, said: Diagnostics) {
        let report = FileReport(file: "c.yaml")
        let node = YAMLFile.read(yaml, into: report)
        return (node, report.diagnostics)
    }

    @Test(arguments: BuiltinConnectors.names)
    func aBuiltInConnectorsTreeIsWhatItsYAMLGives(name: String) throws {
        let yaml = try #require(BuiltinConnectors.bytes(name))
        let (node, said) = composed(yaml)
        let root = try #require(node)
        // Whoever reads the tree hears nothing of what there is to say about the YAML.
        try #require(said.isEmpty, "\(said.text)")
        if PrecomposedTreeTests.isWriting {
            let folder = repository.appending(path: "Sources/House/Connector/Connectors")
            try Data(TreeText(of: root, yaml).bytes).write(to: folder.appending(path: "\(name).nodes"))
            return
        }
        let mend: Comment = "\(name).nodes is not the tree of \(name).yaml: run `make connectors`"
        let bytes = try #require(BuiltinConnectors.precomposed(name), mend)
        // Told as truths: neither two trees nor two files are of use in a message.
        let isSameTree = PrecomposedTree.root(in: bytes, of: yaml) == root
        #expect(isSameTree, mend)
        let isSameText = bytes == TreeText(of: root, yaml).bytes
        #expect(isSameText, mend)
    }

    @Test func everyKindOfNodeComesBack() throws {
        for text in [
            "a: 1", "é: 'x y'\n\nb: [c, \"d\\n\\\"e\\\\\", { f: g }, [], {}, '']\n", "- a\n- |\n  b\n   c\n-\n",
            "\"\\u0007\"",
        ] {
            let yaml = Array(text.utf8)
            let root = try #require(composed(yaml).node)
            #expect(PrecomposedTree.root(in: TreeText(of: root, yaml).bytes, of: yaml) == root, "\(text)")
        }
    }

    @Test func anotherFilesTreeIsNotTaken() throws {
        let yaml = Array("a: 1\n".utf8), other = Array("a: 2\n".utf8)
        let bytes = TreeText(of: try #require(composed(yaml).node), yaml).bytes
        #expect(PrecomposedTree.root(in: bytes, of: other) == nil)
        let report = FileReport(file: "c.yaml")
        #expect(YAMLFile.read(other, into: report, precomposed: bytes) == composed(other).node)
        #expect(YAMLFile.read(other, into: report, precomposed: []) == composed(other).node)
    }

    @Test func aDamagedTreeIsNotTaken() throws {
        let yaml = Array("a: [1, '2']\nb: { c: \"d\\te\" }\n".utf8)
        let whole = TreeText(of: try #require(composed(yaml).node), yaml).bytes
        for end in 0..<whole.count { #expect(PrecomposedTree.root(in: Array(whole[..<end]), of: yaml) == nil) }
        #expect(PrecomposedTree.root(in: whole + [0x0A], of: yaml) == nil)
        let heading = PrecomposedTree.heading(of: yaml)
        for odd in [
            "", "\n", "x 0 1 1 \"a\"\n", "k 0 1 1 \"a\"\n", "p 0 1 1 a\n", "p 0 1 1 \"a\n", "p 0 1 1 \"\n",
            "p 0 0 1 \"a\"\n", "p 0 1 0 \"a\"\n", "p -1 1 1 \"a\"\n", "p 0 1 \"a\"\n", "p  0 1 1 \"a\"\n",
            "p 0 1 99999999 \"a\"\n", "p 0 1 1 \"\\x\"\n", "p 0 1 1 \"a\"\r\n", "m 0 1 1\np 0 1 1 \"a\"\n",
            "m 0 1 1\nk 0 1 1 \"a\"\n", "l 0 1 9999999\n", "l 0 1 1\n", "l 0 1 0 \n",
            String(repeating: "l 0 1 1\n", count: 64) + "l 0 1 0\n",
        ] {
            #expect(PrecomposedTree.root(in: heading + Array(odd.utf8), of: yaml) == nil, "\(odd)")
        }
        #expect(PrecomposedTree.root(in: heading + Array("p 0 1 1 \"".utf8) + [0xFF, 0x22, 0x0A], of: yaml) == nil)
    }
}

/// The text that ``PrecomposedTree`` reads.
private struct TreeText {
    private(set) var bytes: [UInt8]
    private var line = 1

    init(of root: YAMLNode, _ yaml: [UInt8]) {
        bytes = PrecomposedTree.heading(of: yaml)
        add(root)
    }

    private mutating func add(_ node: YAMLNode) {
        switch node.content {
        case .text(let text, let isPlain): add(isPlain ? "p" : "q", node.place, quoting: text)
        case .list(let elements):
            add("l", node.place, "\(elements.count)\n")
            for element in elements { add(element) }
        case .map(let entries):
            add("m", node.place, "\(entries.count)\n")
            for entry in entries {
                add("k", entry.keyPlace, quoting: entry.key)
                add(entry.value)
            }
        }
    }

    private mutating func add(_ kind: String, _ place: Place, quoting text: String) {
        add(kind, place, "\(place.length) ")
        JSONValue.quote(text, into: &bytes)
        bytes.append(UInt8(ascii: "\n"))
    }

    private mutating func add(_ kind: String, _ place: Place, _ rest: String) {
        bytes += Array("\(kind) \(place.line - line) \(place.column) \(rest)".utf8)
        line = place.line
    }
}
