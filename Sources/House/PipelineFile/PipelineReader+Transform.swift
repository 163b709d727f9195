import Connector
import Model

/// The `transform` section: dedupe, sanitize, encrypt.
extension PipelineReader {
    private static let order = ["dedupe", "sanitize", "encrypt"]

    func transform(_ root: Section, _ connector: Connector?, _ streams: [Pipeline.StreamPlan]) -> Pipeline.Transform {
        var made = Pipeline.Transform(
            keep: .latest,
            maskSecrets: true,
            unknownFields: .numbers,
            fieldRules: [:],
            encryption: nil
        )
        guard let entry = root.entry("transform"), !entry.value.isEmpty else { return made }
        let steps = root.nodes("transform", example: "- dedupe: { keep: latest }") ?? []
        let fields = FieldNames(report: report, connector: connector, streams: streams)
        var seen: [String] = []
        for step in steps {
            guard let (name, section) = self.step(step) else { continue }
            if seen.contains(name) {
                report.error(.duplicateKey, "the step \"\(name)\" stands twice", at: section.place)
                continue
            }
            seen.append(name)
            switch name {
            case "dedupe":
                section.checkKeys(["keep"])
                made.keep = section.word("keep", Pipeline.Transform.Keep.self) ?? .latest
            case "sanitize": sanitize(section, &made, fields)
            default: made.encryption = encryption(section, fields)
            }
        }
        if seen != PipelineReader.order.filter(seen.contains) {
            report.note(
                .noEffect,
                "whatever their order here, rows are deduplicated, then sanitized, then encrypted",
                at: entry.keyPlace
            )
        }
        return made
    }

    /// `- dedupe: { … }`, or `- dedupe` alone.
    private func step(_ node: YAMLNode) -> (String, Section)? {
        let entry: YAMLNode.Entry
        switch node.content {
        case .map(let entries) where entries.count == 1: entry = entries[0]
        case .text(let name, _) where !node.isEmpty:
            entry = .init(key: name, keyPlace: node.place, value: .init(content: .map([]), place: node.place))
        default:
            report.error(
                .wrongType,
                "a step of \"transform\" is one key with its settings, such as dedupe: { keep: latest }",
                at: node.place
            )
            return nil
        }
        guard PipelineReader.order.contains(entry.key) else {
            report.hideSecrets(behind: entry)
            report.error(
                .unknownKey,
                "unknown step \(report.quoted(entry.key)) in \"transform\"",
                at: entry.keyPlace,
                hint: Spelling.question(for: entry.key, in: PipelineReader.order),
                allowed: PipelineReader.order
            )
            return nil
        }
        return Section(entry.value, called: "\"\(entry.key)\"", "in \"\(entry.key)\"", at: entry.keyPlace, in: report)
            .map { (entry.key, $0) }
    }

    private enum Secrets: String, CaseIterable { case mask, keep }

    private func sanitize(_ section: Section, _ made: inout Pipeline.Transform, _ fields: FieldNames) {
        section.checkKeys(["secrets", "unknown_fields", "new_values", "missing_fields", "fields"])
        made.maskSecrets = section.word("secrets", Secrets.self) != .keep
        made.unknownFields = section.word("unknown_fields", Pipeline.Transform.UnknownFields.self) ?? .numbers
        made.newValues = section.word("new_values", Pipeline.Transform.NewValues.self) ?? .keep
        made.missingFields = section.word("missing_fields", Pipeline.Transform.MissingFields.self) ?? .keep
        guard let rules = section.section("fields") else { return }
        for entry in rules.entries {
            let columns = fields.columns(named: entry.key, at: entry.keyPlace, allowsDomains: false)
            guard let rule = rules.word(entry.key, Pipeline.Transform.FieldRule.self) else { continue }
            made.fieldRules[entry.key] = rule
            let verb = rule == .mask ? "masked" : "dropped"
            if fields.checkKeepsTimes(columns, entry.key, verb: verb, at: entry.keyPlace) {
                fields.checkKeepsRowsApart(columns, entry.key, verb: verb, at: entry.keyPlace)
            }
        }
    }

    private func encryption(_ section: Section, _ fields: FieldNames) -> Pipeline.Transform.Encryption {
        section.checkKeys(["fields", "mode", "key_ring"])
        section.require("fields", hint: "name columns, stream.column or domain:user")
        let mode = section.word("mode", Pipeline.Transform.TokenMode.self) ?? .deterministic
        let texts = section.texts("fields") ?? []
        if case .list(let elements)? = section.entry("fields")?.value.content, elements.isEmpty {
            report.error(
                .missingKey,
                "\"fields\" names nothing to encrypt",
                at: section.keyPlace("fields"),
                hint: "leave the step out, or name a field"
            )
        }
        for text in texts {
            let columns = fields.columns(named: text.value, at: text.place, allowsDomains: true)
            let keepsTimes = fields.checkKeepsTimes(columns, text.value, verb: "encrypted", at: text.place)
            if keepsTimes, mode == .randomized {
                fields.checkKeepsRowsApart(columns, text.value, verb: "encrypted at random", at: text.place)
            }
        }
        let usual = "COGNI_KEY_RING"
        let ring =
            section.has("key_ring")
            ? openValue(section, "key_ring")
            : OpenValue(value: variables.environment[usual], name: usual, place: section.place, isReference: true)
        if let ring, section.has("key_ring") { refuseHome("key_ring", ring.value ?? "", at: ring.place) }
        return .init(
            fields: texts.map(\.value),
            mode: mode,
            keyRing: ring?.value.flatMap { $0.isEmpty ? nil : $0 },
            keyRingName: ring?.name ?? usual
        )
    }
}
