"""What an operator sees: the health check, the run log, lineage."""

import datetime
import email.utils
import json
import os
import uuid

from harness import LIVE_NOW, CogniTest
from receiver import Receiver

try:
    import lineage_schema
except ImportError:  # the run of all tests makes an environment that has what it stands on
    lineage_schema = None

STREAMS = "users: {}\nprojects: {}\nproject_users: {}\ncertificates: {}\ncosts: { since: 2026-11-12, group_by: [project_id] }\naudit_logs: { since: 2026-11-12 }"


class Checking(CogniTest):
    def check(self, pipeline, *more, env=None, expect=0):
        done = self.cogni("check", pipeline, "--output", self.output, *more, "--json", env=env, expect=expect)
        return done.summary["checks"]

    def today(self):
        """A simulator whose clock is right."""
        simulator = self.simulator()
        simulator.clock(datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))
        return simulator

    def named(self, checks, name):
        return [one for one in checks if one["name"] == name]

    def failed(self, checks):
        return sorted({one["name"] for one in checks if one["status"] == "failed"})

    def test_each_variable_of_the_file_has_its_line_and_no_value_is_shown(self):
        more = "alerts: { webhook: '${HOOK:-}' }\nmetrics: { pushgateway: '${GATEWAY:-}' }"
        pipeline = self.pipeline("users: {}", more=more, source="organization: ${OPENAI_ORGANIZATION:-}\npage_limit: ${OPENAI_ADMIN_LIMIT:-max}")
        env = {"OPENAI_ADMIN_KEY": "sk-admin-" + "k" * 40, "OPENAI_ORGANIZATION": "org-of-mine"}
        checks = self.check(pipeline, "--offline", env=env)
        lines = {one["detail"].split(" ")[0]: one["detail"] for one in self.named(checks, "variable")}
        self.assertEqual(set(lines), {"HOOK", "GATEWAY", "OPENAI_BASE_URL", "OPENAI_ADMIN_KEY", "OPENAI_ORGANIZATION", "OPENAI_ADMIN_LIMIT"})
        self.assertIn("is set", lines["OPENAI_ADMIN_KEY"])
        self.assertIn("default holds", lines["OPENAI_ADMIN_LIMIT"])
        self.assertIn("(source.organization)", lines["OPENAI_ORGANIZATION"])
        self.assertNotIn("org-of-mine", json.dumps(checks))
        self.assertNotIn("kkkkkkkk", json.dumps(checks))

    def test_each_stream_gets_one_small_request_and_its_scope_is_told(self):
        simulator = self.today()
        pipeline = self.pipeline(STREAMS)
        checks = self.check(pipeline, env=simulator.environment)
        scopes = self.named(checks, "scope")
        self.assertEqual(sorted(one["detail"].split(" ")[0] for one in scopes), sorted(line.split(":")[0] for line in STREAMS.splitlines()))
        self.assertTrue(all(one["status"] == "ok" for one in scopes), scopes)
        self.assertLessEqual(len(simulator.log()), 7)
        self.assertFalse(self.output.exists(), "a check writes nothing")

    def test_a_key_without_a_scope_is_told_stream_by_stream(self):
        simulator = self.today()
        pipeline = self.pipeline(STREAMS)
        checks = self.check(pipeline, env={**simulator.environment, "OPENAI_ADMIN_KEY": simulator.limited_key}, expect=3)
        refused = [one for one in self.named(checks, "scope") if one["status"] == "failed"]
        allowed = [one for one in self.named(checks, "scope") if one["status"] == "ok"]
        self.assertTrue(refused and allowed, checks)
        self.assertTrue(all(one["mend"] for one in refused))
        self.assertEqual(self.failed(checks), ["scope"])

    def test_a_refused_key_is_told_once(self):
        simulator = self.simulator()
        checks = self.check(self.pipeline(STREAMS), env={**simulator.environment, "OPENAI_ADMIN_KEY": "sk-admin-wrong-" + "x" * 40}, expect=3)
        self.assertEqual(self.failed(checks), ["API"])

    def test_plan_and_check_foretell_what_a_run_would_refuse(self):
        simulator = self.simulator()
        streams = "costs: { since: 2026-11-12, group_by: [project_id] }\nprojects: {}"
        pipeline = self.pipeline(streams)
        environment = simulator.environment
        at = ("--output", self.output)

        def foretold(file, code, words, *more):
            plan = self.cogni("plan", file, *at, "--now", LIVE_NOW, "--json", env=environment, expect=0)
            self.assertEqual(json.loads(plan.out)["refusal"]["exit_code"], code)
            self.assertIn(words, self.cogni("plan", file, *at, "--now", LIVE_NOW, env=environment).out)
            self.assertIn(words, self.cogni("check", file, *at, "--offline", env=environment, expect=code).out)
            self.assertIn(words, self.live(file, simulator, since=None, expect=code).error)

        self.live(pipeline, simulator, since=None)
        self.assertIsNone(json.loads(self.cogni("plan", pipeline, *at, "--json", env=environment).out)["refusal"])
        self.assertIn("settings   as those of", self.cogni("check", pipeline, *at, "--offline", env=environment, expect=0).out)
        self.cogni("disable", pipeline, *at, "--reason", "moving house", env=environment, expect=0)
        foretold(pipeline, 8, "moving house")
        self.cogni("enable", pipeline, *at, env=environment, expect=0)
        foretold(self.pipeline(streams, load="format: csv", file="csv.yaml"), 2, "the settings of 2 streams have changed")
        recorded = self.folder / "recorded"
        self.replay(self.pipeline("projects: {}\n", file="other.yaml"), output=recorded)
        at = ("--output", recorded)
        plan = self.cogni("plan", self.folder / "other.yaml", *at, env=environment, expect=0)
        self.assertIn("holds rows of recorded replies", plan.out)

    def test_a_clock_that_is_not_the_servers_is_found(self):
        now = datetime.datetime.now(datetime.timezone.utc)
        body = json.dumps({"object": "list", "data": [], "has_more": False}).encode()
        for skew, expect in ((0, 0), (-3600, 2), (3600, 2)):
            with self.subTest(skew):
                date = email.utils.format_datetime(now + datetime.timedelta(seconds=skew), usegmt=True)
                server = Receiver((200, {"Content-Type": "application/json"}, body), date=date)
                self.addCleanup(server.close)
                env = {"OPENAI_BASE_URL": server.url, "OPENAI_ADMIN_KEY": "sk-admin-" + "k" * 40}
                checks = self.check(self.pipeline("users: {}"), env=env, expect=expect)
                self.assertEqual(self.failed(checks), ["server time"] if expect else [])

    def test_a_state_that_does_not_agree_with_the_manifest_is_found(self):
        import sqlite3

        simulator = self.simulator()
        pipeline = self.pipeline("costs: { since: 2026-11-12, group_by: [project_id] }\nusers: {}")
        self.live(pipeline, simulator)
        self.assertEqual(self.failed(self.check(pipeline, "--offline", env=simulator.environment)), [])
        with sqlite3.connect(self.output / "demo/state.sqlite") as state:
            state.execute("UPDATE watermarks SET watermark = watermark - 86400 WHERE stream = 'costs'")
        checks = self.check(pipeline, "--offline", env=simulator.environment, expect=6)
        self.assertEqual(self.failed(checks), ["cursors"])
        self.assertIn("cogni state rebuild", self.named(checks, "cursors")[0]["mend"])

    def test_the_worst_failure_gives_the_exit_code_and_each_says_how_to_mend_it(self):
        transform = "- encrypt: { fields: [email], key_ring: '${COGNI_KEY_RING}' }"
        pipeline = self.pipeline("users: {}", transform=transform)
        done = self.cogni("check", pipeline, "--output", self.output, "--offline", env={"COGNI_KEY_RING": str(self.folder / "none.json")}, expect=9)
        self.assertIn("FAILED   credential", done.out)
        self.assertIn("FAILED   key ring", done.out)
        self.assertEqual(done.out.count("mend:"), 2)


class Logging(CogniTest):
    def lines(self, name="demo"):
        logs = sorted((self.output / name / "logs").glob("*.ndjson"))
        return [[json.loads(line) for line in log.read_text(encoding="utf-8").split("\n") if line] for log in logs]

    def test_a_run_leaves_a_line_for_each_stream_with_cursors_counts_and_request_ids(self):
        simulator = self.simulator()
        pipeline = self.pipeline(STREAMS)
        first = self.live(pipeline, simulator).summary
        simulator.clock("2026-11-22T12:00:00Z")
        second = self.live(pipeline, simulator, now="2026-11-22T12:00:00Z").summary
        runs = self.lines()
        self.assertEqual(len(runs), 2)
        for lines, summary in zip(runs, (first, second)):
            self.assertEqual((lines[0]["event"], lines[-1]["event"]), ("run.started", "run.ended"))
            self.assertTrue(all(line["run"] == summary["run_id"] for line in lines))
            ended = {line["stream"]: line for line in lines if line["event"] == "stream.ended"}
            self.assertEqual(set(ended), {stream["name"] for stream in summary["streams"]})
            for stream in summary["streams"]:
                line = ended[stream["name"]]
                self.assertEqual([line[name] for name in ("fetched", "written", "pages", "requests", "retries")],
                                 [stream[name] for name in ("fetched", "written", "pages", "requests", "retries")])  # fmt: skip
                self.assertTrue(line["request_ids"], line)
        costs = [next(line for line in lines if line.get("stream") == "costs" and line["event"] == "stream.ended") for lines in runs]
        self.assertIsNone(costs[0]["cursor"]["before"])
        self.assertEqual(costs[0]["cursor"]["after"], costs[1]["cursor"]["before"])
        self.assertGreater(costs[1]["cursor"]["after"], costs[1]["cursor"]["before"])

    def test_retries_are_told_page_by_page_and_a_failed_stream_keeps_its_cursor(self):
        simulator = self.simulator()
        pipeline = self.pipeline(STREAMS, source="retry: { budget: 2s, max_delay: 1s }")
        self.live(pipeline, simulator)
        simulator.faults({"fault": "status", "status": 503, "path": "/organization/users", "nth": 1},
                         {"fault": "status", "status": 500, "path": "/organization/costs", "times": 1000})  # fmt: skip
        self.live(pipeline, simulator, now="2026-11-22T12:00:00Z", expect=4)
        lines = self.lines()[1]
        retried = [line for line in lines if line["event"] == "page" and line["retries"]]
        self.assertEqual([(line["stream"], line["level"]) for line in retried], [("users", "warning")])
        costs = next(line for line in lines if line.get("stream") == "costs" and line["event"] == "stream.ended")
        self.assertEqual((costs["level"], costs["fault"]["class"]), ("error", "unreachable"))
        self.assertEqual(costs["cursor"]["after"], costs["cursor"]["before"])
        self.assertTrue(costs["cursor"]["before"])

    def test_names_that_hold_line_ends_and_escapes_forge_no_line(self):
        simulator = self.simulator()
        pipeline = self.pipeline(STREAMS)
        self.live(pipeline, simulator)
        hostile = 'x"}\r\n{"event":"run.ended","level":"info"}\u2028\u202e\x1b[2J sk-admin-' + "h" * 40
        simulator.change(rename=self.at().rows("projects")[0]["id"], name=hostile)
        self.live(pipeline, simulator)
        for log in (self.output / "demo/logs").glob("*.ndjson"):
            raw = log.read_bytes()
            self.assertEqual(raw.count(b"\n"), len([line for line in raw.split(b"\n") if line]))
            self.assertEqual(raw.count(b'"event":"run.ended"'), 1)
            self.assertNotIn(b"hhhhhhhh", raw)
            for byte in (b"\r", b"\x1b", "\u2028".encode(), "\u202e".encode()):
                self.assertNotIn(byte, raw)

    def test_logs_older_than_thirty_days_go_and_younger_ones_stay(self):
        simulator = self.simulator()
        pipeline = self.pipeline("users: {}")
        self.live(pipeline, simulator)
        folder = self.output / "demo/logs"
        now = datetime.datetime.now(datetime.timezone.utc)
        kept, gone = ((now - datetime.timedelta(days=days)).strftime("%Y%m%dT%H%M%SZ-a1.ndjson") for days in (29, 31))
        for name in (kept, gone, "notes.txt"):
            (folder / name).write_text("{}\n")
        self.live(pipeline, simulator)
        names = set(os.listdir(folder))
        self.assertTrue({kept, "notes.txt"} <= names)
        self.assertNotIn(gone, names)

    def test_pages_are_a_sample(self):
        simulator = self.simulator("--audit-events", "400", small=True)
        pipeline = self.pipeline("audit_logs: { since: 2026-11-01 }", source="page_limit: 5")
        done = self.live(pipeline, simulator, since=None)
        pages = [line for line in self.lines()[0] if line["event"] == "page"]
        self.assertGreater(done.stream("audit_logs")["pages"], 20)
        self.assertLess(len(pages), 12)
        self.assertGreater(len(pages), 2)

    def test_logs_reads_them_with_filters(self):
        simulator = self.simulator()
        pipeline = self.pipeline(STREAMS, source="retry: { budget: 1s, max_delay: 1s }")
        self.live(pipeline, simulator)
        simulator.faults({"fault": "status", "status": 500, "path": "/organization/costs", "times": 1000})
        self.live(pipeline, simulator, now="2026-11-22T12:00:00Z", expect=4)
        read = lambda *more: self.cogni("logs", self.at().path, "--events", *more, "--json", expect=0).summary["events"]  # noqa: E731
        self.assertEqual({line["level"] for line in read("--level", "error")}, {"error"})
        self.assertEqual({line["stream"] for line in read("--stream", "costs", "--runs", "2")}, {"costs"})
        self.assertEqual([line["event"] for line in read("--event", "run.started", "--runs", "5")], ["run.started"] * 2)
        self.assertEqual(read("--since", "2099-01-01"), [])
        text = self.cogni("logs", self.at().path, "--events", "--level", "error", expect=0).out
        self.assertIn("error  stream.ended  costs  {", text)
        self.cogni("logs", self.at().path, "--level", "error", expect=2)

    def test_follow_shows_the_run_that_comes_next(self):
        simulator = self.simulator()
        pipeline = self.pipeline("users: {}")
        self.live(pipeline, simulator)
        process = self.start("logs", self.at().path, "--follow")
        second = self.live(pipeline, simulator).summary["run_id"]
        ended = 0
        for line in process.stdout:
            ended += "run.ended" in line
            if ended == 2:
                break
        self.assertEqual(ended, 2, f"{second} was not shown")
        process.kill()


class Lineage(CogniTest):
    def events(self):
        return [json.loads(line) for line in (self.folder / "lineage.ndjson").read_text().splitlines()]

    def assertEventsAreOpenLineage(self, *events):  # noqa: N802
        if lineage_schema is None:
            self.skipTest("no openlineage-python or jsonschema here")
        for event in events:
            self.assertEqual(lineage_schema.breaches(event), [])

    def test_a_run_begins_and_completes_with_schemas_and_row_counts(self):
        simulator = self.simulator()
        server = Receiver()
        self.addCleanup(server.close)
        pipeline = self.pipeline(STREAMS, more=f"lineage: {{ file: lineage.ndjson, url: '{server.url}', namespace: finance }}")
        summary = self.live(pipeline, simulator).summary
        start, complete = self.events()
        self.assertEqual((start["eventType"], complete["eventType"]), ("START", "COMPLETE"))
        self.assertEqual(start["run"]["runId"], complete["run"]["runId"])
        uuid.UUID(start["run"]["runId"])
        self.assertEqual([json.loads(one["body"]) for one in server.requests], [start, complete])
        self.assertTrue(all(one["path"] == "/api/v1/lineage" for one in server.requests))
        outputs = {one["name"].rsplit("/", 1)[1]: one for one in complete["outputs"]}
        schemas = self.at().current / "schemas"
        for stream in summary["streams"]:
            output = outputs[stream["name"]]
            self.assertEqual(output["outputFacets"]["outputStatistics"]["rowCount"], len(self.at().rows(stream["name"])))
            fields = json.loads((schemas / f"{stream['name']}.json").read_text())["fields"]
            self.assertEqual([field["name"] for field in output["facets"]["schema"]["fields"]], [field["name"] for field in fields])
        fetched = {one["name"]: one["inputFacets"]["inputStatistics"]["rowCount"] for one in complete["inputs"]}
        self.assertEqual(fetched["/organization/users"], next(one["fetched"] for one in summary["streams"] if one["name"] == "users"))
        self.assertEventsAreOpenLineage(start, complete)

    def test_an_event_with_anything_wrong_is_no_event(self):
        """What the check would say of events that cogni must never send: it can fail, in every part of one."""
        self.live(self.pipeline("users: {}", more="lineage: { file: lineage.ndjson }"), self.simulator())
        event = self.events()[-1]
        self.assertEventsAreOpenLineage(event)

        def places(value, path=()):
            yield path, value
            parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
            for key, part in parts:
                yield from places(part, (*path, key))

        def changed(path, change):
            copy = json.loads(json.dumps(event))
            inside = copy
            for key in path[:-1]:
                inside = inside[key]
            change(inside, path[-1])
            return copy

        # The specification lets an event go without these.
        optional = {"facets", "inputFacets", "outputFacets", "inputs", "outputs", "fields", "type", "description", "jobType", "name",
                    "rowCount", "size", "fileCount", "schema", "version", "inputStatistics", "outputStatistics", "processing_engine"}  # fmt: skip
        tried = 0
        for path, value in places(event):
            if path and not isinstance(value, dict | list):
                self.assertTrue(lineage_schema.breaches(changed(path, lambda inside, key: inside.update({key: [0]}))), path)
                tried += 1
            if path and isinstance(path[-1], str) and path[-1] not in optional:
                self.assertTrue(lineage_schema.breaches(changed(path, lambda inside, key: inside.pop(key))), path)
                tried += 1
            if isinstance(value, dict) and path:
                self.assertTrue(lineage_schema.breaches(changed((*path, "x"), lambda inside, key: inside.update({key: {}}))), path)
                tried += 1
        for path, wrong in ((("run", "runId"), "20261120"), (("eventTime",), "2026-11-20"), (("producer",), "cogni 1"), (("eventType",), "DONE")):
            self.assertTrue(lineage_schema.breaches(changed(path, lambda inside, key, wrong=wrong: inside.update({key: wrong}))), path)
        self.assertGreater(tried, 80)

    def test_a_run_that_fails_says_fail_and_no_secret(self):
        simulator = self.simulator()
        pipeline = self.pipeline(STREAMS, more="lineage: { file: lineage.ndjson }")
        self.live(pipeline, simulator, env={"OPENAI_ADMIN_KEY": "sk-admin-wrong-" + "x" * 40}, expect=3)
        start, fail = self.events()
        self.assertEqual((start["eventType"], fail["eventType"]), ("START", "FAIL"))
        self.assertTrue(fail["run"]["facets"]["errorMessage"]["message"].startswith("denied: "))
        self.assertNotIn("xxxxxxxx", json.dumps(fail))
        self.assertEventsAreOpenLineage(start, fail)

    def test_a_server_that_does_not_listen_fails_nothing(self):
        simulator = self.simulator()
        pipeline = self.pipeline("users: {}", more="lineage: { url: 'http://127.0.0.1:9' }")
        self.assertIn("warning: lineage", self.live(pipeline, simulator, expect=0).error)


if __name__ == "__main__":
    unittest.main()
