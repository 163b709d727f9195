// The addresses. Where the published interface leaves a default or a maximum open, 20 and 100 (roles: 1000) stand in.
extension Endpoint {
    static let all: [Endpoint] = lists + lists.filter(\.hasItems).map(\.item) + singles + Report.all.map(\.endpoint)

    private static let lists: [Endpoint] = [
        list("admin_api_keys", "/organization/admin_api_keys", .itemID, order: .ascending),
        list(
            "audit_logs",
            "/organization/audit_logs",
            .lastID,
            knows: [
                "before", "actor_emails", "actor_ids", "event_types", "project_ids", "resource_ids", "tenant_only",
                "effective_at[gt]", "effective_at[gte]", "effective_at[lt]", "effective_at[lte]",
            ]
        ),
        list("certificates", "/organization/certificates", .lastID, order: .descending),
        list("external_keys", "/organization/external_keys", .itemID, order: .ascending, knows: ["purpose"]),
        list("external_storage", "/organization/external_storage", .itemID, order: .ascending, knows: ["project_id"]),
        list("groups", "/organization/groups", .next, 100, 0...1000, order: .ascending),
        list("group_roles", "/organization/groups/{group_id}/roles", .next, 1000, 0...1000, order: .ascending),
        list("group_users", "/organization/groups/{group_id}/users", .next, 100, 0...1000, order: .descending),
        list("invites", "/organization/invites", .lastID),
        list("projects", "/organization/projects", .lastID, knows: ["include_archived"]),
        list(
            "project_api_keys",
            "/organization/projects/{project_id}/api_keys",
            .lastID,
            knows: ["owner_project_access"]
        ),
        list(
            "project_certificates",
            "/organization/projects/{project_id}/certificates",
            .lastID,
            order: .descending
        ),
        list("project_groups", "/organization/projects/{project_id}/groups", .next, 20, 0...100, order: .ascending),
        list(
            "project_rate_limits",
            "/organization/projects/{project_id}/rate_limits",
            .lastID,
            100,
            knows: ["before"]
        ),
        list("project_service_accounts", "/organization/projects/{project_id}/service_accounts", .lastID),
        list(
            "project_spend_alerts",
            "/organization/projects/{project_id}/spend_alerts",
            .lastID,
            20,
            0...100,
            order: .ascending,
            knows: ["before"]
        ),
        list("project_users", "/organization/projects/{project_id}/users", .lastID),
        list("roles", "/organization/roles", .next, 1000, 0...1000, order: .ascending),
        list(
            "organization_spend_alerts",
            "/organization/spend_alerts",
            .lastID,
            20,
            0...100,
            order: .ascending,
            knows: ["before"]
        ),
        list("users", "/organization/users", .lastID, knows: ["emails"]),
        list("user_roles", "/organization/users/{user_id}/roles", .next, 1000, 0...1000, order: .ascending),
        list(
            "workload_identity_providers",
            "/organization/workload_identity_providers",
            .itemID,
            order: .ascending
        ),
        list(
            "workload_identity_federation_rules",
            "/organization/workload_identity_providers/{workload_identity_provider_id}/federation_rules",
            .itemID,
            order: .ascending,
            knows: ["service_account_id"]
        ),
        list(
            "project_group_roles",
            "/projects/{project_id}/groups/{group_id}/roles",
            .next,
            1000,
            0...1000,
            order: .ascending
        ),
        list("project_roles", "/projects/{project_id}/roles", .next, 1000, 0...1000, order: .ascending),
        list(
            "project_user_roles",
            "/projects/{project_id}/users/{user_id}/roles",
            .next,
            1000,
            0...1000,
            order: .ascending
        ),
    ]

    private static let singles: [Endpoint] = [
        single("organization_data_retention", "/organization/data_retention"),
        single("organization_spend_limit", "/organization/spend_limit"),
        single("project_data_retention", "/organization/projects/{project_id}/data_retention"),
        single("project_hosted_tool_permissions", "/organization/projects/{project_id}/hosted_tool_permissions"),
        single("project_model_permissions", "/organization/projects/{project_id}/model_permissions"),
        single("project_service_tier_settings", "/organization/projects/{project_id}/service_tier_settings"),
        single("project_spend_limit", "/organization/projects/{project_id}/spend_limit"),
    ]

    private static func list(
        _ name: String,
        _ path: String,
        _ style: Style,
        _ defaultLimit: Int = 20,
        _ limits: ClosedRange<Int> = 1...100,
        order: Order? = nil,
        knows parameters: Set<String> = []
    ) -> Endpoint {
        Endpoint(
            name: name,
            path: path,
            style: style,
            defaultLimit: defaultLimit,
            limits: limits,
            order: order,
            parameters: parameters
        )
    }

    private static func single(_ name: String, _ path: String) -> Endpoint {
        Endpoint(name: name, path: path, style: .single)
    }

    private var hasItems: Bool {
        !["audit_logs", "project_certificates", "project_rate_limits"].contains(name)
    }

    private var item: Endpoint {
        Endpoint(name: name, path: path + "/{item_id}", style: .item, parameters: ["include", "group_type"])
    }
}
