"""Where a reply lies in the directory that `--replay` reads: the same names as `cogni record` gives."""

from datetime import datetime, timezone
from urllib.parse import quote

CURSORS = ("after", "page")

# Below what each stream lies, as the connector's path templates call it.
PROJECT, GROUP, USER = ("projects", "project_id"), ("groups", "group_id"), ("users", "user_id")
PROVIDER = ("workload_identity_providers", "workload_identity_provider_id")
PARENTS = {
    "group_roles": [GROUP],
    "group_users": [GROUP],
    "user_roles": [USER],
    "workload_identity_federation_rules": [PROVIDER],
    "project_group_roles": [PROJECT, GROUP],
    "project_user_roles": [PROJECT, USER],
}


def parents(stream):
    return PARENTS.get(stream, [PROJECT] if stream.startswith("project_") else [])


def name(reply):
    """Path below the directory: `costs/2025-11-01..2025-12-01,…/page=token.json`."""
    asked = dict(reply.query)
    segments = reply.path.split("/")
    parts = [(parameter, segments[segments.index(folder) + 1]) for folder, parameter in parents(reply.stream)]
    parts += [(key, value) for key, value in reply.query if key == "tenant_only"]
    parts += [(key, value) for key, value in reply.query if key in CURSORS]
    slug = ",".join(f"{encoded(key)}={encoded(value)}" for key, value in parts) or "first"
    if len(slug) > 180:
        raise ValueError(f"{slug} is too long: the reader would look for a shortened name")
    status = "" if reply.status == 200 else f".{reply.status}"
    return "/".join([reply.stream] + walk(asked, reply.query) + [f"{slug}{status}.json"])


def walk(asked, query):
    """The folder of a walk over time; nothing for lists."""
    start = asked.get("start_time") or asked.get("effective_at[gte]")
    end = asked.get("end_time") or asked.get("effective_at[lt]")
    if not start:
        return []
    folder = f"{moment(start)}..{moment(end)}"
    if "bucket_width" in asked:
        folder += f",bucket_width={asked['bucket_width']}"
    grouped = [value for key, value in query if key == "group_by[]"]
    return [folder + (",group_by=" + "+".join(grouped) if grouped else "")]


def moment(seconds):
    at = datetime.fromtimestamp(int(seconds), timezone.utc)
    return at.strftime("%Y-%m-%d" if int(seconds) % 86_400 == 0 else "%Y-%m-%dT%H%M%SZ")


def encoded(text):
    return quote(text, safe="-._~")
