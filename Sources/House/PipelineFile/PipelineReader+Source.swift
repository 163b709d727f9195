import Connector
import Model

/// The `source` section: which API, how to reach it, how gently.
extension PipelineReader {
    private static let keys = [
        "connector", "base_url", "credential", "page_limit", "retry", "requests_per_minute", "concurrency",
        "allow_plain_http", "max_page_size", "include_open_bucket", "timeouts",
    ]

    /// The connector that the source names, by its own name or by the path of its file.
    mutating func connector(_ source: Section) -> Connector? {
        source.require("connector", hint: "write connector: openai_admin")
        guard let text = source.text("connector") else { return nil }
        let reading: ConnectorReader.Reading
        if let builtin = BuiltinConnectors.reading(text.value) {
            reading = builtin
        } else if text.value.contains("/") || text.value.hasSuffix(".yaml") || text.value.hasSuffix(".yml") {
            guard let bytes = variables.readFile(text.value) else {
                report.error(
                    .unreadable,
                    "the connector file \(report.quoted(text.value)) cannot be read",
                    at: text.place
                )
                return nil
            }
            reading = ConnectorReader.read(file: text.value, bytes: bytes)
        } else {
            report.error(
                .unknownName,
                "there is no connector \(report.quoted(text.written))",
                at: text.place,
                hint: Spelling.question(for: text.value, in: BuiltinConnectors.names)
                    ?? "a connector file is named by its path, such as ./my-api.yaml",
                allowed: BuiltinConnectors.names
            )
            return nil
        }
        connectorDiagnostics += reading.diagnostics
        if reading.connector == nil {
            report.error(
                .wrongValue,
                "the connector file \(report.quoted(text.value)) has mistakes of its own",
                at: text.place
            )
        }
        return reading.connector
    }

    func source(_ section: Section, _ connector: Connector?) -> Pipeline.Source {
        let options = connector?.optionHeaders.keys.sorted() ?? []
        checkKeys(section, connector, options)
        _ = section.flag("include_open_bucket")
        let retry = section.section("retry")
        retry?.checkKeys(["budget", "max_delay"])
        let timeouts = timeouts(section)
        let credential = credential(section, connector)
        let allowPlainHTTP = section.flag("allow_plain_http") ?? false
        let source = Pipeline.Source(
            baseURL: baseURL(section, connector, allowPlainHTTP: allowPlainHTTP),
            credential: credential.secret,
            credentialName: credential.name,
            isCredentialFile: credential.isFile,
            options: options.reduce(into: [:]) { filled, key in
                if let value = optional(section, key), !value.isEmpty { filled[key] = value }
            },
            pageLimit: pageLimit(section),
            retryBudget: retry?.span("budget") ?? TimeSpan(seconds: 300),
            retryMaxDelay: retry?.span("max_delay") ?? TimeSpan(seconds: 75),
            requestsPerMinute: section.whole("requests_per_minute", 1...1_000_000) ?? connector?.pacing.total,
            concurrency: section.whole("concurrency", 1...64) ?? 4,
            allowPlainHTTP: allowPlainHTTP,
            maxPageSize: section.size("max_page_size") ?? ByteSize(bytes: 256_000_000),
            timeouts: timeouts
        )
        if let retry, retry.has("max_delay"), source.retryMaxDelay > source.retryBudget {
            report.warn(
                .noEffect,
                "\"max_delay\" is longer than the whole budget of \(source.retryBudget.text)",
                at: retry.keyPlace("max_delay")
            )
        }
        if source.maxPageSize.bytes < 65_536, let text = section.text("max_page_size") {
            report.error(
                .wrongValue,
                "\"max_page_size\" must be at least 64KiB, not \(report.quoted(text.written))",
                at: text.place
            )
        }
        return source
    }

    /// Without its connector nobody knows which headers a source may fill, but what nearly is a known key is meant for it.
    private func checkKeys(_ section: Section, _ connector: Connector?, _ options: [String]) {
        if connector != nil { return section.checkKeys(PipelineReader.keys + options) }
        let known = PipelineReader.keys
        Section(
            report: report,
            whereabouts: section.whereabouts,
            place: section.place,
            entries: section.entries.filter { Spelling.question(for: $0.key, in: known) != nil }
        )
        .checkKeys(known)
    }

    /// How long one request may take. Nothing may wait for ever: 0 is refused.
    private func timeouts(_ section: Section) -> Pipeline.Timeouts {
        var timeouts = Pipeline.Timeouts()
        guard let own = section.section("timeouts") else { return timeouts }
        own.checkKeys(["connect", "stall", "page"])
        func read(_ key: String, _ usual: TimeSpan) -> TimeSpan {
            guard let span = own.span(key) else { return usual }
            if span.seconds < 1 || span.seconds > 86_400 {
                report.error(.wrongValue, "\"\(key)\" must be from 1s to 1d, not \(span.text)", at: own.keyPlace(key))
                return usual
            }
            return span
        }
        timeouts.connect = read("connect", timeouts.connect)
        timeouts.stall = read("stall", timeouts.stall)
        timeouts.page = read("page", timeouts.page)
        if own.has("stall"), timeouts.stall > timeouts.page {
            report.warn(
                .noEffect,
                "\"stall\" is longer than the whole page may take (\(timeouts.page.text))",
                at: own.keyPlace("stall")
            )
        }
        return timeouts
    }

    /// A header's value; one line, since a newline would begin another header.
    private func optional(_ section: Section, _ key: String) -> String? {
        guard let entry = section.entry(key), !entry.value.isEmpty, let text = section.text(key) else { return nil }
        if text.value.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value >= 0x7F }) {
            report.error(.wrongValue, "\"\(key)\" must be plain ASCII on one line", at: text.place)
        }
        return text.value
    }

    private func baseURL(_ section: Section, _ connector: Connector?, allowPlainHTTP: Bool) -> String {
        guard let text = section.text("base_url") else { return connector?.baseURL ?? "" }
        if let problem = BaseURL.problem(with: text.value, allowPlainHTTP: allowPlainHTTP) {
            if text.value.contains("@") { report.hide(text.written, at: text.place) }
            report.error(.wrongValue, "\"base_url\" \(problem)", at: text.place)
        }
        return BaseURL.trimmed(text.value)
    }

    // MARK: Credentials

    /// A value that may stay open: `nil` while its variable is unset.
    struct OpenValue {
        var value: String?
        /// The variable, where the value is exactly one.
        var name: String?
        var place: Place
        var isReference: Bool
    }

    /// Reads a value whose variables may be unset.
    func openValue(_ section: Section, _ key: String) -> OpenValue? {
        guard let entry = section.entry(key), !entry.value.isEmpty else { return nil }
        guard case .text(let written, _) = entry.value.content else {
            _ = section.text(key)
            return nil
        }
        let place = entry.value.place
        do throws(Variables.Problem) {
            let parts = try Variables.parts(of: written)
            let single = parts.count == 1 ? parts[0].name : ""
            let open = OpenValue(
                value: nil,
                name: single.isEmpty ? nil : single,
                place: place,
                isReference: !single.isEmpty
            )
            do throws(Variables.Problem) {
                var open = open
                open.value = try variables.expand(written)
                return open
            } catch { return open }
        } catch {
            report.error(.variable, error.message, at: place, hint: error.hint)
            return nil
        }
    }

    /// Exactly one reference. A literal is refused without repeating it.
    private func credential(
        _ section: Section,
        _ connector: Connector?
    ) -> (secret: Secret?, name: String, isFile: Bool) {
        let usual = connector?.credentialVariable ?? ""
        guard let entry = section.entry("credential"), !entry.value.isEmpty else {
            let value = variables.environment[usual] ?? ""
            return (value.isEmpty ? nil : Secret(value, name: usual), usual, false)
        }
        guard case .text(let written, _) = entry.value.content else {
            _ = section.text("credential")
            return (nil, usual, false)
        }
        let parts = try? Variables.parts(of: written)
        guard let parts, parts.count == 1, !parts[0].name.isEmpty, !PipelineReader.hasDefault(parts[0]) else {
            report.error(
                .secret,
                "\"credential\" must be one variable or file, never the key itself",
                at: entry.value.place,
                hint: "write ${\(usual.isEmpty ? "NAME" : usual)} or ${file:/run/secrets/key}"
            )
            return (nil, usual, false)
        }
        let value = (try? variables.value(of: parts[0])) ?? ""
        let name = parts[0].name
        if value.unicodeScalars.contains(where: { $0.value <= 0x20 || $0.value >= 0x7F }) {
            report.error(
                .variable,
                "what \(name) holds has spaces, newlines or other signs that no key has",
                at: entry.value.place
            )
        }
        let isFile = if case .file = parts[0] { true } else { false }
        return (value.isEmpty ? nil : Secret(value, name: name), name, isFile)
    }

    /// A default would be the key itself; an empty one says only that the variable may be unset.
    static func hasDefault(_ part: Variables.Part) -> Bool {
        if case .variable(_, let fallback?) = part { !fallback.isEmpty } else { false }
    }

    // MARK: Page limits

    private func pageLimit(_ section: Section) -> Int? {
        guard let text = section.text("page_limit"), text.value != "max" else { return nil }
        if let limit = Section.whole(text.value), limit >= 1, limit <= 1_000_000 { return limit }
        report.error(
            .wrongValue,
            "\"page_limit\" must be \"max\" or a whole number of at least 1, not \(report.quoted(text.written))",
            at: text.place,
            hint: Spelling.question(for: text.value, in: ["max"])
        )
        return nil
    }

    /// A limit above a stream's cap is sent as the cap; worth knowing, no mistake.
    func checkPageLimit(_ section: Section?, _ source: Pipeline.Source?, _ streams: [Pipeline.StreamPlan]) {
        guard let section, let limit = source?.pageLimit, let text = section.text("page_limit") else { return }
        let capped = streams.compactMap { plan in
            plan.spec.pagination.cap(width: plan.bucketWidth).flatMap { $0 < limit ? "\(plan.spec.name) \($0)" : nil }
        }
        guard let first = capped.first else { return }
        let more = capped.count == 1 ? "" : " and \(capped.count - 1) more"
        report.note(
            .wrongValue,
            "\(limit) is more than some streams take (\(first)\(more)); those are asked for their largest page",
            at: text.place
        )
    }
}
