"""What the API sends beside the schema is told with the request that sent it first, and handled as the pipeline says."""

import json
import shutil
import signal
import threading
import time
import unittest

from harness import FIXTURE, LIVE_NOW, CogniTest, terminate
from plain_api import PlainTest, page


class Drift(CogniTest):
    def setUp(self):
        super().setUp()
        self.fixture = self.folder / "replay"
        shutil.copytree(FIXTURE, self.fixture)

    def edit(self, stream, change):
        for page in sorted((self.fixture / stream).glob("*.json")):
            reply = json.loads(page.read_text())
            reply["data"] = [change(item) for item in reply["data"]]
            page.write_text(json.dumps(reply))

    def run_with(self, sanitize="", expect=0, streams="invites: {}"):
        shutil.rmtree(self.output, ignore_errors=True)
        file = self.pipeline(streams, transform=f"- sanitize: {{ {sanitize} }}")
        return self.replay(file, fixture=self.fixture, since=None, expect=expect)

    def details(self):
        [run] = self.at().runs()
        return run["details"][0]

    def test_a_value_that_the_schema_does_not_list_is_told_and_kept(self):
        self.edit("invites", lambda item: {**item, "status": "paused"})
        done = self.run_with()
        self.assertEqual({row["status"] for row in self.at().rows("invites")}, {"paused"})
        found = self.details()["new_values"]["status"]
        self.assertEqual((found["count"], found["values"], found["action"]), (1, ["paused"], "kept"))
        self.assertIn("first_request_id", found)
        self.assertIn("paused", json.dumps(done.stream("invites")["notes"]))

    def test_it_is_dropped_or_refused_when_the_pipeline_says_so(self):
        self.edit("invites", lambda item: {**item, "status": "paused"})
        self.run_with("new_values: drop")
        self.assertEqual({row["status"] for row in self.at().rows("invites")}, {None})
        done = self.run_with("new_values: fail", expect=5)
        self.assertIn("column status", done.out)
        self.assertNotIn("paused", done.out + done.error)

    def test_listed_values_are_no_drift(self):
        self.run_with()
        self.assertEqual(self.details()["new_values"], {})

    def test_the_names_of_types_inside_a_keys_owner_are_no_drift(self):
        def named(key):
            owners = {kind: {"object": f"organization.project.{kind}", **key["owner"][kind]} for kind in ("user", "service_account") if key["owner"].get(kind)}
            return {**key, "owner": {**key["owner"], **owners}}

        self.edit("project_api_keys", named)
        self.run_with("unknown_fields: fail", streams="project_api_keys: {}")
        self.assertEqual(self.details()["drift"], {})
        self.assertGreater(len(self.at().rows("project_api_keys")), 1)

    def test_a_value_that_looks_private_is_counted_and_not_shown(self):
        self.edit("invites", lambda item: {**item, "status": "who@example.org said so"})
        self.run_with()
        found = self.details()["new_values"]["status"]
        self.assertEqual((found["count"], found["values"]), (1, []))

    def test_a_required_field_that_is_missing_is_told(self):
        self.edit("invites", lambda item: {key: value for key, value in item.items() if key != "role"})
        done = self.run_with()
        self.assertIn("role", self.details()["missing"])
        self.assertIn("column role is required and was missing", json.dumps(done.stream("invites")["notes"]))
        self.assertEqual({row["role"] for row in self.at().rows("invites")}, {None})
        done = self.run_with("missing_fields: fail", expect=5)
        self.assertIn("missing_fields", done.out)

    def test_a_required_number_that_is_null_is_told(self):
        for page in self.fixture.glob("usage_moderations/*/*.json"):
            reply = json.loads(page.read_text())
            for bucket in reply["data"]:
                bucket["results"] = [{**row, "input_tokens": None} for row in bucket["results"]]
            page.write_text(json.dumps(reply))
        self.run_with(streams="usage_moderations: { since: 2025-11-01 }")
        self.assertEqual(list(self.details()["missing"]), ["input_tokens"])

    def test_a_complete_reply_has_no_missing_fields(self):
        self.run_with(streams="users: {}")
        self.assertEqual(self.details()["missing"], {})

    def test_rows_that_lack_a_required_field_are_left_out_and_counted_when_the_pipeline_says_so(self):
        fetched = self.run_with().stream("invites")["fetched"]
        ids = [row["id"] for row in self.at().rows("invites")]
        gone = set(ids[::3])
        self.edit("invites", lambda item: {**item, "role": None} if item["id"] in gone else item)
        for format in ("ndjson", "csv"):
            with self.subTest(format):
                shutil.rmtree(self.output, ignore_errors=True)
                file = self.pipeline("invites: {}", transform="- sanitize: { missing_fields: drop }", load=f"format: {format}")
                done = self.replay(file, fixture=self.fixture, since=None)
                self.assertEqual([row["id"] for row in self.at().rows("invites")], [one for one in ids if one not in gone])
                self.assertEqual(done.stream("invites")["dropped"], {"missing_field": len(gone)})
                self.assertEqual(done.stream("invites")["fetched"], fetched)
                self.assertBalances(done.summary)
                self.assertEqual(self.details()["missing"]["role"]["action"], "row left out")
                self.assertIn("first_request_id", self.details()["missing"]["role"])

    def test_a_report_without_its_required_numbers_may_lose_all_rows_of_a_page(self):
        for page in self.fixture.glob("usage_moderations/*/*.json"):
            reply = json.loads(page.read_text())
            for bucket in reply["data"]:
                bucket["results"] = [{**row, "input_tokens": None} for row in bucket["results"]]
            page.write_text(json.dumps(reply))
        done = self.run_with("missing_fields: drop", streams="usage_moderations: { since: 2025-11-01 }")
        stream = done.stream("usage_moderations")
        self.assertGreater(stream["fetched"], 0)
        self.assertEqual((stream["written"], stream["dropped"]), (0, {"missing_field": stream["fetched"]}))

    def test_words_are_checked(self):
        file = self.pipeline("users: {}", transform="- sanitize: { new_values: kep, missing_fields: drp }")
        done = self.cogni("validate", file, expect=2)
        self.assertIn('did you mean "keep"', done.out)
        self.assertIn('did you mean "drop"', done.out)


class KeysOfMaps(PlainTest, CogniTest):
    """Where an API sends a map for an object, its keys are people's names as soon as not, and no names of fields."""

    PEOPLE = ("Alice Liddell", "dora@corp.example", "+4915112345678", "Jürgen")

    def test_they_are_told_to_nobody_and_numbers_under_them_are_dropped(self):
        api = self.api({"/things": page({"id": "a", "shoe_size": 44, **dict.fromkeys(self.PEOPLE, 5)})})
        for rule, kept in (("numbers", {"shoe_size": "44"}), ("keep", {"shoe_size": "44", **dict.fromkeys(self.PEOPLE, "5")}), ("drop", None)):
            with self.subTest(rule):
                pipeline = self.plain(more=f"transform:\n  - sanitize: {{ unknown_fields: {rule} }}", name=rule)
                done = self.go(pipeline, api)
                output = self.at(rule)
                self.assertEqual(output.rows("things")[0]["extra"], kept)
                self.assertIn(f"field * is not in the schema: a number, seen 4 times, {'kept' if rule == 'keep' else 'dropped'}", done.out)
                self.assertIn("field shoe_size is not in the schema", done.out)
                told = [done.out.encode(), done.error.encode(), *(data for path, data in output.everything() if "generations" not in str(path))]
                for name in self.PEOPLE:
                    for data in told:
                        self.assertNotIn(name.encode(), data)
                        self.assertNotIn(json.dumps(name)[1:-1].encode(), data)

    def test_a_refusal_does_not_tell_them_either(self):
        api = self.api({"/things": page({"id": "a", self.PEOPLE[0]: 5})})
        done = self.go(self.plain(more="transform:\n  - sanitize: { unknown_fields: fail }"), api, expect=5)
        self.assertIn("field * is not in the schema", done.error)
        self.assertNotIn("Liddell", done.out + done.error)


class DriftOfAStoppedRun(PlainTest, CogniTest):
    """What pages showed before a run was stopped is in the account of the run that goes on."""

    ROWS = 30
    FROM = 20  # from this row on replies come late, or wait for the gate

    def setUp(self):
        super().setUp()
        self.late, self.waits, self.gate = threading.Event(), threading.Event(), threading.Event()
        self.served = self.api({"/organization/invites": self.page})
        self.addCleanup(self.gate.set)
        self.env = {"OPENAI_BASE_URL": self.served.environment["PLAIN_URL"], "OPENAI_ADMIN_KEY": "plain-key"}
        self.file = self.pipeline("invites: {}", source="page_limit: 2", transform="- sanitize: { missing_fields: drop }")

    def row(self, number):
        row = {
            "object": "organization.invite", "id": f"invite-{number:03}", "email": f"m{number}@example.org", "role": "reader",
            "status": "pending", "created_at": 1_700_000_000, "expires_at": 1_800_000_000, "accepted_at": None, "projects": [],
        }  # fmt: skip
        # Each oddity also, or only, before the stop.
        if number % 3 == 1:
            del row["role"]
        if number in (3, 5, 27):
            row["shoe_size"] = 44
        if number in (6, 23, 29):
            row["status"] = {6: "paused", 23: "paused", 29: "lost"}[number]
        return row

    def page(self, query):
        start = int(query["after"].split("-")[1]) + 1 if "after" in query else 0
        if start >= self.FROM and self.late.is_set():
            self.waits.set()
            self.gate.wait()
        elif start and self.late.is_set():
            time.sleep(0.2)  # progress is made durable about once a second
        rows = [self.row(number) for number in range(start, min(start + 2, self.ROWS))]
        has_more = start + 2 < self.ROWS
        body = {"object": "list", "data": rows, "first_id": rows[0]["id"], "last_id": rows[-1]["id"], "has_more": has_more}
        return 200, {"x-request-id": f"req_{start}"}, json.dumps(body).encode()

    def account(self, done, output):
        [run] = self.at(output=output).runs()[-1:]
        stream = done.stream("invites")
        notes = [note for note in stream["notes"] if "earlier attempt" not in note]
        details = {name: run["details"][0][name] for name in ("drift", "missing", "new_values")}
        return {name: stream[name] for name in ("fetched", "written", "dropped", "duplicates")}, notes, details

    def begin_and_stop(self, output, number):
        self.late.set()
        self.waits.clear()
        self.gate.clear()
        process = self.start("run", self.file, "--now", LIVE_NOW, "--output", output, env=self.env)
        self.wait(self.waits.is_set, process, "for the page that waits at the gate")
        if number == signal.SIGKILL:
            process.kill()
            process.communicate()
        else:
            self.assertEqual(terminate(process, number).code, 143)
        self.gate.set()

    def test_a_run_that_goes_on_counts_as_one_that_was_never_stopped(self):
        def finish(output):
            self.late.clear()
            self.gate.set()
            return self.cogni("run", self.file, "--now", LIVE_NOW, "--output", output, "--json", env=self.env, expect=0)

        calm = finish(self.folder / "calm")
        undisturbed = self.account(calm, self.folder / "calm")
        self.assertEqual(undisturbed[0]["dropped"], {"missing_field": 10})
        self.assertEqual(undisturbed[2]["new_values"]["status"]["count"], 2)
        for number in (signal.SIGTERM, signal.SIGKILL):
            with self.subTest(number.name):
                output = self.folder / number.name
                self.begin_and_stop(output, number)
                done = finish(output)
                self.assertIn("earlier attempt had kept", json.dumps(done.stream("invites")["notes"]), "nothing was resumed")
                self.assertBalances(done.summary)
                self.assertEqual(self.account(done, output), undisturbed)


if __name__ == "__main__":
    unittest.main()
