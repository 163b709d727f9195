/// How large the simulated organization is and what time it is there. The same settings give the same bytes.
struct Settings: Sendable {
    var seed: UInt64 = 7
    var projects = 12
    var users = 30
    /// Per project.
    var keys = 3
    var groups = 4
    /// How far back usage, costs and audit events go.
    var days = 30
    /// Before grouping merges them.
    var rowsPerBucket = 20
    var models = 6
    var auditEvents = 500
    /// Every n-th bucket has no rows; 0: none is empty.
    var emptyEvery = 11
    /// Unix seconds; the world is laid out against it, and the clock starts there.
    var now: Int
    var switches = Switches()

    private static var sizes: [String: WritableKeyPath<Settings, Int>] {
        [
            "projects": \.projects, "users": \.users, "keys": \.keys, "groups": \.groups, "days": \.days,
            "rows_per_bucket": \.rowsPerBucket, "models": \.models, "audit_events": \.auditEvents,
            "empty_every": \.emptyEvery,
        ]
    }

    /// Takes the sizes from a scenario's switch `organization`: `{"projects": 5000, "rows_per_bucket": 2000}`.
    mutating func resize(_ switches: [Value.Member]) throws(Scenario.Mistake) {
        for size in switches.last(where: { $0.name == "organization" })?.value.members ?? [] {
            guard let path = Self.sizes[size.name], let count = size.value.whole, count >= 0 else {
                let known = Self.sizes.keys.sorted().joined(separator: ", ")
                throw Scenario.Mistake(description: "\"\(size.name)\" in organization; allowed, from 0: \(known)")
            }
            self[keyPath: path] = count
        }
    }
}

/// Ways in which organizations, regions and ages of the service differ: on for a whole run, not for single requests.
struct Switches: Sendable {
    /// Costs: `organization_id`, `organization_name`, `project_name`, `user_email`. Audit events: device and place of the session.
    var undocumentedFields = false
    /// Names with emoji, right-to-left text, control characters, formulas; twins; empty and null ones.
    var strangeNames = false
    /// Things that look like credentials in names, descriptions and messages, all containing `CANARY`.
    var secretsInText = false
    /// How `amount.value` is written.
    var costValues = CostValues.mixed
    /// Costs refuse `user_id` together with `project_id`.
    var refuseUserWithProject = false
    /// Costs answer at most 31 buckets for a larger limit, without a word, in place of a 400 above 180.
    var clampCostLimit = false
    /// Dimensions that were not grouped are absent in place of null.
    var omitUngrouped = false
    /// Counters, texts and enumeration values that no published schema has.
    var newFields = false
    /// A grouped `user_id` is "" in one row and null in another that is otherwise like it.
    var emptyDimension = false
    /// Some amounts in other currencies, in upper case, or without one.
    var mixedCurrencies = false
    /// Reports older than this are refused.
    var lookback: Lookback?
    /// Parameters that an endpoint does not know are ignored in place of refused.
    var lenientParameters = false
    /// Every reply is compressed when the client accepts gzip.
    var gzip = false
    /// Deleted cursor rows start the list again in place of a 400.
    var restartOnLostCursor = false
    /// Invites say `invited_at`, as they did until 2025, in place of `created_at`.
    var oldFields = false
    /// Users were added at 0, at parts of a second, in milliseconds, in the year 4000.
    var oddTimes = false
    /// Limits and permissions that nobody set are objects full of nulls in place of a 404.
    var unsetAsNull = false
    /// Audit events of types that nobody knows, without payload, and with the payload under another key than the type.
    var oddAuditEvents = false
    /// Days on which usage has rows and costs have none, and the reverse: every second day each.
    var disjointDays = false
    /// No audit log was ever switched on.
    var auditOff = false

    enum CostValues: String, Sendable {
        case number, string, mixed
    }

    struct Lookback: Sendable {
        /// Unix seconds of a fixed floor; `nil`: `days` before the midnight of the simulated day.
        var earliest: Int?
        var days = 365
        /// Whether the message names the date.
        var namesDate = true
    }
}
