// Spend alerts, and the objects of which there is one: limits, retention, permissions.
extension Directory {
    func spendAlerts(of project: Organization.Project?) -> Listing {
        let noise = organization.noise.with("alerts").with(project?.id ?? "")
        let count = project == nil ? 3 : noise.below(3)
        return Listing(0..<count, in: organization, id: { "alert_" + noise.with($0).hexadecimal(24) }) { index in
            [
                "object": project == nil ? "organization.spend_alert" : "project.spend_alert",
                "id": .string("alert_" + noise.with(index).hexadecimal(24)),
                "currency": "USD",
                "interval": "month",
                "threshold_amount": .integer((index + 1) * 250_000),  // cents
                "notification_channel": [
                    "type": "email", "recipients": .array((0...index).map { .string("budget\($0)@example.com") }),
                    "subject_prefix": index == 0 ? .null : "[spend]",
                ],
            ]
        }
    }

    /// Limits and permissions that nobody set answer 404.
    func single(_ name: String, path: [String: String]) throws(Refusal) -> Value {
        let project = try project(path["project_id"])
        let noise = organization.noise.with(name).with(project?.id ?? "")
        switch name {
        case "organization_data_retention":
            return ["object": "organization.data_retention", "type": "modified_abuse_monitoring"]
        case "organization_spend_limit": return spendLimit("organization.spend_limit", 5_000_000, enforced: true)
        case "project_data_retention":
            let type = noise.pick(["organization_default", "none", "zero_data_retention"])
            return ["object": "project.data_retention", "type": .string(type)]
        case "project_hosted_tool_permissions":
            let tools = ["code_interpreter", "file_search", "image_generation", "mcp", "web_search"]
            return .object(tools.map { .init(name: $0, value: ["enabled": .bool(!noise.with($0).oneIn(3))]) })
        case "project_model_permissions" where !noise.oneIn(3):
            return [
                "object": "project.model_permissions", "mode": noise.with("mode").oneIn(2) ? "allow_list" : "deny_list",
                "model_ids": .array(organization.models.prefix(1 + noise.below(3)).map(Value.string)),
            ]
        case "project_service_tier_settings":
            return [
                "object": "project.service_tier_settings",
                "default": .string(noise.pick(["standard", "fast", "scale"])),
                "enabled_tiers": noise.with("tiers").oneIn(2) ? "all" : ["flex", "fast"],
            ]
        case "project_spend_limit" where !noise.oneIn(3):
            return spendLimit(
                "project.spend_limit",
                100_000 + noise.below(10) * 5_000,
                enforced: noise.with("on").oneIn(2)
            )
        case "project_model_permissions" where switches.unsetAsNull:
            return ["object": "project.model_permissions", "mode": .null, "model_ids": .null]
        case "project_spend_limit" where switches.unsetAsNull:
            return [
                "object": "project.spend_limit", "currency": .null, "interval": .null, "threshold_amount": .null,
                "enforcement": .null,
            ]
        default: throw .notFound("object", name)
        }
    }

    private func spendLimit(_ object: String, _ cents: Int, enforced: Bool) -> Value {
        [
            "object": .string(object), "currency": "USD", "interval": "month", "threshold_amount": .integer(cents),
            "enforcement": ["status": enforced ? "enforcing" : "inactive"],
        ]
    }
}
