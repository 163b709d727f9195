"""What is in a cell: exact numbers, masked secrets, unknown fields, null beside empty."""

import json
import re
import shutil
import unittest

from harness import FIXTURE, ROOT, CogniTest, Literal
from plain_api import PlainTest, page

ALL = ROOT / "pipelines/openai-admin.yaml"


class Numbers(CogniTest):
    def fixture(self):
        copy = self.folder / "replay"
        shutil.copytree(FIXTURE, copy)
        return copy

    def cost_fixture(self, amounts):
        """One day of costs, an amount for each project given as literal JSON."""
        copy = self.folder / "costs-fixture"
        (copy / "costs").mkdir(parents=True)
        shutil.copy(FIXTURE / "replay.json", copy / "replay.json")
        results = ",".join(
            '{"object":"organization.costs.result","amount":{"value":%s,"currency":"usd"},"line_item":null,'
            '"project_id":"proj_%02d"}' % (amount, number)
            for number, amount in enumerate(amounts)
        )
        start = 1761955200  # 2025-11-01
        page = '{"object":"page","data":[{"object":"bucket","start_time":%d,"end_time":%d,"results":[%s]}],'
        page += '"has_more":false,"next_page":null}'
        folder = copy / "costs" / "2025-11-01..2025-11-02,bucket_width=1d,group_by=project_id+line_item"
        folder.mkdir()
        (folder / "first.json").write_text(page % (start, start + 86400, results))
        return copy

    def amounts(self, form):
        given = ["9007199254740993", "0.8958740000000000", "1e-05", '"0.0042"', "1.0E+2", "-0.10", "0", "null", "12345678901234567890.1"]
        expected = ["9007199254740993", "0.8958740000000000", "0.00001", "0.0042", "100", "-0.10", "0", None, "12345678901234567890.1"]
        pipeline = self.pipeline("costs: { since: 2025-11-01, group_by: [project_id, line_item] }", load=f"format: {form}")
        self.replay(pipeline, "--until", "2025-11-02", fixture=self.cost_fixture(given))
        rows = self.at().rows("costs")
        self.assertEqual([row["project_id"] for row in rows], [f"proj_{n:02}" for n in range(len(given))])
        return [row["amount_value"] for row in rows], expected

    def test_decimals_are_exact_text_in_ndjson(self):
        found, expected = self.amounts("ndjson")
        self.assertEqual(found, expected)
        self.assertFalse(any(isinstance(value, Literal) for value in found), "a decimal is a JSON string")

    def test_decimals_are_exact_in_csv(self):
        found, expected = self.amounts("csv")
        self.assertEqual(found, [value or "" for value in expected])

    def test_guarded_formulas_leave_numbers_alone(self):
        fixture = self.cost_fixture(["-0.10", '"-7"', "3"])
        page = next((fixture / "costs").rglob("first.json"))
        page.write_text(page.read_text().replace('"line_item":null', '"line_item":"-1+2"', 1).replace('"line_item":null', '"line_item":"=A1"', 1))
        reports = "costs: { since: 2025-11-01, group_by: [project_id, line_item] }"
        pipeline = self.pipeline(reports, load="format: csv\nguard_formulas: true")
        self.replay(pipeline, "--until", "2025-11-02", fixture=fixture)
        rows = self.at().rows("costs")
        self.assertEqual([row["amount_value"] for row in rows], ["-0.10", "-7", "3"])
        self.assertEqual([row["line_item"] for row in rows], ["'-1+2", "'=A1", ""])

    def test_integers_above_2_to_the_53_keep_every_digit(self):
        for form in ("ndjson", "csv"):
            self.replay(self.pipeline(None, load=f"format: {form}"), output=self.folder / form)
            output = self.at(output=self.folder / form)
            found = set()
            for stream in ("usage_completions", "project_rate_limits", "usage_vector_stores", "audit_logs"):
                pages = [path for path in (FIXTURE / stream).rglob("*.json") if "bucket_width=1h" not in str(path)]
                sent = {digits for page in pages for digits in re.findall(r"(?<![\d\w])\d{16,}(?!\w)", page.read_text())}
                text = output.text(stream)
                self.assertEqual({digits for digits in sent if digits not in text}, set(), f"{stream} as {form}")
                found |= sent
            self.assertLessEqual({"9007199254740993", "9223372036854775807"}, found)

    def test_null_and_empty_text_stay_apart_and_are_two_keys(self):
        for form in ("ndjson", "csv"):
            self.replay(self.pipeline(None, load=f"format: {form}"), output=self.folder / form)
        rows = self.at(output=self.folder / "ndjson").rows("usage_completions")
        twins = [row["service_tier"] for row in rows if row["start_time"].startswith("2025-11-05") and not row["service_tier"]]
        self.assertEqual(twins, [None, ""], "null first, then the empty text")
        text = self.at(output=self.folder / "csv").text("usage_completions")
        lines = [line for line in text.splitlines() if line.startswith("2025-11-05") and ",gpt-5,false," in line]
        self.assertEqual(sum(',gpt-5,false,"",' in line for line in lines), 1, "the empty text is quoted")
        self.assertEqual(sum(",gpt-5,false,,"  in line for line in lines), 1, "null is bare")


class Secrets(CogniTest):
    def test_keys_pasted_into_names_are_in_no_file_and_in_no_log(self):
        simulator = self.simulator(scenario={"seed": 1, "switches": {"secrets_in_text": True}})
        raw = "".join(
            simulator.get(path)[2].decode()
            for path in ("/organization/projects?limit=100", "/organization/users?limit=100", "/organization/invites?limit=100")
        )
        self.assertIn("CANARY", raw, "the simulator plants them")
        done = self.live(ALL, simulator, "--streams", "projects,users,invites,project_api_keys,audit_logs,project_service_accounts")
        for path, data in self.at("openai-admin").everything():
            self.assertNotIn(b"CANARY", data, path)
        self.assertNotIn("CANARY", done.out + done.error)

    def test_a_planted_key_is_masked_and_the_text_around_it_stays(self):
        secret = "sk-proj-" + "Ab3dEf6hIj9l" * 4
        fixture = self.folder / "replay"
        shutil.copytree(FIXTURE, fixture)
        page = fixture / "projects/first.json"
        reply = json.loads(page.read_text())
        reply["data"][0]["name"] = f"billing {secret} (old)"
        page.write_text(json.dumps(reply))
        for compression in ("gzip", "zstd"):
            folder = self.folder / compression
            done = self.replay(self.pipeline(None, load=f"compression: {compression}"), fixture=fixture, output=folder)
            for path, data in self.at(output=folder).everything():
                self.assertNotIn(secret.encode(), data, path)
                self.assertNotIn(secret[12:40].encode(), data, path)
            self.assertNotIn(secret[12:40], done.out + done.error)
            [row] = [row for row in self.at(output=folder).rows("projects") if row["id"] == reply["data"][0]["id"]]
            self.assertTrue(row["name"].startswith("billing sk-p") and row["name"].endswith("(old)"), row["name"])

    def test_the_admin_key_itself_is_nowhere(self):
        simulator = self.simulator()
        done = self.live(ALL, simulator, "--streams", "projects,users", "--progress", "plain")
        for path, data in self.at("openai-admin").everything():
            self.assertNotIn(simulator.key.encode(), data, path)
        self.assertNotIn(simulator.key, done.out + done.error)


class UnknownFields(CogniTest):
    def run_with(self, rule):
        output = self.folder / rule
        transform = "- sanitize: { unknown_fields: %s }" % rule
        pipeline = self.pipeline("usage_completions: { since: 2025-11-01 }", transform=transform)
        return self.replay(pipeline, output=output, expect=None), self.at(output=output)

    def test_a_new_counter_is_kept_and_a_new_text_is_not(self):
        done, output = self.run_with("numbers")
        extras = [row["extra"] for row in output.rows("usage_completions") if row["extra"] is not None]
        self.assertEqual(len(extras), 1)
        self.assertEqual(set(extras[0]), {"output_reasoning_tokens"})
        self.assertNotIn("workspace_label", output.text("usage_completions"))
        notes = " ".join(done.stream("usage_completions")["notes"])
        self.assertIn("output_reasoning_tokens", notes)
        self.assertIn("workspace_label", notes)
        self.assertEqual(list(output.rows("usage_completions")[0])[-1], "extra", "the last column")

    def test_keep_keeps_both_drop_keeps_neither(self):
        _, output = self.run_with("keep")
        extras = [row["extra"] for row in output.rows("usage_completions") if row["extra"] is not None]
        self.assertEqual({name for extra in extras for name in extra}, {"output_reasoning_tokens", "workspace_label"})
        _, output = self.run_with("drop")
        self.assertNotIn("output_reasoning_tokens", output.text("usage_completions"))

    def test_fail_ends_with_5_and_names_the_field(self):
        done, output = self.run_with("fail")
        self.assertEqual(done.code, 5, done)
        self.assertRegex(done.error, "output_reasoning_tokens|workspace_label")
        self.assertIn("usage_completions", done.error)


class Guarded(PlainTest, CogniTest):
    def test_guarded_keys_are_the_same_rows_again(self):
        names = ["=1+1", "+49", "-x", "@home", "'=1", "plain", " =x", "-3.25"]
        events = [{"id": name, "at": 1795000000 + number} for number, name in enumerate(names)]
        api = self.api({
            "/things": page(*({"id": name, "name": name} for name in names)),
            "/events": json.dumps({"data": events, "has_more": False, "last_id": "e"}).encode(),
        })  # fmt: skip
        pipeline = self.plain("things: {}\nevents: { lookback: 30d }", load="format: csv\nguard_formulas: true")
        self.go(pipeline, api)
        before = self.at().archives()
        again = self.go(pipeline, api, now="2026-11-20T13:00:00Z")
        self.assertEqual(again.summary["outcome"], "unchanged", again)
        api.pages["/things"] = page(*({"id": name, "name": "new"} for name in names))
        self.go(pipeline, api, now="2026-11-20T14:00:00Z")
        self.assertEqual({row["change"] for row in self.at().rows("things_changes")}, {"changed"})
        self.assertEqual(len(self.at().rows("events")), len(names))
        self.assertEqual({path for path in before if "events" in path}, {path for path in self.at().archives() if "events" in path})


if __name__ == "__main__":
    unittest.main()
