/// A scenario file: `{"seed": 1, "switches": {…}, "faults": [{"fault": "retry_after", "path": "/organization/users", "nth": 2}]}`.
struct Scenario: Sendable {
    /// Of the faults' probabilities; the organization has its own.
    var seed: UInt64 = 1
    var switches: [Value.Member] = []
    var faults: [PlannedFault] = []

    struct Mistake: Error, CustomStringConvertible {
        var description: String
    }

    init() {}

    init(_ bytes: [UInt8]) throws(Mistake) {
        let document: Value
        do {
            document = try ValueReader.read(bytes)
        } catch {
            throw Mistake(description: "the scenario is no JSON: \(error)")
        }
        for member in document.members ?? [] {
            switch member.name {
            case "seed": seed = UInt64(bitPattern: Int64(member.value.whole ?? 1))
            case "switches": switches = member.value.members ?? []
            case "faults":
                for (number, entry) in (member.value.list ?? []).enumerated() {
                    faults.append(try PlannedFault(entry, number: number))
                }
            default: throw Mistake(description: "unknown key \"\(member.name)\"; allowed: faults, seed, switches")
            }
        }
        guard case .object = document else { throw Mistake(description: "the scenario is no JSON object") }
        var trial = Settings(now: 0)
        try trial.resize(switches)
        try trial.switches.apply(switches)
    }
}

extension Switches {
    static let names = [
        "audit_off", "clamp_cost_limit", "cost_values", "disjoint_days", "empty_dimension", "gzip",
        "lenient_parameters", "lookback",
        "mixed_currencies", "new_fields", "odd_audit_events", "odd_times", "organization", "old_fields",
        "omit_ungrouped", "refuse_user_with_project",
        "restart_on_lost_cursor", "secrets_in_text", "strange_names", "undocumented_fields", "unset_as_null",
    ]

    mutating func apply(_ members: [Value.Member]) throws(Scenario.Mistake) {
        for member in members {
            let isOn = member.value.truth ?? true
            switch member.name {
            case "undocumented_fields": undocumentedFields = isOn
            case "strange_names": strangeNames = isOn
            case "secrets_in_text": secretsInText = isOn
            case "refuse_user_with_project": refuseUserWithProject = isOn
            case "clamp_cost_limit": clampCostLimit = isOn
            case "omit_ungrouped": omitUngrouped = isOn
            case "new_fields": newFields = isOn
            case "empty_dimension": emptyDimension = isOn
            case "mixed_currencies": mixedCurrencies = isOn
            case "lenient_parameters": lenientParameters = isOn
            case "gzip": gzip = isOn
            case "restart_on_lost_cursor": restartOnLostCursor = isOn
            case "audit_off": auditOff = isOn
            case "odd_audit_events": oddAuditEvents = isOn
            case "disjoint_days": disjointDays = isOn
            case "organization": break  // sizes: ``Settings/resize(_:)`` takes them
            case let name where Behaviour.always.contains(name):
                guard isOn else { throw Scenario.Mistake(description: "\(name) is always on") }
            case "old_fields": oldFields = isOn
            case "odd_times": oddTimes = isOn
            case "unset_as_null": unsetAsNull = isOn
            case "cost_values":
                guard let values = CostValues(rawValue: member.value.text ?? "") else {
                    throw Scenario.Mistake(description: "cost_values must be \"number\", \"string\" or \"mixed\"")
                }
                costValues = values
            case "lookback": lookback = try Lookback(member.value)
            default:
                let known = Self.names.joined(separator: ", ")
                throw Scenario.Mistake(description: "unknown switch \"\(member.name)\"; allowed: \(known)")
            }
        }
    }
}

extension Switches.Lookback {
    init?(_ value: Value) throws(Scenario.Mistake) {
        if value.truth == false { return nil }
        for member in value.members ?? [] {
            switch member.name {
            case "earliest":
                guard let earliest = member.value.text.flatMap(Moment.parse) ?? member.value.whole else {
                    throw Scenario.Mistake(description: "lookback.earliest must be a date or Unix seconds")
                }
                self.earliest = earliest
            case "days": days = member.value.whole ?? 365
            case "names_date": namesDate = member.value.truth ?? true
            default:
                let message = "unknown key \"\(member.name)\" in lookback; allowed: days, earliest, names_date"
                throw Scenario.Mistake(description: message)
            }
        }
    }
}
