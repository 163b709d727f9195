package import Connector

/// Where a team's own events keep what `cogni reconcile` needs: a small YAML file.
package struct EventMapping: Sendable {
    /// Whose usage an event is. The organization's reports are compared by the same kind.
    package enum Who: String, Sendable, CaseIterable { case user, key, project }

    /// Keys inwards; CSV has one, the header's.
    package var time: [String]
    package var who: Who
    package var whoPath: [String]
    package var model: [String]?
    /// Added up.
    package var tokens: [[String]]
    /// `nil`: each event is one request.
    package var requests: [String]?
    /// The team's names of models → the organization's.
    package var models: [String: String]

    private static let keys = ["time", "user", "key", "project", "model", "tokens", "requests", "models"]

    /// Events that already use the names that a log of API calls usually has.
    package static let usual = EventMapping(
        time: ["time"],
        who: .user,
        whoPath: ["user_id"],
        model: ["model"],
        tokens: [["input_tokens"], ["output_tokens"]],
        requests: nil,
        models: [:]
    )

    package struct Reading: Sendable {
        package var mapping: EventMapping?
        package var diagnostics: Diagnostics
    }

    package static func read(file: String, bytes: [UInt8]) -> Reading {
        let report = FileReport(file: file)
        let mapping = YAMLFile.read(bytes, into: report).flatMap { root -> EventMapping? in
            Section(root, called: "a mapping file", "at the top level", at: root.place, in: report)
                .flatMap { read($0, report) }
        }
        let diagnostics = report.diagnostics
        return Reading(mapping: diagnostics.hasErrors ? nil : mapping, diagnostics: diagnostics)
    }

    private static func read(_ root: Section, _ report: FileReport) -> EventMapping? {
        root.checkKeys(keys)
        root.require("time", hint: "name the field that says when: time: created_at")
        let named = Who.allCases.filter { root.has($0.rawValue) }
        if named.count != 1 {
            report.error(
                .missingKey,
                named.isEmpty ? "nothing says whose usage an event is" : "an event is of one of user, key and project",
                at: root.place,
                hint: "name exactly one: user: user_id"
            )
        }
        func path(_ key: String) -> [String]? { root.text(key).map { split($0.value) } }
        var models: [String: String] = [:]
        if let table = root.section("models") {
            for entry in table.entries { models[entry.key] = table.text(entry.key)?.value }
        }
        guard let time = path("time"), let who = named.first, let whoPath = path(who.rawValue) else { return nil }
        return EventMapping(
            time: time,
            who: who,
            whoPath: whoPath,
            model: path("model"),
            tokens: (root.strings("tokens") ?? []).map(split),
            requests: path("requests"),
            models: models
        )
    }

    private static func split(_ path: String) -> [String] { path.split(separator: ".").map(String.init) }
}
