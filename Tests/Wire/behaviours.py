"""The 72 behaviours: what `cogni` does with each, as a claim that is tried through the built programs over a socket.

Data where a line says it (`same`, `fails`), code where it takes more (`told`). docs/simulator.md shows these claims; `main.py` compares."""

import csv
import http.server
import io
import json
import os
import signal
import socket
import threading
from datetime import datetime, timezone
from decimal import Decimal

from harness import LIVE_NOW, Output, content
from stand import (
    ADMIN_KEYS, AUDIT, BASE, BUILT_IN, COMPLETIONS, COSTS, DAY, GROUPS, KEYS, MEMBERS, NOW, PROJECTS, SHORT, SOURCE, USERS,
    balances, calm, claim, equal, same_data, same_tree, wait_for,
)  # fmt: skip
from tries import fails, same, told

MIB = 1 << 20
LIMITS = "page_limit: 3\nconcurrency: 8\nretry: { budget: 60s, max_delay: 1s }\ntimeouts: { stall: 1s, page: 2s }"
STUCK = SHORT + "\ntimeouts: { stall: 3s, page: 6s }"
LONG_AGO = 'costs: { since: 2025-11-12, group_by: [project_id, api_key_id] }'


def memory_is_bounded(number, text, fault, *words, hits=1, source=SHORT):
    """Refused at once or after the usual attempts, and the process never took more than 160 MiB."""
    fails(number, text, fault, code=5, stream="users", words=words, hits=hits, source=source, cap=160 * MIB)


def nth(fault, path, number=1, **more):
    return {"fault": fault, "path": path, "nth": number, **more}


def always(fault, path, **more):
    return {"fault": fault, "path": path, **more}


# -- A. Transport and status ---------------------------------------------------------------------------------------------

@told(1, "`Retry-After` in seconds is waited out in full, then the page is taken", "retry_after")
def _(bench):
    simulator = bench.simulator(faults=[nth("retry_after", USERS, 2, seconds=2)])
    done = bench.run(bench.pipeline("users: {}"), simulator)
    equal(done.code, 0, done)
    refused = next(place for place, line in enumerate(done.log) if line["status"] == 429)
    waited = done.log[refused + 1]["ms"] - done.log[refused]["ms"]
    claim(waited >= 1990, f"asked again after {waited} ms")


same(2, "a storm of 429 without a hint, seven requests a window on each path, is outlasted",
     {"fault": "rate_window", "limit": 7, "seconds": 2}, streams=BASE + "\nproject_api_keys: {}\nusage_completions: { since: 2026-11-12 }",
     source="page_limit: 1\nconcurrency: 8\nretry: { budget: 60s, max_delay: 1s }", retried=True)  # fmt: skip

fails(2, "the true pace of seven a minute outlasts a short budget: 4, and the next run is whole",
      {"fault": "rate_window", "path": USERS}, code=4, stream="users", words=["429", "attempts", "source.retry.budget", "request req_"],
      source="page_limit: 1\nconcurrency: 8\nretry: { budget: 2s, max_delay: 1s }", options=["--users", "12"])  # fmt: skip


@told(3, "`retry-after-ms` wins over a longer `Retry-After`", "retry_after_ms")
def _(bench):
    simulator = bench.simulator(faults=[nth("retry_after_ms", USERS, ms=300, seconds=600)])
    done = bench.run(bench.pipeline("users: {}"), simulator)
    equal(done.code, 0, done)
    waited = done.log[1]["ms"] - done.log[0]["ms"]
    claim(290 <= waited < 600_000, f"asked again after {waited} ms")


same(4, "a `Retry-After` of 0, in the past, negative or garbage falls back to the usual pauses; a date is honoured",
     nth("retry_after", USERS, 1, value="0"), nth("retry_after", USERS, 3, value="Fri, 20 Nov 2026 12:00:01 GMT"), nth("retry_after", COSTS, 1, value="abc"),
     nth("retry_after", COSTS, 3, value="-3"), nth("retry_after", PROJECTS, 1, value="Thu, 19 Nov 2026 12:00:00 GMT"), nth("retry_after", PROJECTS, 3, value=""),
     nth("retry_after", MEMBERS, 2, value="NaN"), retried=True)  # fmt: skip
for value in ("121", "1e999", "1e9", "Fri, 20 Nov 2026 13:00:00 GMT"):
    fails(4, "a wait beyond the budget ends the stream at once with 4, and the message names the wait",
          always("retry_after", USERS, value=value), code=4, stream="users", words=["it asks to wait", "retry budget"], hits=1)  # fmt: skip

for status in (429, 500):
    fails(5, "`x-should-retry: false` is final: asked once, 4", always("should_retry", USERS, status=status, value="false"),
          code=4, stream="users", words=[str(status)], hits=1)  # fmt: skip
same(5, "`x-should-retry: true` makes even a 400 worth another try", nth("should_retry", USERS, status=400, value="true"), retried=True)

for code in ("credit_balance_exhausted", "organization_spend_limit_exceeded", "project_spend_limit_exceeded", "organization_usage_limit_exceeded"):
    fails(6, "a spent quota is final: asked once, 3, with the code", always("quota", COSTS, code=code), code=3, stream="costs",
          words=[code, "top up"], hits=1)  # fmt: skip

same(7, "408, 409, 425, 429, 500, 502 in HTML, 503 and 504 are tried again",
     nth("status", USERS, 1, status=500), nth("status", USERS, 3, status=502), nth("status", COSTS, 1, status=503), nth("status", COSTS, 3, status=504),
     nth("status", PROJECTS, 1, status=408), nth("status", PROJECTS, 3, status=409), nth("status", MEMBERS, 1, status=425), nth("status", MEMBERS, 3, status=429),
     retried=True)  # fmt: skip
for status in (500, 502, 503, 504):
    fails(7, "a service that stays down is 4 once the budget is spent; nothing is read out of a gateway's HTML",
          always("status", COSTS, status=status), code=4, stream="costs", words=[f"answered {status}", "page 1"])  # fmt: skip


@told(8, "one project that answers 500 for ever fails its stream, not the run: the others are published, 4", "status")
def _(bench):
    simulator = bench.simulator()
    one = json.loads(simulator.get(PROJECTS)[2])["data"][1]["id"]
    simulator.ask("scenario", post={"faults": [{"fault": "status", "path": f"/organization/projects/{one}/users"}]})
    done = bench.run(bench.pipeline(source=SHORT), simulator)
    equal(done.code, 4, done)
    claim(one in done.said and "stream project_users" in done.said and "500" in done.said, done.said)
    stale = {entry["name"]: entry["stale"] for entry in bench.out().manifest["streams"]}
    equal(stale, {"costs": False, "users": False, "projects": False, "project_users": True})


@told(9, "a 401 stops the run at once with 3; the key that it repeats stands nowhere but as the service masked it", "unauthorized")
def _(bench):
    simulator = bench.simulator(faults=[always("unauthorized", USERS)])
    done = bench.run(bench.pipeline(), simulator)
    equal(done.code, 3, done)
    claim("OPENAI_ADMIN_KEY" in done.said and "401" in done.said, done.said)
    equal(done.struck, [1], "asked")
    claim(not bench.out().exists(), "something was published")
    claim(simulator.key not in done.error + done.out and simulator.key[-12:] not in done.error + done.out, done)
    refused = next(place for place, line in enumerate(done.log) if line["status"] == 401)
    claim(len(done.log) - refused <= 9, "requests went on after the refusal:", len(done.log) - refused)
    for _, data in bench.out().everything():
        claim(simulator.key.encode() not in data, "a key is on disk")


for status in (403, 401):
    fails(10, "a missing scope, told as 403 or as 401, fails its own stream with 3 and names the scope",
          always("missing_scope", COSTS, status=status), code=3, stream="costs", words=["api.usage.read", str(status)], hits=1)  # fmt: skip


@told(11, "a parent that vanished before its children were read is a counted note", "not_found")
def _(bench):
    simulator = bench.simulator()
    bench.run(bench.pipeline(), simulator, output="calm")
    rows = bench.out("calm").rows("project_users")
    gone = sorted({row["project_id"] for row in rows})[0]
    simulator.ask("scenario", post={"faults": [{"fault": "not_found", "path": f"/organization/projects/{gone}/users"}]})
    done = bench.run(bench.pipeline(), simulator)
    equal(done.code, 0, done)
    equal(done.struck, [1], "asked")
    claim("1 of " in " ".join(done.stream("project_users")["notes"]), done.stream("project_users"))
    equal([row for row in rows if row["project_id"] != gone], bench.out().rows("project_users"))


@told(12, "children of archived projects are not asked for; one that is archived on the way is a counted note", "archived_refuses", "mutate")
def _(bench):
    simulator = bench.simulator(switches={"archived_refuses": True})
    pipeline = bench.pipeline(source=SOURCE.replace("concurrency: 8", "concurrency: 1"))
    calm = bench.run(pipeline, simulator, output="calm")
    rows = bench.out("calm").rows("project_users")
    archived = {row["id"] for row in bench.out("calm").rows("projects") if row["status"] == "archived"}
    claim(not any(project in line["path"] for line in calm.log for project in archived), "an archived project was asked for its users")
    last = calm.asked(MEMBERS)[-1]["path"].split("/")[3]
    first = calm.asked(MEMBERS)[0]["path"]
    simulator.ask("scenario", post={"faults": [{"fault": "mutate", "path": first, "nth": 1, "change": {"archive": last}}]})
    done = bench.run(pipeline, simulator)
    equal((done.code, done.struck), (0, [1]), done)
    claim("1 parents were refused" in " ".join(done.stream("project_users")["notes"]), done.stream("project_users"))
    equal([row for row in rows if row["project_id"] != last], bench.out().rows("project_users"))


CUTS = ("reset_mid_body", "short_body", "cut_chunked", "cut_close")
same(13, "a reset, a body cut by RST, by a short length, inside a chunk or on `Connection: close` is asked for again",
     nth("reset", USERS), nth("reset_mid_body", USERS, 3), nth("short_body", COSTS), nth("cut_chunked", PROJECTS), nth("cut_close", MEMBERS),
     nth("cut_close", COSTS, 3), retried=True)  # fmt: skip
for fault, code in (("reset", 4), ("reset_mid_body", 4), ("short_body", 5), ("cut_chunked", 5), ("cut_close", 5)):
    fails(13, "a body that is cut every time is never data: 5, and 4 where the connection is reset", always(fault, USERS), code=code, stream="users",
          words=["page 1", "attempts"] + (["end of the body"] if fault == "cut_close" else []))  # fmt: skip

same(14, "half a page with the right length, an empty 200, HTML and an error envelope with 200 are asked for again",
     nth("truncate_json", USERS), nth("empty_body", COSTS), nth("html_200", PROJECTS), nth("error_200", MEMBERS), retried=True)  # fmt: skip
for fault, words in (("truncate_json", ["can't be used"]), ("empty_body", ["the body is empty"]), ("html_200", ["it is HTML"]), ("error_200", ["it is an error", "server had an error"])):
    fails(14, "such a page every time is 5, naming stream, page and request", always(fault, USERS), code=5, stream="users", words=["page 1", "request req_", *words])
fails(14, "206 is no page: 5 at once", always("partial_content", USERS), code=5, stream="users", words=["answered 206"], hits=1)
for status in (204, 304):
    fails(14, "204 and 304 are no pages: 5 at once", always("status", USERS, status=status), code=5, stream="users", words=[f"answered {status}"], hits=1)
fails(14, "part of a page, on a later page", always("partial_content", USERS, page=2), code=5, stream="users", words=["answered 206", "page 2"], hits=1)

same(15, "a slow drip ends at the page's deadline and is asked for again", nth("drip", USERS, bytes=2, interval_ms=100), source=LIMITS, retried=True)
fails(15, "a drip every time is 4 within deadline and budget", always("drip", USERS, bytes=2, interval_ms=100), code=4, stream="users",
      words=["took too long"], source=STUCK)  # fmt: skip
for at in ("accept", "headers", "body"):
    same(16, "silence, before, after or inside the reply, ends at the stall's deadline and is asked for again",
         nth("stall", USERS, at=at), source=LIMITS, retried=True)  # fmt: skip
fails(16, "silence every time is 4", always("stall", USERS, at="body"), code=4, stream="users", words=["took too long"], source=STUCK)

same(17, "gzip, deflate and chunked replies change nothing", always("gzip", USERS), always("deflate", COSTS), always("chunked", PROJECTS),
     always("deflate", MEMBERS), always("chunked", MEMBERS), retried=False)  # fmt: skip
same(17, "a wrong checksum and a cut gzip stream are asked for again", nth("gzip_corrupt", USERS), nth("gzip_cut", COSTS), nth("gzip_cut", MEMBERS, keep=40), retried=True)
for fault in ("gzip_corrupt", "gzip_cut"):
    fails(17, "damaged gzip every time is 5", always(fault, USERS), code=5, stream="users", words=["page 1"])

for fault, words in (("trailing_garbage", ["can't be used"]), ("bom", ["can't be used"]), ("duplicate_keys", ["can't be used"])):
    fails(18, "a BOM, a second document and repeated envelope keys are no JSON that we take: 5", always(fault, USERS), code=5, stream="users", words=words)
memory_is_bounded(18, "nesting 100,000 deep is refused without a crash, in bounded memory", always("deep_json", USERS), "can't be used", hits=None)


@told(19, "a page of some megabytes costs its own size in memory and a constant", "organization")
def a_page_costs_its_own_size(bench):
    big = {"organization": {"rows_per_bucket": 150, "empty_every": 0, "projects": 12, "users": 40, "models": 6}}
    streams = "usage_completions: { since: 2026-11-12, bucket_width: 1h, group_by: [project_id, user_id, api_key_id, model] }"
    simulator = bench.simulator(switches=big, small=False)
    done = bench.run(bench.pipeline(streams, "retry: { budget: 20s }"), simulator)
    equal(done.code, 0, done)
    largest = max(line["bytes"] for line in done.log)
    claim(largest > 4 * MIB, f"the largest page has only {largest} bytes")
    claim(done.rss < 160 * MIB + 3 * largest, f"peak memory {done.rss >> 20} MiB with a page of {largest >> 20} MiB")
    claim(done.stream("usage_completions")["written"] > 10_000, done.stream("usage_completions"))


for fault in ({"fault": "gzip_bomb", "bytes": 200_000_000}, {"fault": "endless_body"}):
    memory_is_bounded(19, "a gzip bomb of 200 MB and an endless body end at `max_page_size`: 5 at once, in bounded memory",
                      {**fault, "path": USERS}, "over the limit of 16000000 bytes", "source.max_page_size", source=SHORT + "\nmax_page_size: 16MB")  # fmt: skip


@told(20, "a request id that is missing or repeated is recorded as it is, and changes nothing", "no_request_id", "same_request_id")
def _(bench):
    calm = bench.run(bench.pipeline(), bench.simulator(), output="calm")
    equal(calm.code, 0, calm)
    done = bench.run(bench.pipeline(), bench.simulator(faults=[always("no_request_id", COSTS), always("same_request_id", USERS)]))
    equal(done.code, 0, done)
    same_tree(bench.out("calm"), bench.out())
    ids = {entry["stream"]: entry["request_ids"] for entry in bench.out().runs()[0]["details"]}
    equal(ids["costs"], [], "of replies without one")
    claim(len(ids["users"]) > 1, "request ids of users:", ids["users"])


for fault in ("big_header", "many_headers"):
    memory_is_bounded(20, "a header of 200 kB and ten thousand headers are refused: 5 at once, in bounded memory", always(fault, USERS), "headers are over the limit")
same(20, "informational replies before the true one are passed over", always("early_hints", USERS, count=3), retried=False)


@told(21, "no redirect is followed, whatever its status and target: 5 at once, and no other host is asked for anything", "redirect")
def _(bench):
    seen = []

    class Thief(http.server.BaseHTTPRequestHandler):
        def do_GET(self):  # noqa: N802
            seen.append(dict(self.headers))
            self.send_error(404)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Thief) as thief:
        threading.Thread(target=thief.serve_forever, daemon=True).start()
        other = f"http://localhost:{thief.server_port}/v1/organization/costs"
        simulator = bench.simulator()
        pipeline = bench.pipeline("costs: { since: 2026-11-12 }\nusers: {}", SHORT)
        cases = [(status, other) for status in (301, 302, 303, 307, 308)]
        cases += [(302, "file:///etc/passwd"), (307, "https://localhost:1/"), (308, "//localhost:1/v1"), (301, "/v1/organization/users"), (302, "ftp://localhost/x")]
        for number, (status, location) in enumerate(cases):
            simulator.ask("scenario", post={"faults": [always("redirect", COSTS, status=status, location=location)]})
            done = bench.run(pipeline, simulator, output=f"rough-{number}")
            equal((done.code, done.struck), (5, [1]), status, location, done)
            claim("a redirect" in done.said and f"answered {status}" in done.said and "stream costs" in done.said, done.said)
            claim("passwd" not in done.said and "?" not in done.said, done.said)
            entries = {entry["name"]: entry["stale"] for entry in bench.out(f"rough-{number}").manifest["streams"]}
            equal(entries, {"costs": True, "users": False})
        thief.shutdown()
    equal(seen, [], "another host was asked")


same(22, "a `Date` that is off by hours, in both directions, changes no byte",
     always("date_skew", USERS, seconds=-7200), always("date_skew", COSTS, seconds=30 * 3600), always("date_skew", PROJECTS, seconds=86400))  # fmt: skip


@told(22, "a window that the service's clock calls open is read up to the last bucket closed by both clocks, said in a note, and the cursor stays behind it", "date_skew")
def a_window_open_at_the_api_is_not_read(bench):
    streams = "costs: { since: 2026-11-12, group_by: [project_id] }\nusage_completions: { since: 2026-11-12, bucket_width: 1h }"
    simulator = bench.simulator()
    pipeline = bench.pipeline(streams)
    simulator.clock("2026-11-19T23:50:00Z")
    done = bench.run(pipeline, simulator, now="2026-11-20T00:10:00Z")
    equal(done.code, 0, done)
    claim("the API's clock is at 2026-11-19T23:50:00Z" in " ".join(done.stream("costs")["notes"]), done.stream("costs"))
    equal(bench.out().stream("costs")["coverage"]["to"], "2026-11-19T00:00:00Z")
    equal(bench.out().stream("usage_completions")["watermark"], "2026-11-19T23:00:00Z")
    simulator.clock(LIVE_NOW)
    equal(bench.run(pipeline, simulator).code, 0)
    equal(bench.run(pipeline, simulator, output="calm").code, 0)
    same_data(bench.out("calm"), bench.out(), "after the clocks agree")
    behind = bench.simulator(faults=[always("date_skew", COSTS, seconds=-300 * DAY)])
    done = bench.run(pipeline, behind, output="far")
    equal(done.code, 5, done)
    claim("by the API's clock" in done.said and "set this machine's clock right" in done.said, done.said)


# -- B. Paging -----------------------------------------------------------------------------------------------------------

@told(23, "all four cursor styles are walked to their end: rows are as many as the service has", "cursor_styles")
def _(bench):
    simulator = bench.simulator("--groups", "5", switches={"cursor_styles": True})
    done = bench.run(bench.pipeline("costs: { since: 2026-11-12, group_by: [project_id] }\nusers: {}\ngroups: {}\nadmin_api_keys: {}", SOURCE.replace("3", "2", 1)), simulator)
    equal(done.code, 0, done)
    start, end = NOW // DAY * DAY - 8 * DAY, NOW // DAY * DAY
    for stream, target in (("users", USERS), ("groups", GROUPS), ("admin_api_keys", ADMIN_KEYS)):
        equal(len(bench.out().rows(stream)), simulator.count(target)["items"], stream)
    equal(len(bench.out().rows("costs")), simulator.count(f"{COSTS}?start_time={start}&end_time={end}&group_by[]=project_id")["rows"], "costs")


same(24, "a last page that still names a cursor is the last page", always("last_page_cursor", USERS), always("last_page_cursor", COSTS), streams=BASE + "\ngroups: {}")
for path, stream in ((USERS, "users"), (COSTS, "costs"), (GROUPS, "groups")):
    fails(25, "more promised without a cursor is never the end: 5", always("has_more_no_cursor", path, page=1), code=5, stream=stream,
          words=["has_more is true, but", "page 1", "request req_"], streams=BASE + "\ngroups: {}")  # fmt: skip
    fails(26, "empty pages for ever are followed six times at most: 5", always("empty_page", path), code=5, stream=stream,
          words=["6 pages in a row were empty", "request req_"], hits=6, streams=BASE + "\ngroups: {}")  # fmt: skip
same(26, "a few empty pages with a cursor are followed", always("empty_page", USERS, page=2, times=3), always("empty_page", COSTS, page=2, times=2), always("empty_page", GROUPS, page=1, times=1), streams=BASE + "\ngroups: {}")
for path, stream in ((USERS, "users"), (COSTS, "costs")):
    fails(27, "a cursor that comes back, at once or after some pages, is 5", always("constant_cursor", path), code=5, stream=stream,
          words=["cycle of 1 page", "request req_"])  # fmt: skip
    fails(27, "a cursor that comes back, at once or after some pages, is 5", always("cursor_cycle", path), code=5, stream=stream,
          words=["seen before, in a cycle of"], source=SHORT.replace("3", "1", 1))  # fmt: skip
same(28, "a `last_id` that is no item's id is used as it is", always("rotating_last_id", USERS), always("rotating_last_id", PROJECTS))
same(29, "without `has_more` the walk goes on by its cursor to the end", always("no_has_more", USERS), always("no_has_more", COSTS))
fails(30, "another page's items under this page's cursor are found: 5 in a list, a hole in a report", always("replay_page", USERS, page=2), code=5, stream="users",
      words=["those of page 1 once more", "request req_"])  # fmt: skip
fails(30, "another page's items under this page's cursor are found: 5 in a list, a hole in a report", always("replay_page", COSTS, page=2), code=5, stream="costs",
      words=["hole from 2026-11-15", "window 2026-11-12"])  # fmt: skip


def repeats(bench, done):
    for name in ("users", "costs", "usage_completions"):
        claim(done.stream(name)["duplicates"]["identical"] > 0, name, "counts no repeats:", done.stream(name))


same(31, "rows and buckets that come twice stand once, and are counted", always("overlap", USERS, page=2), always("overlap", COMPLETIONS, page=2),
     always("duplicate_row", COSTS, page=1), streams=BASE + "\nusage_completions: { since: 2026-11-12 }", also=repeats)  # fmt: skip
fails(31, "a bucket that is missing is a hole: 5, naming its span", always("gap", COSTS, page=2), code=5, stream="costs", words=["hole from 2026-11-15", "window"])
same(32, "buckets out of order, inside a page or over all pages, change nothing", always("reversed", COSTS), always("newest_first", COMPLETIONS),
     streams=BASE + "\nusage_completions: { since: 2026-11-12 }")  # fmt: skip


def stopped(bench, pipeline, simulator, after, number=signal.SIGKILL):
    """A run that is killed when it has asked `after` times, past a checkpoint."""
    simulator.ask("scenario", post={"faults": [{"fault": "drip", "bytes": 2000, "interval_ms": 60}]})
    begun = len(simulator.log())
    process, out, error = bench.start(pipeline, simulator)
    claim(wait_for(lambda: len(simulator.log()) - begun >= after or process.poll() is not None), "the run never asked so often")
    process.send_signal(number)
    process.wait()
    out.close(), error.close()
    simulator.ask("scenario", post={"faults": []})


@told(33, "a token belongs to its query, so a walk keeps its window; after a crash with another page size the walk begins anew", "bound_tokens")
def _(bench):
    simulator = bench.simulator(switches={"bound_tokens": True})
    streams = BASE + "\nusage_completions: { since: 2026-11-10, bucket_width: 1h }"
    bench.run(bench.pipeline(streams), simulator, output="calm")
    stopped(bench, bench.pipeline(streams, SOURCE.replace("3", "4", 1)), simulator, 30, signal.SIGTERM)
    done = bench.run(bench.pipeline(streams, SOURCE.replace("3", "7", 1)), simulator)
    equal(done.code, 0, done)
    claim(not [line for line in done.log if line["status"] == 400], "a token was refused")
    same_tree(bench.out("calm"), bench.out())
    for line in done.log:
        if line["template"] == COMPLETIONS:
            claim("end_time=" in line["query"], "a walk without a fixed end:", line["query"])


same(34, "a token that has expired on the way begins its walk anew, in reports, lists and under parents; nothing is lost or doubled",
     nth("token_expired", COSTS, 2), nth("token_expired", USERS, 2), nth("token_expired", KEYS, 4), streams=BASE + "\nproject_api_keys: {}",
     source=SOURCE.replace("3", "1", 1), notes="refused a cursor in the middle of a walk")  # fmt: skip
fails(34, "a token that expires every time is 5 after three walks", always("token_expired", USERS), code=5, stream="users", words=["answered 400", "page 2"])
fails(34, "also under a parent: the rest of its rows is never given up without a word",
      always("token_expired", KEYS), code=5, stream="project_api_keys", words=["answered 400", "page 2"], streams="projects: {}\nproject_api_keys: {}\nusers: {}",
      source=SHORT.replace("3", "1", 1))  # fmt: skip
same(34, "tokens of the old form, without `page_`, are handed back as they came", always("bare_cursors", COSTS), always("bare_cursors", GROUPS), streams=BASE + "\ngroups: {}")


@told(34, "a token that expired while the run was stopped begins its walk anew", "token_expired")
def _(bench):
    simulator = bench.simulator()
    streams = "usage_completions: { since: 2026-11-10, bucket_width: 1h }\ncosts: { since: 2026-11-12 }"
    pipeline = bench.pipeline(streams)
    bench.run(pipeline, simulator, output="calm")
    stopped(bench, pipeline, simulator, 12, signal.SIGTERM)
    simulator.ask("scenario", post={"faults": [nth("token_expired", COMPLETIONS)]})
    done = bench.run(pipeline, simulator)
    equal((done.code, done.struck), (0, [1]), done)
    claim("page=" in done.asked(COMPLETIONS)[0]["query"], "the run did not go on from its cursor")
    same_tree(bench.out("calm"), bench.out())


same(35, "tokens of 2 kB, with `+`, `/` and `=`, come back percent-encoded and are taken", always("long_cursors", COSTS), always("long_cursors", USERS),
     always("long_cursors", GROUPS), streams=BASE + "\ngroups: {}", retried=False)  # fmt: skip
same(36, "a limit that the service lowers without a word loses nothing", switches={"clamp_cost_limit": True}, calm_switches={}, streams="costs: { since: 2026-09-01 }",
     source="retry: { budget: 5s }", options=["--days", "120"])  # fmt: skip


def other_connector(bench, old, new):
    """The built-in connector with one thing changed, as a file."""
    text = BUILT_IN.read_text(encoding="utf-8")
    claim(old in text, "the connector no longer says", old)
    (bench.folder / "other.yaml").write_text(text.replace(old, new, 1), encoding="utf-8")
    return "./other.yaml"


@told(36, "a limit above the maximum that the service refuses is 5 with the service's own words", "refused_limits")
def _(bench):
    connector = other_connector(bench, "pagination: { style: bucket_page, limit: 180 }", "pagination: { style: bucket_page, limit: 366 }")
    simulator = bench.simulator(switches={"refused_limits": True})
    done = bench.run(bench.pipeline("costs: { since: 2026-11-12 }", "retry: { budget: 5s }", connector=connector), simulator)
    equal(done.code, 5, done)
    claim("Limit must be less than or equal to 180" in done.said, done.said)
    equal(len(done.asked(COSTS)), 1, "asked")
    done = bench.run(bench.pipeline("costs: { since: 2026-11-12 }", "page_limit: 100000"), simulator, output="capped")
    equal(done.code, 0, done)
    claim("limit=180" in done.asked(COSTS)[0]["query"], "a larger limit than the service takes was sent")


@told(37, "the same rows come with the service's own default limit", "default_limits")
def _(bench):
    simulator = bench.simulator("--users", "45", switches={"default_limits": True})
    bench.run(bench.pipeline("users: {}"), simulator, output="calm")
    connector = other_connector(bench, "path: /organization/users\n    scope: api.management.read\n    pagination: { style: cursor_after_last_id, limit: 100 }",
                                "path: /organization/users\n    scope: api.management.read\n    pagination: { style: cursor_after_last_id }")  # fmt: skip
    done = bench.run(bench.pipeline("users: {}", "retry: { budget: 5s }", connector=connector), simulator)
    equal(done.code, 0, done)
    claim(all("limit" not in line["query"] for line in done.log) and len(done.log) == 3, [line["query"] for line in done.log])
    equal(bench.out("calm").rows("users"), bench.out().rows("users"))


@told(38, "a cursor row that is deleted during the walk begins it anew; every other row stands once", "mutate", "restart_on_lost_cursor")
def _(bench):
    for lost in (False, True):
        simulator = bench.simulator("--users", "10", switches={"restart_on_lost_cursor": lost})
        ids = [user["id"] for user in json.loads(simulator.get(USERS + "?limit=100")[2])["data"]]
        simulator.ask("scenario", post={"faults": [nth("mutate", USERS, 2, change={"delete": ids[2]})]})
        done = bench.run(bench.pipeline("users: {}"), simulator, output=f"lost-{lost}")
        equal((done.code, done.struck), (0, [1]), done)
        found = [row["id"] for row in bench.out(f"lost-{lost}").rows("users")]
        equal(len(found), len(set(found)), "a row stands twice:")
        equal(set(found) | {ids[2]}, set(ids), "rows:")
        claim(lost or "refused a cursor" in " ".join(done.stream("users")["notes"]), done.stream("users"))


@told(38, "a row inserted ahead of the walk is read, one behind it comes with the next run; no row is lost", "mutate")
def _(bench):
    for place, comes_at_once in ((8, True), (0, False)):
        simulator = bench.simulator("--users", "10")
        ids = [user["id"] for user in json.loads(simulator.get(USERS + "?limit=100")[2])["data"]]
        simulator.change(delete=ids[place])
        simulator.ask("scenario", post={"faults": [nth("mutate", USERS, 2, change={"restore": ids[place]})]})
        output = f"insert-{place}"
        done = bench.run(bench.pipeline("users: {}"), simulator, output=output)
        equal((done.code, done.struck), (0, [1]), done)
        found = [row["id"] for row in bench.out(output).rows("users")]
        equal(sorted(found), sorted(ids if comes_at_once else set(ids) - {ids[place]}), "rows:")
        bench.run(bench.pipeline("users: {}"), simulator, output=output)
        equal(sorted(row["id"] for row in bench.out(output).rows("users")), sorted(ids), "after the next run:")


@told(39, "events newest first, some with one time across a seam, new ones during the walk: each once, the new ones with the next run", "newest_events_first", "mutate")
def _(bench):
    simulator = bench.simulator(switches={"newest_events_first": True})
    pipeline = bench.pipeline("audit_logs: { since: 2026-11-12 }", SOURCE.replace("3", "2", 1))
    simulator.ask("scenario", post={"faults": [nth("mutate", AUDIT, 3, change={"advance": 2 * DAY})]})
    done = bench.run(pipeline, simulator)
    equal((done.code, done.struck), (0, [1]), done)
    times = [row["effective_at"] for row in bench.out().rows("audit_logs")]
    claim(len(set(times)) < len(times), "no two events share a time")
    simulator.ask("scenario", post={"faults": []})
    later = "2026-11-22T12:00:00Z"
    equal(bench.run(pipeline, simulator, now=later).code, 0)
    equal(bench.run(pipeline, simulator, now=later, output="calm").code, 0)
    equal(bench.out("calm").rows("audit_logs"), bench.out().rows("audit_logs"))
    claim(len(bench.out().rows("audit_logs")) > len(times), "no new event came")


@told(39, "a window ends before its last second: an event at the end comes with the next window, and one second more moves exactly it", "newest_events_first")
def one_second_moves_exactly_its_row(bench):
    simulator = bench.simulator(switches={"newest_events_first": True})
    events = json.loads(simulator.get(f"{AUDIT}?limit=100&effective_at[gte]={NOW - 5 * DAY}&effective_at[lt]={NOW}")[2])["data"]
    edge = events[len(events) // 2]["effective_at"]
    stamp = lambda at: datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")  # noqa: E731
    pipeline = bench.pipeline("audit_logs: { since: 2026-11-12 }")
    found = {}
    for name, now in (("before", edge), ("after", edge + 1), ("steps", edge), ("steps", edge + 1)):
        equal(bench.run(pipeline, simulator, output=name, now=stamp(now)).code, 0)
        found[name] = {row["id"]: row["effective_at"] for row in bench.out(name).rows("audit_logs")}
    moved = found["after"].keys() - found["before"].keys()
    claim(moved and {found["after"][event] for event in moved} == {stamp(edge)}, moved)
    claim(not found["before"].keys() - found["after"].keys(), "a second more lost an event")
    equal(found["steps"], found["after"], "in two steps:")


# -- C. Buckets, usage, costs --------------------------------------------------------------------------------------------

@told(40, "every start is aligned to the bucket, whatever `--since` says, so that no clipped bucket is asked for", "clipped_start")
def _(bench):
    simulator = bench.simulator(switches={"clipped_start": True})
    streams = "costs: { since: 2026-11-12T13:37:11Z }\nusage_completions: { since: 2026-11-12T13:37:11Z, bucket_width: 1h }"
    done = bench.run(bench.pipeline(streams), simulator)
    equal(done.code, 0, done)
    for path, width in ((COSTS, DAY), (COMPLETIONS, 3600)):
        for line in done.asked(path):
            query = dict(part.split("=", 1) for part in line["query"].split("&"))
            claim(int(query["start_time"]) % width == 0 == int(query["end_time"]) % width, line["query"])


@told(41, "empty buckets count as read and make no rows", "empty_buckets", "organization")
def _(bench):
    simulator = bench.simulator(switches={"empty_buckets": True, "organization": {"empty_every": 2}})
    done = bench.run(bench.pipeline("costs: { since: 2026-11-12, group_by: [project_id] }"), simulator)
    equal(done.code, 0, done)
    entry = bench.out().stream("costs")
    equal(entry["coverage"], {"from": "2026-11-12T00:00:00Z", "to": "2026-11-20T00:00:00Z"})
    claim(0 < len(entry["partitions"]) < 8, "no day was empty:", len(entry["partitions"]))
    start = NOW // DAY * DAY
    equal(entry["rows"], simulator.count(f"{COSTS}?start_time={start - 8 * DAY}&end_time={start}&group_by[]=project_id")["rows"])


@told(42, "the open bucket is not read; asked for, it is read again until it is closed, and the cursor never passes it", "open_bucket")
def the_open_bucket_is_never_final(bench):
    simulator = bench.simulator(switches={"open_bucket": True})
    closed = bench.pipeline("usage_completions: { since: 2026-11-18 }", name="closed")
    opened = bench.pipeline("usage_completions: { since: 2026-11-18 }", SOURCE + "\ninclude_open_bucket: true", name="opened")
    equal(bench.run(closed, simulator).code, 0)
    equal(bench.out(name="closed").stream("usage_completions")["watermark"], "2026-11-20T00:00:00Z")
    equal(bench.run(opened, simulator).code, 0)
    early = [row for row in bench.out(name="opened").rows("usage_completions") if row["start_time"].startswith("2026-11-20")]
    simulator.clock("2026-11-21T06:00:00Z")
    for name, pipeline in (("opened", opened), ("closed", closed)):
        equal(bench.run(pipeline, simulator, now="2026-11-21T06:00:00Z").code, 0)
    final = [row for row in bench.out(name="opened").rows("usage_completions") if row["start_time"].startswith("2026-11-20")]
    claim(early and final and early != final, "the open bucket did not grow")
    equal(final, [row for row in bench.out(name="closed").rows("usage_completions") if row["start_time"].startswith("2026-11-20")])


@told(43, "a bucket that is restated, larger, smaller, with new or without old rows, replaces what was archived", "mutate")
def _(bench):
    for change in ("larger", "smaller", "added", "vanished"):
        simulator = bench.simulator()
        pipeline = bench.pipeline("costs: { since: 2026-11-12, group_by: [project_id, line_item] }")
        equal(bench.run(pipeline, simulator, output=change).code, 0)
        before = bench.out(change).rows("costs")
        simulator.change(restate=change, stream="costs", **{"from": "2026-11-17", "until": "2026-11-20"})
        done = bench.run(pipeline, simulator, output=change)
        equal(done.summary["outcome"], "published")
        equal(bench.run(pipeline, simulator, output=change + "-fresh").code, 0)
        same_data(bench.out(change + "-fresh"), bench.out(change), change, restated=True)
        claim(bench.out(change).rows("costs") != before, "nothing was restated")


same(44, "a dimension that is absent is one that is null", switches={"omit_ungrouped": True}, calm_switches={},
     streams="costs: { since: 2026-11-12 }\nusage_completions: { since: 2026-11-12, group_by: [project_id] }")  # fmt: skip


@told(45, "null and the empty text are two keys, in both formats", "empty_dimension")
def _(bench):
    simulator = bench.simulator("--days", "12", switches={"empty_dimension": True}, small=False)
    for form in ("ndjson", "csv"):
        pipeline = bench.pipeline("usage_completions: { since: 2026-11-12, group_by: [user_id] }", load=f"format: {form}", name=form)
        equal(bench.run(pipeline, simulator).code, 0)
    rows = bench.out(name="ndjson").rows("usage_completions")
    users = {row["user_id"] for row in rows}
    claim({"", None} <= users, users)
    text = bench.out(name="csv").text("usage_completions")
    claim(',"",' in text and ",," in text, "CSV does not tell them apart")
    start = NOW // DAY * DAY
    equal(len(rows), simulator.count(f"{COMPLETIONS}?start_time={start - 8 * DAY}&end_time={start}&group_by[]=user_id")["rows"])


@told(46, "usage of people, keys and projects that no list has any more is kept", "ghost_ids")
def _(bench):
    simulator = bench.simulator("--users", "12", "--rows-per-bucket", "30", switches={"ghost_ids": True})
    done = bench.run(bench.pipeline("usage_completions: { since: 2026-11-12, group_by: [user_id] }\nusers: {}"), simulator)
    equal(done.code, 0, done)
    known = {row["id"] for row in bench.out().rows("users")}
    used = {row["user_id"] for row in bench.out().rows("usage_completions")}
    claim(used - known - {None}, "everyone with usage is in the list")
    start = NOW // DAY * DAY
    equal(len(bench.out().rows("usage_completions")), simulator.count(f"{COMPLETIONS}?start_time={start - 8 * DAY}&end_time={start}&group_by[]=user_id")["rows"])


def plain(literal):
    """What an exact reader makes of a JSON number or numeric text: plain notation, zeros kept."""
    value = Decimal(literal)
    # A zero of six thousand places is 0.
    return "0" if not value and abs(value.as_tuple().exponent) > 1000 else format(value, "f")


@told(47, "amounts are exact in every notation: numbers, texts, every exponent form, 25 digits, zeros kept, null, missing, negative", "odd_amounts", "cost_values")
def amounts_are_exact_in_every_notation(bench):
    simulator = bench.simulator("--rows-per-bucket", "40", faults=[always("odd_amounts", COSTS)])
    grouped = "project_id, line_item"
    done = bench.run(bench.pipeline(f"costs: {{ since: 2026-11-12, group_by: [{grouped}] }}"), simulator)
    equal(done.code, 0, done)
    start = NOW // DAY * DAY
    raw = simulator.get(f"{COSTS}?start_time={start - 8 * DAY}&end_time={start}&group_by[]=project_id&group_by[]=line_item&limit=31")[2]
    sent, forms = {}, set()
    for bucket in json.loads(raw, parse_int=str, parse_float=str)["data"]:
        for row in bucket["results"]:
            value = (row.get("amount") or {}).get("value")
            forms.add(value)
            key = (bucket["start_time"], row["project_id"], row["line_item"])
            sent[key] = None if value is None else plain(value)
    claim(len(forms) >= 13, "only these forms were sent:", forms)
    for row in bench.out().rows("costs"):
        key = (str(seconds(row["start_time"])), row["project_id"], row["line_item"])
        equal(row["amount_value"], sent.pop(key), key)
    equal(sent, {}, "rows that did not arrive:")
    texts = []
    for values in ("number", "string"):
        simulator = bench.simulator(switches={"cost_values": values})
        equal(bench.run(bench.pipeline("costs: { since: 2026-11-12 }"), simulator, output=values).code, 0)
        texts.append(bench.out(values).text("costs"))
    equal(texts[0], texts[1], "as number and as text")


def seconds(text):
    return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


@told(48, "currencies stay with their amounts as they came; nothing is summed over them", "mixed_currencies")
def _(bench):
    simulator = bench.simulator("--rows-per-bucket", "12", switches={"mixed_currencies": True})
    equal(bench.run(bench.pipeline("costs: { since: 2026-11-12, group_by: [project_id, line_item] }"), simulator).code, 0)
    rows = bench.out().rows("costs")
    equal({row["amount_currency"] for row in rows}, {"usd", "USD", "eur", None})
    start = NOW // DAY * DAY
    equal(len(rows), simulator.count(f"{COSTS}?start_time={start - 8 * DAY}&end_time={start}&group_by[]=project_id&group_by[]=line_item")["rows"])


@told(49, "a grouping that costs refuse before its floor is a mistake of the file, 2 before any request; where only `--since` asks for it, it is left out, said in a note, and no row counts twice", "key_floor")
def _(bench):
    simulator = bench.simulator(switches={"key_floor": True})
    since = "2025-11-28"
    done = bench.run(bench.pipeline(f"costs: {{ since: {since}, group_by: [project_id, api_key_id] }}"), simulator, output="refused")
    equal((done.code, len(done.log)), (2, 0), done)
    claim("2025-12-06" in done.error, done)
    done = bench.run(bench.pipeline("costs: { group_by: [project_id, api_key_id] }", "retry: { budget: 5s }"), simulator, "--since", since)
    equal(done.code, 0, done)
    claim("api_key_id" in " ".join(done.stream("costs")["notes"]), done.stream("costs"))
    equal(bench.run(bench.pipeline(f"costs: {{ since: {since}, group_by: [project_id] }}", "retry: { budget: 5s }"), simulator, output="plain").code, 0)
    equal(bench.out("plain").text("costs"), bench.out().text("costs"))


@told(50, "users together with projects, refused, are read without users, said in a note", "refuse_user_with_project")
def _(bench):
    simulator = bench.simulator(switches={"refuse_user_with_project": True})
    done = bench.run(bench.pipeline("costs: { since: 2026-11-12, group_by: [project_id, user_id] }"), simulator)
    equal(done.code, 0, done)
    claim("refused to group by user_id" in " ".join(done.stream("costs")["notes"]), done.stream("costs"))
    equal(bench.run(bench.pipeline("costs: { since: 2026-11-12, group_by: [project_id] }"), simulator, output="plain").code, 0)
    equal(bench.out("plain").text("costs"), bench.out().text("costs"))


@told(51, "history that is refused begins where the service says, or a step later, said in a note; also when the floor moves during the walk", "lookback")
def _(bench):
    for named in (True, False):
        simulator = bench.simulator(switches={"lookback": {"days": 6, "names_date": named}})
        done = bench.run(bench.pipeline("costs: { since: 2026-08-01 }"), simulator, output=f"named-{named}")
        equal(done.code, 0, done)
        claim("history begins later" in " ".join(done.stream("costs")["notes"]), done.stream("costs"))
        floor = "2026-11-14T00:00:00Z"
        coverage = bench.out(f"named-{named}").stream("costs")["coverage"]
        first = coverage["gaps"][0]["to"]
        equal((coverage["from"], coverage["gaps"][0]["from"]), ("2026-08-01T00:00:00Z", "2026-08-01T00:00:00Z"))
        claim(first == floor if named else first >= floor, "read from", first)
    simulator = bench.simulator(switches={"lookback": {"days": 6}}, faults=[nth("mutate", COSTS, 2, change={"advance": DAY})])
    done = bench.run(bench.pipeline("costs: { since: 2026-11-14 }", SOURCE.replace("3", "2", 1)), simulator, output="moved")
    equal((done.code, done.struck), (0, [1]), done)
    gap = {"from": "2026-11-14T00:00:00Z", "to": "2026-11-15T00:00:00Z"}
    equal(bench.out("moved").stream("costs")["coverage"], {"from": gap["from"], "gaps": [gap], "to": "2026-11-20T00:00:00Z"})
    claim(min(row["start_time"] for row in bench.out("moved").rows("costs")) >= "2026-11-15", "a row before the covered span")


@told((52, 66), "undocumented fields of people, organizations, devices and places have columns, so that masks reach them; secrets in texts reach no output", "undocumented_fields", "secrets_in_text")
def _(bench):
    simulator = bench.simulator(switches={"undocumented_fields": True, "secrets_in_text": True})
    streams = "costs: { since: 2026-11-12, group_by: [project_id, user_id] }\naudit_logs: { since: 2026-11-12 }\nprojects: {}\ninvites: {}\nproject_api_keys: {}"
    hidden = "- sanitize: { fields: { costs.user_email: drop, costs.organization_name: mask, user_agent: drop, ja3: drop, ja4: drop, ip_address_details: drop } }"
    done = bench.run(bench.pipeline(streams, transform=hidden), simulator)
    equal(done.code, 0, done)
    start = NOW // DAY * DAY
    raw = simulator.get(f"{COSTS}?start_time={start - 2 * DAY}&end_time={start}&group_by[]=project_id&group_by[]=user_id")[2].decode()
    claim('"user_email":"' in raw and '"organization_name"' in raw, "the simulator sent none")
    raw = simulator.get(AUDIT + "?limit=100")[2].decode()
    claim("CANARY" in raw and "ja4" in raw, "the simulator sent none")
    claim("CANARY" in simulator.get(PROJECTS + "?limit=100")[2].decode(), "the simulator sent none")
    sink = [(path, data) for path, data in bench.out().everything()] + [("stdout", done.out.encode()), ("stderr", done.error.encode())]
    for path, data in sink:
        for canary in (b"CANARY", b"Example Research", b"t13d1516h2_", b"latitude"):
            claim(canary not in data, canary, "is in", path)
        claim("/costs/" not in str(path) or b"@example" not in data, "an e-mail address is in", path)


@told(53, "new counters are kept beside the schema, unknown kinds of rows are kept as rows, and both are reported", "new_fields", "unknown_object")
def _(bench):
    simulator = bench.simulator(switches={"new_fields": True}, faults=[always("unknown_object", COMPLETIONS)])
    done = bench.run(bench.pipeline("usage_completions: { since: 2026-11-12, group_by: [project_id] }"), simulator)
    equal(done.code, 0, done)
    rows = bench.out().rows("usage_completions")
    claim(rows and all(json.loads(json.dumps(row["extra"])) == {"input_video_tokens": "3"} for row in rows), rows[:1])
    claim("CANARY-region" not in bench.out().text("usage_completions"), "an unknown text was kept")
    claim("input_video_tokens" in " ".join(done.stream("usage_completions")["notes"]), done.stream("usage_completions"))


@told(54, "reports whose results are named differently from their path are read like the others", "result_names")
def _(bench):
    simulator = bench.simulator(switches={"result_names": True})
    done = bench.run(bench.pipeline("usage_file_search_calls: { since: 2026-11-12 }\nusage_web_search_calls: { since: 2026-11-12 }"), simulator)
    equal(done.code, 0, done)
    for name in ("usage_file_search_calls", "usage_web_search_calls"):
        claim(done.stream(name)["written"] > 0 and not done.stream(name)["notes"], done.stream(name))


@told(55, "counters keep every digit, above 2^53 and at the end of 64 bits; `12.0` is 12, null stays null", "big_counters")
def _(bench):
    simulator = bench.simulator("--rows-per-bucket", "12", faults=[always("big_counters", COMPLETIONS)])
    done = bench.run(bench.pipeline("usage_completions: { since: 2026-11-12, group_by: [project_id, model] }"), simulator)
    equal(done.code, 0, done)
    text = bench.out().text("usage_completions")
    for digits in (":9007199254740993,", ":9223372036854775807,"):
        claim(digits in text, digits, "is missing")
    claim(":12," in text or ":12.0," in text, "the float counter is missing")
    claim(":null" in text, "null is missing")


@told(56, "line items with commas, quotes, newlines and formulas re-read from CSV as they were sent", "strange_names")
def _(bench):
    simulator = bench.simulator("--rows-per-bucket", "60", switches={"strange_names": True})
    pipeline = bench.pipeline("costs: { since: 2026-11-12, group_by: [line_item] }", load="format: csv")
    equal(bench.run(pipeline, simulator).code, 0)
    found = {row["line_item"] for row in bench.out().rows("costs")}
    for item in ('gpt-5, "quoted"\ninput', "=cmd|' /C calc'!A0", ""):
        claim(item in found, repr(item), "is not among", found)


@told(57, "days with usage and without costs, and the reverse, are published as they are", "disjoint_days")
def _(bench):
    simulator = bench.simulator(switches={"disjoint_days": True, "organization": {"empty_every": 0}})
    equal(bench.run(bench.pipeline("costs: { since: 2026-11-12 }\nusage_completions: { since: 2026-11-12 }"), simulator).code, 0)
    days = [{row["start_time"][:10] for row in bench.out().rows(name)} for name in ("costs", "usage_completions")]
    equal((len(days[0]), len(days[1]), days[0] & days[1]), (4, 4, set()))


@told(58, "rows with an amount of 0 are rows", "zero_amounts")
def _(bench):
    simulator = bench.simulator("--rows-per-bucket", "40", switches={"zero_amounts": True})
    equal(bench.run(bench.pipeline("costs: { since: 2026-11-12, group_by: [project_id, line_item, user_id] }"), simulator).code, 0)
    zeros = [row for row in bench.out().rows("costs") if Decimal(row["amount_value"]) == 0]
    claim(zeros, "no row of 0 was kept")


# -- D. Lists and content ------------------------------------------------------------------------------------------------

@told(59, "archived projects are in the list; one archived between two runs is a change", "hidden_archived", "mutate")
def _(bench):
    simulator = bench.simulator("--projects", "9", switches={"hidden_archived": True})
    pipeline = bench.pipeline("projects: {}")
    equal(bench.run(pipeline, simulator).code, 0)
    rows = bench.out().rows("projects")
    equal(len(rows), 9)
    claim(any(row["status"] == "archived" for row in rows), "none is archived")
    one = next(row["id"] for row in rows if row["status"] != "archived")
    simulator.change(archive=one)
    equal(bench.run(pipeline, simulator).code, 0)
    row = next(row for row in bench.out().rows("projects") if row["id"] == one)
    claim(row["status"] == "archived" and row.get("deleted_at") is None, row)
    claim("status" in bench.out().text("projects_changes"), "the change is not told")


@told(60, "keys that show only to who asks for them all are in the list", "hidden_keys")
def _(bench):
    simulator = bench.simulator("--keys", "9", switches={"hidden_keys": True})
    equal(bench.run(bench.pipeline("project_api_keys: {}"), simulator).code, 0)
    rows = bench.out().rows("project_api_keys")
    shown = whole = 0
    for project in {row["project_id"] for row in rows}:
        shown += simulator.count(f"/organization/projects/{project}/api_keys")["items"]
        whole += simulator.count(f"/organization/projects/{project}/api_keys?owner_project_access=any")["items"]
    claim(shown < whole == len(rows), f"{shown} are shown, {whole} there, {len(rows)} archived")


@told(61, "what is gone from a list stays with `deleted_at`", "mutate")
def _(bench):
    simulator = bench.simulator()
    pipeline = bench.pipeline("users: {}")
    equal(bench.run(pipeline, simulator).code, 0)
    gone = bench.out().rows("users")[2]["id"]
    simulator.change(delete=gone)
    equal(bench.run(pipeline, simulator).code, 0)
    rows = {row["id"]: row["deleted_at"] for row in bench.out().rows("users")}
    equal({id for id, at in rows.items() if at}, {gone})
    equal(rows[gone], LIVE_NOW)


@told(62, "one id in several projects is several rows", "repeated_ids")
def _(bench):
    simulator = bench.simulator(switches={"repeated_ids": True})
    done = bench.run(bench.pipeline("project_rate_limits: {}\nproject_roles: {}"), simulator)
    equal(done.code, 0, done)
    for name in ("project_rate_limits", "project_roles"):
        rows = bench.out().rows(name)
        claim(len({row["id"] for row in rows}) < len(rows) == len({(row["project_id"], row["id"]) for row in rows}), name, len(rows))
        equal(done.stream(name)["duplicates"], {"identical": 0, "conflicts": 0})


same(63, "a field under its old name is the same field", switches={"old_fields": True}, calm_switches={}, streams="invites: {}\nusers: {}\nprojects: {}")


@told(64, "names are kept letter by letter: emoji, right-to-left, NFC beside NFD, U+2028, 10 kB, empty, null, twins; NUL and a lone surrogate become U+FFFD", "strange_names")
def names_are_kept_letter_by_letter(bench):
    simulator = bench.simulator("--projects", "20", switches={"strange_names": True})
    sent = {item["id"]: item["name"] for item in json.loads(simulator.get("/organization/projects?limit=100&include_archived=true")[2])["data"]}
    for form in ("ndjson", "csv"):
        equal(bench.run(bench.pipeline("projects: {}", load=f"format: {form}", name=form), simulator).code, 0)
        rows = bench.out(name=form).rows("projects")
        for row in rows:
            name = sent[row["id"]]
            name = None if name is None else "".join("\ufffd" if sign == "\0" or 0xD800 <= ord(sign) <= 0xDFFF else sign for sign in name)
            equal(row["name"], name if form == "ndjson" else name or "", row["id"], form)
        equal(len(rows), len(sent))
    names = list(sent.values())
    claim(names.count("Twin") == 2 and None in names and "" in names and any(name and "\u2028" in name for name in names), "the simulator sent none")
    claim(any(name and any(0xD800 <= ord(sign) <= 0xDFFF for sign in name) for name in names), "no lone surrogate was sent")


@told(65, "events of unknown types, without payload or with it under another key are kept; dots in keys stay dots", "odd_audit_events")
def _(bench):
    simulator = bench.simulator(switches={"odd_audit_events": True})
    done = bench.run(bench.pipeline("audit_logs: { since: 2026-11-09 }"), simulator)
    equal(done.code, 0, done)
    rows = bench.out().rows("audit_logs")
    claim(any(row["type"] == "wombat.fed.twice" for row in rows), "the unknown type is missing")
    items = sum(simulator.count(f"{AUDIT}?effective_at[gte]={NOW // DAY * DAY - 11 * DAY}&effective_at[lt]={NOW}{more}")["items"] for more in ("", "&tenant_only=true"))
    equal(len(rows), items)
    equal(len({row["id"] for row in rows}), items)


@told(67, "events that only a second walk shows are in the archive as well", "tenant_scope")
def _(bench):
    simulator = bench.simulator(switches={"tenant_scope": True})
    done = bench.run(bench.pipeline("audit_logs: { since: 2026-11-09 }"), simulator)
    equal(done.code, 0, done)
    types = {row["type"].split(".")[0] for row in bench.out().rows("audit_logs")}
    claim("tenant" in types and len(types) > 2, types)
    claim({"tenant_only" in line["query"] for line in done.log} == {True, False}, "one walk only")


@told(68, "fields of several shapes are kept as they are: \"all\" or a list, a user or a service account, four storage providers", "union_fields")
def _(bench):
    simulator = bench.simulator("--projects", "9", "--keys", "6", switches={"union_fields": True})
    done = bench.run(bench.pipeline("project_service_tier_settings: {}\nproject_api_keys: {}\nexternal_storage: {}\nworkload_identity_federation_rules: {}"), simulator)
    equal(done.code, 0, done)
    tiers = {str(row["enabled_tiers"]) for row in bench.out().rows("project_service_tier_settings")}
    claim("all" in tiers and any(text.startswith("[") for text in tiers), tiers)
    text = bench.out().text("project_api_keys")
    claim('"service_account"' in text and '"user"' in text, "one kind of owner only")
    claim(len(bench.out().rows("external_storage")) == simulator.count("/organization/external_storage")["items"], "storage rows")


@told(69, "a setting that nobody set is no row when it is a 404, and a row of nulls when it is one", "unset_as_null")
def _(bench):
    counts = []
    for unset in (False, True):
        simulator = bench.simulator("--projects", "9", switches={"unset_as_null": unset})
        done = bench.run(bench.pipeline("project_spend_limit: {}\nproject_model_permissions: {}"), simulator, output=f"unset-{unset}")
        equal(done.code, 0, done)
        counts.append([len(bench.out(f"unset-{unset}").rows(name)) for name in ("project_spend_limit", "project_model_permissions")])
    claim(counts[0][0] < counts[1][0] and counts[0][1] < counts[1][1], counts)
    rows = bench.out("unset-True").rows("project_spend_limit")
    claim(any(row["currency"] is None for row in rows), rows)


@told(70, "times of 0, with a fraction, in milliseconds by mistake and in the year 4000 stop their stream or are kept exactly; never another instant", "odd_times")
def _(bench):
    simulator = bench.simulator(switches={"odd_times": True})
    done = bench.run(bench.pipeline("users: {}\nprojects: {}"), simulator)
    claim(done.code in (0, 5), done)
    if done.code == 5:
        claim("stream users" in done.said and "added_at" in done.said, done.said)
        equal({entry["name"]: entry["stale"] for entry in bench.out().manifest["streams"]}, {"users": True, "projects": False})
    else:
        allowed = {"1970-01-01T00:00:00Z", "2023-11-14T22:13:20.25Z", "4000-01-01T00:00:00Z"}
        found = {row["added_at"] for row in bench.out().rows("users")}
        claim(allowed & found and found - allowed <= {None} | {text for text in found if text and text.startswith("5")}, found)


@told(71, "an empty organization is a valid run with a whole manifest, and the next one is unchanged", "organization")
def _(bench):
    nobody = {"organization": {"projects": 0, "users": 0, "groups": 0, "audit_events": 0}}
    simulator = bench.simulator(switches=nobody)
    pipeline = bench.pipeline(BASE + "\ngroups: {}\naudit_logs: { since: 2026-11-12 }\nusage_completions: { since: 2026-11-12 }")
    done = bench.run(pipeline, simulator)
    equal(done.code, 0, done)
    equal({entry["name"]: (entry["rows"], entry["stale"]) for entry in bench.out().manifest["streams"]},
          {name: (0, False) for name in ("costs", "users", "projects", "project_users", "groups", "audit_logs", "usage_completions")})  # fmt: skip
    equal(bench.out().stream("costs")["coverage"]["to"], "2026-11-20T00:00:00Z")
    equal(bench.run(pipeline, simulator).summary["outcome"], "unchanged")


@told(72, "a large organization at a slow pace goes on after a kill with the projects that are left", "organization", "rate_window")
def _(bench):
    many = int(os.environ.get("COGNI_WIRE_PROJECTS", "60"))
    simulator = bench.simulator(switches={"organization": {"projects": many, "keys": 2}})
    pipeline = bench.pipeline("project_api_keys: {}", "concurrency: 4\nretry: { budget: 5m, max_delay: 1s }")
    whole = bench.run(pipeline, simulator, output="calm", timeout=600)
    equal(whole.code, 0, whole)
    begun = len(simulator.log())
    simulator.ask("scenario", post={"faults": [{"fault": "rate_window", "path": KEYS, "limit": max(7, many // 12), "seconds": 1}]})
    process, out, error = bench.start(pipeline, simulator)
    answered = lambda: len({line["path"] for line in simulator.log()[begun:] if line["status"] == 200 and line["template"] == KEYS})  # noqa: E731
    claim(wait_for(lambda: answered() >= many // 2, 600), "the run never came so far")
    process.send_signal(signal.SIGTERM)
    equal(process.wait(), 143)
    out.close(), error.close()
    kept = answered()
    done = bench.run(pipeline, simulator, timeout=600)
    equal(done.code, 0, done)
    claim("went on after" in " ".join(done.stream("project_api_keys")["notes"]), done.stream("project_api_keys"))
    again = len({line["path"] for line in done.log if line["template"] == KEYS})
    claim(again <= whole_children(whole) - kept + 8, f"{again} projects were asked again, {kept} had been answered")
    same_tree(bench.out("calm"), bench.out())


def whole_children(done):
    return len({line["path"] for line in done.log if line["template"] == KEYS})


# -- Beside the 72: the network itself ------------------------------------------------------------------------------------

@told((), "proxies named in the environment are ignored", "status")
def _(bench):
    simulator = bench.simulator(faults=[nth("status", USERS, status=429)])
    env = {name: "http://127.0.0.1:9" for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy")}
    done = bench.run(bench.pipeline("users: {}"), simulator, env=env)
    equal((done.code, done.struck), (0, [1]), done)


@told((), "a name that does not resolve is 4", "status")
def _(bench):
    done = bench.run(bench.pipeline("users: {}", SHORT), bench.simulator(), env={"OPENAI_BASE_URL": "https://no-such-host.invalid/v1"})
    equal((done.code, len(done.log)), (4, 0), done)
    claim("no-such-host.invalid" in done.said and "source.base_url" in done.said, done.said)


@told((), "a connection that hangs ends at `timeouts.connect`: 4", "status")
def _(bench):
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        filling = [socket.socket() for _ in range(8)]
        for one in filling:
            one.setblocking(False)
            one.connect_ex(deaf.getsockname())
        address = f"http://127.0.0.1:{deaf.getsockname()[1]}/v1"
        done = bench.run(bench.pipeline("users: {}", SHORT + "\ntimeouts: { connect: 1s, page: 3s }"), bench.simulator(), env={"OPENAI_BASE_URL": address})
        for one in filling:
            one.close()
    equal(done.code, 4, done)
    claim("took too long" in done.said, done.said)


@told((), "a service that goes away in the middle of the run is 4; what was whole is published, and the next run is golden", "reset")
def _(bench):
    undisturbed = calm(BASE)
    simulator = bench.simulator(faults=[{"fault": "reset", "nth": 7, "times": 0}])
    pipeline = bench.pipeline(BASE, SHORT)
    done = bench.run(pipeline, simulator)
    equal(done.code, 4, done)
    simulator.ask("scenario", post={"faults": []})
    equal(bench.run(pipeline, simulator).code, 0)
    same_data(undisturbed, bench.out(), "after the service came back")
