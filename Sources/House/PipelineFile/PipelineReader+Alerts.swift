import Connector
import Model

/// The sections that say who is told what: `alerts`, `metrics`, `lineage`.
extension PipelineReader {
    func alerts(_ root: Section) -> Pipeline.Alerts {
        let section = root.section("alerts")
        section?.checkKeys([
            "webhook", "webhook_secret", "webhook_networks", "events", "disable_after_failures",
            "disable_at_failure_share", "certificate_expiry",
        ])
        let secret = webhookSecret(section)
        return Pipeline.Alerts(
            webhook: section.flatMap { webhook($0) },
            webhookSecret: secret.secret,
            webhookSecretName: secret.name,
            webhookNetworks: networks(section),
            events: events(section),
            disableAfterFailures: section?.whole("disable_after_failures", 1...10_000),
            disableAtFailureShare: failureShare(section),
            certificateExpiry: section?.span("certificate_expiry")
        )
    }

    func metrics(_ root: Section) -> Pipeline.Metrics {
        let section = root.section("metrics")
        section?.checkKeys(["file", "pushgateway"])
        let file = section?.text("file")
        if let file, !file.value.hasSuffix(".prom") {
            report.error(
                .wrongValue,
                "\"file\" must end with .prom, the only files that node_exporter reads, not \(report.quoted(file.written))",
                at: file.place
            )
        }
        return Pipeline.Metrics(file: file?.value, pushgateway: section.flatMap { address($0, "pushgateway") })
    }

    func lineage(_ root: Section) -> Pipeline.Lineage? {
        guard let section = root.section("lineage") else { return nil }
        section.checkKeys(["file", "url", "namespace"])
        return Pipeline.Lineage(
            file: section.text("file")?.value,
            url: address(section, "url"),
            namespace: section.text("namespace")?.value ?? "cogni"
        )
    }

    /// The address of a service of the operator's own. It gets no secret, so plain http is nobody's danger.
    private func address(_ section: Section, _ key: String) -> String? {
        guard let open = openValue(section, key), let url = open.value, !url.isEmpty else { return nil }
        if let problem = BaseURL.problem(with: url, allowPlainHTTP: true) {
            report.error(.wrongValue, "\"\(key)\" \(problem)", at: open.place)
        }
        return BaseURL.trimmed(url)
    }

    // MARK: The webhook

    /// Where events are sent. Such addresses often are secrets themselves.
    private func webhook(_ section: Section) -> Secret? {
        guard let open = openValue(section, "webhook"), let url = open.value, !url.isEmpty else { return nil }
        if let problem = BaseURL.problem(with: String(url.prefix { $0 != "?" }), allowPlainHTTP: false, wayOut: nil) {
            report.error(.wrongValue, "\"webhook\" \(problem)", at: open.place)
        }
        return Secret(url, name: open.name ?? "alerts.webhook")
    }

    private static let usualSecret = "COGNI_WEBHOOK_SECRET"

    /// One reference, or what the usual variable holds. A literal is refused without repeating it.
    private func webhookSecret(_ section: Section?) -> (secret: Secret?, name: String) {
        let usual = PipelineReader.usualSecret
        guard let section, let entry = section.entry("webhook_secret"), !entry.value.isEmpty else {
            let value = variables.environment[usual] ?? ""
            return (value.isEmpty ? nil : Secret(value, name: usual), usual)
        }
        guard let open = openValue(section, "webhook_secret") else { return (nil, usual) }
        var parts: [Variables.Part] = []
        if case .text(let written, _) = entry.value.content { parts = (try? Variables.parts(of: written)) ?? [] }
        guard open.isReference, let name = open.name, !parts.contains(where: PipelineReader.hasDefault) else {
            report.error(
                .secret,
                "\"webhook_secret\" must be one variable or file, never the secret itself",
                at: open.place,
                hint: "write ${\(usual)} or ${file:/run/secrets/webhook}"
            )
            return (nil, usual)
        }
        let value = open.value ?? ""
        return (value.isEmpty ? nil : Secret(value, name: name), name)
    }

    private func networks(_ section: Section?) -> [String] {
        guard let section, let networks = section.strings("webhook_networks") else { return [] }
        for network in networks where !PipelineReader.isNetwork(network) {
            report.error(
                .wrongValue,
                "\"webhook_networks\" holds \(report.quoted(network)), which is no network",
                at: section.keyPlace("webhook_networks"),
                hint: "write an address or a range such as 10.1.0.0/16 or fd00::/8"
            )
        }
        return networks
    }

    /// `10.1.2.3`, `10.1.0.0/16`, `fd00::/8`
    private static func isNetwork(_ text: String) -> Bool {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard let address = parts.first, !address.isEmpty, parts.count <= 2 else { return false }
        let isLong = address.contains(":")
        if parts.count == 2 {
            guard let bits = Section.whole(String(parts[1])), bits <= (isLong ? 128 : 32) else { return false }
        }
        if isLong { return address.allSatisfy { $0.isHexDigit || $0 == ":" || $0 == "." } }
        let numbers = address.split(separator: ".", omittingEmptySubsequences: false)
        return numbers.count == 4 && numbers.allSatisfy { UInt8($0) != nil }
    }

    /// All of them when none is named.
    private func events(_ section: Section?) -> Set<Pipeline.Alerts.Event> {
        guard let section, section.has("events"), let names = section.strings("events") else {
            return Set(Pipeline.Alerts.Event.allCases)
        }
        let known = Pipeline.Alerts.Event.allCases.map(\.rawValue)
        var events: Set<Pipeline.Alerts.Event> = []
        for name in names {
            if let event = Pipeline.Alerts.Event(rawValue: name) {
                events.insert(event)
            } else {
                report.error(
                    .unknownName,
                    "there is no event \(report.quoted(name))",
                    at: section.keyPlace("events"),
                    hint: Spelling.question(for: name, in: known),
                    allowed: known
                )
            }
        }
        return events
    }

    private func failureShare(_ alerts: Section?) -> Pipeline.FailureShare? {
        guard let section = alerts?.section("disable_at_failure_share") else { return nil }
        section.checkKeys(["percent", "runs"])
        for key in ["percent", "runs"] { section.require(key) }
        let (percent, runs) = (section.whole("percent", 1...100), section.whole("runs", 2...1000))
        guard let percent, let runs else { return nil }
        return Pipeline.FailureShare(percent: percent, runs: runs)
    }
}
