/// What a stranger's program complains about, short enough to stand in a message.
extension Sanitizer {
    private static let mostShown = 200

    /// Cleaned whole, and cut only then: nothing knows half a secret. Cut between words, since those who clean the message later may
    /// know secrets that are not known here, and half of one of those would pass as well.
    ///
    /// - Parameter keepsLines: Leaves line feeds; each line is cut for itself.
    package func complaint(_ bytes: [UInt8], keepsLines: Bool = false) -> String {
        clean(bytes, keepsLines: keepsLines).split(separator: "\n").map(Sanitizer.shortened).joined(separator: "\n")
    }

    private static func shortened(_ line: Substring) -> String {
        guard line.count > mostShown else { return String(line) }
        // A word that ends just where the text is cut is whole.
        let kept = line.prefix(mostShown)
        guard line[kept.endIndex] != " " else { return kept + " …" }
        guard let space = kept.lastIndex(of: " ") else { return "…" }
        return kept[..<space] + " …"
    }
}
