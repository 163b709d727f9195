/// What an audit event says about its own type.
struct AuditPayloads {
    let organization: Organization
    let event: AuditTrail.Event

    static let types = [
        "api_key.created", "api_key.updated", "api_key.deleted", "certificate.created", "certificate.deleted",
        "certificates.activated", "checkpoint.permission.created", "external_key.registered",
        "external_storage.registered", "group.created", "group.updated", "invite.sent", "invite.accepted",
        "ip_allowlist.created", "ip_allowlist.updated", "ip_allowlist.config.activated", "login.succeeded",
        "login.failed", "logout.failed", "organization.updated", "project.created", "project.updated",
        "project.archived", "rate_limit.updated", "resource.deleted", "role.created", "role.updated",
        "role.assignment.created", "role.bound_to_resource", "scim.enabled", "service_account.created",
        "service_account.updated", "tunnel.created", "user.added", "user.updated", "user.deleted",
        "workload_identity_provider.created", "workload_identity_provider_mapping.deleted",
    ]
    static let tenantTypes = [
        "tenant.metadata.updated", "tenant.admin_api_key.created", "tenant.project_api_key.created",
        "tenant.sso_connection.updated", "tenant.policy.attached", "tenant.group.member.added",
        "tenant.billing.alerts.updated", "tenant.role_assignment.created", "tenant.user.invited",
        "tenant.workload_identity.access_token.issued", "tenant.resource_share_grant.revoked",
    ]

    private var noise: Noise { organization.noise.with(event.id) }
    private var id: Value { .string(event.resource) }
    private var words: Value {
        organization.settings.switches.secretsInText
            ? .string("rotate Bearer CANARY.\(noise.with("secret").letters(32))") : "set by hand"
    }

    var payload: Value {
        switch event.type {
        case "api_key.created": ["id": id, "data": ["scopes": ["api.model.request"]]]
        case "api_key.updated":
            ["id": id, "changes_requested": ["scopes": ["api.model.read"], "expires_in_seconds": .null]]
        case "certificate.created": ["id": "cert_1", "name": "build farm"]
        case "certificate.deleted": ["id": "cert_1", "name": "build farm", "certificate": .string(Self.certificate)]
        case "certificates.activated": ["certificates": [["id": "cert_1", "name": "build farm"]]]
        case "checkpoint.permission.created":
            ["id": id, "data": ["project_id": .string(event.project.id), "fine_tuned_model_checkpoint": "ft:ckpt-1"]]
        case "external_key.registered": ["id": id, "data": ["kms_arn": "arn:aws:kms:eu-west-1:123456789012:key/1"]]
        case "external_storage.registered":
            [
                "id": id,
                "data": [
                    "geography": "EU",
                    "provider": [
                        "type": "aws", "bucket": "example", "account_id": "123456789012",
                        "external_id": "ext-42", "region": "eu-west-1",
                        "role_arn": "arn:aws:iam::123456789012:role/storage",
                    ],
                ],
            ]
        case "group.created": ["id": id, "data": ["group_name": "Data platform"]]
        case "group.updated": ["id": id, "changes_requested": ["group_name": "Data platform, new"]]
        case "invite.sent":
            ["id": id, "data": ["email": .string("guest\(noise.below(90))@example.org"), "role": "reader"]]
        case "ip_allowlist.created": ["id": id, "name": "office", "allowed_ips": ["198.51.100.0/24"]]
        case "ip_allowlist.updated": ["id": id, "allowed_ips": ["198.51.100.0/24", "2001:db8::/32"]]
        case "ip_allowlist.config.activated": ["configs": [["id": "ipc_1", "name": "office"]]]
        case "login.succeeded": [:]
        case "login.failed", "logout.failed":
            [
                "error_code": "invalid_grant",
                "error_message": organization.settings.switches.secretsInText ? words : "expired",
            ]
        case "organization.updated":
            ["id": .string(organization.id), "changes_requested": ["title": "Example", "description": words]]
        case "project.created": ["id": .string(event.project.id), "data": ["name": "new", "title": "New “project”"]]
        case "project.updated": ["id": .string(event.project.id), "changes_requested": ["title": "Renamed"]]
        case "project.archived": ["id": .string(event.project.id)]
        case "rate_limit.updated": ["id": "rl-gpt-4o", "changes_requested": ["max_requests_per_1_minute": 500]]
        case "role.created":
            [
                "id": "role_1", "role_name": "Auditor", "permissions": ["api.audit_logs.read"],
                "resource_type": "api.organization",
                "resource_id": .string(organization.id),
            ]
        case "role.updated":
            [
                "id": "role_1",
                "changes_requested": [
                    "description": words, "metadata": ["ticket": "IT-7"],
                    "permissions_added": ["api.usage.read"], "permissions_removed": [],
                ],
            ]
        case "role.assignment.created":
            [
                "id": "assignment_1", "principal_id": .string(event.actor.id), "principal_type": "user",
                "resource_id": .string(event.project.id), "resource_type": "project",
            ]
        case "role.bound_to_resource":
            [
                "id": "binding_1", "role_id": "role_1", "connector_id": "connector_1",
                "connector_name": "Drive, shared",
                "enabled": true, "permissions": ["read"], "resource_id": "ws_1", "resource_type": "workspace",
                "source": "role_toggle", "workspace_id": "ws_1",
            ]
        case "service_account.created", "user.added": ["id": .string(event.actor.id), "data": ["role": "member"]]
        case "service_account.updated", "user.updated":
            ["id": .string(event.actor.id), "changes_requested": ["role": "owner"]]
        case "workload_identity_provider.created": ["id": "wip_1", "data": ["issuer": "https://token.actions.example"]]
        case "workload_identity_provider_mapping.deleted":
            [
                "id": "wipm_1", "identity_provider_id": "wip_1", "project_id": .string(event.project.id),
                "service_account_id": .string(event.project.serviceAccounts[0].id),
            ]
        case let type where type.hasPrefix("tenant."):
            ["id": .string("tenant_" + noise.letters(8)), "changes": ["before": .null, "after": ["enabled": true]]]
        default: ["id": id]
        }
    }

    /// PEM shaped, and nothing else about it is a certificate.
    private static let certificate =
        "-----BEGIN CERTIFICATE-----\nQ0FOQVJZLWNlcnRpZmljYXRlLWJvZHk=\n-----END CERTIFICATE-----\n"
}
