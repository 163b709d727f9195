package import Model

/// A mapping of a file while it is being read: knows its place and how messages call it, checks its keys
/// and types its values. Every getter reports what is wrong and then answers `nil`, like for a key that is absent.
package struct Section {
    /// A value as text, variables filled in.
    package struct Text {
        package var value: String
        /// As written, for messages: what a variable held is nobody's business.
        package var written: String
        package var place: Place
    }

    package let report: FileReport
    /// How messages say where: `in "load"`, `in stream "costs"`, `at the top level`.
    package let whereabouts: String
    package let place: Place
    package let entries: [YAMLNode.Entry]

    package init(report: FileReport, whereabouts: String, place: Place, entries: [YAMLNode.Entry]) {
        self.report = report
        self.whereabouts = whereabouts
        self.place = place
        self.entries = entries
    }

    /// Reads `node` as a mapping; nothing written counts as an empty one.
    package init?(
        _ node: YAMLNode,
        called name: @autoclosure () -> String,
        _ whereabouts: String,
        at place: Place,
        in report: FileReport
    ) {
        switch node.content {
        case .map(let entries): self.init(report: report, whereabouts: whereabouts, place: place, entries: entries)
        case _ where node.isEmpty: self.init(report: report, whereabouts: whereabouts, place: place, entries: [])
        default:
            report.error(.wrongType, "\(name()) must be a mapping of keys and values", at: node.place)
            return nil
        }
    }

    /// Reports every key that is not among those allowed.
    package func checkKeys(_ allowed: [String]) {
        for entry in entries where !allowed.contains(entry.key) {
            let nearest = Spelling.nearest(to: entry.key, in: allowed)
            report.hideSecrets(behind: entry, nearest: nearest)
            report.error(
                .unknownKey,
                "unknown key \(report.quoted(entry.key)) \(whereabouts)",
                at: entry.keyPlace,
                hint: nearest.map { Spelling.question(about: $0) },
                allowed: allowed
            )
        }
    }

    package func entry(_ key: String) -> YAMLNode.Entry? { entries.first { $0.key == key } }
    package func has(_ key: String) -> Bool { entry(key) != nil }
    package func keyPlace(_ key: String) -> Place { entry(key)?.keyPlace ?? place }

    /// The mapping below a key.
    package func section(_ key: String) -> Section? {
        guard let entry = entry(key) else { return nil }
        return Section(entry.value, called: "\"\(key)\"", "in \"\(key)\"", at: entry.keyPlace, in: report)
    }

    /// Reports a key that must be there and is not.
    package func require(_ key: String, hint: String? = nil) {
        if !has(key) { report.error(.missingKey, "\"\(key)\" is missing \(whereabouts)", at: place, hint: hint) }
    }

    // MARK: Scalars

    package func text(_ key: String) -> Text? {
        guard let entry = entry(key) else { return nil }
        return text(of: entry.value, called: "\"\(key)\"", at: entry.keyPlace)
    }

    /// A scalar as text; empty ones and lists are reported.
    package func text(of node: YAMLNode, called name: @autoclosure () -> String, at keyPlace: Place) -> Text? {
        guard case .text(let written, _) = node.content else {
            report.error(.wrongType, "\(name()) must be a single value", at: node.place)
            return nil
        }
        if node.isEmpty {
            report.error(
                .wrongType,
                "\(name()) has no value \(whereabouts)",
                at: keyPlace,
                hint: "write one, or leave the line out"
            )
            return nil
        }
        return report.expand(written, node.place).map { Text(value: $0, written: written, place: node.place) }
    }

    package func flag(_ key: String) -> Bool? {
        guard let text = text(key) else { return nil }
        if text.value == "true" { return true }
        if text.value == "false" { return false }
        report.error(
            .wrongType,
            "\"\(key)\" must be true or false, not \(report.quoted(text.written))",
            at: text.place,
            hint: Section.flagMeant(by: text.value).map { "write \($0)" },
            allowed: ["false", "true"]
        )
        return nil
    }

    /// Other YAML readers take these for booleans; guessing which would be one more way to be wrong.
    private static func flagMeant(by text: String) -> String? {
        switch text.lowercased() {
        case "yes", "on", "y", "true": "true"
        case "no", "off", "n", "false": "false"
        default: nil
        }
    }

    package func whole(_ key: String, _ range: ClosedRange<Int>) -> Int? {
        guard let text = text(key) else { return nil }
        if let number = Section.whole(text.value), range.contains(number) { return number }
        let bounds =
            range.upperBound == .max
            ? "of at least \(range.lowerBound)" : "from \(range.lowerBound) to \(range.upperBound)"
        report.error(
            Section.whole(text.value) == nil ? .wrongType : .wrongValue,
            "\"\(key)\" must be a whole number \(bounds), not \(report.quoted(text.written))",
            at: text.place
        )
        return nil
    }

    /// Decimal digits only: `017`, `0x1F` and `1_000` mean different things to different YAML readers.
    package static func whole(_ text: String) -> Int? {
        guard !text.isEmpty, text.utf8.allSatisfy({ $0 >= 48 && $0 <= 57 }), text == "0" || text.utf8.first != 48 else {
            return nil
        }
        return Int(text)
    }

    package func span(_ key: String) -> TimeSpan? {
        guard let text = text(key) else { return nil }
        if let span = TimeSpan(text: text.value) { return span }
        report.error(
            .wrongType,
            "\"\(key)\" must be a length of time such as 90s, 5m, 72h, 3d or 2w, not \(report.quoted(text.written))",
            at: text.place
        )
        return nil
    }

    package func size(_ key: String) -> ByteSize? {
        guard let text = text(key) else { return nil }
        if let size = ByteSize(text: text.value) { return size }
        report.error(
            .wrongType,
            "\"\(key)\" must be a size such as 256MB or 1GiB, not \(report.quoted(text.written))",
            at: text.place
        )
        return nil
    }

    /// A moment between 2000 and 2100; milliseconds by mistake would be far outside.
    package func instant(_ key: String) -> Instant? {
        guard let text = text(key) else { return nil }
        let range = Instant(year: 2000, month: 1, day: 1)..<Instant(year: 2100, month: 1, day: 1)
        if let instant = Instant(text: text.value), range.contains(instant) { return instant }
        report.error(
            .wrongType,
            "\"\(key)\" must be a date such as 2026-11-03 or a time such as 2026-11-03T04:00:00Z, not \(report.quoted(text.written))",
            at: text.place
        )
        return nil
    }

    /// One of an enumeration's raw values.
    package func word<Word: RawRepresentable & CaseIterable>(_ key: String, _: Word.Type) -> Word?
    where Word.RawValue == String {
        guard let text = text(key) else { return nil }
        if let word = Word(rawValue: text.value) { return word }
        let allowed = Word.allCases.map(\.rawValue)
        report.error(
            .wrongValue,
            "\"\(key)\" cannot be \(report.quoted(text.written))",
            at: text.place,
            hint: Spelling.question(for: text.value, in: allowed),
            allowed: allowed
        )
        return nil
    }

    // MARK: Lists

    /// A list of scalars, such as `[project_id, model]`.
    package func texts(_ key: String) -> [Text]? {
        guard let elements = nodes(key, example: "[a, b]") else { return nil }
        return elements.compactMap { text(of: $0, called: "an element of \"\(key)\"", at: $0.place) }
    }

    package func strings(_ key: String) -> [String]? { texts(key)?.map(\.value) }

    /// The elements of a list, whatever they are.
    package func nodes(_ key: String, example: String) -> [YAMLNode]? {
        guard let entry = entry(key) else { return nil }
        if case .list(let elements) = entry.value.content { return elements }
        report.error(
            .wrongType,
            "\"\(key)\" must be a list, such as \(example)",
            at: entry.value.isEmpty ? entry.keyPlace : entry.value.place
        )
        return nil
    }
}
