#!/usr/bin/env python3
"""Writes the built-in OpenAI connector from the API catalog.

    Tools/make_openai_connector.py CATALOG > Sources/House/Connector/Connectors/openai_admin.yaml
    Tools/make_openai_connector.py --digest CATALOG > Fixtures/openai-admin/catalog-digest.json

The catalog says which endpoints, parameters and fields exist. What it cannot say stands in the tables
below: titles, which column identifies whom, and what the live service is known to refuse.
"""
import json
import sys

TITLES = {
    "usage_completions": "Tokens and requests of chat, responses and completions",
    "usage_decisions": "Tokens and requests of decisions",
    "usage_embeddings": "Tokens and requests of embeddings",
    "usage_moderations": "Tokens and requests of moderations",
    "usage_images": "Images made and requests",
    "usage_audio_speeches": "Characters spoken and requests",
    "usage_audio_transcriptions": "Seconds transcribed and requests",
    "usage_vector_stores": "Bytes held in vector stores",
    "usage_code_interpreter_sessions": "Code interpreter sessions",
    "usage_file_search_calls": "File search calls",
    "usage_web_search_calls": "Web search calls",
    "costs": "Money spent, by day",
    "projects": "Projects, archived ones too",
    "users": "Members of the organization",
    "groups": "Groups of members",
    "roles": "Roles of the organization",
    "invites": "Invitations and what became of them",
    "admin_api_keys": "Admin API keys (never their secrets)",
    "certificates": "Client certificates of the organization",
    "external_keys": "Encryption keys held in the customer's cloud",
    "external_storage": "Storage in the customer's cloud",
    "organization_spend_alerts": "Spend alerts of the organization",
    "organization_spend_limit": "Spend limit of the organization",
    "organization_data_retention": "Data retention of the organization",
    "workload_identity_providers": "Identity providers that workloads sign in with",
    "workload_identity_federation_rules": "Which workloads may act as which service account",
    "group_roles": "Roles given to groups",
    "group_users": "Members of groups",
    "user_roles": "Roles given to users",
    "project_api_keys": "API keys of projects (never their secrets)",
    "project_users": "Members of projects",
    "project_service_accounts": "Service accounts of projects",
    "project_groups": "Groups with access to projects",
    "project_roles": "Roles of projects",
    "project_group_roles": "Roles given to groups inside projects",
    "project_user_roles": "Roles given to users inside projects",
    "project_rate_limits": "Rate limits of projects, by model",
    "project_certificates": "Client certificates of projects",
    "project_spend_alerts": "Spend alerts of projects",
    "project_spend_limit": "Spend limits of projects",
    "project_data_retention": "Data retention of projects",
    "project_hosted_tool_permissions": "Hosted tools that projects may use",
    "project_model_permissions": "Models that projects may use",
    "project_service_tier_settings": "Service tiers of projects",
    "audit_logs": "Who did what in the organization",
}

# In the order of the file; parents stand before their children, related streams together.
ORDER = list(TITLES)

# Words of the catalog that our schema says differently.
SENSITIVITY = {
    "financial": None,
    "free_text": "label",
    "shared_secret_like": "cloud_identifier",
    "url_pii": "url",
    "key_material": "key_fragment",
}

# Columns that identify the same thing wherever they stand: (stream or *, column) -> domain.
DOMAINS = {
    ("*", "user_id"): "user",
    ("users", "id"): "user",
    ("project_users", "id"): "user",
    ("group_users", "id"): "user",
    ("*", "owner_user_id"): "user",
    ("admin_api_keys", "owner_id"): "user",
    ("*", "created_by"): "user",
    ("*", "actor_session_user_id"): "user",
    ("*", "actor_api_key_user_id"): "user",
    ("*", "actor_api_key_service_account_id"): "service_account",
    ("*", "owner_service_account_id"): "service_account",
    ("project_service_accounts", "id"): "service_account",
    ("*", "service_account_id"): "service_account",
    ("*", "api_key_id"): "api_key",
    ("*", "actor_api_key_id"): "api_key",
    ("admin_api_keys", "id"): "api_key",
    ("project_api_keys", "id"): "api_key",
    ("*", "project_id"): "project",
    ("projects", "id"): "project",
    ("*", "group_id"): "group",
    ("groups", "id"): "group",
    ("*", "organization_id"): "organization",
    ("*", "vector_store_id"): "vector_store",
    ("*", "external_key_id"): "external_key",
    ("external_keys", "id"): "external_key",
    ("*", "workload_identity_provider_id"): "workload_identity_provider",
    ("workload_identity_providers", "id"): "workload_identity_provider",
}

# A sensitivity that always identifies: e-mail addresses join across streams as ids do.
DOMAIN_OF_SENSITIVITY = {"email": "email", "person_name": "person", "ip": "ip"}

VOLATILE = {"last_used_at", "api_key_last_used_at"}

ABOUT = {
    ("costs", "amount_value"): "In the currency beside it, whole units: dollars, not cents.",
    ("costs", "quantity"): "Filled only when grouped by line_item.",
    ("costs", "line_item"): "Free text with commas and spaces.",
    ("*", "threshold_amount"): "In cents.",
    ("*", "input_tokens"): "Already contains cached and cache-write tokens and every modality.",
    ("*", "usage_bytes"): "A level, not a flow: never sum it over time.",
    ("*", "redacted_value"): "First and last characters of a live key.",
    ("*", "api_source"): "agents_api or unlabeled; unlabeled includes history of unknown origin.",
    ("audit_logs", "payload"): "What stands under the key that equals the event's type.",
    ("*", "assignment_sources"): "Where an inherited role comes from; the id is the role's, not the assignment's.",
}
for counter in ("input_audio_tokens", "output_audio_tokens"):
    ABOUT[("*", counter)] = "Part of the total; adding it counts twice."

# A value inside a json column: (stream or *, column) -> [(path, sensitivity, domain, types)].
INNER = {
    ("*", "assignment_sources"): [("[].principal_id", "pseudonymous_id", "user", [])],
    ("*", "created_by_user_obj"): [
        ("id", "pseudonymous_id", "user", []), ("email", "email", "email", []), ("name", "person_name", "person", []),
    ],
    ("invites", "projects"): [("[].id", None, "project", [])],
    ("users", "projects_data"): [("[].id", None, "project", []), ("[].name", "label", None, [])],
    ("*", "notification_channel_recipients"): [("[]", "email", "email", [])],
    ("external_keys", "api_project_ids"): [("[]", None, "project", [])],
}

# Whom the `id` of an audit event's payload identifies.
EVENT_IDS = [
    ("user", "pseudonymous_id", ["user.added", "user.updated", "user.deleted"]),
    ("service_account", "pseudonymous_id",
     ["service_account.created", "service_account.updated", "service_account.deleted"]),
    ("api_key", None, ["api_key.created", "api_key.updated", "api_key.deleted"]),
    ("project", None, ["project.created", "project.updated", "project.archived", "project.deleted"]),
    ("group", None, ["group.created", "group.updated", "group.deleted"]),
    ("external_key", None, ["external_key.registered", "external_key.removed"]),
]

FIXED_PARAMETERS = {
    "projects": {"include_archived": "true"},
    "project_api_keys": {"owner_project_access": "any"},
}

# What the schema does not list and the service may send all the same: names of types, as in the API's earlier description, where an
# owner was a whole project user or service account. They say nothing that `owner.type` does not.
ALSO_IGNORED = {"project_api_keys": ["owner.service_account.object", "owner.user.object"]}

COSTS_REFUSED = [
    dict(dimensions=["api_key_id"], before="2025-12-06", certain="true", without="api_key_id",
         reason="the API has no costs by key from before that day"),
    dict(dimensions=["user_id", "project_id"], certain="false", without="user_id",
         reason="some organizations may not ask for users and projects at once"),
]

# What must hold between streams: see `relations` in docs/connector-file.md. A name ending in * stands for every stream
# that has the column.
RELATIONS = [
    dict(name="keys_without_project", about="API keys whose project is not among the living projects",
         rows=["project_api_keys.project_id"], listed=["projects.id"], living="true"),
    dict(name="unknown_projects", about="Usage and costs of projects that no list ever had",
         rows=["usage_*.project_id", "costs.project_id"], listed=["projects.id"]),
    dict(name="unknown_users", about="Usage and costs of users that no list ever had",
         rows=["usage_*.user_id", "costs.user_id"], listed=["users.id"]),
    dict(name="unknown_keys", about="Usage and costs of API keys that no list ever had",
         rows=["usage_*.api_key_id", "costs.api_key_id"], listed=["project_api_keys.id", "admin_api_keys.id"]),
    dict(name="unknown_members", about="Members of projects and groups that the organization does not have",
         rows=["project_users.id", "group_users.id"], listed=["users.id"], living="true"),
    dict(name="roles_without_holders", about="Roles that nobody was given",
         rows=["roles.id", "project_roles.id"],
         listed=["user_roles.id", "group_roles.id", "project_user_roles.id", "project_group_roles.id"], living="true"),
    dict(name="vanished_projects", about="Projects that are gone from the list", find="ended", rows=["projects.id"]),
]

# What `cogni reconcile` compares: the streams that count tokens and requests, and the one that counts money.
TOKENS = {
    "usage_completions": ["input_tokens", "output_tokens"],
    "usage_embeddings": ["input_tokens"],
    "usage_moderations": ["input_tokens"],
}
COSTS = dict(stream="costs", project="project_id", amount="amount_value", currency="amount_currency", quantity="quantity",
             unit="quantity_unit", tokens_per_unit={"tokens": 1, "1000_tokens": 1000})

ALTERNATIVES = {("invites", "created_at"): ["invited_at"]}

AUDIT_NAMES = {  # a shorter name than the path's, where the path's would say nothing more
    "actor.session.ip_address": "ip_address",
    "actor.session.user_agent": "user_agent",
    "actor.session.ja3": "ja3",
    "actor.session.ja4": "ja4",
    "actor.session.ip_address_details": "ip_address_details",
}

UNSET_SINGLETONS = {"organization_spend_limit"}
CAPS_BY_WIDTH = {"1m": 1440, "1h": 168, "1d": 31}


def is_plain_object(field):
    return field.get("type") == "object" and field.get("fields") and not field.get("one_of")


def leaves(fields, before=(), optional=False):
    """Every field that is no plain object: (path, field, may be absent or null)."""
    for name, field in fields.items():
        path = before + (name,)
        absent = optional or field.get("presence") == "optional" or bool(field.get("nullable"))
        if is_plain_object(field):
            yield from leaves(field["fields"], path, absent)
        else:
            yield path, field, absent


def kind_of(field):
    kind = field.get("type")
    if kind == "integer":
        return "timestamp" if field.get("format") == "unix_seconds" else "integer"
    return {"string": "string", "boolean": "boolean", "number": "decimal"}.get(kind, "json")


def is_constant_object(path, field):
    """`object` says which kind of thing the item is. The stream's name says it already."""
    return path[-1] == "object" and field.get("type") == "string"


def looked_up(table, stream, column):
    return table.get((stream, column), table.get(("*", column)))


def dotted(path):
    return ".".join(path)


def sensitive_of(endpoint):
    """The catalog's classes, by dotted path."""
    found = {}
    listed = endpoint.get("sensitive", []) + endpoint.get("undocumented_fields_seen", [])
    for entry in listed:
        found[entry["field"].split(".{")[0]] = SENSITIVITY.get(entry["class"], entry["class"])
    return found


def inner_rules(stream, column, path, sensitive):
    """Rules for values inside a json column, with the catalog's own below the column's path."""
    rules = list(looked_up(INNER, stream, column) or [])
    known = {rule[0] for rule in rules}
    prefix = dotted(path)
    for field, word in sorted(sensitive.items()):
        rest = None
        if field.startswith(prefix + "."):
            rest = field[len(prefix) + 1:]
        elif field.startswith(prefix + "[]"):
            rest = field[len(prefix):]
        if rest and word and rest not in known:
            rules.append((rest, word, DOMAIN_OF_SENSITIVITY.get(word), []))
    return rules


def column(stream, name, path, kind, absent, sensitive, origin=None, word=None, values=None):
    """One line of `columns`."""
    made = {"name": name}
    if origin:
        made["from"] = origin
        path = (name,) if origin == "bucket" else path
    if path != (name,) and not (origin and origin != "bucket"):
        made["path"] = dotted(path) if all("." not in key for key in path) else list(path)
    for older in ALTERNATIVES.get((stream, name), []):
        made.setdefault("or", []).append(older)
    made["type"] = kind
    if absent:
        made["nullable"] = "true"
    domain = looked_up(DOMAINS, stream, name)
    word = word or sensitive.get(dotted(path))
    if domain in ("user", "service_account") and not word:
        word = "pseudonymous_id"
    domain = domain or DOMAIN_OF_SENSITIVITY.get(word)
    if word and word != "none":
        made["sensitivity"] = word
    if domain:
        made["domain"] = domain
    if name in VOLATILE:
        made["volatile"] = "true"
    if values and kind == "string":
        made["values"] = values
    about = looked_up(ABOUT, stream, name)
    if about:
        made["about"] = about
    if kind == "json":
        rules = inner_rules(stream, name, path, sensitive)
        if rules:
            made["inner"] = [
                {key: value for key, value in
                 (("path", rule[0]), ("sensitivity", rule[1]), ("domain", rule[2]), ("types", rule[3])) if value}
                for rule in rules
            ]
    return made


def report_columns(endpoint, sensitive):
    stream = endpoint["name"]
    fields = {path: (field, absent) for path, field, absent in leaves(endpoint["item_schema"]["fields"])}
    made = [column(stream, n, (n,), "timestamp", False, {}, origin="bucket") for n in ("start_time", "end_time")]
    measured = [tuple(m.split(".")) for m in endpoint["measures"] + endpoint.get("attributes", [])]
    if stream == "costs":
        measured = [("amount", "value"), ("amount", "currency"), ("quantity",), ("quantity_unit",)]
    order = [(d,) for d in endpoint["dimensions"]] + measured
    order += [p for p in fields if p not in order and not is_constant_object(p, fields[p][0])]
    for path in order:
        field, absent = fields[path]
        made.append(column(stream, "_".join(path), path, kind_of(field), absent, sensitive, values=field.get("enum")))
    for entry in endpoint.get("undocumented_fields_seen", []):
        made.append(column(stream, entry["field"], (entry["field"],), "string", True, sensitive))
    return made, [dotted(p) for p, (f, _) in fields.items() if is_constant_object(p, f)]


def audit_columns(endpoint, sensitive):
    stream = endpoint["name"]
    fields = {k: v for k, v in endpoint["item_schema"]["fields"].items() if "." not in k}
    made = []
    for path, field, absent in leaves(fields):
        made.append(column(stream, AUDIT_NAMES.get(dotted(path), "_".join(path)), path, kind_of(field), absent, sensitive,
                           values=field.get("enum")))
    extras = {dotted(c.get("path", c["name"]).split(".")) for c in made}
    for entry in endpoint["undocumented_fields_seen"]:
        path = tuple(entry["field"].split(".{")[0].split("."))
        if dotted(path) not in extras:
            kind = "json" if ".{" in entry["field"] else "string"
            made.append(column(stream, AUDIT_NAMES[dotted(path)], path, kind, True, sensitive))
    first = ["id", "effective_at", "type", "project_id", "project_name", "actor_type"]
    made.sort(key=lambda c: first.index(c["name"]) if c["name"] in first else len(first))
    payload = {"name": "payload", "path": ["{type}"], "type": "json", "nullable": "true", "sensitivity": "opaque_object",
               "about": ABOUT[("audit_logs", "payload")]}
    payload["inner"] = payload_rules(endpoint, sensitive)
    return made + [payload], []


def payload_rules(endpoint, sensitive):
    """The catalog's sensitive fields of all payloads, relative to the payload; each path once per meaning."""
    rules = [dict(path="id", domain=d, types=t, **({"sensitivity": w} if w else {})) for d, w, t in EVENT_IDS]
    rules.append(dict(path="principal_id", sensitivity="pseudonymous_id", domain="user"))
    rules.append(dict(path="service_account_id", sensitivity="pseudonymous_id", domain="service_account"))
    rules.append(dict(path="project_id", domain="project"))
    types = sorted((k for k in endpoint["item_schema"]["fields"] if "." in k), key=len, reverse=True)
    found = {}
    for field, word in sensitive.items():
        kind = next((t for t in types if field.startswith(t + ".")), None)
        if kind and word:
            found.setdefault((field[len(kind) + 1:], word), []).append(kind)
    for (path, word), kinds in found.items():
        rule = dict(path=path, sensitivity=word)
        if DOMAIN_OF_SENSITIVITY.get(word):
            rule["domain"] = DOMAIN_OF_SENSITIVITY[word]
        rule["types"] = sorted(kinds)
        rules.append(rule)
    return rules


def list_columns(endpoint, sensitive):
    stream = endpoint["name"]
    made, ignored = [], []
    parameters = [p["name"] for p in endpoint["params"] if p["in"] == "path"]
    for name in parameters:
        made.append(column(stream, name, (name,), "string", False, sensitive, origin=name))
    for path, field, absent in leaves(endpoint["item_schema"]["fields"]):
        if is_constant_object(path, field) and endpoint["primary_key"] != ["object"]:
            ignored.append(dotted(path))
        elif len(path) == 1 and path[0] in parameters:
            ignored.append(path[0])  # the item's own copy of the id that its path carries
        else:
            made.append(column(stream, "_".join(path), path, kind_of(field), absent, sensitive, values=field.get("enum")))
    return made, ignored


def pagination_of(endpoint):
    style = endpoint["pagination"]["style"]
    made = {"style": style}
    if endpoint["kind"] == "report":
        made["limit"] = 180 if endpoint["name"] == "costs" else CAPS_BY_WIDTH
    else:
        cap = next((p.get("max") for p in endpoint["params"] if p["name"] == "limit"), None)
        if cap:
            made["limit"] = cap
    return made


def stream_of(endpoint):
    """One stream as the connector file says it, keys in the order they are printed."""
    name, kind = endpoint["name"], endpoint["kind"]
    sensitive = sensitive_of(endpoint)
    audit = name == "audit_logs"
    build = report_columns if kind == "report" else audit_columns if audit else list_columns
    columns, ignored = build(endpoint, sensitive)
    made = {"name": name, "title": TITLES[name]}
    made["mode"] = {"report": "report", "singleton": "singleton"}.get(kind, "log" if audit else "snapshot")
    made["path"] = endpoint["path"]
    made["scope"] = "api.usage.read" if kind == "report" else "api.management.read"
    if name in FIXED_PARAMETERS:
        made["parameters"] = FIXED_PARAMETERS[name]
    made["pagination"] = pagination_of(endpoint)
    made["rows"] = {"report": "data[].results[]", "singleton": "."}.get(kind, "data[]")
    if endpoint.get("object"):
        made["object"] = endpoint["object"]
    parents = []
    for parameter, place in endpoint.get("parents", {}).items():
        parent = {"parameter": parameter, "of": place}
        if place == "projects.id":
            parent["skip"] = {"status": ["archived"]}
        parents.append(parent)
    if parents:
        made["parents"] = parents
    if parents or name in UNSET_SINGLETONS:
        made["absent"] = "empty"
    if kind == "report":
        widths = endpoint["bucket_widths"]
        made["window"] = {"start": "start_time", "end": "end_time", "width": "bucket_width", "widths": widths,
                          "default_width": "1d", "lookback": "7d" if name == "costs" else "3d", "history": "360d"}
        grouping = {"parameter": "group_by[]", "dimensions": endpoint["dimensions"]}
        if name == "costs":
            grouping["refused"] = COSTS_REFUSED
        made["group_by"] = grouping
        made["time"] = "start_time"
    if audit:
        made["window"] = {"start": "effective_at[gte]", "end": "effective_at[lt]", "lookback": "1h", "history": "90d"}
        made["walks"] = [{}, {"tenant_only": "true"}]
        made["time"] = "effective_at"
    expiry = "certificate_details_expires_at"
    if any(one["name"] == expiry for one in columns):
        made["expires"] = expiry
    made["primary_key"] = primary_key_of(endpoint)
    if "object" not in ignored and endpoint["primary_key"] != ["object"]:
        ignored.insert(0, "object")  # the schema does not list it here, the service sends it all the same
    ignored += ALSO_IGNORED.get(name, [])
    if ignored:
        made["ignored"] = ignored
    made["columns"] = columns
    return made


def primary_key_of(endpoint):
    """A report's rows are one per bucket start and dimensions; its end adds nothing."""
    key = [k.removeprefix("bucket.") for k in endpoint["primary_key"]]
    return [k for k in key if k != "end_time" or endpoint["kind"] != "report"]


# Printing ---------------------------------------------------------------------------------------

def scalar(value):
    text = str(value)
    special = set(":#{}[],&*!|>'\"%@`")
    plain = text and not (set(text) & special) and text[0] not in "-? " and text == text.strip()
    return text if plain else json.dumps(text, ensure_ascii=False)


def flow(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{scalar(k)}: {flow(v)}" for k, v in value.items()) + " }" if value else "{}"
    if isinstance(value, list):
        return "[" + ", ".join(flow(v) for v in value) + "]"
    return scalar(value)


def print_column(made, out):
    inner = made.get("inner")
    line = flow({k: v for k, v in made.items() if k != "inner"})
    if not inner:
        out.append(f"      - {line}")
        return
    for index, (key, value) in enumerate((k, v) for k, v in made.items() if k != "inner"):
        out.append(f"      {'-' if index == 0 else ' '} {key}: {flow(value)}")
    out.append("        inner:")
    out.extend(f"          - {flow(rule)}" for rule in inner)


COMMENTS = {
    "usage_completions": "Reports: time buckets with rows inside. `limit` counts buckets, not rows.",
    "projects": "Lists of the organization: read whole, compared with the last time.",
    "organization_spend_limit": "Settings: one object each. An unset one answers 404, which means no row.",
    "group_roles": "Children: one list for every parent. A parent that vanished meanwhile answers 404.",
    "project_api_keys": "Children of projects. Archived projects are skipped: the API refuses to list below them.",
    "project_roles": "Roles below projects: these paths have no /organization before them.",
    "audit_logs": "Events, newest first. Tenant-wide ones come only in a walk of their own.",
}

HEAD = """\
# OpenAI organization Admin API: every endpoint that can be listed, 45 streams.
# Written by Tools/make_openai_connector.py from the API catalog; change the script, not this file.
#
# How to read a stream: `rows` says where rows lie in a reply; a column's `path` leads there from the row, with
# dots between keys (a list where keys hold dots), and is left out where it is the name; `from` takes the value
# from the row's bucket or from a parameter of the path instead. `domain` is what a value identifies: equal
# domains get equal tokens when encrypted. `volatile` columns change by themselves and make no row a changed one.
connector: openai_admin
title: OpenAI organization Admin API
version: 1
base_url: https://api.openai.com/v1
auth: { header: Authorization, prefix: "Bearer ", variable: OPENAI_ADMIN_KEY }
headers:
  options: { organization: OpenAI-Organization, project: OpenAI-Project }
  organization: openai-organization
  request_id: x-request-id
errors:
  # A 429 with one of these never clears by waiting.
  final:
    - credit_balance_exhausted
    - organization_spend_limit_exceeded
    - project_spend_limit_exceeded
    - organization_usage_limit_exceeded
    - insufficient_quota
  # A 400 with one of these means that history does not reach that far back.
  history: [reporting_lookback_exceeded]
# Per-endpoint limits are not published, so none is set here; 429 and Retry-After slow a path down.
pacing: { requests_per_minute: 600 }
streams:"""


def connector_text(endpoints):
    out = [HEAD]
    for name in ORDER:
        made = stream_of(endpoints[name])
        out.append("")
        if name in COMMENTS:
            out.append(f"  # {COMMENTS[name]}")
        for index, (key, value) in enumerate(made.items()):
            lead = "  - " if index == 0 else "    "
            if key == "columns":
                out.append("    columns:")
                for one in value:
                    print_column(one, out)
            elif key == "group_by" and "refused" in value:
                out.append("    group_by:")
                out.append(f"      parameter: {flow(value['parameter'])}")
                out.append(f"      dimensions: {flow(value['dimensions'])}")
                out.append("      refused:")
                out.extend(f"        - {flow(refusal)}" for refusal in value["refused"])
            else:
                out.append(f"{lead}{key}: {flow(value)}")
    out += relation_lines({name: {c["name"] for c in stream_of(endpoints[name])["columns"]} for name in ORDER})
    return "\n".join(out) + "\n"


def relation_lines(columns):
    """`relations` and `reconcile`: what holds between streams, by the streams' columns."""
    out = ["", "# What must hold between the streams; findings are counted in the manifest and listed in diagnostics/.", "relations:"]
    for relation in RELATIONS:
        made = dict(relation, rows=[])
        for place in relation["rows"]:
            stream, name = place.split(".")
            names = [s for s in ORDER if s.startswith(stream[:-1])] if stream.endswith("*") else [stream]
            made["rows"] += [f"{s}.{name}" for s in names if name in columns[s]]
        for index, (key, value) in enumerate(made.items()):
            out.append(f"  {'-' if index == 0 else ' '} {key}: {flow(value)}")
    out += ["", "# What `cogni reconcile` compares with a team's own events, and with the costs.", "reconcile:", "  usage:"]
    for stream, tokens in TOKENS.items():
        made = {"stream": stream}
        for key, name in (("project", "project_id"), ("user", "user_id"), ("key", "api_key_id"), ("model", "model"),
                          ("requests", "num_model_requests")):
            if name in columns[stream]:
                made[key] = name
        out.append(f"    - {flow(dict(made, tokens=tokens))}")
    return out + [f"  costs: {flow(COSTS)}"]


def digest_of(endpoint):
    """What the tests hold the connector against, without the catalog's prose."""
    fields = {}
    for path, field, absent in leaves({k: v for k, v in endpoint["item_schema"]["fields"].items() if "." not in k}):
        fields[dotted(path)] = {"type": kind_of(field), "null": absent}
    return {
        "kind": endpoint["kind"],
        "path": endpoint["path"],
        "object": endpoint.get("object"),
        "style": endpoint["pagination"]["style"],
        "parameters": [p["name"] for p in endpoint["params"]],
        "limit_max": next((p.get("max") for p in endpoint["params"] if p["name"] == "limit"), None),
        "widths": endpoint.get("bucket_widths", []),
        "dimensions": endpoint.get("dimensions", []),
        "parents": endpoint.get("parents", {}),
        "primary_key": endpoint["primary_key"],
        "sensitive": {s["field"]: s["class"] for s in endpoint.get("sensitive", [])},
        "events": sorted(k for k in endpoint["item_schema"]["fields"] if "." in k),
        "fields": fields,
    }


def main(arguments):
    with open(arguments[-1], encoding="utf-8") as file:
        catalog = json.load(file)
    endpoints = {e["name"]: e for e in catalog["endpoints"] if e["kind"] in ("report", "list", "singleton")}
    missing = set(endpoints) ^ set(ORDER)
    if missing:
        sys.exit(f"the catalog and TITLES differ in: {', '.join(sorted(missing))}")
    if "--digest" in arguments:
        digest = {name: digest_of(endpoints[name]) for name in ORDER}
        print(json.dumps(digest, indent=1, ensure_ascii=False))
    else:
        sys.stdout.write(connector_text(endpoints))


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(sys.argv[1:])
