/// One entry of a scenario: what goes wrong, for which requests, and how often.
///
/// Without a trigger it hits every request of its target. `nth` is the first matching request that it hits (from 1); with `every`, each
/// n-th; with `page`, only requests for that page of a walk count as matching; with `probability`, a share of them, the same each run.
/// `times` caps the hits (default 1 with `nth`, none otherwise; 0: no cap).
struct PlannedFault: Sendable {
    let kind: FaultKind
    /// A template (`/organization/projects/{project_id}/users`), an address with ids in it, or `*`.
    let path: String
    let nth: Int?
    let every: Int?
    let page: Int?
    let probability: Double?
    let times: Int
    /// Text that the undecoded query must contain.
    let query: String?
    let parameters: Value
    private(set) var matched = 0
    private(set) var injected = 0

    private static let triggers: Set<String> = [
        "fault", "path", "nth", "every", "page", "probability", "times", "query",
    ]

    init(_ entry: Value, number: Int) throws(Scenario.Mistake) {
        let name = entry["fault"]?.text ?? ""
        guard let kind = FaultKind(rawValue: name) else {
            let known = FaultKind.allCases.map(\.rawValue).sorted().joined(separator: ", ")
            throw Scenario.Mistake(description: "faults[\(number)]: unknown fault \"\(name)\"; allowed: \(known)")
        }
        let allowed = Self.triggers.union(kind.parameters)
        for member in entry.members ?? [] where !allowed.contains(member.name) {
            let known = allowed.sorted().joined(separator: ", ")
            throw Scenario.Mistake(
                description: "faults[\(number)] (\(name)): unknown key \"\(member.name)\"; allowed: \(known)"
            )
        }
        self.kind = kind
        path = entry["path"]?.text ?? "*"
        nth = entry["nth"]?.whole
        every = entry["every"]?.whole
        page = entry["page"]?.whole
        probability = entry["probability"]?.real
        query = entry["query"]?.text
        times = entry["times"]?.whole ?? (nth == nil ? 0 : 1)
        parameters = entry
        if kind == .mutate, let change = entry["change"] {
            do throws(Scenario.Mistake) { try Organization.check(change) } catch {
                throw Scenario.Mistake(description: "faults[\(number)] (\(name)): change: \(error)")
            }
        }
        if path != "*", !path.hasPrefix("/") {
            throw Scenario.Mistake(description: "faults[\(number)] (\(name)): path must be * or begin with /")
        }
        if (nth ?? 1) < 1 || (every ?? 1) < 1 || (page ?? 1) < 1 || times < 0 {
            throw Scenario.Mistake(description: "faults[\(number)] (\(name)): nth, every and page count from 1")
        }
    }

    func aims(at request: Target) -> Bool {
        (path == "*" || path == request.template || path == request.path)
            && (query.map(request.query.contains) ?? true)
    }

    /// Counts a request that it aims at, and says whether it is hit.
    mutating func strikes(page: Int?, noise: Noise) -> Bool {
        if let wanted = self.page, wanted != page { return false }
        matched += 1
        if times > 0, injected >= times { return false }
        if let nth, matched < nth { return false }
        if let every, matched % every != 0 { return false }
        if let probability, Double(noise.with(matched).bits >> 11) / 0x1p53 >= probability { return false }
        injected += 1
        return true
    }

    /// What a fault aims at: an address in its three spellings, without `/v1`.
    struct Target: Sendable {
        var template: String
        var path: String
        var query: String
    }
}
