"""Walks every admin list, report, singleton and single item with the official openai package, unchanged and strict.

What it finds is compared with the simulator's own count, and must be the same whatever the page size.
"""

import json
import os
import sys

import openai

from simulator import DAY, NOW, Report, Simulator

report = Report()
START = NOW // DAY * DAY - 10 * DAY


def method(client, path):
    target = client.admin.organization
    for name in path.split("."):
        target = getattr(target, name)
    return target


def identity(item):
    """The key of an item within its list."""
    return getattr(item, "id", None) or item.group_id


# SDK method, address, largest limit, positional arguments by parent ("project", "group", ...), fixed parameters.
LISTS = [
    ("admin_api_keys.list", "/organization/admin_api_keys", 100, "", {}),
    ("audit_logs.list", "/organization/audit_logs", 100, "", {}),
    ("audit_logs.list", "/organization/audit_logs", 100, "", {"tenant_only": True}),
    ("audit_logs.list", "/organization/audit_logs", 100, "", {"effective_at": {"gte": NOW - 9 * DAY, "lt": NOW - 2 * DAY}}),
    ("audit_logs.list", "/organization/audit_logs", 100, "", {"event_types": ["project.created", "user.added"]}),
    ("certificates.list", "/organization/certificates", 100, "", {}),
    ("external_keys.list", "/organization/external_keys", 100, "", {}),
    ("external_storage.list", "/organization/external_storage", 100, "", {}),
    ("groups.list", "/organization/groups", 1000, "", {}),
    ("groups.roles.list", "/organization/groups/{group}/roles", 1000, "group", {}),
    ("groups.users.list", "/organization/groups/{group}/users", 1000, "group", {}),
    ("invites.list", "/organization/invites", 100, "", {}),
    ("projects.list", "/organization/projects", 100, "", {}),
    ("projects.list", "/organization/projects", 100, "", {"include_archived": True}),
    ("projects.api_keys.list", "/organization/projects/{project}/api_keys", 100, "project", {}),
    ("projects.api_keys.list", "/organization/projects/{project}/api_keys", 100, "project", {"owner_project_access": "any"}),
    ("projects.certificates.list", "/organization/projects/{project}/certificates", 100, "project", {}),
    ("projects.groups.list", "/organization/projects/{project}/groups", 100, "project", {}),
    ("projects.rate_limits.list_rate_limits", "/organization/projects/{project}/rate_limits", 100, "project", {}),
    ("projects.service_accounts.list", "/organization/projects/{project}/service_accounts", 100, "project", {}),
    ("projects.spend_alerts.list", "/organization/projects/{project}/spend_alerts", 100, "project", {}),
    ("projects.users.list", "/organization/projects/{project}/users", 100, "project", {}),
    ("projects.roles.list", "/projects/{project}/roles", 1000, "project", {}),
    ("projects.groups.roles.list", "/projects/{project}/groups/{group}/roles", 1000, "group project", {}),
    ("projects.users.roles.list", "/projects/{project}/users/{user}/roles", 1000, "user project", {}),
    ("roles.list", "/organization/roles", 1000, "", {}),
    ("spend_alerts.list", "/organization/spend_alerts", 100, "", {}),
    ("users.list", "/organization/users", 100, "", {}),
    ("users.roles.list", "/organization/users/{user}/roles", 1000, "user", {}),
    ("workload_identity_providers.list", "/organization/workload_identity_providers", 100, "", {}),
    (
        "workload_identity_providers.federation_rules.list",
        "/organization/workload_identity_providers/{provider}/federation_rules",
        100,
        "provider",
        {},
    ),
]

TOKENS = ["project_id", "user_id", "api_key_id", "model", "batch", "service_tier", "api_source"]
REPORTS = {
    "completions": TOKENS,
    "decisions": TOKENS,
    "embeddings": TOKENS[:4],
    "moderations": TOKENS[:4],
    "images": TOKENS[:4] + ["size", "source"],
    "audio_speeches": TOKENS[:4],
    "audio_transcriptions": TOKENS[:4],
    "vector_stores": ["project_id"],
    "code_interpreter_sessions": ["project_id"],
    "file_search_calls": TOKENS[:3] + ["vector_store_id"],
    "web_search_calls": TOKENS[:4] + ["context_level", "api_source"],
    "costs": ["project_id", "user_id", "line_item", "api_key_id", "api_source"],
}
WIDTHS = {"1d": (DAY, 31, 10), "1h": (3600, 168, 30), "1m": (60, 1440, 90)}

SINGLETONS = [
    "data_retention",
    "spend_limit",
    "projects.data_retention",
    "projects.hosted_tool_permissions",
    "projects.model_permissions",
    "projects.service_tier_settings",
    "projects.spend_limit",
]


def encoded(parameters):
    pairs = []
    for name, value in parameters.items():
        if isinstance(value, dict):
            pairs += [f"{name}[{key}]={inner}" for key, inner in value.items()]
        elif isinstance(value, list):
            pairs += [f"{name}[]={inner}" for inner in value]
        else:
            pairs.append(f"{name}={str(value).lower() if isinstance(value, bool) else value}")
    return "?" + "&".join(pairs) if pairs else ""


def bindings(world, kinds):
    """Every way to fill the parents: two of each that matter, all projects."""
    if not kinds:
        return [{}]
    choices = [{}]
    for kind in kinds.split():
        if kind == "user" and "project" in kinds:
            continue
        choices = [{**choice, kind: value} for choice in choices for value in world[kind]]
    if "user" in kinds and "project" in kinds:
        return [
            {"user": user, "project": project} for project, users in world["members"].items() for user in users[:3]
        ]
    return choices


def walk_list(simulator, client, world, path, address, most, kinds, parameters):
    call = method(client, path)
    total = 0
    for binding in bindings(world, kinds):
        order = kinds.split()
        positional = [binding[order[0]]] if order else []
        named = {f"{kind}_id": binding[kind] for kind in order[1:]}
        truth = simulator.count(address.format(**binding) + encoded(parameters))["items"]
        seen = []
        for limit in [None, 1, 2, most]:
            size = {} if limit is None else {"limit": limit}
            items = [identity(item) for item in call(*positional, **named, **parameters, **size)]
            assert len(set(items)) == len(items), f"repeated items at limit {limit}"
            assert len(items) == truth, f"{len(items)} items at limit {limit}, truth is {truth}"
            seen.append(items)
        assert all(items == seen[0] for items in seen), "the order depends on the limit"
        total += truth
    if path not in ("projects.spend_alerts.list",):
        assert total > 0, "nothing to walk"
    return f"{total} items under {len(bindings(world, kinds))} parents, limits default, 1, 2 and {most}"


def walk_report(simulator, call, name, width, grouping, ends):
    seconds, most, buckets = WIDTHS[width]
    start = NOW // seconds * seconds - buckets * seconds
    parameters = {"start_time": start, "bucket_width": width, "group_by": grouping}
    if ends:
        parameters["end_time"] = start + buckets * seconds
    family = "/organization/costs" if name == "costs" else f"/organization/usage/{name}"
    truth = simulator.count(family + encoded(parameters))
    walks = []
    for limit in [1, None, most]:
        size = {} if limit is None else {"limit": limit}
        cursor, walked, pages = None, [], 0
        while True:
            page = call(**parameters, **size, **({"page": cursor} if cursor else {}))
            walked += [bucket.to_dict() for bucket in page.data]
            pages += 1
            if not page.has_more:
                break
            cursor = page.next_page
            assert cursor and pages < 500
        starts = [bucket["start_time"] for bucket in walked]
        assert starts == list(range(start, start + len(starts) * seconds, seconds)), "the buckets are not contiguous"
        keys = [
            (bucket["start_time"], *(row.get(dimension) for dimension in grouping))
            for bucket in walked
            for row in bucket["results"]
        ]
        assert len(set(keys)) == len(keys), "two rows with one key"
        assert (len(walked), len(keys)) == (truth["buckets"], truth["rows"]), f"{len(walked)}, {len(keys)}, {truth}"
        walks.append(walked)
    assert walks[0] == walks[1] == walks[2], "rows depend on the limit"
    assert truth["buckets"] == buckets + (0 if ends else 1), "the open bucket is missing"
    return truth["rows"]


def walk_reports(simulator, client, name, grouping):
    call = method(client, "usage." + name)
    rows = 0
    for width in ["1d"] if name == "costs" else WIDTHS:
        for chosen in [[], grouping[:1], grouping]:
            rows += walk_report(simulator, call, name, width, chosen, ends=True)
    walk_report(simulator, call, name, "1d", grouping, ends=False)
    assert rows > 0
    return f"{rows} rows over all widths and groupings"


def read_singleton(client, world, path):
    call = method(client, path + ".retrieve")
    if not path.startswith("projects."):
        call()
        return ""
    read = unset = 0
    for project in world["project"]:
        try:
            call(project)
            read += 1
        except openai.NotFoundError:
            unset += 1
    assert read > 0
    may_be_unset = path in ("projects.model_permissions", "projects.spend_limit")
    assert (unset > 0) == may_be_unset, f"{unset} unset"
    return f"{read} set, {unset} unset"


def read_items(client, world, path, kinds):
    """Each item of a list, read alone, is the item of the list."""
    binding = bindings(world, kinds)[0]
    order = kinds.split()
    positional = [binding[order[0]]] if order else []
    named = {f"{kind}_id": binding[kind] for kind in order[1:]}
    items = list(method(client, path + ".list")(*positional, **named))
    retrieve = method(client, path + ".retrieve")
    for item in items:
        parents = {f"{kind}_id": binding[kind] for kind in order}
        parents = {name.replace("provider_id", "workload_identity_provider_id"): value for name, value in parents.items()}
        alone = retrieve(identity(item), **parents).to_dict()
        for name, value in item.to_dict().items():
            assert alone[name] == value, f"{name} differs"
    assert items
    return f"{len(items)} items"


def fields_of_catalog(simulator, world):
    """Fields that a schema requires are there, and none that it does not know, where the catalog of the API is at hand."""
    path = os.path.join(os.path.dirname(__file__), "../../../shared/api/openai-admin.catalog.json")
    if not os.path.exists(path):
        return "skipped: no catalog here"
    with open(path, encoding="utf-8") as file:
        endpoints = json.load(file)["endpoints"]
    values = {
        "project_id": world["project"][0],
        "group_id": world["group"][0],
        "user_id": world["members"][world["project"][0]][0],
        "workload_identity_provider_id": world["provider"][0],
    }
    seen = 0
    for endpoint in endpoints:
        if endpoint["kind"] == "retrieve":
            continue
        target = endpoint["path"].format(**values)
        if endpoint["kind"] == "report":
            target += f"?start_time={START}&" + "&".join(f"group_by={name}" for name in endpoint["group_by"])
        status, _, raw = simulator.get(target)
        if endpoint["kind"] == "singleton" and status == 404:
            continue
        reply = json.loads(raw)
        items = [reply] if endpoint["kind"] == "singleton" else reply["data"]
        if endpoint["kind"] == "report":
            items = [row for bucket in items for row in bucket["results"]]
        fields = endpoint["item_schema"]["fields"]
        required = {name for name, field in fields.items() if field["presence"] == "required"}
        for item in items:
            unknown = {name for name in set(item) - set(fields) if name != "object" and "." not in name}
            assert not unknown and required <= set(item), f"{target}: {unknown} {required - set(item)}"
            for name in required:
                assert item[name] is not None or fields[name]["nullable"], f"{target}: {name} is null"
        seen += 1
    return f"{seen} streams"


def main(binary):
    with Simulator(binary, "--projects", "9", "--audit-events", "300", "--rows-per-bucket", "15") as simulator:
        client = openai.OpenAI(
            admin_api_key=simulator.key,
            base_url=simulator.base_url,
            max_retries=0,
            _strict_response_validation=True,
        )
        organization = client.admin.organization
        projects = [project.id for project in organization.projects.list()]
        world = {
            "project": projects,
            "group": [group.id for group in organization.groups.list()],
            "user": [user.id for user in organization.users.list(limit=5)][:5],
            "provider": [provider.id for provider in organization.workload_identity_providers.list()],
            "members": {project: [user.id for user in organization.projects.users.list(project)] for project in projects},
        }
        for path, address, most, kinds, parameters in LISTS:
            claim = f"{path}{' ' + str(parameters) if parameters else ''}"
            report.check(
                claim, lambda: walk_list(simulator, client, world, path, address, most, kinds, parameters)
            )
        for name, grouping in REPORTS.items():
            report.check(f"usage.{name}", lambda: walk_reports(simulator, client, name, grouping))
        for path in SINGLETONS:
            report.check(f"{path}.retrieve", lambda: read_singleton(client, world, path))
        for path, kinds in [
            ("admin_api_keys", ""),
            ("certificates", ""),
            ("external_keys", ""),
            ("external_storage", ""),
            ("groups", ""),
            ("groups.roles", "group"),
            ("groups.users", "group"),
            ("invites", ""),
            ("projects", ""),
            ("projects.api_keys", "project"),
            ("projects.groups", "project"),
            ("projects.service_accounts", "project"),
            ("projects.users", "project"),
            ("projects.roles", "project"),
            ("projects.groups.roles", "group project"),
            ("projects.users.roles", "user project"),
            ("roles", ""),
            ("spend_alerts", ""),
            ("users", ""),
            ("users.roles", "user"),
            ("workload_identity_providers", ""),
            ("workload_identity_providers.federation_rules", "provider"),
        ]:
            report.check(f"{path}.retrieve", lambda: read_items(client, world, path, kinds))

        def spend_alert():
            for project in projects:
                for alert in organization.projects.spend_alerts.list(project):
                    alone = organization.projects.spend_alerts.retrieve(alert.id, project_id=project)
                    assert alone == alert
                    return "1 item"
            raise AssertionError("no project has an alert")

        report.check("projects.spend_alerts.retrieve", spend_alert)
        report.check("fields", lambda: fields_of_catalog(simulator, world))
    report.finish()


main(sys.argv[1])
