#!/usr/bin/env python3
"""Writes Fixtures/reconcile: a team's own events beside the recorded organization, with known differences.

    Tools/make_reconcile_fixture.py            writes the files anew
    Tools/make_reconcile_fixture.py --check    ends with 1 when they are not what this script writes

The oracle is here: sums are made from the replies with Python's integers and decimals, and each difference is planted by
name. cogni is never asked what the right answer is.
"""
import csv
import io
import json
import random
import sys
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
REPLAY = ROOT / "Fixtures/openai-admin/replay"
FOLDER = ROOT / "Fixtures/reconcile"
WIDTH = "bucket_width=1d"
USAGE = {
    "usage_completions": ("input_tokens", "output_tokens"),
    "usage_embeddings": ("input_tokens",),
    "usage_moderations": ("input_tokens",),
}
KEYS = ["project_id", "user_id", "api_key_id", "model", "batch", "service_tier", "api_source", "line_item"]
UNITS = {"tokens": 1, "1000_tokens": 1000}
FROM, UNTIL = "2025-11-03", "2025-11-20"
ALIAS = {"gpt": "embeddings-model-0"}  # what the team calls one of the models
PIPELINE = """\
# What the events of this folder are compared with.
pipeline: reconcile
source: { connector: openai_admin, credential: "${OPENAI_ADMIN_KEY}" }
streams:
  usage_completions: { since: 2025-11-01 }
  usage_embeddings: { since: 2025-11-01 }
  usage_moderations: { since: 2025-11-01 }
  costs: { since: 2025-11-01 }
"""
MAPPING = """\
# Where the gateway's log keeps what is compared.
time: at
user: caller.user
model: call.model
tokens: [call.tokens_in, call.tokens_out]
requests: call.count
models: { gpt: embeddings-model-0 }
"""
MAPPING_CSV = """\
time: when
user: user
model: model
tokens: [tokens]
requests: requests
models: { gpt: embeddings-model-0 }
"""


def rows(stream):
    """(day, row) of a stream's daily reply with the most dimensions, its pages in their order, later repeats winning."""
    folder = max((path for path in (REPLAY / stream).iterdir() if WIDTH in path.name), key=lambda path: len(path.name))
    pages = {path.stem: json.loads(path.read_text(), parse_float=Decimal) for path in folder.iterdir()}
    names, page = ["first"], pages["first"]
    while page["has_more"]:
        token = page["next_page"]
        name = next(name for name in pages if name.startswith("page=") and name.replace("%3D", "=") == f"page={token}")
        names.append(name)
        page = pages[name]
    found = {}
    for name in names:
        for bucket in pages[name]["data"]:
            day = datetime.fromtimestamp(bucket["start_time"], timezone.utc).strftime("%Y-%m-%d")
            for row in bucket["results"]:
                found[(day, *(row.get(key) for key in KEYS))] = (day, row)
    return list(found.values())


def usage():
    by_user, by_project = {}, {}
    for stream, columns in USAGE.items():
        for day, row in rows(stream):
            tokens = sum(int(row.get(column) or 0) for column in columns)
            requests = int(row.get("num_model_requests") or 0)
            for table, key in ((by_user, (day, row.get("user_id"), row.get("model"))), (by_project, (day, row.get("project_id")))):
                known = table.setdefault(key, [0, 0])
                known[0] += tokens
                known[1] += requests
    return by_user, by_project


def costs():
    table, other = {}, Decimal(0)
    for day, row in rows("costs"):
        if not FROM <= day < UNTIL:
            continue
        value = row["amount"]["value"] if row.get("amount") else None
        amount = Decimal(str(value)) if value is not None else Decimal(0)
        unit, quantity = row.get("quantity_unit"), row.get("quantity")
        known = table.setdefault((day, row.get("project_id")), [Decimal(0), None, 0])
        if unit is not None and unit not in UNITS:
            other += amount
            continue
        known[0] += amount
        known[2] += 1
        if unit in UNITS and quantity is not None:
            known[1] = (known[1] or 0) + Decimal(str(quantity)) * UNITS[unit]
    return table, other


def plain(number):
    """As cogni writes sums: no exponent, no zeros at the end of a fraction."""
    if number is None:
        return None
    text = format(Decimal(number), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def plant(by_user, random):
    """The team's own sums: the organization's, but for differences whose answers are known."""
    events, status = {}, {}
    known = [key for key in sorted(by_user, key=str) if key[1] and FROM <= key[0] < UNTIL and any(by_user[key])]
    for key, sums in by_user.items():
        if not FROM <= key[0] < UNTIL or not any(sums):
            continue
        if key[1] is None:
            status[key] = "only_usage"  # the report does not say whose it is
            continue
        events[key], status[key] = list(sums), "matched"
    # The first and the last day stay as they are: they decide which days are compared.
    planted = random.sample([key for key in known if FROM < key[0] < "2025-11-19"], 7)
    for key in planted[:2]:
        del events[key]
        status[key] = "only_usage"
    events[planted[2]][0] += 1
    events[planted[3]][0] = events[planted[3]][0] * 90 // 100
    events[planted[4]][1] += 3
    for key in planted[2:5]:
        status[key] = "drifted"
    for key in planted[5:]:
        strange = (key[0], "user-nobody", key[2])
        events[strange], status[strange] = [12, 1], "only_events"
    return events, status


def split(total, parts, random):
    cuts = sorted(random.randint(0, total) for _ in range(parts - 1))
    return [b - a for a, b in zip([0, *cuts], [*cuts, total])]


def event_files(events, random):
    lines, table = [], io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(["when", "user", "model", "tokens", "requests", "note"])
    alias = {model: name for name, model in ALIAS.items()}
    for (day, user, model), (tokens, requests) in sorted(events.items(), key=str):
        parts = random.randint(1, 3)
        start = int(datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp())
        for part, count in zip(split(tokens, parts, random), split(requests, parts, random)):
            second = start + random.randint(0, 86399)
            text = datetime.fromtimestamp(second, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")
            given = random.choice([second, text + "Z", text + ".250+00:00"])
            inside = random.randint(0, part)
            call = {"model": alias.get(model, model), "tokens_in": inside, "tokens_out": part - inside, "count": count}
            lines.append(json.dumps({"at": given, "caller": {"user": user, "team": "search"}, "call": call}))
            writer.writerow([given, user, alias.get(model, model) or "", part, count, 'said "hello", twice'])
    return "\n".join(lines) + "\n", table.getvalue()


def files():
    chance = random.Random(20251103)
    by_user, by_project = usage()
    events, status = plant(by_user, chance)
    ndjson, table = event_files(events, chance)
    money, other = costs()
    wanted = []
    for key in sorted(status, key=lambda key: (key[0], key[1] or "", key[2] or "")):
        ours, theirs = by_user.get(key), events.get(key)
        wanted.append({
            "day": key[0], "who": key[1], "model": key[2], "status": status[key],
            "usage_tokens": plain(ours[0]) if ours else None, "event_tokens": plain(theirs[0]) if theirs else None,
            "usage_requests": plain(ours[1]) if ours else None, "event_requests": plain(theirs[1]) if theirs else None,
        })  # fmt: skip
    paid = []
    for key in sorted({k for k in by_project if FROM <= k[0] < UNTIL} | set(money), key=lambda key: (key[0], key[1] or "")):
        used = by_project.get(key)
        used = used if used and any(used) else None
        cost = money.get(key)
        cost = cost if cost and cost[2] else None
        if not used and not cost:
            continue
        state = "matched"
        if not cost:
            state = "only_usage"
        elif not used:
            state = "only_costs"
        elif cost[1] is not None and cost[1] != used[0]:
            state = "drifted"
        paid.append({
            "day": key[0], "project": key[1], "status": state, "usage_tokens": plain(used[0]) if used else None,
            "cost_tokens": plain(cost[1]) if cost else None, "amount": plain(cost[0]) if cost else None,
        })  # fmt: skip
    expected = {"from": FROM, "until": UNTIL, "other_amount": plain(other), "usage": wanted, "costs": paid}
    return {
        "pipeline.yaml": PIPELINE,
        "mapping.yaml": MAPPING,
        "mapping-csv.yaml": MAPPING_CSV,
        "events.ndjson": ndjson,
        "events.csv": table,
        "expected.json": json.dumps(expected, indent=1) + "\n",
    }


def main():
    wanted = files()
    if "--check" in sys.argv[1:]:
        wrong = [name for name, text in wanted.items() if not (FOLDER / name).exists() or (FOLDER / name).read_text() != text]
        for name in wrong:
            print(f"Fixtures/reconcile/{name} is not what Tools/make_reconcile_fixture.py writes", file=sys.stderr)
        return 1 if wrong else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    print(f"{len(wanted)} files in {FOLDER.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
