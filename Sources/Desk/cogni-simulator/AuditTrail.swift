/// The audit log: events at an even pace from the first day of the settings on, without end, so that a clock set forward finds new ones.
///
/// Every tenth event has the time of the one before it. Every eighth is tenant-scoped: it comes with `tenant_only=true` and only
/// then. Newest first.
struct AuditTrail {
    let organization: Organization
    let now: Int

    struct Event {
        var id: String
        var index: Int
        var time: Int
        var type: String
        var actor: Organization.User
        var project: Organization.Project
        var resource: String
    }

    func listing(_ query: Query) throws(Refusal) -> Listing {
        let filter = try Filter(query)
        guard !organization.settings.switches.auditOff, organization.settings.auditEvents > 0,
            !organization.users.isEmpty, !organization.projects.isEmpty
        else { return .empty }
        let step = max(1, organization.settings.days * Moment.day / organization.settings.auditEvents)
        let first = organization.origin - organization.settings.days * Moment.day
        let newest = now >= first ? (now - first) / step : -1
        let events = (0...max(0, newest)).reversed().lazy
            .filter { _ in newest >= 0 }
            .filter { Self.isTenantScoped($0) == filter.tenantOnly }
            .map { event($0, at: first + ($0 % 10 == 3 ? $0 - 1 : $0) * step) }
            .filter(filter.admits)
        let kept = Array(events)
        return Listing(ids: kept.map(\.id)) { render(kept[$0]) }
    }

    private static func isTenantScoped(_ index: Int) -> Bool {
        index % 8 == 7
    }

    private func event(_ index: Int, at time: Int) -> Event {
        let noise = organization.noise.with("audit").with(index)
        let types = Self.isTenantScoped(index) ? AuditPayloads.tenantTypes : AuditPayloads.types
        let project = noise.with("project").pick(organization.projects)
        let date = Moment.isoDate(time).filter { $0 != "-" }
        return Event(
            id: "audit_log-\(noise.letters(20))_\(date)",
            index: index,
            time: time,
            type: types[noise.with("type").below(types.count)],
            actor: noise.with("actor").pick(organization.users),
            project: project,
            resource: noise.with("resource").oneIn(2) || project.keys.isEmpty
                ? project.id : noise.with("key").pick(project.keys).id
        )
    }

    private func render(_ event: Event) -> Value {
        let noise = organization.noise.with(event.id)
        var members: [Value.Member] = [
            .init(name: "id", value: .string(event.id)),
            .init(name: "type", value: .string(event.type)),
            .init(name: "effective_at", value: .integer(event.time)),
            .init(name: "actor", value: actor(event, noise)),
        ]
        if !event.type.hasPrefix("tenant."), !event.type.hasPrefix("organization.") {
            let name = organization.projectName(event.project)
            members.append(.init(name: "project", value: ["id": .string(event.project.id), "name": name]))
        }
        // The payload's key is the type itself, dots included.
        let payload = AuditPayloads(organization: organization, event: event).payload
        guard organization.settings.switches.oddAuditEvents, event.index % 3 == 0 else {
            if !noise.with("empty").oneIn(25) { members.append(.init(name: event.type, value: payload)) }
            return .object(members)
        }
        switch event.index / 3 % 3 {
        case 0:
            members[1].value = "wombat.fed.twice"
            members.append(.init(name: "wombat.fed.twice", value: ["id": "wombat_1", "grams": .raw("12.50")]))
        case 1: members.append(.init(name: event.type, value: [:]))
        default: members.append(.init(name: "details", value: payload))
        }
        return .object(members)
    }

    private func actor(_ event: Event, _ noise: Noise) -> Value {
        let user: Value = ["id": .string(event.actor.id), "email": .string(event.actor.email ?? "")]
        guard noise.with("session").oneIn(2) else {
            guard noise.with("service").oneIn(3) else {
                return ["type": "api_key", "api_key": ["id": .string(event.resource), "type": "user", "user": user]]
            }
            let account = event.project.serviceAccounts[0].id
            return [
                "type": "api_key",
                "api_key": [
                    "id": .string(event.resource), "type": "service_account",
                    "service_account": ["id": .string(account)],
                ],
            ]
        }
        var session: [Value.Member] = [
            .init(name: "user", value: user),
            .init(name: "ip_address", value: .string("203.0.113.\(noise.below(250) + 1)")),
        ]
        if organization.settings.switches.undocumentedFields {
            session += [
                .init(name: "user_agent", value: "Mozilla/5.0 (X11; Linux x86_64) CANARY-agent"),
                .init(name: "ja3", value: .string(noise.with("ja3").hexadecimal(32))),
                .init(name: "ja4", value: .string("t13d1516h2_" + noise.with("ja4").hexadecimal(12))),
                .init(
                    name: "ip_address_details",
                    value: [
                        "country": "US", "city": "Example City", "region": "California", "region_code": "CA",
                        "asn": "64500", "latitude": .raw("37.77490"), "longitude": .raw("-122.41940"),
                    ]
                ),
            ]
        }
        return ["type": "session", "session": .object(session)]
    }

    /// What the query asks for.
    private struct Filter {
        var tenantOnly: Bool
        var types: [String]
        var actors: [String]
        var emails: [String]
        var projects: [String]
        var resources: [String]
        var from = Int.min
        var to = Int.max

        init(_ query: Query) throws(Refusal) {
            tenantOnly = query["tenant_only"] == "true"
            types = query.all("event_types")
            actors = query.all("actor_ids")
            emails = query.all("actor_emails")
            projects = query.all("project_ids")
            resources = query.all("resource_ids")
            if tenantOnly, let other = types.first(where: { !$0.hasPrefix("tenant.") }) {
                throw .badParameter(
                    "event_types",
                    "With tenant_only every event type must be tenant-scoped: '\(other)' is not."
                )
            }
            for (bound, isLower, shift) in [("gte", true, 0), ("gt", true, 1), ("lte", false, 0), ("lt", false, -1)] {
                guard let text = query["effective_at[\(bound)]"] else { continue }
                guard let seconds = Int(text), Moment.sane.contains(seconds) else {
                    throw .badParameter("effective_at[\(bound)]", "Must be a number of seconds.")
                }
                if isLower { from = max(from, seconds + shift) } else { to = min(to, seconds + shift) }
            }
        }

        func admits(_ event: Event) -> Bool {
            event.time >= from && event.time <= to
                && (types.isEmpty || types.contains(event.type))
                && (actors.isEmpty || actors.contains(event.actor.id))
                && (emails.isEmpty || event.actor.email.map(emails.contains) ?? false)
                && (projects.isEmpty || projects.contains(event.project.id))
                && (resources.isEmpty || resources.contains(event.resource))
        }
    }
}
