"""What stands under each project that is not archived: lists, settings, and the roles below its groups and users."""

from .organization import (
    ACTIVE,
    ADA,
    ATLAS,
    BORIS,
    CHIEKO,
    ENGINEERS,
    EVERYONE,
    FAMILY,
    KEYS,
    LEAKY,
    NOA,
    PEOPLE,
    REVIEWERS,
    ROLE_PROJECT_MEMBER,
    ROLE_PROJECT_OWNER,
    SERVICE_ACCOUNT,
    TRANSLATION,
    assignment,
    certificate,
    role,
    spend_alert,
)
from .replies import after_last_id, after_next, single, unset
from .text import Escaped, identifier, unix

MEMBERS = {ATLAS: [ADA, BORIS, CHIEKO], FAMILY: [ADA, NOA], TRANSLATION: [NOA], LEAKY: [BORIS]}
GROUPS = {
    ATLAS: [(ENGINEERS, "Engineers"), (EVERYONE, "Everyone")],
    FAMILY: [(REVIEWERS, "Réviseurs")],
    TRANSLATION: [],
    LEAKY: [],
}


def api_key(name, owner, access="active"):
    if owner == SERVICE_ACCOUNT:
        holder = {
            "type": "service_account",
            "service_account": {"id": owner, "name": "atlas-batch", "created_at": unix("2025-05-01"), "role": "member"},
        }
    else:
        person, email, _ = PEOPLE[owner]
        holder = {
            "type": "user",
            "user": {"id": owner, "name": person, "email": email, "created_at": unix("2025-05-01"), "role": "member"},
        }
    return {
        "object": "organization.project.api_key",
        "id": KEYS[name],
        "name": name,
        "redacted_value": "sk-proj...%s" % name[-3:],
        "created_at": unix("2025-05-02"),
        "last_used_at": unix("2025-11-30T22:00") if access == "active" else None,
        "expires_at": None,
        "owner_project_access": access,
        "owner": holder,
    }


def api_keys(id):
    of = {
        ATLAS: [[api_key("atlas-web", ADA)], [api_key("atlas-batch", SERVICE_ACCOUNT)]],
        FAMILY: [[api_key("family-app", NOA)]],
        TRANSLATION: [[api_key("translation-ci", NOA, access="inactive")]],
        LEAKY: [[api_key("leaky-dev", BORIS)]],
    }
    return after_last_id(
        "project_api_keys", f"/organization/projects/{id}/api_keys", of[id], [("owner_project_access", "any")]
    )


def rate_limit(model, requests, tokens, **more):
    row = {
        "object": "project.rate_limit",
        "id": f"rl-{model}",
        "model": model,
        "max_requests_per_1_minute": requests,
        "max_tokens_per_1_minute": tokens,
    }
    row.update(more)
    return row


def below(id):
    root = f"/organization/projects/{id}"
    out = api_keys(id)

    people = [
        {
            "object": "organization.project.user",
            "id": p,
            "name": PEOPLE[p][0],
            "email": PEOPLE[p][1],
            "role": "owner" if p == ADA else "member",
            "added_at": unix("2025-05-01"),
        }
        for p in MEMBERS[id]
    ]
    out += after_last_id("project_users", f"{root}/users", [people[:2], people[2:]] if len(people) > 2 else [people])

    accounts = []
    if id == ATLAS:
        accounts = [
            {
                "object": "organization.project.service_account",
                "id": SERVICE_ACCOUNT,
                "name": "atlas-batch",
                "role": "member",
                "created_at": unix("2025-05-01"),
            },
            {
                "object": "organization.project.service_account",
                "id": identifier("svc_acct_", "idle", 16),
                "name": Escaped("idle 🤖"),
                "role": "none",
                "created_at": unix("2025-05-03"),
            },
        ]
    out += after_last_id("project_service_accounts", f"{root}/service_accounts", [[a] for a in accounts] or [[]])

    groups = [
        {
            "object": "project.group",
            "project_id": id,
            "group_id": g,
            "group_name": name,
            "group_type": "tenant_group" if g == EVERYONE else "group",
            "created_at": unix("2025-05-01"),
        }
        for g, name in GROUPS[id]
    ]
    out += after_next("project_groups", f"{root}/groups", [[g] for g in groups] or [[]])

    # Predefined roles have the same id in every project.
    roles = [
        [role(ROLE_PROJECT_OWNER, "owner", "api.project", ["api.project.read", "api.project.write"], True)],
        [role(ROLE_PROJECT_MEMBER, "member", "api.project", ["api.project.read"], True)],
    ]
    out += after_next("project_roles", f"/projects/{id}/roles", roles)
    for group, _ in GROUPS[id]:
        held = [assignment(ROLE_PROJECT_MEMBER, "member", "api.project", by=ADA)]
        out += after_next("project_group_roles", f"/projects/{id}/groups/{group}/roles", [held])
    for person in MEMBERS[id]:
        name = "owner" if person == ADA else "member"
        source = ENGINEERS if id == ATLAS else None
        out += after_next(
            "project_user_roles",
            f"/projects/{id}/users/{person}/roles",
            [[assignment(f"role_api-project-{name}", name, "api.project", source=source)]],
        )

    limits = [
        [rate_limit("gpt-5", 10_000, 30_000_000, batch_1_day_max_input_tokens=9_007_199_254_740_993)],
        [
            rate_limit("gpt-image-1", 50, 0, max_images_per_1_minute=20),
            rate_limit("whisper-1", 500, 0, max_audio_megabytes_per_1_minute=100),
        ],
    ]
    out += after_last_id("project_rate_limits", f"{root}/rate_limits", limits if id == ATLAS else limits[:1])

    kind = "organization.project.certificate"
    out += after_last_id(
        "project_certificates",
        f"{root}/certificates",
        [[certificate("edge", True, kind)], [certificate(None, False, kind)]] if id == ATLAS else [[]],
    )
    kind = "project.spend_alert"
    out += after_last_id(
        "project_spend_alerts",
        f"{root}/spend_alerts",
        (
            [[spend_alert("atlas-80", 80_000, kind)], [spend_alert("atlas-100", 100_000, kind, "[atlas] ")]]
            if id == ATLAS
            else [[]]
        ),
    )
    return out + settings(id, root)


def settings(id, root):
    """The singletons; some are not set and answer 404."""
    out = []
    if id in (ATLAS, LEAKY):
        status = "enforcing" if id == ATLAS else "inactive"
        out += single(
            "project_spend_limit",
            f"{root}/spend_limit",
            {
                "object": "project.spend_limit",
                "currency": "USD",
                "interval": "month",
                "threshold_amount": 100_000,
                "enforcement": {"status": status},
            },
        )
    else:
        out += unset("project_spend_limit", f"{root}/spend_limit")
    out += single(
        "project_data_retention",
        f"{root}/data_retention",
        {"object": "project.data_retention", "type": "zero_data_retention" if id == FAMILY else "organization_default"},
    )
    tools = ("file_search", "web_search", "image_generation", "mcp", "code_interpreter")
    out += single(
        "project_hosted_tool_permissions",
        f"{root}/hosted_tool_permissions",
        {tool: {"enabled": not (id == FAMILY and tool == "mcp")} for tool in tools},
    )
    if id == TRANSLATION:
        out += single(
            "project_model_permissions",
            f"{root}/model_permissions",
            {"object": "project.model_permissions", "mode": "allow_list", "model_ids": ["gpt-5", "gpt-5-mini"]},
        )
    else:
        out += unset("project_model_permissions", f"{root}/model_permissions")
    tiers = "all" if id == ATLAS else ["flex"] if id == FAMILY else []
    out += single(
        "project_service_tier_settings",
        f"{root}/service_tier_settings",
        {"object": "project.service_tier_settings", "default": "standard", "enabled_tiers": tiers},
    )
    return out


def everything():
    return [r for id in ACTIVE for r in below(id)]
