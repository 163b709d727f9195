"""What the API sends beside the schema is told with the request that sent it first, and handled as the pipeline says."""

import json
import shutil
import unittest

from harness import FIXTURE, CogniTest


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


if __name__ == "__main__":
    unittest.main()
