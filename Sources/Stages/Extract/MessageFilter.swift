/// The last look at a text from outside before it stands in an error message.
///
/// Not the product's sanitizer, which sees the whole message again later: a net for the one thing that an
/// API is known to do, which is to quote the key that it refuses.
package enum MessageFilter {
    /// One line without control characters; words that could be a credential are masked.
    package static func clean(_ text: String) -> String {
        let words = text.unicodeScalars.split { $0.value <= 0x20 || $0.properties.isWhitespace }
        return words.map { word in
            let visible = String(String.UnicodeScalarView(word.map { isHarmless($0) ? $0 : "\u{FFFD}" }))
            return looksSecret(visible) ? "[masked]" : visible
        }.joined(separator: " ")
    }

    /// For what has been cleaned: of a text that is cut first, half a secret may be left, which nothing knows any more.
    package static func bounded(_ text: String) -> String {
        text.count <= 200 ? text : String(text.prefix(199)) + "…"
    }

    private static func isHarmless(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse: false
        default: true
        }
    }

    private static func looksSecret(_ word: String) -> Bool {
        let core = word.drop { !($0.isASCII && ($0.isLetter || $0.isNumber)) }
        if word.contains("sk-") && core.count >= 8 { return true }
        if core.hasPrefix("eyJ") && core.contains(".") { return true }
        if core.contains("://"), core.contains("@") { return true }
        // Long and mixed, without the underscores and dots that ids and codes are made of words with.
        let run = core.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "+" || $0 == "/") }
        return run.count >= 40 && run.contains(where: \.isNumber) && run.contains(where: \.isLetter)
    }
}
