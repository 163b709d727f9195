internal import Yams

/// Walks one file through the YAML parser.
///
/// Two things would stop the parser or let it grow without bound: a key that stands twice, and aliases.
/// Both are taken out before or between tries by putting a placeholder of equal width in their place, so
/// that every other mistake of the file is found in the same pass and all places stay right.
struct Composer {
    private let source: SourceLines
    private let report: FileReport
    /// What a placeholder stands for: a repeated key's own text.
    private var renamed: [String: String] = [:]
    private var aliases: Set<Int> = []
    private var nodeCount = 0
    private var isCut = false

    init(source: SourceLines, report: FileReport) {
        self.source = source
        self.report = report
    }

    mutating func root(of text: String) -> YAMLNode? {
        var scalars = source.scalars
        var text = text
        aliases = Set(aliasCandidates())
        for offset in aliases { scalars[offset] = Composer.aliasMark }
        if !aliases.isEmpty { text = String(String.UnicodeScalarView(scalars)) }
        for attempt in 0... {
            do {
                // The parser owns the anchors' names: it has to outlive the walk over its tree.
                let parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
                guard let node = try parser.singleRoot() else {
                    report.error(
                        .missingKey,
                        "the file is empty",
                        at: nil,
                        hint: "`cogni init` writes one to start from"
                    )
                    return nil
                }
                let tree = withExtendedLifetime(parser) { convert(node, depth: 1) }
                return isCut ? nil : tree
            } catch {
                guard let error = error as? YamlError else { return nil }
                guard attempt < 20, rename(error, in: &scalars) else {
                    refuse(error)
                    return nil
                }
                text = String(String.UnicodeScalarView(scalars))
            }
        }
        return nil
    }

    private static let aliasMark: Unicode.Scalar = "\u{E000}"

    // MARK: Before the parser

    /// Where an alias could begin: a star where a value may start. Some of these stand in quotes or comments.
    private func aliasCandidates() -> [Int] {
        var found: [Int] = []
        for (offset, scalar) in source.scalars.enumerated() where scalar == "*" {
            var before = offset - 1
            while before >= 0, source.scalars[before] == " " || source.scalars[before] == "\t" { before -= 1 }
            let previous: Unicode.Scalar = before >= 0 ? source.scalars[before] : "\n"
            if "\n\r-:?,[{\u{85}\u{2028}\u{2029}".unicodeScalars.contains(previous) { found.append(offset) }
        }
        return found
    }

    /// Puts a placeholder over the first of two equal keys. False: the error is another one.
    private mutating func rename(_ error: YamlError, in scalars: inout [Unicode.Scalar]) -> Bool {
        guard case .duplicatedKeysInMapping(let names, let context) = error, let name = names.first, !name.isEmpty,
            var offset = source.offset(line: context.mark.line, column: context.mark.column)
        else { return false }
        if scalars[offset] == "\"" || scalars[offset] == "'" { offset += 1 }
        guard offset < scalars.count, let mark = Unicode.Scalar(UInt32(0xE001 + renamed.count)) else { return false }
        scalars[offset] = mark
        var placeholder = String.UnicodeScalarView(name.unicodeScalars)
        placeholder.replaceSubrange(
            placeholder.startIndex..<placeholder.index(after: placeholder.startIndex),
            with: [mark]
        )
        renamed[String(placeholder)] = name
        return true
    }

    private func refuse(_ error: YamlError) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            let place = Place(line: mark.line, column: mark.column)
            let about = context.map { " (\($0.text), line \($0.mark.line))" } ?? ""
            let offset = source.offset(line: mark.line, column: mark.column)
            let isTab = offset.map { source.scalars[$0] == "\t" } ?? false
            report.error(
                .syntax,
                "not YAML: \(problem)\(about)",
                at: place,
                hint: isTab ? "indent with spaces, not tabs" : nil
            )
        case .composer(_, let problem, let mark, _):
            let place = Place(line: mark.line, column: mark.column)
            if problem == "but found another document" {
                report.error(.unsupportedYAML, "a second document begins here; only one is read", at: place)
            } else {
                report.error(.syntax, "not YAML: \(problem)", at: place)
            }
        case .reader(let problem, let offset, _, let text):
            report.error(.syntax, "not YAML: \(problem)", at: offset.flatMap { place(ofCharacter: $0, in: text) })
        case .duplicatedKeysInMapping(let names, let context):
            let name = names.first.map { report.quoted($0) } ?? ""
            report.error(
                .duplicateKey,
                "the key \(name) stands twice in one mapping",
                at: Place(line: context.mark.line, column: context.mark.column)
            )
        default: report.error(.syntax, "not YAML", at: nil)
        }
    }

    private func place(ofCharacter offset: Int, in text: String) -> Place {
        let before = SourceLines(String(text.prefix(offset)))
        return Place(line: before.texts.count, column: (before.texts.last?.unicodeScalars.count ?? 0) + 1)
    }

    // MARK: After the parser

    private mutating func convert(_ node: Node, depth: Int) -> YAMLNode {
        let place = place(of: node)
        nodeCount += 1
        if nodeCount > YAMLFile.nodeLimit || depth > YAMLFile.depthLimit {
            if !isCut {
                let limit =
                    depth > YAMLFile.depthLimit ? "\(YAMLFile.depthLimit) levels" : "\(YAMLFile.nodeLimit) values"
                report.error(.tooLarge, "more than \(limit); no real file has that many", at: place)
            }
            isCut = true
        }
        if isCut { return YAMLNode(content: .text("", isPlain: true), place: place) }
        if node.anchor != nil {
            report.error(
                .unsupportedYAML,
                "anchors are not read here",
                at: place,
                hint: "write the value out where it is needed"
            )
        }
        switch node {
        case .scalar(let scalar): return convert(scalar, tag: node.tag, at: place)
        case .sequence(let elements):
            refuseTag(node.tag, unless: "tag:yaml.org,2002:seq", at: place)
            return YAMLNode(content: .list(elements.map { convert($0, depth: depth + 1) }), place: place)
        case .mapping(let mapping):
            refuseTag(node.tag, unless: "tag:yaml.org,2002:map", at: place)
            return YAMLNode(content: .map(entries(of: mapping, depth: depth)), place: place)
        case .alias: return YAMLNode(content: .text("", isPlain: true), place: place)
        }
    }

    private mutating func convert(_ scalar: Node.Scalar, tag: Tag, at place: Place) -> YAMLNode {
        refuseTag(tag, unless: "tag:yaml.org,2002:str", at: place)
        var text = scalar.string
        if let offset = source.offset(line: place.line, column: place.column), aliases.contains(offset),
            scalar.style == .plain
        {
            report.error(
                .unsupportedYAML,
                "aliases are not read here",
                at: place,
                hint: "write the value out where it is needed"
            )
        } else if !aliases.isEmpty {
            text = String(String.UnicodeScalarView(text.unicodeScalars.map { $0 == Composer.aliasMark ? "*" : $0 }))
        }
        if SecretShapes.isSecret(text), !SecretShapes.isSecret(line(of: place)) {
            report.hide(text, at: place)
            report.error(
                .secret,
                "this looks like a secret; a file is no place for it",
                at: place,
                hint: "put it into a variable, and write ${NAME}"
            )
        }
        return YAMLNode(content: .text(text, isPlain: scalar.style == .plain), place: place)
    }

    private mutating func entries(of mapping: Node.Mapping, depth: Int) -> [YAMLNode.Entry] {
        var entries: [YAMLNode.Entry] = []
        var lines: [String: Int] = [:]
        for (key, value) in mapping {
            let converted = convert(key, depth: depth + 1)
            let value = convert(value, depth: depth + 1)
            guard case .text(var name, let isPlain) = converted.content else {
                report.error(.unsupportedYAML, "a key must be plain text", at: converted.place)
                continue
            }
            name = renamed[name] ?? name
            if name == "<<", isPlain {
                report.error(
                    .unsupportedYAML,
                    "merge keys are not read here",
                    at: converted.place,
                    hint: "write the keys out where they are needed"
                )
                continue
            }
            if let first = lines[name] {
                report.error(
                    .duplicateKey,
                    "the key \(report.quoted(name)) stands twice",
                    at: converted.place,
                    hint: "the first one is on line \(first)"
                )
                continue
            }
            lines[name] = converted.place.line
            entries.append(.init(key: name, keyPlace: converted.place, value: value))
        }
        return entries
    }

    private func refuseTag(_ tag: Tag, unless usual: String, at place: Place) {
        let name = tag.description
        if name != usual {
            report.error(
                .unsupportedYAML,
                "tags such as \(report.quoted(name)) are not read here",
                at: place,
                hint: "leave it out: our own schema knows the type"
            )
        }
    }

    private func line(of place: Place) -> String {
        source.texts.indices.contains(place.line - 1) ? source.texts[place.line - 1] : ""
    }

    /// Where a node begins, and how much of that line a scalar takes.
    private func place(of node: Node) -> Place {
        guard let mark = node.mark else { return Place(line: 1, column: 1) }
        guard case .scalar(let scalar) = node, let start = source.offset(line: mark.line, column: mark.column) else {
            return Place(line: mark.line, column: mark.column)
        }
        let end = mark.line < source.starts.count ? source.starts[mark.line] - 1 : source.scalars.count
        let opening = source.scalars[start]
        var length = min(scalar.string.unicodeScalars.count, end - start)
        if opening == "\"" || opening == "'" {
            let rest = source.scalars[(start + 1)..<max(start + 1, end)]
            length = (rest.firstIndex(of: opening) ?? end - 1) - start + 1
        }
        return Place(line: mark.line, column: mark.column, length: length)
    }
}
