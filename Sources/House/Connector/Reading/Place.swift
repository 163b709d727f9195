/// Where something stands in a text file. Lines and columns count from 1, columns in Unicode scalars.
package struct Place: Sendable, Equatable {
    package var line: Int
    package var column: Int
    /// Scalars from `column` on; at least 1.
    package var length: Int

    package init(line: Int, column: Int, length: Int = 1) {
        self.line = line
        self.column = column
        self.length = max(1, length)
    }
}

/// One node of a YAML file with its place. Scalars are text: what they mean is for our own schema to say,
/// so that `NO`, `017` and `2026-11-03` never turn into something else on the way.
package struct YAMLNode: Sendable, Equatable {
    package enum Content: Sendable, Equatable {
        /// `isPlain`: written without quotes.
        case text(String, isPlain: Bool)
        case list([YAMLNode])
        case map([Entry])
    }

    package struct Entry: Sendable, Equatable {
        package var key: String
        package var keyPlace: Place
        package var value: YAMLNode

        package init(key: String, keyPlace: Place, value: YAMLNode) {
            self.key = key
            self.keyPlace = keyPlace
            self.value = value
        }
    }

    package var content: Content
    package var place: Place

    package init(content: Content, place: Place) {
        self.content = content
        self.place = place
    }

    /// Nothing was written: `key:`, `key: ~`, `key: null`.
    package var isEmpty: Bool {
        guard case .text(let text, isPlain: true) = content else { return false }
        return text.isEmpty || text == "~" || text == "null"
    }
}
