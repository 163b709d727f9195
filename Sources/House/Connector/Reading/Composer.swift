internal import Yams

/// Walks one file through the YAML parser.
///
/// What the parser would stop at or grow without bound from is covered up by ``StandIns``, so that every
/// other mistake of the file is found in the same pass.
struct Composer {
    private let source: SourceLines
    private let scalars: SourceScalars
    private let report: FileReport
    private var standIns: StandIns
    private var nodeCount = 0
    private var isCut = false
    /// Inside of a value that must be no literal: whatever is there is neither shown nor repeated.
    private var isInSecret = false

    init(source: SourceLines, report: FileReport) {
        self.source = source
        self.report = report
        scalars = SourceScalars(source)
        standIns = StandIns(scalars.scalars, of: source.text)
    }

    mutating func root() -> YAMLNode? {
        for attempt in 0... {
            do {
                // The parser owns the anchors' names: it has to outlive the walk over its tree.
                let parser = try Parser(yaml: standIns.text, resolver: .basic, encoding: .utf8)
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
                guard attempt < 20, cover(error) else {
                    refuse(error)
                    return nil
                }
            }
        }
        return nil
    }

    /// Covers the first of two equal keys. False: the error is another one.
    private mutating func cover(_ error: YamlError) -> Bool {
        guard case .duplicatedKeysInMapping(let names, let context) = error, let name = names.first,
            let offset = scalars.offset(line: context.mark.line, column: context.mark.column)
        else { return false }
        return standIns.coverKey(name, at: offset)
    }

    private func refuse(_ error: YamlError) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            let place = Place(line: mark.line, column: mark.column)
            let about = context.map { " (\($0.text), line \($0.mark.line))" } ?? ""
            let offset = scalars.offset(line: mark.line, column: mark.column)
            let isTab = offset.map { scalars.scalars[$0] == "\t" } ?? false
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
            let name = names.first.map { report.quoted(standIns.uncovered($0)) } ?? ""
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
        return Place(line: before.count, column: before.line(before.count).unicodeScalars.count + 1)
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
        let text = standIns.uncovered(scalar.string)
        if isInSecret, !SecretKeys.isReference(text) { report.hide(text, at: place) }
        if let offset = scalars.offset(line: place.line, column: place.column), standIns.aliases.contains(offset),
            scalar.style == .plain
        {
            report.error(
                .unsupportedYAML,
                "aliases are not read here",
                at: place,
                hint: "write the value out where it is needed"
            )
        }
        if SecretShapes.isSecret(text), !SecretShapes.isSecret(source.line(place.line)) {
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
            let value = convertValue(value, behind: converted, depth: depth + 1)
            guard case .text(let name, let isPlain) = converted.content else {
                report.error(.unsupportedYAML, "a key must be plain text", at: converted.place)
                continue
            }
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
                    isInSecret ? "a key stands twice" : "the key \(report.quoted(name)) stands twice",
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

    private mutating func convertValue(_ node: Node, behind key: YAMLNode, depth: Int) -> YAMLNode {
        let isOutside = !isInSecret
        if case .text(let name, _) = key.content, SecretKeys.take(name) { isInSecret = true }
        defer { if isOutside { isInSecret = false } }
        return convert(node, depth: depth)
    }

    private func refuseTag(_ tag: Tag, unless usual: String, at place: Place) {
        let name = tag.description
        if name != usual {
            report.error(
                .unsupportedYAML,
                isInSecret ? "tags are not read here" : "tags such as \(report.quoted(name)) are not read here",
                at: place,
                hint: "leave it out: our own schema knows the type"
            )
        }
    }

    /// Where a node begins, and how much of that line a scalar takes.
    private func place(of node: Node) -> Place {
        guard let mark = node.mark else { return Place(line: 1, column: 1) }
        guard case .scalar(let scalar) = node, let start = scalars.offset(line: mark.line, column: mark.column) else {
            return Place(line: mark.line, column: mark.column)
        }
        let end = mark.line < scalars.starts.count ? scalars.starts[mark.line] - 1 : scalars.scalars.count
        let opening = scalars.scalars[start]
        var length = min(scalar.string.unicodeScalars.count, end - start)
        if opening == "\"" || opening == "'" {
            let rest = scalars.scalars[(start + 1)..<max(start + 1, end)]
            length = (rest.firstIndex(of: opening) ?? end - 1) - start + 1
        }
        return Place(line: mark.line, column: mark.column, length: length)
    }
}
