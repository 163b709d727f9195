/// Letters of equal width that stand in for what the YAML parser must not see.
///
/// Three things are covered up before parsing and uncovered in the values that come out, so that all
/// places stay right:
/// - the inside of `${NAME}`: in `{ key_ring: ${NAME} }` the braces would end the mapping;
/// - the star of an alias: the parser would expand it, and expansion grows without bound;
/// - the first letter of a key that stands twice: the parser would stop there.
///
/// They are taken from a private-use plane that no settings file has letters of.
struct StandIns {
    private(set) var scalars: [Unicode.Scalar] { didSet { known = nil } }
    /// The text that `scalars` came from, while nothing of it is covered.
    private var known: String?
    /// Offsets where an alias may begin.
    private(set) var aliases: Set<Int> = []
    /// The text of keys that were covered up.
    private var repeated: [String: String] = [:]

    private static let base: UInt32 = 0xF0000
    private static let repeatedBase: UInt32 = 0xF1000
    /// Signs that mean something to YAML inside a plain value.
    private static let covered = Array("{}[],:#&*!|>%@`?".unicodeScalars)

    /// - Parameter text: what `scalars` are of, where it is at hand.
    init(_ scalars: [Unicode.Scalar], of text: String? = nil) {
        self.scalars = scalars
        known = text
        coverReferences()
        coverAliases()
    }

    var text: String { known ?? String(String.UnicodeScalarView(scalars)) }

    /// What really stood there.
    func uncovered(_ text: String) -> String {
        guard text.utf8.contains(0xF3) else { return text }  // the first byte of the plane's letters
        if let name = repeated[text] { return name }
        let letters = text.unicodeScalars.map { letter in
            let index = Int(letter.value) - Int(StandIns.base)
            return StandIns.covered.indices.contains(index) ? StandIns.covered[index] : letter
        }
        return String(String.UnicodeScalarView(letters))
    }

    // MARK: References

    private mutating func coverReferences() {
        var at = 0
        while at + 1 < scalars.count {
            guard scalars[at] == "$" else {
                at += 1
                continue
            }
            if scalars[at + 1] == "$" {
                at += 2
            } else if scalars[at + 1] == "{", let end = endOfReference(from: at + 2) {
                for offset in (at + 1)...end { cover(offset) }
                at = end + 1
            } else {
                at += 1
            }
        }
    }

    private mutating func cover(_ offset: Int) {
        if let index = StandIns.covered.firstIndex(of: scalars[offset]) {
            scalars[offset] = Unicode.Scalar(StandIns.base + UInt32(index)) ?? scalars[offset]
        }
    }

    /// The closing brace of `${…}`, if what is between is on one line and without quotes.
    private func endOfReference(from start: Int) -> Int? {
        var at = start
        while at < scalars.count, at - start < 4096 {
            switch scalars[at] {
            case "}": return at > start ? at : nil
            case "\"", "'", "\\", "\n", "\r", "{", "\u{85}", "\u{2028}", "\u{2029}": return nil
            default: at += 1
            }
        }
        return nil
    }

    // MARK: Aliases

    /// A star where a value may begin. Some of these stand in quotes or comments and come to nothing.
    private mutating func coverAliases() {
        for offset in scalars.indices where scalars[offset] == "*" {
            var before = offset - 1
            while before >= 0, scalars[before] == " " || scalars[before] == "\t" { before -= 1 }
            let previous: Unicode.Scalar = before >= 0 ? scalars[before] : "\n"
            if "\n\r-:?,[{\u{85}\u{2028}\u{2029}".unicodeScalars.contains(previous) {
                aliases.insert(offset)
                cover(offset)
            }
        }
    }

    // MARK: Keys that stand twice

    /// Covers the first letter of the key at an offset. False: it has none.
    mutating func coverKey(_ name: String, at start: Int) -> Bool {
        let offset = scalars[start] == "\"" || scalars[start] == "'" ? start + 1 : start
        guard offset < scalars.count, !name.isEmpty,
            let letter = Unicode.Scalar(StandIns.repeatedBase + UInt32(repeated.count))
        else { return false }
        scalars[offset] = letter
        var key = String.UnicodeScalarView(name.unicodeScalars)
        key.replaceSubrange(key.startIndex..<key.index(after: key.startIndex), with: [letter])
        repeated[String(key)] = uncovered(name)
        return true
    }
}
