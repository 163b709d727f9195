/// A line of a file as an excerpt may show it where no tree says which of its values are secrets.
enum ShownLine {
    /// Of a file that has no tree: the key, stars behind it, and the sign that the parser stopped at, which most often
    /// is the mistake. A line that does not begin with a key is all stars: it may go on with a value from above.
    ///
    /// ```
    ///   credential: hunter: 2    →      credential: *******:**
    /// ```
    static func ofNoYAML(_ line: String, stoppedAt column: Int) -> String {
        let scalars = Array(line.unicodeScalars)
        let shown = endOfKey(scalars) ?? scalars.prefix(while: isBlank).count
        var out = scalars
        for index in scalars.indices.dropFirst(shown) {
            let isMistake = index == column - 1 && !scalars[index].properties.isAlphabetic && !isDigit(scalars[index])
            if !isMistake { out[index] = "*" }
        }
        return String(String.UnicodeScalarView(out))
    }

    /// A setting that was commented out keeps its value to itself where its name tells of a secret.
    static func withoutComment(_ line: String) -> String {
        let scalars = Array(line.unicodeScalars)
        var at = 0
        while let mark = scalars[at...].firstIndex(of: "#") {
            let begin = mark + scalars[mark...].prefix { $0 == "#" || isBlank($0) }.count
            let name = scalars[begin...].prefix { isOfName($0) || isQuote($0) }
            let end = name.endIndex + scalars[name.endIndex...].prefix(while: isBlank).count
            at = end
            let isComment = mark == 0 || isBlank(scalars[mark - 1])
            guard isComment, end < scalars.count, scalars[end] == ":" || scalars[end] == "=",
                SecretKeys.tell(String(String.UnicodeScalarView(name)))
            else { continue }
            let value = scalars[(end + 1)...].map { isBlank($0) ? $0 : "*" }
            return String(String.UnicodeScalarView(scalars[...end] + value))
        }
        return line
    }

    /// Behind the blanks that follow `key:`, `- key:`, `"key" :` or `{ key:`.
    private static func endOfKey(_ scalars: [Unicode.Scalar]) -> Int? {
        var at = scalars.prefix { isBlank($0) || "-{[?\"'".unicodeScalars.contains($0) }.count
        let begin = at
        while at < scalars.count, isOfName(scalars[at]) { at += 1 }
        guard at > begin else { return nil }
        if at < scalars.count, isQuote(scalars[at]) { at += 1 }
        while at < scalars.count, isBlank(scalars[at]) { at += 1 }
        guard at < scalars.count, scalars[at] == ":" else { return nil }
        at += 1
        while at < scalars.count, isBlank(scalars[at]) { at += 1 }
        return at
    }

    private static func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" }
    private static func isQuote(_ scalar: Unicode.Scalar) -> Bool { scalar == "\"" || scalar == "'" }
    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.numericType != nil }
    private static func isOfName(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isAlphabetic || isDigit(scalar) || "_.-".unicodeScalars.contains(scalar)
    }
}
