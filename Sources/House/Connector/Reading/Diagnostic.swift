/// One thing to say about a file: where, what, and how to mend it.
package struct Diagnostic: Sendable, Equatable {
    package enum Severity: String, Sendable, Comparable {
        /// The file cannot be used.
        case error
        /// It can, but probably does not say what was meant.
        case warning
        /// Something was decided that is worth knowing.
        case note

        private var rank: Int { self == .error ? 0 : self == .warning ? 1 : 2 }
        package static func < (a: Severity, b: Severity) -> Bool { a.rank < b.rank }
    }

    /// What kind of mistake it is. Stable: editors and CI filter by it.
    package enum Code: String, Sendable, CaseIterable {
        case unreadable = "unreadable-file"
        case tooLarge = "too-large"
        case syntax = "yaml-syntax"
        case unsupportedYAML = "unsupported-yaml"
        case duplicateKey = "duplicate-key"
        case unknownKey = "unknown-key"
        case missingKey = "missing-key"
        case wrongType = "wrong-type"
        case wrongValue = "wrong-value"
        case unknownName = "unknown-name"
        case variable = "variable"
        case secret = "secret-in-file"
        case window = "window"
        case grouping = "grouping"
        case primaryKey = "primary-key"
        case noEffect = "no-effect"

        /// One sentence for the rule lists of editors and CI.
        package var meaning: String {
            switch self {
            case .unreadable: "The file could not be read or is not UTF-8."
            case .tooLarge: "The file is larger, deeper or longer than any real one."
            case .syntax: "The file is not valid YAML."
            case .unsupportedYAML: "Anchors, aliases, merge keys, tags and several documents are not read."
            case .duplicateKey: "A key stands twice in one mapping."
            case .unknownKey: "A key that nobody reads, most likely misspelled."
            case .missingKey: "Something that must be said is not."
            case .wrongType: "A value is of another kind than its key wants."
            case .wrongValue: "A value is out of range or not one of those allowed."
            case .unknownName: "A name that the connector does not know."
            case .variable: "A variable is unset, or not written as one."
            case .secret: "A secret stands in the file itself."
            case .window: "A span of time that cannot be asked for."
            case .grouping: "A grouping that the API does not answer."
            case .primaryKey: "Rows could no longer be told apart."
            case .noEffect: "A setting that changes nothing here."
            }
        }
    }

    /// A line of the file as it may be shown: secrets are stars.
    package struct Line: Sendable, Equatable {
        package var number: Int
        package var text: String
    }

    package var severity: Severity
    package var code: Code
    /// As the user wrote it.
    package var file: String
    /// `nil`: about the file as a whole.
    package var place: Place?
    package var message: String
    /// Stands behind the carets: `did you mean "group_by"?`
    package var hint: String?
    /// What could stand there instead, sorted; empty where that is no short list.
    package var allowed: [String]
    /// The line and the one before it.
    package var excerpt: [Line] = []

    package init(
        _ severity: Severity,
        _ code: Code,
        _ message: String,
        file: String,
        at place: Place?,
        hint: String? = nil,
        allowed: [String] = []
    ) {
        self.severity = severity
        self.code = code
        self.message = message
        self.file = file
        self.place = place
        self.hint = hint
        self.allowed = allowed.sorted()
    }
}

extension Diagnostic {
    /// What a terminal shows:
    /// ```
    /// pipelines/a.yaml:14:5: error: unknown key "gruop_by" in stream "costs"
    ///    13 |     since: 2026-06-01
    ///    14 |     gruop_by: [project_id]
    ///       |     ^^^^^^^^ did you mean "group_by"?
    ///   allowed: bucket_width, group_by, lookback, on_failure, since, until
    /// ```
    package var text: String {
        let position = place.map { ":\($0.line):\($0.column)" } ?? ""
        var lines = ["\(file)\(position): \(severity.rawValue): \(message)"]
        for line in excerpt {
            let number = String(line.number)
            let gutter = String(repeating: " ", count: max(0, 5 - number.count)) + number
            lines.append(line.text.isEmpty ? "\(gutter) |" : "\(gutter) | \(line.text)")
        }
        if let place, let last = excerpt.last {
            let behind = hint.map { " \($0)" } ?? ""
            lines.append(
                "      | \(Diagnostic.margin(of: last.text, before: place.column))\(carets(under: last.text))\(behind)"
            )
        } else if let hint {
            lines.append("  mend: \(hint)")
        }
        if !allowed.isEmpty { lines.append("  allowed: \(allowed.joined(separator: ", "))") }
        return lines.joined(separator: "\n")
    }

    /// As wide as what stands before the column: tabs stay tabs, so that the carets stand right.
    private static func margin(of line: String, before column: Int) -> String {
        let before = line.unicodeScalars.prefix(column - 1)
        let tabs = before.map { $0 == "\t" ? "\t" : " " }.joined()
        return tabs + String(repeating: " ", count: column - 1 - before.count)
    }

    private func carets(under line: String) -> String {
        guard let place else { return "" }
        let rest = line.unicodeScalars.count - (place.column - 1)
        return String(repeating: "^", count: max(1, min(place.length, rest)))
    }
}
