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
    ///
    /// - Parameter precomposed: a ``PrecomposedTree`` of these bytes. Nothing but the time it takes depends on it.
    package static func read(_ bytes: [UInt8], into report: FileReport, precomposed: [UInt8]? = nil) -> YAMLNode? {
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
        report.take(source)
        let suspects = SecretShapes.suspects(in: source)
        refuseSecrets(in: source, suspects, report)
        if let precomposed, let root = PrecomposedTree.root(in: precomposed, of: bytes) { return root }
        var composer = Composer(source: source, report: report)
        let root = composer.root()
        if root == nil { report.hideUnread() }
        return root
    }

    private static func refuseSecrets(in source: SourceLines, _ suspects: [Int], _ report: FileReport) {
        for number in suspects {
            for match in SecretShapes.matches(in: source.line(number)) {
                if match.kind == "a private key" { report.hideEverything() }
                let place = Place(line: number, column: match.range.lowerBound + 1, length: match.range.count)
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
