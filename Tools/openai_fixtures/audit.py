"""The audit log, newest first: the organization's events, and the tenant's in a walk of their own."""

from .organization import (
    ADA,
    ATLAS,
    BORIS,
    DELETED_KEY,
    ENGINEERS,
    GONE,
    KEYS,
    LEAKY,
    NOA,
    PASTED_KEY,
    PEOPLE,
    PILOT,
    ROLE_AUDITOR,
    SERVICE_ACCOUNT,
    identifier,
)
from .replies import after_last_id
from .text import Escaped, Number, unix

# A certificate that certifies nothing; in parts, so that no scanner takes this file for a leak.
CERTIFICATE = "-----BEGIN " + "CERTIFICATE-----\nSU5WRU5URUQ=\n-----END " + "CERTIFICATE-----\n"


def session(user, **extras):
    who = {"ip_address": "203.0.113.7", "user": {"id": user, "email": PEOPLE[user][1]}}
    who.update(extras)
    return {"type": "session", "session": who}


def api_key(name, user=None):
    if user:
        key = {"id": KEYS[name], "type": "user", "user": {"id": user, "email": PEOPLE[user][1]}}
    else:
        key = {"id": KEYS[name], "type": "service_account", "service_account": {"id": SERVICE_ACCOUNT}}
    return {"type": "api_key", "api_key": key}


def event(at, kind, payload, actor, project=None):
    moment = unix(at)
    row = {
        "id": f"audit_log-{identifier('', at + kind, 12)}_{at[:10].replace('-', '')}",
        "type": kind,
        "effective_at": moment,
    }
    if project:
        row["project"] = {"id": project, "name": "Atlas Search" if project == ATLAS else "another project"}
    row["actor"] = actor
    if payload is not None:
        row[kind] = payload  # one key, dots and all
    return row


FULL = session(
    ADA,
    user_agent="Mozilla/5.0 (X11; Linux x86_64) Invented/1.0",
    ja3="0123456789abcdef0123456789abcdef",
    ja4="t13d1516h2_0123456789ab_0123456789ab",
    ip_address_details={
        "country": "NL",
        "city": "Utrecht",
        "region": "Utrecht",
        "region_code": "UT",
        "asn": "64496",
        "latitude": "52.0907",
        "longitude": "5.1214",
    },
)


def organization_events():
    plain = session(ADA)
    robot = api_key("atlas-batch")
    return [
        event("2025-12-01T05:30", "api_key.deleted", {"id": DELETED_KEY}, FULL, ATLAS),
        event("2025-11-30T23:59", "login.succeeded", None, session(NOA, ip_address="2001:db8::7")),
        event(
            "2025-11-28T15:30",
            "invite.sent",
            {"id": identifier("invite-", "new", 16), "data": {"email": "newcomer@example.org", "role": "owner"}},
            plain,
        ),
        event(
            "2025-11-27T11:00",
            "rate_limit.updated",
            {
                "id": "rl-gpt-5",
                "changes_requested": {
                    "max_requests_per_1_minute": 10_000,
                    "batch_1_day_max_input_tokens": 9_007_199_254_740_993,
                },
            },
            plain,
            ATLAS,
        ),
        event("2025-11-26T08:00", "widget.rotated", {"id": "widget_1", "angle": 90}, plain),  # a type no list has yet
        event(
            "2025-11-25T10:00",
            "service_account.created",
            {"id": SERVICE_ACCOUNT, "data": {"role": "member"}},
            robot,
            ATLAS,
        ),
        event(
            "2025-11-24T10:00",
            "role.assignment.created",
            {
                "id": identifier("ra_", "noa", 12),
                "principal_id": NOA,
                "principal_type": "user",
                "resource_id": ATLAS,
                "resource_type": "project",
            },
            plain,
            ATLAS,
        ),
        # Equal times on both sides of the page seam.
        event("2025-11-21T09:00", "group.created", {"id": ENGINEERS, "data": {"group_name": "Engineers"}}, plain),
        event(
            "2025-11-21T09:00",
            "group.updated",
            {"id": ENGINEERS, "changes_requested": {"group_name": "Engineers, all"}},
            plain,
        ),
        event(
            "2025-11-21T09:00",
            "role.updated",
            {
                "id": ROLE_AUDITOR,
                "changes_requested": {"description": "", "permissions_added": ["api.usage.read"], "metadata": {}},
            },
            plain,
        ),
        event("2025-11-20T16:20", "user.added", {"id": NOA, "data": {"role": "reader"}}, None),
        event(
            "2025-11-19T12:00",
            "certificate.deleted",
            {"id": identifier("cert_", "old", 16), "name": "old edge", "certificate": CERTIFICATE},
            plain,
        ),
        event(
            "2025-11-18T12:00",
            "ip_allowlist.updated",
            {"id": "ipal_1", "allowed_ips": ["198.51.100.0/24", "2001:db8::/32"]},
            plain,
        ),
        event(
            "2025-11-17T12:00",
            "login.failed",
            {"error_code": "invalid_credentials", "error_message": "Wrong password for ada@example.com"},
            session(BORIS),
        ),
        event(
            "2025-11-14T07:45",
            "project.updated",
            {"id": LEAKY, "changes_requested": {"title": Escaped(f"dev {PASTED_KEY} do not use")}},
            session(BORIS),
            LEAKY,
        ),
        event(
            "2025-11-13T07:45",
            "external_storage.registered",
            {
                "id": identifier("es_", "a", 16),
                "data": {
                    "geography": "eu",
                    "provider": {
                        "type": "aws",
                        "account_id": "000000000000",
                        "bucket": "invented-bucket",
                        "external_id": "invented",
                        "region": "eu-west-1",
                        "role_arn": "arn:aws:iam::000000000000:role/storage",
                    },
                },
            },
            plain,
            ATLAS,
        ),
        event(
            "2025-11-12T09:00",
            "resource.deleted",
            {"id": "file-1", "resource_type": "file", "nested": {"a.b": [1, Number("2.50"), None]}},
            robot,
            ATLAS,
        ),
        event(
            "2025-11-11T09:00",
            "api_key.created",
            {"id": DELETED_KEY, "data": {"scopes": ["model.request"]}},
            api_key("atlas-web", ADA),
            ATLAS,
        ),
        event("2025-11-10T09:00", "user.deleted", {"id": GONE}, plain),
        event(
            "2025-11-06T09:00",
            "organization.updated",
            {
                "id": "org-Invented",
                "changes_requested": {"title": "Quillfeather Labs", "threads_ui_visibility": "NONE"},
            },
            plain,
        ),
        event("2025-11-03T09:00", "project.archived", {"id": PILOT}, plain, PILOT),
        event("2025-11-01T00:00", "logout.succeeded", {}, session(NOA)),  # the first second of the window
    ]


def tenant_events():
    plain = session(ADA)
    return [
        event("2025-11-29T13:00", "tenant.user.invited", {"id": "tu_1", "email": "newcomer@example.org"}, plain),
        event("2025-11-22T13:00", "tenant.policy.updated", {"id": "tp_1", "changes": {"mfa": "required"}}, plain),
        event("2025-11-15T13:00", "tenant.scim.directory.created", {"id": "dir_1"}, None),
        event(
            "2025-11-08T13:00",
            "tenant.metadata.updated",
            {"id": "tenant_1", "changes": {"name": "Quillfeather"}},
            plain,
        ),
        event("2025-11-02T13:00", "tenant.admin_api_key.created", {"id": identifier("key_", "admin-audit", 16)}, plain),
    ]


def everything(start, end):
    """`start`, `end`: the span of time that the client asks for, Unix seconds."""
    rows, tenant = organization_events(), tenant_events()
    seam = next(i for i, row in enumerate(rows) if row["type"] == "group.updated")
    # The row at the seam comes twice, as happens when events arrive during the walk.
    pages = [rows[: seam + 1], rows[seam : seam + 7], rows[seam + 7 :]]
    path, window = "/organization/audit_logs", [("effective_at[gte]", str(start)), ("effective_at[lt]", str(end))]
    out = after_last_id("audit_logs", path, pages, window)
    return out + after_last_id("audit_logs", path, [tenant[:3], tenant[3:]], [("tenant_only", "true")] + window)
