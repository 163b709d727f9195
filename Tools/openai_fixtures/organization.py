"""The invented organization: its projects, people, keys and settings, and every list that shows them.

Names and addresses are made up; the mail domains are the ones reserved for examples.
"""

from .replies import after_item_id, after_last_id, after_next, single, unset
from .text import Escaped, Number, identifier, unix

ATLAS, FAMILY, TRANSLATION, PILOT, LEAKY = (
    identifier("proj_", name) for name in ("atlas", "family", "translation", "pilot", "leaky")
)
ACTIVE = [ATLAS, FAMILY, TRANSLATION, LEAKY]

# Written in two parts, so that nothing that looks like a key stands in this file.
PASTED_KEY = "sk-" + "proj-" + "Invented0Fixture1Key2Not3A4Real5Secret6"

ADA, BORIS, CHIEKO, NOA, BANNED, ROBOT, NAMELESS, GONE = (
    identifier("user-", name) for name in ("ada", "boris", "chieko", "noa", "banned", "robot", "nameless", "gone")
)
PEOPLE = {
    ADA: ("Ada Quill", "ada@example.com", "owner"),
    BORIS: ("Борис Сокол", "boris@example.com", "reader"),
    # The accent as a character of its own: text is kept byte for byte, not normalised.
    CHIEKO: ("Chieko Re\u0301mi", "chieko@example.org", "reader"),
    NOA: (Escaped("נועה 👩‍💻"), "noa@example.net", "reader"),
    BANNED: ("Line\u2028Break", "former@example.com", "reader"),
    ROBOT: ("nightly-export", None, "reader"),
    NAMELESS: (None, None, "reader"),
}

KEYS = {
    name: identifier("key_", name, 16)
    for name in ("atlas-web", "atlas-batch", "family-app", "translation-ci", "leaky-dev")
}
DELETED_KEY = identifier("key_", "deleted", 16)  # in usage, in no list
SERVICE_ACCOUNT = identifier("svc_acct_", "atlas-batch", 16)
ENGINEERS, REVIEWERS, EVERYONE = (identifier("group_", n, 16) for n in ("engineers", "reviewers", "everyone"))
PROVIDERS = [identifier("wip_", n, 16) for n in ("ci", "cluster")]
EXTERNAL_KEY = identifier("ek_", "kms", 16)
ROLE_OWNER, ROLE_READER, ROLE_AUDITOR = (
    "role_api-organization-owner",
    "role_api-organization-reader",
    identifier("role_", "auditor", 16),
)
ROLE_PROJECT_MEMBER, ROLE_PROJECT_OWNER = "role_api-project-member", "role_api-project-owner"


def project(id, name, created, archived=None, **more):
    row = {
        "id": id,
        "object": "organization.project",
        "name": name,
        "created_at": unix(created),
        "archived_at": unix(archived) if archived else None,
        "status": "archived" if archived else "active",
        "residency": "GLOBAL",
        "external_key_id": None,
    }
    row.update(more)
    return row


def projects():
    pages = [
        [
            project(ATLAS, "Atlas Search", "2024-03-04T10:00", external_key_id=EXTERNAL_KEY),
            project(FAMILY, "Family 👩‍👩‍👧‍👦 assistant", "2024-06-01T08:30", residency="EU_STORAGE_PROCESSING"),
        ],
        [
            project(TRANSLATION, "مشروع الترجمة (תרגום)", "2024-09-17T12:00"),
            project(PILOT, "Old pilot", "2023-11-20T09:15", archived="2025-02-28T17:00"),
        ],
        [project(LEAKY, Escaped(f"dev {PASTED_KEY} do not use"), "2025-10-30T14:45")],
    ]
    return after_last_id("projects", "/organization/projects", pages, [("include_archived", "true")])


def user(id, added, **more):
    name, email, role = PEOPLE[id]
    row = {
        "object": "organization.user",
        "id": id,
        "name": name,
        "email": email,
        "role": role,
        "added_at": unix(added),
        "created": unix(added) - 86400,
        "api_key_last_used_at": None,
        "developer_persona": None,
        "technical_level": None,
        "is_default": False,
        "is_scale_tier_authorized_purchaser": None,
        "is_scim_managed": False,
        "is_service_account": False,
        "projects": {"object": "list", "data": [{"id": ATLAS, "name": "Atlas Search", "role": "member"}]},
        "user": {
            "object": "user",
            "id": id,
            "name": name,
            "email": email,
            "picture": None,
            "banned": False,
            "banned_at": None,
            "enabled": True,
        },
    }
    row["user"].update(more.pop("user", {}))
    row.update(more)
    return row


def users():
    noa = user(NOA, "2025-03-03T09:00", is_scim_managed=True, technical_level="advanced")
    pages = [
        [
            user(
                ADA,
                "2024-03-01T09:00",
                api_key_last_used_at=unix("2025-11-30T18:12"),
                is_default=True,
                user={"picture": "https://img.example.com/ada.png?signature=abc"},
            ),
            user(BORIS, "2024-05-02T09:00", projects=None),
            user(CHIEKO, "2025-01-15T09:00", developer_persona="backend"),
            noa,
        ],
        [
            noa,  # a page seam that overlaps: the same row again
            user(
                BANNED,
                "2024-04-01T09:00",
                user={"banned": True, "banned_at": unix("2025-08-08T08:08"), "enabled": False},
            ),
            user(ROBOT, "2025-06-01T00:00", is_service_account=True, projects={"object": "list", "data": []}),
            user(NAMELESS, "2025-11-20T16:20", user={}),
        ],
    ]
    return after_last_id("users", "/organization/users", pages)


def group(id, name, scim=False, kind="group"):
    return {
        "object": "group",
        "id": id,
        "name": name,
        "created_at": unix("2025-02-01"),
        "is_scim_managed": scim,
        "group_type": kind,
    }


def groups():
    # The second page is empty and still not the last.
    pages = [
        [group(ENGINEERS, "Engineers"), group(REVIEWERS, "Réviseurs", scim=True)],
        [],
        [group(EVERYONE, "Everyone", kind="tenant_group")],
    ]
    return after_next("groups", "/organization/groups", pages)


def role(id, name, kind, permissions, predefined=False, description=None):
    return {
        "object": "role",
        "id": id,
        "name": name,
        "description": description,
        "permissions": permissions,
        "resource_type": kind,
        "predefined_role": predefined,
    }


def roles():
    kind = "api.organization"
    pages = [
        [
            role(ROLE_OWNER, "owner", kind, ["api.organization.read", "api.organization.write"], True, "Can do all."),
            role(ROLE_READER, "reader", kind, ["api.organization.read"], True),
        ],
        [
            role(
                ROLE_AUDITOR,
                'Auditor, "read" only',
                kind,
                ["api.audit_logs.read", "api.usage.read"],
                False,
                "For the yearly audit.",
            )
        ],
    ]
    return after_next("roles", "/organization/roles", pages)


def assignment(id, name, kind, source=None, by=None):
    """A role as the assignment lists show it: with where it comes from and who made it."""
    return {
        "id": id,
        "name": name,
        "description": None,
        "permissions": ["api.organization.read"],
        "resource_type": kind,
        "predefined_role": id.startswith("role_api-"),
        "created_at": unix("2025-02-02") if by else None,
        "updated_at": None,
        "created_by": by,
        "created_by_user_obj": {"id": by, "name": PEOPLE[by][0], "email": PEOPLE[by][1]} if by else None,
        "metadata": {"ticket": "IT-42"} if by else None,
        "assignment_sources": [{"principal_type": "group", "principal_id": source}] if source else None,
    }


def invite(id, email, status, created, **more):
    row = {
        "object": "organization.invite",
        "id": identifier("invite-", id, 16),
        "email": email,
        "role": "reader",
        "status": status,
        "created_at": unix(created),
        "expires_at": unix(created) + 7 * 86400,
        "accepted_at": None,
        "projects": [{"id": ATLAS, "role": "member"}],
    }
    row.update(more)
    return row


def invites():
    old = invite("old", "early@example.com", "expired", "2025-01-05T10:00", projects=[])
    old["invited_at"] = old.pop("created_at")  # as the API wrote it in 2025
    pages = [
        [invite("noa", "noa@example.net", "accepted", "2025-03-01T10:00", accepted_at=unix("2025-03-03T08:59")), old],
        [invite("new", "newcomer@example.org", "pending", "2025-11-28T15:30", role="owner")],
    ]
    return after_last_id("invites", "/organization/invites", pages)


def admin_api_keys():
    def key(name, last_used, expires, kind="user"):
        owner = {
            "type": kind,
            "object": "organization.user",
            "id": ADA,
            "name": PEOPLE[ADA][0],
            "created_at": unix("2024-03-01T09:00"),
            "role": "owner",
        }
        return {
            "object": "organization.admin_api_key",
            "id": identifier("key_", "admin-" + name, 16),
            "name": name,
            "redacted_value": "sk-admin...x" + name[:3],
            "created_at": unix("2025-04-01"),
            "last_used_at": last_used,
            "expires_at": expires,
            "owner": owner,
        }

    pages = [
        [key("exports", unix("2025-12-01T05:00"), None), key("terraform", None, unix("2026-04-01"))],
        [key("audit", None, None)],
    ]
    return after_item_id("admin_api_keys", "/organization/admin_api_keys", pages, [])


def certificate(name, active, kind="organization.certificate"):
    return {
        "object": kind,
        "id": identifier("cert_", name or "unnamed", 16),
        "name": name,
        "created_at": unix("2025-05-05"),
        "active": active,
        "certificate_details": {"valid_at": unix("2025-05-05"), "expires_at": unix("2027-05-05")},
    }


def external_keys():
    def key(id, kind, **more):
        row = {
            "id": id,
            "object": "organization.external_key",
            "type": kind,
            "name": f"{kind} key",
            "workspace_id": identifier("ws_", "main", 12),
            "api_project_ids": [ATLAS],
            "created_at": unix("2025-07-07"),
            "purpose": "ekm",
        }
        row.update(more)
        return row

    aws = key(
        EXTERNAL_KEY,
        "aws",
        kms_arn="arn:aws:kms:eu-west-1:000000000000:key/invented",
        role_arn="arn:aws:iam::000000000000:role/ekm",
        external_id="invented-external-id",
        region="eu-west-1",
    )
    azure = key(
        identifier("ek_", "vault", 16),
        "azure",
        vault_uri="https://invented.vault.example.net/",
        key_name="ekm",
        key_version=None,
        tenant_id="00000000-0000-0000-0000-000000000000",
        api_project_ids=[],
    )
    return after_item_id("external_keys", "/organization/external_keys", [[aws], [azure]])


def external_storage():
    def storage(name, provider, status="validated"):
        return {
            "object": "organization.external_storage",
            "id": identifier("es_", name, 16),
            "project_id": ATLAS,
            "geography": "eu",
            "status": status,
            "created_at": unix("2025-08-01"),
            "provider": provider,
        }

    aws = {
        "type": "aws",
        "account_id": "000000000000",
        "bucket": "invented-bucket",
        "external_id": "invented",
        "region": "eu-west-1",
        "role_arn": "arn:aws:iam::000000000000:role/storage",
    }
    gcp = {
        "type": "gcp",
        "audience": "//iam.example.com/pool",
        "bucket": "invented-bucket-2",
        "region": "europe-west4",
        "workload_identity_pool_id": "pool",
        "workload_identity_project_number": "1234567890",
        "workload_identity_provider_id": "provider",
    }
    azure = {
        "type": "azure",
        "account_name": "invented",
        "container": "files",
        "region": "westeurope",
        "resource_group": "rg",
        "subscription_id": "00000000-0000-0000-0000-000000000001",
        "tenant_id": "00000000-0000-0000-0000-000000000000",
    }
    pages = [[storage("a", aws), storage("b", gcp, "degraded")], [storage("c", azure, "pending")]]
    return after_item_id("external_storage", "/organization/external_storage", pages)


def spend_alert(id, cents, kind, prefix=None):
    return {
        "object": kind,
        "id": identifier("alert_", id, 16),
        "currency": "USD",
        "interval": "month",
        "threshold_amount": cents,
        "notification_channel": {
            "type": "email",
            "recipients": ["finance@example.com", "ada@example.com"],
            "subject_prefix": prefix,
        },
    }


def identity_providers():
    def provider(id, name, verification, description=None):
        return {
            "object": "organization.workload_identity_provider",
            "id": id,
            "type": "oidc",
            "name": name,
            "description": description,
            "issuer": f"https://issuer.example.com/{name}",
            "audience": "api",
            "enabled": True,
            "attribute_transformations": [{"attribute": "subject", "expression": "assertion.sub"}],
            "verification": verification,
            "created_at": unix("2025-09-01"),
            "updated_at": unix("2025-09-02"),
        }

    def rule(parent, name, matchers, permissions):
        return {
            "object": "organization.workload_identity_federation_rule",
            "id": identifier("wifr_", parent + str(name), 16),
            "workload_identity_provider_id": parent,
            "project_id": ATLAS,
            "service_account_id": SERVICE_ACCOUNT,
            "name": name,
            "description": None,
            "enabled": True,
            "attribute_matchers": matchers,
            "permissions": permissions,
            "created_at": unix("2025-09-03"),
            "updated_at": unix("2025-09-03"),
        }

    ci, cluster = PROVIDERS
    path = "/organization/workload_identity_providers"
    out = after_item_id(
        "workload_identity_providers",
        path,
        [
            [provider(ci, "ci", {"type": "discovery", "discovery_url": None}, "Builds")],
            [
                provider(
                    cluster,
                    "cluster",
                    {"type": "uploaded_jwks", "jwks": {"keys": [{"kty": "EC", "kid": "1", "crv": "P-256"}]}},
                )
            ],
        ],
    )
    stream = "workload_identity_federation_rules"
    restricted = {"type": "restricted", "scopes": ["model.request"]}
    out += after_item_id(
        stream,
        f"{path}/{ci}/federation_rules",
        [
            [rule(ci, "main branch", {"ref": "refs/heads/main", "protected": True, "run_attempt": 1}, restricted)],
            [rule(ci, None, {"score": Number("0.50")}, {"type": "service_account_default"})],
        ],
    )
    out += after_item_id(stream, f"{path}/{cluster}/federation_rules", [[]])
    return out


def everything():
    """All lists and settings of the organization itself."""
    out = projects() + users() + groups() + roles() + invites() + admin_api_keys()
    out += after_last_id(
        "certificates", "/organization/certificates", [[certificate("edge", True)], [certificate(None, False)]]
    )
    out += external_keys() + external_storage()
    kind = "organization.spend_alert"
    out += after_last_id(
        "organization_spend_alerts",
        "/organization/spend_alerts",
        [[spend_alert("org-half", 500_000, kind)], [spend_alert("org-all", 1_000_000, kind, "[budget] ")]],
    )
    out += unset("organization_spend_limit", "/organization/spend_limit")
    out += single(
        "organization_data_retention",
        "/organization/data_retention",
        {"object": "organization.data_retention", "type": "modified_abuse_monitoring"},
    )
    out += identity_providers()

    members = {ENGINEERS: [ADA, BORIS, CHIEKO], REVIEWERS: [NOA], EVERYONE: []}
    for id, people in members.items():
        rows = [{"id": p, "name": PEOPLE[p][0] or "", "email": PEOPLE[p][1]} for p in people]
        pages = [rows[:2], rows[2:]] if len(rows) > 2 else [rows]
        out += after_next("group_users", f"/organization/groups/{id}/users", pages)
        held = [assignment(ROLE_AUDITOR, 'Auditor, "read" only', "api.organization", by=ADA)] if id == REVIEWERS else []
        out += after_next("group_roles", f"/organization/groups/{id}/roles", [held])
    for id, (_, _, name) in PEOPLE.items():
        path = f"/organization/users/{id}/roles"
        if id == BANNED:
            out += unset("user_roles", path)  # gone between the listing and this question
            continue
        held = [assignment(f"role_api-organization-{name}", name, "api.organization")]
        if id == NOA:
            held.append(assignment(ROLE_AUDITOR, 'Auditor, "read" only', "api.organization", source=REVIEWERS, by=ADA))
        out += after_next("user_roles", path, [[r] for r in held])
    return out
