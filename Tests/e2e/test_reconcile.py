"""`cogni reconcile` finds exactly the differences that Tools/make_reconcile_fixture.py has planted."""

import csv
import io
import json
import shutil
import subprocess
import sys
import unittest
from decimal import Decimal

from harness import NOW, ROOT, CogniTest

FIXTURES = ROOT / "Fixtures/reconcile"
SPAN = ("--from", "2025-11-03", "--until", "2025-11-20")
RING = {"COGNI_KEY_RING": str(ROOT / "Fixtures/keys/example.keyring.json")}


class Reconcile(CogniTest):
    def setUp(self):
        super().setUp()
        self.expected = json.loads((FIXTURES / "expected.json").read_text())
        self.file = FIXTURES / "pipeline.yaml"

    def reconcile(self, *arguments, pipeline=None, expect=1, env=None):
        return self.cogni("reconcile", pipeline or self.file, "--output", self.output, *arguments, expect=expect, env=env)

    def report(self, *arguments, **more):
        done = self.reconcile("--json", *SPAN, *arguments, **more)
        self.assertRegex(done.error, r"^error: difference: \d+ groups? beyond the tolerance \(generation \d+\)\n$")
        return json.loads(done.out)

    def events(self, format="ndjson"):
        mapping = "mapping.yaml" if format == "ndjson" else "mapping-csv.yaml"
        return "--events", FIXTURES / f"events.{format}", "--mapping", FIXTURES / mapping

    def test_the_fixture_is_what_its_script_writes(self):
        subprocess.run([sys.executable, ROOT / "Tools/make_reconcile_fixture.py", "--check"], check=True)

    def test_every_planted_difference_is_found_and_nothing_else(self):
        self.replay(self.file)
        report = self.report(*self.events())
        self.assertEqual(report["usage"]["rows"], self.expected["usage"])
        self.assertEqual(report["costs"]["rows"], self.expected["costs"])
        self.assertEqual(report["costs"]["other_amount"], self.expected["other_amount"])
        self.assertFalse(report["same"])

    def test_csv_events_and_csv_archives_give_the_same(self):
        text = self.file.read_text() + "load: { format: csv, compression: none, partition_by: month }\n"
        pipeline = self.folder / "csv.yaml"
        pipeline.write_text(text)
        self.replay(pipeline)
        report = self.report(*self.events("csv"), pipeline=pipeline)
        self.assertEqual(report["usage"]["rows"], self.expected["usage"])
        self.assertEqual(report["costs"]["rows"], self.expected["costs"])

    def test_sealed_ids_are_compared_as_tokens(self):
        pipeline = self.folder / "sealed.yaml"
        pipeline.write_text(self.file.read_text() + 'transform:\n  - encrypt: { fields: ["domain:user"] }\n')
        self.replay(pipeline, env=RING)
        done = self.reconcile("--json", *SPAN, *self.events(), pipeline=pipeline, env=RING)
        found = json.loads(done.out)["usage"]["rows"]

        def known(rows):
            """Tokens stand for ids one to one, so that groups differ in their names only."""
            return sorted(str((row["day"], row["model"], {k: v for k, v in row.items() if k != "who"})) for row in rows)

        self.assertEqual(known(found), known(self.expected["usage"]))
        for row in self.expected["usage"]:
            if row["who"]:
                self.assertNotIn(row["who"], done.out)

    def test_days_outside_of_what_was_read_are_a_mistake_and_no_match(self):
        self.replay(self.file)
        done = self.reconcile(*self.events(), "--from", "2026-11-03", "--until", "2026-11-20", expect=2)
        self.assertIn("usage was read from 2025-11-01 to 2025-12-01, and not from 2026-11-03 to 2026-11-20", done.error)
        done = self.reconcile("--from", "2025-11-20", "--until", "2025-11-03", expect=2)
        self.assertIn("--from 2025-11-20 is not before --until 2025-11-03", done.error)

    def test_days_that_were_never_read_are_not_compared(self):
        simulator = self.simulator(scenario={"switches": {"lookback": {"days": 14}}})
        usage = "usage_completions: { since: 2026-11-12, group_by: [project_id, user_id, model] }"
        pipeline = self.pipeline(usage + "\ncosts: { since: 2026-11-12, group_by: [project_id, line_item] }")
        for now in ("2026-11-20T12:00:00Z", "2026-12-20T12:00:00Z"):
            simulator.clock(now)
            self.live(pipeline, simulator, since=None, now=now)
        words = ("reconcile", pipeline, "--output", self.output, "--json")
        done = self.cogni(*words, env=simulator.environment)
        self.assertIn(done.code, (0, 1), done)
        self.assertEqual(json.loads(done.out)["from"][:10], "2026-12-06")
        done = self.cogni(*words, "--from", "2026-11-18", "--until", "2026-12-10", env=simulator.environment, expect=2)
        self.assertIn("2026-11-20T00:00:00Z to 2026-12-06T00:00:00Z no usage was ever read", done.error)

    def test_a_tolerance_lets_small_drift_pass(self):
        self.replay(self.file)
        strict = self.report(*self.events())["usage"]["counts"]
        loose = self.report(*self.events(), "--tolerance", "1000")["usage"]["counts"]
        self.assertEqual(strict["drifted"], 3)
        self.assertEqual(loose["drifted"], 0)
        self.assertEqual(loose["only_events"], strict["only_events"])

    def test_the_tables_say_the_same_as_the_json(self):
        self.replay(self.file)
        report = self.report(*self.events())
        table = list(csv.DictReader(io.StringIO(self.reconcile(*SPAN, *self.events(), "--csv").out)))
        self.assertEqual(len(table), len(report["usage"]["rows"]) + len(report["costs"]["rows"]))
        self.assertEqual([row["status"] for row in table if row["part"] == "usage"], [r["status"] for r in report["usage"]["rows"]])
        text = self.reconcile(*SPAN, *self.events()).out
        self.assertIn("user-nobody", text)
        self.assertIn("80 of 88 groups match", text)

    def test_what_matches_ends_well(self):
        simple = self.folder / "one.yaml"
        simple.write_text("pipeline: one\nsource: { connector: openai_admin }\nstreams:\n  usage_moderations: { since: 2025-11-01 }\n")
        self.replay(simple)
        rows = [row for row in self.at("one").rows("usage_moderations") if row["user_id"]]
        events = self.folder / "events.ndjson"
        with events.open("w") as file:
            for row in rows:
                told = {"time": row["start_time"], "user_id": row["user_id"], "model": row["model"]}
                file.write(json.dumps({**told, "input_tokens": int(row["input_tokens"]), "n": int(row["num_model_requests"])}) + "\n")
        mapping = self.folder / "mapping.yaml"
        mapping.write_text("time: time\nuser: user_id\nmodel: model\ntokens: [input_tokens]\nrequests: n\n")
        done = self.reconcile("--events", events, "--mapping", mapping, "--json", pipeline=simple, expect=None)
        report = json.loads(done.out)
        named = [row for row in report["usage"]["rows"] if row["who"]]
        self.assertTrue(named and all(row["status"] == "matched" for row in named))
        self.assertEqual(done.code, 0 if report["same"] else 1)

    def test_a_bad_line_is_named(self):
        self.replay(self.file)
        events = self.folder / "events.ndjson"
        shutil.copy(FIXTURES / "events.ndjson", events)
        with events.open("a") as file:
            file.write('{"at": "yesterday", "caller": {"user": "secret-user-name"}}\n')
        lines = len(events.read_text().splitlines())
        done = self.reconcile("--events", events, "--mapping", FIXTURES / "mapping.yaml", expect=2)
        self.assertIn(f"line {lines}", done.error)
        self.assertNotIn("secret-user-name", done.error)

    def test_a_quote_that_is_never_closed_is_named_with_its_line(self):
        self.replay(self.file)
        events = self.folder / "events.csv"
        lines = (FIXTURES / "events.csv").read_text().splitlines()
        events.write_text("\n".join(lines[:3] + [lines[3].replace(",", ',"', 1)] + lines[4:]) + "\n")
        done = self.reconcile("--events", events, "--mapping", FIXTURES / "mapping-csv.yaml", expect=2)
        self.assertIn("an event has a quote that is never closed", done.error)
        self.assertIn(f"{events} › line 4", done.error)

    def test_archives_of_another_format_than_the_pipelines_are_read_as_they_are(self):
        self.replay(self.file)
        other = self.folder / "other.yaml"
        other.write_text(self.file.read_text() + "load: { format: csv }\n")
        report = self.report(*self.events(), pipeline=other)
        self.assertEqual(report["usage"]["rows"], self.expected["usage"])
        self.assertEqual(report["costs"]["rows"], self.expected["costs"])

    def test_amounts_of_different_currencies_are_never_added_up(self):
        simulator = self.simulator("--rows-per-bucket", "12", scenario={"seed": 1, "switches": {"mixed_currencies": True}})
        pipeline = self.pipeline("usage_completions: {}\ncosts: { group_by: [project_id, line_item] }")
        self.live(pipeline, simulator, since="2026-11-12")
        done = self.reconcile("--json", pipeline=pipeline, expect=None)
        costs = json.loads(done.out)["costs"]
        wanted = {}
        for row in self.at().rows("costs"):
            if row["quantity_unit"] in (None, "tokens", "1000_tokens"):
                sums = wanted.setdefault((row["start_time"][:10], row["project_id"]), {})
                sums[row["amount_currency"]] = sums.get(row["amount_currency"], 0) + Decimal(row["amount_value"])
        several = 0
        for row in costs["rows"]:
            sums = {currency: amount for currency, amount in wanted.get((row["day"], row["project"]), {}).items() if amount}
            if len(sums) > 1:
                several += 1
                self.assertIsNone(row["amount"])
                self.assertEqual({part["currency"]: Decimal(part["amount"]) for part in row["amounts"]}, sums)
            elif row["amount"] is not None:
                self.assertEqual(Decimal(row["amount"]), sum(sums.values()))
        self.assertGreater(several, 0)
        self.assertIn("eur", costs["currencies"])
        self.assertIn(" eur + ", self.reconcile("--all", pipeline=pipeline, expect=None).out)

    def test_a_mapping_with_mistakes_is_told_with_all_of_them(self):
        self.replay(self.file)
        mapping = self.folder / "mapping.yaml"
        mapping.write_text("tme: at\nuser: a\nkey: b\n")
        done = self.reconcile("--events", FIXTURES / "events.ndjson", "--mapping", mapping, expect=2)
        self.assertIn('did you mean "time"', done.error)
        self.assertIn("one of user, key and project", done.error)

    def test_nothing_published_is_a_bad_command(self):
        self.assertIn("run the pipeline first", self.reconcile(*self.events(), expect=2).error)

    def test_the_network_is_not_asked(self):
        self.replay(self.file)
        env = {"OPENAI_BASE_URL": "http://127.0.0.1:9", "OPENAI_ADMIN_KEY": "sk-admin-x"}
        self.reconcile(*SPAN, *self.events(), env=env)
        self.assertEqual(NOW, "2025-12-01T06:00:00Z")


if __name__ == "__main__":
    unittest.main()
