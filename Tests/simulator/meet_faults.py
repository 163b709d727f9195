"""Asks for every fault, and looks from outside whether the wire, the body or the paging is wrong in the way that was asked for."""

import gzip
import http.client
import json
import socket
import sys
import time
import urllib.error
import urllib.parse

import openai

from simulator import DAY, NOW, Report, Simulator

report = Report()
START = NOW // DAY * DAY - 12 * DAY
USERS = "/organization/users"
COSTS = f"/organization/costs?start_time={START}&group_by[]=project_id"
COMPLETIONS = f"/organization/usage/completions?start_time={START}"


def plan(simulator, *faults):
    simulator.ask("scenario", post={"seed": 3, "faults": list(faults)})


def injected(simulator):
    return simulator.ask("faults")["injected"]


def body(simulator, target):
    status, _, raw = simulator.get(target)
    assert status == 200, f"{status}: {raw[:200]}"
    return json.loads(raw)


def refusal(simulator, target, key=None):
    status, headers, raw = simulator.get(target, key=key)
    error = json.loads(raw)["error"]
    assert set(error) == {"message", "type", "param", "code"}, error
    return status, headers, error


def quoted(token):
    return urllib.parse.quote(token, safe="")


def raw_exchange(simulator, target, headers="", timeout=5):
    """All bytes of the answer, and how the connection ended: "fin", "reset" or "timeout"."""
    host, port = simulator.root.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=timeout) as connection:
        connection.sendall(
            f"GET /v1{target} HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {simulator.key}\r\n{headers}\r\n".encode()
        )
        received = b""
        try:
            while True:
                piece = connection.recv(65536)
                if not piece:
                    return received, "fin"
                received += piece
        except ConnectionResetError:
            return received, "reset"
        except TimeoutError:
            return received, "timeout"


def content_length(answer):
    head = answer.split(b"\r\n\r\n")[0].decode().lower()
    return int(next(line for line in head.split("\r\n") if line.startswith("content-length")).split(":")[1])


def sdk(simulator, **options):
    return openai.OpenAI(admin_api_key=simulator.key, base_url=simulator.base_url, **options)


# -- statuses -----------------------------------------------------------------------------------------------------------


def retry_after(simulator):
    plan(simulator, {"fault": "retry_after", "path": USERS, "nth": 2, "seconds": 1})
    assert simulator.get(USERS)[0] == 200
    status, headers, error = refusal(simulator, USERS)
    assert (status, headers["retry-after"], error["code"]) == (429, "1", "rate_limit_exceeded")
    assert simulator.get(USERS)[0] == 200
    assert injected(simulator) == 1
    for value in ["0", "abc", "121", "1e999", "-3"]:
        plan(simulator, {"fault": "retry_after", "value": value})
        assert refusal(simulator, USERS)[1]["retry-after"] == value
    plan(simulator, {"fault": "retry_after", "date_in_seconds": 3})
    assert refusal(simulator, USERS)[1]["retry-after"].endswith(" GMT")


def retry_after_with_sdk(simulator):
    plan(simulator, {"fault": "retry_after", "path": USERS, "nth": 1, "seconds": 1})
    began = time.monotonic()
    assert len(list(sdk(simulator).admin.organization.users.list(limit=100))) == 30
    assert time.monotonic() - began >= 0.9


def milliseconds_win(simulator):
    plan(simulator, {"fault": "retry_after_ms", "path": USERS, "nth": 1, "ms": 100, "seconds": 60})
    began = time.monotonic()
    sdk(simulator).admin.organization.users.list()
    assert time.monotonic() - began < 30


def rate_window(simulator):
    plan(simulator, {"fault": "rate_window", "path": USERS, "limit": 7, "seconds": 2})
    statuses = [simulator.get(USERS)[0] for _ in range(9)]
    assert statuses == [200] * 7 + [429] * 2, statuses
    headers = simulator.get(USERS)[1]
    assert "retry-after" not in headers and not [name for name in headers if name.startswith("x-ratelimit")]
    assert simulator.get("/organization/invites")[0] == 200
    time.sleep(2.1)
    assert simulator.get(USERS)[0] == 200


def sdk_cannot_outlast_a_minute(simulator):
    plan(simulator, {"fault": "rate_window", "path": USERS, "limit": 2, "seconds": 60})
    try:
        list(sdk(simulator).admin.organization.users.list(limit=5))
    except openai.RateLimitError:
        return
    raise AssertionError("two retries were enough")


def statuses(simulator):
    for status, code in [(500, None), (503, "server_is_overloaded"), (504, None), (408, "request_timeout"), (409, "conflict")]:
        plan(simulator, {"fault": "status", "status": status})
        got, _, error = refusal(simulator, USERS)
        assert (got, error["code"]) == (status, code)
    plan(simulator, {"fault": "status", "status": 502})
    status, headers, raw = simulator.get(USERS)
    assert status == 502 and headers["content-type"].startswith("text/html") and b"<html>" in raw


def one_project_for_ever(simulator):
    plan(simulator)
    first, second = [project["id"] for project in body(simulator, "/organization/projects")["data"][:2]]
    plan(simulator, {"fault": "status", "path": f"/organization/projects/{first}/users", "status": 500})
    assert simulator.get(f"/organization/projects/{first}/users")[0] == 500
    assert simulator.get(f"/organization/projects/{second}/users")[0] == 200
    plan(simulator, {"fault": "not_found", "path": "/organization/projects/{project_id}/users", "nth": 2})
    assert simulator.get(f"/organization/projects/{first}/users")[0] == 200
    assert simulator.get(f"/organization/projects/{second}/users")[0] == 404


def other_statuses(simulator):
    plan(simulator, {"fault": "should_retry", "status": 500, "value": "false"})
    status, headers, _ = refusal(simulator, USERS)
    assert (status, headers["x-should-retry"]) == (500, "false")
    plan(simulator, {"fault": "quota"})
    status, _, error = refusal(simulator, USERS)
    assert (status, error["type"], error["code"]) == (429, "insufficient_quota", "credit_balance_exhausted")
    plan(simulator, {"fault": "unauthorized"})
    status, _, error = refusal(simulator, USERS)
    assert status == 401 and "***" in error["message"]
    plan(simulator, {"fault": "missing_scope", "status": 401})
    status, _, error = refusal(simulator, USERS)
    assert status == 401 and "Missing scopes: api.usage.read" in error["message"]
    plan(simulator, {"fault": "redirect", "status": 308, "location": "http://other.example/v1"})
    answer, _ = raw_exchange(simulator, USERS, "connection: close\r\n")
    assert answer.startswith(b"HTTP/1.1 308") and b"location: http://other.example/v1" in answer


def keys(simulator):
    plan(simulator)
    assert refusal(simulator, USERS, key="sk-admin-not-this-one")[0] == 401
    assert "sk-a***-one" in refusal(simulator, USERS, key="sk-admin-not-this-one")[2]["message"]
    assert simulator.get(USERS, key=simulator.limited_key)[0] == 200
    for target in [COSTS, COMPLETIONS]:
        status, _, error = refusal(simulator, target, key=simulator.limited_key)
        assert status == 403 and "Missing scopes: api.usage.read" in error["message"]
    assert simulator.key not in json.dumps(simulator.log())


# -- paging -------------------------------------------------------------------------------------------------------------

LAST_ID = (USERS + "?limit=6", "after", lambda page: page.get("last_id"), 5)
NEXT = ("/organization/groups?limit=1", "after", lambda page: page.get("next"), 4)
BUCKETS = (COSTS + "&limit=3", "page", lambda page: page.get("next_page"), 5)


def follow(simulator, style, most=12):
    """Pages as they come, as long as there is a cursor and more is promised."""
    target, parameter, cursor_of, _ = style
    pages, cursor = [], None
    while len(pages) < most:
        pages.append(body(simulator, target + (f"&{parameter}={quoted(cursor)}" if cursor else "")))
        cursor = cursor_of(pages[-1])
        if not pages[-1].get("has_more", pages[-1]["data"] != []) or not cursor:
            break
    return pages


def rows_of(pages):
    return [json.dumps(item, sort_keys=True) for page in pages for item in page["data"]]


def paging(simulator):
    for style in [LAST_ID, NEXT, BUCKETS]:
        plan(simulator)
        true_pages = follow(simulator, style)
        truth = rows_of(true_pages)
        cursor_of, count = style[2], style[3]
        assert len(true_pages) == count and len(set(truth)) == len(truth), f"{style[0]}: {len(true_pages)} pages"

        plan(simulator, {"fault": "last_page_cursor"})
        pages = follow(simulator, style)
        assert rows_of(pages) == truth and pages[-1]["has_more"] is False and cursor_of(pages[-1])

        plan(simulator, {"fault": "has_more_no_cursor", "page": 2})
        pages = follow(simulator, style)
        assert len(pages) == 2 and pages[-1]["has_more"] is True and not cursor_of(pages[-1])

        plan(simulator, {"fault": "empty_page", "page": 2, "times": 3})
        pages = follow(simulator, style)
        assert rows_of(pages) == truth and [page["data"] for page in pages[1:4]] == [[], [], []]
        cursors = [cursor_of(page) for page in pages[:4]]
        assert len(set(cursors)) == 4, "an empty page repeated its cursor"

        plan(simulator, {"fault": "empty_page"})
        assert all(page["data"] == [] and page["has_more"] for page in follow(simulator, style))

        plan(simulator, {"fault": "constant_cursor", "page": 2})
        pages = follow(simulator, style)
        assert len(pages) == 12 and len({cursor_of(page) for page in pages[1:]}) == 1

        plan(simulator, {"fault": "cursor_cycle"})
        pages = follow(simulator, style)
        assert len(pages) == 12 and len({cursor_of(page) for page in pages}) == 2

        plan(simulator, {"fault": "no_has_more"})
        pages = follow(simulator, style)
        assert all("has_more" not in page for page in pages) and rows_of(pages) == truth

        plan(simulator, {"fault": "replay_page", "page": 3})
        pages = follow(simulator, style)
        assert pages[2]["data"] == pages[1]["data"] and cursor_of(pages[2]) != cursor_of(pages[1])

        plan(simulator, {"fault": "overlap", "page": 2})
        pages = follow(simulator, style)
        assert pages[1]["data"][0] == pages[0]["data"][-1] and len(rows_of(pages)) == len(truth) + 1

        plan(simulator, {"fault": "gap", "page": 2})
        assert len(rows_of(follow(simulator, style))) == len(truth) - 1

        plan(simulator, {"fault": "reversed"})
        pages = follow(simulator, style)
        assert sorted(rows_of(pages)) == sorted(truth)

        plan(simulator, {"fault": "long_cursors"})
        pages = follow(simulator, style)
        assert rows_of(pages) == truth and len(cursor_of(pages[0])) > 2000

        plan(simulator)
        pages = follow(simulator, style, most=1)
        target = f"{style[0]}&{style[1]}={quoted(cursor_of(pages[0]))}"
        plan(simulator, {"fault": "token_expired"})
        assert simulator.get(style[0])[0] == 200 and refusal(simulator, target)[0] == 400


def list_details(simulator):
    plan(simulator, {"fault": "rotating_last_id"})
    pages = follow(simulator, LAST_ID)
    assert pages[0]["last_id"] != pages[0]["data"][-1]["id"] and len(rows_of(pages)) == 30
    plan(simulator, {"fault": "duplicate_row", "page": 1})
    assert len(rows_of(follow(simulator, LAST_ID))) == 31
    plan(simulator)
    ascending = [item["id"] for item in body(simulator, "/organization/groups?order=asc")["data"]]
    assert ascending == [item["id"] for item in body(simulator, "/organization/groups?order=desc")["data"]][::-1]
    status, _, error = refusal(simulator, USERS + "?limit=101")
    assert status == 400 and "100" in error["message"]
    times = [event["effective_at"] for event in body(simulator, "/organization/audit_logs?limit=100")["data"]]
    assert times == sorted(times, reverse=True) and len(set(times)) < len(times)


def archived_projects(simulator):
    shown = body(simulator, "/organization/projects?limit=100")["data"]
    everything = body(simulator, "/organization/projects?limit=100&include_archived=true")["data"]
    archived = [project for project in everything if project["status"] == "archived"]
    assert archived and len(everything) == len(shown) + len(archived)
    for child in ["users", "service_accounts", "api_keys", "rate_limits", "spend_limit"]:
        assert refusal(simulator, f"/organization/projects/{archived[0]['id']}/{child}")[0] == 400
    assert refusal(simulator, "/organization/projects/proj_none/users")[0] == 404
    rows = body(simulator, COSTS + "&limit=31")["data"]
    used = {row["project_id"] for bucket in rows for row in bucket["results"]}
    assert archived[0]["id"] in used


def tokens_are_bound(simulator):
    plan(simulator)
    token = quoted(body(simulator, COSTS + "&limit=3")["next_page"])
    assert simulator.get(f"{COSTS}&limit=3&page={token}")[0] == 200
    reordered = f"/organization/costs?page={token}&limit=3&group_by=project_id&start_time={START}"
    assert simulator.get(reordered)[0] == 200
    for changed in [f"{COSTS}&limit=4", f"{COSTS}&limit=3&group_by[]=line_item", f"/organization/costs?start_time={START + DAY}"]:
        assert refusal(simulator, f"{changed}&page={token}")[0] == 400
    bare = urllib.parse.unquote(token)
    assert "=" in bare and bare.startswith("page_")


# -- bodies, headers, wire ----------------------------------------------------------------------------------------------


def bodies(simulator):
    plan(simulator)
    whole = simulator.get(USERS)[2]
    plan(simulator, {"fault": "truncate_json"})
    _, headers, raw = simulator.get(USERS)
    assert whole.startswith(raw) and int(headers["content-length"]) == len(raw) == len(whole) // 2
    plan(simulator, {"fault": "empty_body"})
    assert simulator.get(USERS)[0::2] == (200, b"")
    plan(simulator, {"fault": "html_200"})
    status, headers, raw = simulator.get(USERS)
    assert status == 200 and headers["content-type"].startswith("text/html")
    plan(simulator, {"fault": "bom"})
    assert simulator.get(USERS)[2] == b"\xef\xbb\xbf" + whole
    plan(simulator, {"fault": "trailing_garbage"})
    raw = simulator.get(USERS)[2]
    assert raw.startswith(whole) and len(raw) > len(whole)
    plan(simulator, {"fault": "duplicate_keys"})
    raw = simulator.get(USERS)[2]
    assert raw.count(b'"has_more"') == 2 and json.loads(raw)["data"] == json.loads(whole)["data"]


def headers(simulator):
    plan(simulator)
    _, plain, _ = simulator.get(USERS)
    for name in ["x-request-id", "openai-organization", "openai-version", "openai-processing-ms", "date"]:
        assert plain[name], name
    plan(simulator, {"fault": "no_request_id"})
    assert "x-request-id" not in simulator.get(USERS)[1]
    plan(simulator, {"fault": "same_request_id"})
    first, second = simulator.get(USERS)[1]["x-request-id"], simulator.get(USERS)[1]["x-request-id"]
    assert first == second
    plan(simulator, {"fault": "date_skew", "seconds": -7200})
    assert "10:00:00" in simulator.get(USERS)[1]["date"]


def encodings(simulator):
    plan(simulator)
    whole = simulator.get(USERS)[2]
    plan(simulator, {"fault": "gzip"})
    _, got, raw = simulator.get(USERS)
    assert got["content-encoding"] == "gzip" and gzip.decompress(raw) == whole
    plan(simulator, {"fault": "gzip_corrupt"})
    try:
        gzip.decompress(simulator.get(USERS)[2])
    except gzip.BadGzipFile:
        pass
    else:
        raise AssertionError("the checksum was right")
    plan(simulator, {"fault": "chunked"})
    _, got, raw = simulator.get(USERS)
    assert got["transfer-encoding"] == "chunked" and "content-length" not in got and raw == whole


def wire(simulator):
    plan(simulator)
    length = len(simulator.get(USERS)[2])
    plan(simulator, {"fault": "reset"})
    assert raw_exchange(simulator, USERS) == (b"", "reset")
    plan(simulator, {"fault": "reset_mid_body", "keep": 700})
    answer, end = raw_exchange(simulator, USERS)
    assert end == "reset" and content_length(answer) == length and len(answer.split(b"\r\n\r\n", 1)[1]) == 700, end
    plan(simulator, {"fault": "short_body"})
    answer, end = raw_exchange(simulator, USERS)
    assert end == "fin" and content_length(answer) == length and len(answer.split(b"\r\n\r\n", 1)[1]) == length // 2
    plan(simulator, {"fault": "cut_chunked", "keep": 300})
    answer, end = raw_exchange(simulator, USERS)
    assert end == "fin" and b"transfer-encoding: chunked" in answer and not answer.endswith(b"0\r\n\r\n")
    plan(simulator, {"fault": "cut_close"})
    answer, end = raw_exchange(simulator, USERS)
    assert end == "fin" and b"connection: close" in answer and b"content-length" not in answer
    plan(simulator, {"fault": "drip", "bytes": 400, "interval_ms": 20})
    began = time.monotonic()
    answer, end = raw_exchange(simulator, USERS, "connection: close\r\n")
    assert end == "fin" and content_length(answer) == length and time.monotonic() - began > 0.02 * (length / 400)
    for at, expected in [("accept", b""), ("headers", b"HTTP/1.1 200 OK")]:
        plan(simulator, {"fault": "stall", "at": at, "seconds": 30})
        answer, end = raw_exchange(simulator, USERS, timeout=0.5)
        assert end == "timeout" and answer.startswith(expected) and (answer == b"" or answer.endswith(b"\r\n\r\n"))
    plan(simulator, {"fault": "stall", "at": "body", "seconds": 1})
    answer, end = raw_exchange(simulator, USERS, timeout=5)
    assert end == "fin" and 0 < len(answer.split(b"\r\n\r\n", 1)[1]) < length


def sdk_survives_the_wire(simulator):
    plan(
        simulator,
        {"fault": "reset", "path": USERS, "nth": 1},
        {"fault": "short_body", "path": USERS, "nth": 2},
        {"fault": "reset_mid_body", "path": USERS, "nth": 4},
    )
    assert len(list(sdk(simulator).admin.organization.users.list(limit=10))) == 30
    assert injected(simulator) == 3


def keep_alive(simulator):
    plan(simulator)
    host, port = simulator.root.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=5)
    local = None
    for _ in range(3):
        connection.request("GET", "/v1" + USERS, headers={"authorization": "Bearer " + simulator.key})
        connection.getresponse().read()
        assert connection.sock is not None and local in (None, connection.sock.getsockname())
        local = connection.sock.getsockname()
    connection.close()


# -- reports ------------------------------------------------------------------------------------------------------------


def windows(simulator):
    plan(simulator)
    page = body(simulator, f"/organization/usage/completions?start_time={START + 5000}&end_time={START + 3 * DAY}")
    first = page["data"][0]
    assert first["start_time"] == (START + 5000) // 60 * 60 and first["end_time"] == START + DAY
    whole = body(simulator, f"/organization/usage/completions?start_time={START}&end_time={START + 3 * DAY}")
    assert first["results"] != whole["data"][0]["results"] or first["results"] == []
    assert page["data"][1:] == whole["data"][1:]
    buckets = body(simulator, f"/organization/usage/completions?start_time={START}&bucket_width=1h&limit=168")["data"]
    assert any(bucket["results"] == [] for bucket in buckets)
    assert simulator.get(f"/organization/usage/completions?start_time={START}&limit=32")[0] == 400
    status, _, error = refusal(simulator, f"{COSTS}&limit=366")
    assert status == 400
    assert error["message"] == "Invalid limit provided: 366. Limit must be less than or equal to 180."
    assert refusal(simulator, "/organization/costs")[2]["param"] == "start_time"
    assert refusal(simulator, f"{COSTS}&gruop_by=x")[2]["code"] == "unknown_parameter"


def open_bucket_grows(simulator):
    plan(simulator)
    target = f"/organization/usage/moderations?start_time={NOW // DAY * DAY}"
    totals = []
    for now in ["2026-11-20T08:00:00Z", "2026-11-20T16:00:00Z", "2026-11-21T08:00:00Z"]:
        simulator.ask("clock", post={"now": now})
        buckets = body(simulator, target)["data"]
        totals.append(sum(row["num_model_requests"] for row in buckets[0]["results"]))
    assert totals[0] < totals[1] < totals[2] and len(buckets) == 2, totals
    before = simulator.count("/organization/audit_logs")["items"]
    simulator.ask("clock", post={"advance": 2 * DAY})
    assert simulator.count("/organization/audit_logs")["items"] > before
    simulator.ask("clock", post={"now": NOW})


def costs_rules(simulator):
    plan(simulator)
    floor = 1764979200
    grouped = "/organization/costs?group_by[]=api_key_id&start_time="
    assert simulator.get(f"{grouped}{floor}")[0] == 200
    status, _, error = refusal(simulator, f"{grouped}{floor - 1}")
    assert (status, error["param"], error["code"]) == (400, "start_time", "invalid_request_error")
    assert error["message"].endswith(f"Try a start_time on or after {floor}.")
    raw = simulator.get(f"{COSTS}&group_by[]=line_item&limit=31")[2].decode()
    assert '"value":"' in raw and "e-0" in raw and '"quantity_unit":"1000_tokens"' in raw
    plain = body(simulator, COSTS + "&limit=31")
    assert all(row["quantity"] is None and row["line_item"] is None for b in plain["data"] for row in b["results"])


def dimensions(simulator):
    plan(simulator)
    grouped = f"{COMPLETIONS}&limit=31&group_by[]=user_id&group_by[]=api_key_id"
    rows = [row for bucket in body(simulator, grouped)["data"] for row in bucket["results"]]
    assert any(row["user_id"] is None for row in rows) and any(row["api_key_id"] is None for row in rows)
    assert all(row["model"] is None and row["project_id"] is None for row in rows)
    known = {user["id"] for user in body(simulator, USERS + "?limit=100")["data"]}
    assert {row["user_id"] for row in rows} - known - {None}, "no usage of a user who is gone"
    for row in rows:
        parts = row["input_uncached_tokens"] + row["input_cached_tokens"] + row["input_cache_write_tokens"]
        assert abs(row["input_tokens"] - parts) <= 40, "open buckets may round, closed ones may not"
    model = "gpt-4o-2024-08-06"
    only = body(simulator, f"{COMPLETIONS}&limit=31&group_by=model&models={model}")
    assert {row["model"] for bucket in only["data"] for row in bucket["results"]} == {model}


def odd_numbers(simulator):
    plan(simulator, {"fault": "big_counters"})
    raw = simulator.get(f"{COMPLETIONS}&limit=31&group_by=model")[2].decode()
    assert "9007199254740993" in raw and "9223372036854775807" in raw and ":12.0," in raw and ":null}" in raw
    plan(simulator, {"fault": "odd_amounts"})
    raw = simulator.get(COSTS + "&limit=31")[2].decode()
    assert '"0E-6176"' in raw and '"value":null' in raw and ":-1.25" in raw and ":1e-05" in raw
    rows = [row for bucket in json.loads(raw)["data"] for row in bucket["results"]]
    assert any("amount" not in row for row in rows)
    plan(simulator, {"fault": "unknown_object"})
    rows = [row for bucket in body(simulator, COMPLETIONS)["data"] for row in bucket["results"]]
    assert all(row["object"].startswith("unheard_of.") for row in rows)


def restatement(binary):
    target = f"{COMPLETIONS}&limit=5&group_by[]=model&group_by[]=project_id"
    for change in ["larger", "smaller", "added", "vanished"]:
        with Simulator(binary, "--empty-every", "0") as simulator:
            before = body(simulator, target)["data"]
            window = {"from": START, "until": START + DAY, "stream": "usage_completions"}
            simulator.ask("mutate", post={"restate": change, **window})
            after = body(simulator, target)["data"]
            assert after[1:] == before[1:] and after[0] != before[0]
            sums = [sum(row["input_tokens"] for row in day[0]["results"]) for day in (before, after)]
            rows = [len(day[0]["results"]) for day in (before, after)]
            assert {
                "larger": sums[1] > sums[0] and rows[0] == rows[1],
                "smaller": sums[1] < sums[0] and rows[0] == rows[1],
                "added": rows[1] > rows[0],
                "vanished": rows[1] < rows[0],
            }[change], (change, sums, rows)


def mutations(binary):
    with Simulator(binary) as simulator:
        users = [user["id"] for user in body(simulator, USERS + "?limit=100")["data"]]
        simulator.ask("mutate", post={"delete": users[3]})
        assert users[3] not in [user["id"] for user in body(simulator, USERS + "?limit=100")["data"]]
        assert refusal(simulator, f"{USERS}?limit=2&after={users[3]}")[0] == 400
        project = body(simulator, "/organization/projects")["data"][0]["id"]
        simulator.ask("mutate", post={"rename": project, "name": "New"})
        assert body(simulator, "/organization/projects")["data"][0]["name"] == "New"
        simulator.ask("mutate", post={"archive": project})
        assert project not in [item["id"] for item in body(simulator, "/organization/projects")["data"]]
        assert refusal(simulator, f"/organization/projects/{project}/users")[0] == 400
        done = simulator.ask("mutate", post={"seed": 4})
        assert done["deleted"] and done["renamed"] and done["restated"]
    scenario = {"faults": [{"fault": "mutate", "path": USERS, "nth": 2, "change": {"delete": users[9]}}]}
    with Simulator(binary, scenario=scenario) as simulator:
        first = body(simulator, USERS + "?limit=5")
        rest = body(simulator, f"{USERS}?limit=100&after={first['last_id']}")
        assert len(first["data"]) + len(rest["data"]) == 29


def switches(binary):
    with Simulator(binary, scenario={"switches": {"undocumented_fields": True, "new_fields": True, "omit_ungrouped": True}}) as simulator:
        rows = [row for bucket in body(simulator, COSTS + "&group_by[]=user_id&limit=31")["data"] for row in bucket["results"]]
        assert all("project_name" in row and "user_email" in row and "organization_id" in row for row in rows)
        assert all("api_key_id" not in row for row in rows)
        usage = [row for bucket in body(simulator, COMPLETIONS)["data"] for row in bucket["results"]]
        assert all(row["input_video_tokens"] == 3 and "model" not in row for row in usage)
        assert "ja4" in simulator.get("/organization/audit_logs?limit=100")[2].decode()
    with Simulator(binary, scenario={"switches": {"strange_names": True, "secrets_in_text": True}}, *["--projects", "20"]) as simulator:
        raw = simulator.get("/organization/projects?limit=100&include_archived=true")[2]
        assert b"CANARY" in raw and b"\\u0000" in raw and b"\\ud83d" in raw and "\u2028".encode() in raw
        names = [project["name"] for project in json.loads(raw)["data"]]
        assert names.count("Twin") == 2 and "" in names and None in names and "=HYPERLINK" in str(names)
        assert any(len(name or "") == 10000 for name in names)
    options = {"old_fields": True, "odd_times": True, "unset_as_null": True}
    with Simulator(binary, scenario={"switches": options}) as simulator:
        invites = body(simulator, "/organization/invites")["data"]
        assert all("invited_at" in invite and "created_at" not in invite for invite in invites)
        times = {user["added_at"] for user in body(simulator, USERS)["data"]}
        assert times == {0, 1700000000.25, 1700000000000, 64060588800}
        projects = [project["id"] for project in body(simulator, "/organization/projects")["data"]]
        limits = [body(simulator, f"/organization/projects/{project}/spend_limit") for project in projects]
        assert None in [limit["threshold_amount"] for limit in limits]
    floor = {"lookback": {"days": 365}}
    with Simulator(binary, scenario={"switches": {**floor, "refuse_user_with_project": True}}) as simulator:
        status, _, error = refusal(simulator, f"/organization/costs?start_time={NOW - 400 * DAY}")
        assert (status, error["code"]) == (400, "reporting_lookback_exceeded")
        assert error["message"].endswith("Earliest supported start date: 2025-11-20 (UTC).")
        simulator.ask("clock", post={"now": "2026-11-21T00:00:00Z"})
        assert "2025-11-21" in refusal(simulator, f"/organization/costs?start_time={NOW - 400 * DAY}")[2]["message"]
        assert refusal(simulator, COSTS + "&group_by[]=user_id")[0] == 400
    options = {"clamp_cost_limit": True, "mixed_currencies": True, "empty_dimension": True, "gzip": True, "audit_off": True}
    options |= {"lookback": {"earliest": "2025-01-01", "names_date": False}}
    with Simulator(binary, "--cost-values", "number", "--days", "90", scenario={"switches": options}) as simulator:
        page = body(simulator, f"/organization/costs?start_time={NOW - 80 * DAY}&limit=366&group_by=project_id")
        assert len(page["data"]) == 31
        currencies = {row["amount"].get("currency") for bucket in page["data"] for row in bucket["results"]}
        assert currencies == {"usd", "USD", "eur", None}
        rows = [row for bucket in body(simulator, COMPLETIONS + "&group_by=user_id")["data"] for row in bucket["results"]]
        assert {"", None} <= {row["user_id"] for row in rows}
        assert simulator.get(USERS, headers={"Accept-Encoding": "gzip"})[1]["content-encoding"] == "gzip"
        assert body(simulator, "/organization/audit_logs")["data"] == []
        message = refusal(simulator, "/organization/costs?start_time=1")[2]["message"]
        assert message == "Usage and cost data are available for the past year."


def determinism(binary):
    targets = [USERS, COSTS + "&group_by[]=line_item", COMPLETIONS + "&group_by=model&bucket_width=1h", "/organization/audit_logs"]
    answers = []
    for _ in range(2):
        with Simulator(binary, "--seed", "99") as simulator:
            answers.append([simulator.get(target)[2] for target in targets])
            assert answers[-1] == [simulator.get(target)[2] for target in targets]
    assert answers[0] == answers[1]
    with Simulator(binary, "--seed", "100") as simulator:
        assert simulator.get(USERS)[2] != answers[0][0]


def probability(binary):
    scenario = {"seed": 5, "faults": [{"fault": "status", "path": USERS, "probability": 0.3}]}
    runs = []
    for _ in range(2):
        with Simulator(binary, scenario=scenario) as simulator:
            runs.append([simulator.get(USERS)[0] for _ in range(60)])
            faulty = [entry["n"] for entry in simulator.log() if entry["faults"] == ["status"]]
            assert faulty == [number + 1 for number, status in enumerate(runs[-1]) if status == 500]
            assert injected(simulator) == len(faulty)
    assert runs[0] == runs[1] and 5 < runs[0].count(500) < 35
    every = {"faults": [{"fault": "status", "path": USERS, "every": 3, "times": 2}]}
    with Simulator(binary, scenario=every) as simulator:
        assert [simulator.get(USERS)[0] for _ in range(9)] == [200, 200, 500, 200, 200, 500, 200, 200, 200]


def nonsense(binary):
    """Whatever is asked, the simulator answers and lives."""
    numbers = ["", "0", "-1", "1e3", "9223372036854775807", "-9223372036854775808", "18446744073709551616", "253402300799", "x"]
    with Simulator(binary) as simulator:
        for number in numbers:
            for target in [
                f"/organization/costs?start_time={number}",
                f"/organization/costs?start_time={START}&end_time={number}",
                f"/organization/costs?start_time={START}&limit={number}",
                f"/organization/costs?start_time={START}&page=page_{number}",
                f"/organization/usage/completions?start_time={number}&bucket_width=1m&limit=1440",
                f"/organization/audit_logs?effective_at[gt]={number}&effective_at[lt]={number}",
                f"/organization/users?limit={number}&after={number}",
                f"/organization/groups?limit={number}&after={number}&order={number}",
                f"/organization/projects/{number}/users",
                f"/organization/users?%zz={number}",
            ]:
                assert simulator.get(target)[0] in (200, 400, 404), target
        for address in ["clock", "mutate", "scenario"]:
            for post in [{}, {"now": 2**62}, {"advance": 2**62}, {"seed": -1}, {"restate": "no"}, [], "text", {"faults": [{}]}]:
                try:
                    simulator.ask(address, post=post)
                except urllib.error.HTTPError as error:
                    assert error.code == 400
        assert simulator.get(USERS)[0] == 200


def empty_organization(binary):
    with Simulator(binary, "--projects", "0", "--users", "0", "--groups", "0", "--audit-events", "0") as simulator:
        for target in [USERS, "/organization/projects", "/organization/audit_logs", "/organization/groups", "/organization/invites"]:
            assert body(simulator, target)["data"] == []
        assert all(bucket["results"] == [] for bucket in body(simulator, COSTS)["data"])


def main(binary):
    with Simulator(binary) as simulator:
        for claim in [
            retry_after,
            retry_after_with_sdk,
            milliseconds_win,
            rate_window,
            sdk_cannot_outlast_a_minute,
            statuses,
            one_project_for_ever,
            other_statuses,
            keys,
            paging,
            list_details,
            archived_projects,
            tokens_are_bound,
            bodies,
            headers,
            encodings,
            wire,
            sdk_survives_the_wire,
            keep_alive,
            windows,
            open_bucket_grows,
            costs_rules,
            dimensions,
            odd_numbers,
        ]:
            report.check(claim.__name__, lambda: claim(simulator))
    for claim in [restatement, mutations, switches, determinism, probability, nonsense, empty_organization]:
        report.check(claim.__name__, lambda: claim(binary))
    report.finish()


main(sys.argv[1])
