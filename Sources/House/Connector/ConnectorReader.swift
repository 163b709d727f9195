package import Model

/// Reads a connector file: an API described as data.
///
/// Every mistake is found in one pass: unknown keys, wrong types, columns that stand twice, keys and
/// parents that name what does not exist. Connector files hold no variables and no secrets.
package struct ConnectorReader {
    /// What came of reading: with mistakes there is no connector.
    package struct Reading: Sendable {
        package var connector: Connector?
        package var diagnostics: Diagnostics

        package func get() throws(Fault) -> Connector {
            if let connector { return connector }
            throw diagnostics.fault ?? Fault(.badPlan, "the connector could not be read", mend: "run `cogni validate`")
        }
    }

    /// - Parameters:
    ///   - file: the name for messages, as the user wrote it.
    ///   - precomposed: see ``YAMLFile``.
    package static func read(file: String, bytes: [UInt8], precomposed: [UInt8]? = nil) -> Reading {
        let report = FileReport(file: file)
        let connector = YAMLFile.read(bytes, into: report, precomposed: precomposed).flatMap { root -> Connector? in
            Section(root, called: "a connector file", "at the top level", at: root.place, in: report)
                .map { ConnectorReader(report: report).connector($0) }
        }
        let diagnostics = report.diagnostics
        return Reading(connector: diagnostics.hasErrors ? nil : connector, diagnostics: diagnostics)
    }

    let report: FileReport

    private static let keys = [
        "connector", "title", "version", "base_url", "auth", "headers", "errors", "pacing", "streams", "relations",
        "reconcile",
    ]

    private func connector(_ root: Section) -> Connector {
        root.checkKeys(ConnectorReader.keys)
        for key in ["connector", "base_url", "auth", "streams"] { root.require(key) }
        let auth = root.section("auth")
        auth?.checkKeys(["header", "prefix", "variable"])
        let headers = root.section("headers")
        headers?.checkKeys(["options", "fixed", "request_id", "organization"])
        let name = root.text("connector")
        let streams = streams(root)
        if let name, !Connector.isName(name.value) {
            report.error(
                .wrongValue,
                "a connector's name has only a-z, 0-9, - and _, not \(report.quoted(name.value))",
                at: name.place
            )
        }
        return Connector(
            name: name?.value ?? "",
            title: root.text("title")?.value ?? "",
            version: root.whole("version", 1...1_000_000) ?? 1,
            baseURL: baseURL(root),
            credentialVariable: variable(auth),
            credentialHeader: auth?.text("header")?.value ?? "Authorization",
            credentialPrefix: auth?.text("prefix")?.value ?? "",
            optionHeaders: Dictionary(pairs(headers, "options"), uniquingKeysWith: { first, _ in first }),
            fixedHeaders: pairs(headers, "fixed").map { StreamSpec.Parameter($0.0, $0.1) },
            requestIDHeader: headers?.text("request_id")?.value ?? "x-request-id",
            organizationHeader: headers?.text("organization")?.value,
            errors: errors(root),
            pacing: pacing(root),
            streams: streams,
            relations: relations(root, streams),
            reconcile: reconcile(root, streams)
        )
    }

    private func baseURL(_ root: Section) -> String {
        guard let text = root.text("base_url") else { return "" }
        if let problem = BaseURL.problem(with: text.value, allowPlainHTTP: false) {
            report.error(.wrongValue, "\"base_url\" \(problem)", at: text.place)
        }
        return BaseURL.trimmed(text.value)
    }

    private func variable(_ auth: Section?) -> String {
        guard let auth else { return "" }
        auth.require("variable")
        guard let text = auth.text("variable") else { return "" }
        let isName = text.value.utf8.allSatisfy { $0 == 95 || (48...57).contains($0) || (65...90).contains($0) }
        if !isName {
            report.error(
                .wrongValue,
                "\"variable\" must be the name of an environment variable, such as ACME_ADMIN_KEY",
                at: text.place
            )
        }
        return text.value
    }

    private func errors(_ root: Section) -> Connector.ErrorRules {
        guard let section = root.section("errors") else { return .init() }
        section.checkKeys(["final", "history"])
        return .init(finalCodes: section.strings("final") ?? [], historyCodes: section.strings("history") ?? [])
    }

    private func pacing(_ root: Section) -> Connector.Pacing {
        guard let section = root.section("pacing") else { return .init(total: nil, perPath: nil) }
        section.checkKeys(["requests_per_minute", "per_path"])
        return .init(
            total: section.whole("requests_per_minute", 1...1_000_000),
            perPath: section.whole("per_path", 1...1_000_000)
        )
    }

    /// A mapping of names to values, in the file's order.
    func pairs(_ section: Section?, _ key: String) -> [(String, String)] {
        guard let inner = section?.section(key) else { return [] }
        return inner.entries.compactMap { entry in
            inner.text(of: entry.value, called: "\"\(entry.key)\"", at: entry.keyPlace).map { (entry.key, $0.value) }
        }
    }

    private func streams(_ root: Section) -> [StreamSpec] {
        guard let nodes = root.nodes("streams", example: "- name: users") else { return [] }
        var read: [StreamSpec] = []
        for node in nodes {
            guard let section = Section(node, called: "a stream", "in a stream", at: node.place, in: report),
                let (stream, checked) = stream(section)
            else { continue }
            if read.contains(where: { $0.name == stream.name }) {
                report.error(.duplicateKey, "the stream \"\(stream.name)\" stands twice", at: checked.place)
            }
            ConnectorChecks(report: report, section: checked, earlier: read).check(stream)
            read.append(stream)
        }
        return read
    }
}

extension Connector {
    /// Letters, digits, `-` and `_`; names become parts of paths and messages.
    static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= 100
            && text.utf8.allSatisfy { (97...122).contains($0) || (48...57).contains($0) || $0 == 95 || $0 == 45 }
    }
}
