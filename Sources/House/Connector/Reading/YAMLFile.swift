/// Reads the bytes of a YAML file into nodes with places, and refuses what a settings file has no need of.
///
/// Only the parser's events and its tree are used, never its idea of types. Limits: 1 MiB, 100 000 nodes,
/// 64 levels. Anchors, aliases, merge keys, tags and further documents are mistakes; a key that stands
/// twice is one too, and reading goes on behind it.
package enum YAMLFile {
    static let byteLimit = 1 << 20
    static let nodeLimit = 100_000
    static let depthLimit = 64

    /// The root node, or `nil` when there is none worth looking at; the report says why.
    package static func read(_ bytes: [UInt8], into report: FileReport) -> YAMLNode? {
        guard bytes.count <= byteLimit else {
            report.error(.tooLarge, "the file has \(bytes.count) bytes; at most \(byteLimit) are read", at: nil)
            return nil
        }
        guard var text = String(validating: bytes, as: UTF8.self) else {
            report.error(.unreadable, "the file is not UTF-8 text", at: nil, hint: "save it as UTF-8")
            return nil
        }
        if text.unicodeScalars.first == "\u{FEFF}" { text.unicodeScalars.removeFirst() }
        let source = SourceLines(text)
        report.take(lines: source.texts)
        refuseSecrets(in: source, report)
        var composer = Composer(source: source, report: report)
        let root = composer.root()
        if root == nil { report.hideUnread() }
        return root
    }

    private static func refuseSecrets(in source: SourceLines, _ report: FileReport) {
        for (index, line) in source.texts.enumerated() {
            for match in SecretShapes.matches(in: line) {
                if match.kind == "a private key" { report.hideEverything() }
                let place = Place(line: index + 1, column: match.range.lowerBound + 1, length: match.range.count)
                report.error(
                    .secret,
                    "this looks like \(match.kind); a file is no place for it",
                    at: place,
                    hint: "withdraw it, put a new one into a variable, and write ${NAME}"
                )
            }
        }
    }
}

/// A text in lines as YAML counts them.
struct SourceLines {
    private(set) var texts: [String] = []
    /// Offsets of the lines' first scalars, and all scalars: only what a place must be changed in needs them.
    let scalars: [Unicode.Scalar]
    private(set) var starts: [Int] = [0]
    let text: String

    init(_ text: String) {
        self.text = text
        // Most files are plain ASCII, and bytes and scalars then the same.
        let bytes = Array(text.utf8)
        let isASCII = bytes.allSatisfy { $0 < 0x80 }
        scalars = isASCII ? bytes.map { Unicode.Scalar($0) } : Array(text.unicodeScalars)
        var start = 0
        var at = 0
        func finish(_ range: Range<Int>) {
            texts.append(
                isASCII
                    ? String(decoding: bytes[range], as: UTF8.self)
                    : String(String.UnicodeScalarView(scalars[range]))
            )
        }
        while at < scalars.count {
            switch scalars[at] {
            case "\r" where at + 1 < scalars.count && scalars[at + 1] == "\n":
                finish(start..<at)
                at += 1
            case "\n", "\r", "\u{85}", "\u{2028}", "\u{2029}": finish(start..<at)
            default:
                at += 1
                continue
            }
            at += 1
            start = at
            starts.append(start)
        }
        finish(start..<scalars.count)
    }

    func offset(line: Int, column: Int) -> Int? {
        guard starts.indices.contains(line - 1) else { return nil }
        let offset = starts[line - 1] + column - 1
        return offset < scalars.count ? offset : nil
    }
}
