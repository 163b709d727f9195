"""What a re-read changed stands in `<report>_restatements`, value by value, as two versions of the rows differ."""

import hashlib
import json
import unittest

from harness import LIVE_NOW, CogniTest

STREAMS = """
costs: { since: 2026-11-12, group_by: [project_id, line_item] }
usage_completions: { since: 2026-11-12, group_by: [project_id, user_id, model] }
"""
KEYS = {"costs": ["start_time", "project_id", "line_item"], "usage_completions": ["start_time", "project_id", "user_id", "model"]}
LATER = "2026-11-20T18:00:00Z"
HEAD = ["seen_at", "previous_manifest_sha256", "change"]


def value(number):
    return None if number is None else str(number)


def flag(field):
    return {True: "true", False: "false"}.get(field, field) if isinstance(field, bool) else field


class Restatements(CogniTest):
    format = "ndjson"

    def setUp(self):
        super().setUp()
        self.api = self.simulator()
        self.file = self.pipeline(STREAMS)

    def keyed(self, stream):
        return {tuple(row[name] for name in KEYS[stream]): row for row in self.at().rows(stream)}

    def restate(self, kind, stream="costs", day="2026-11-17"):
        self.api.change(restate=kind, stream=stream, **{"from": f"{day}T00:00:00Z", "until": f"{day[:-2]}{int(day[-2:]) + 1}T00:00:00Z"})

    def expected(self, stream, before, after, now, previous):
        """The lines that the ledger must have, from two versions of the rows."""
        lines = []
        for key in before.keys() | after.keys():
            old, new = before.get(key), after.get(key)
            if old == new:
                continue
            change = "vanished" if new is None else "appeared" if old is None else "changed"
            head = {"seen_at": now, "previous_manifest_sha256": previous, "change": change, **dict(zip(KEYS[stream], key))}
            names = [name for name in (old or new) if name not in KEYS[stream] and name != "end_time"]
            for name in names:
                a, b = value(flag(old[name])) if old else None, value(flag(new[name])) if new else None
                if a != b:
                    lines.append({**head, "measure": name, "old_value": a, "new_value": b})
        return sorted(lines, key=lambda line: json.dumps(line, sort_keys=True))

    def ledger(self, stream):
        if self.at().stream(f"{stream}_restatements") is None:
            return []
        return sorted(self.at().rows(f"{stream}_restatements"), key=lambda line: json.dumps(line, sort_keys=True))

    def test_nothing_is_told_while_nothing_was_restated(self):
        self.live(self.file, self.api, since=None)
        self.live(self.file, self.api, since=None, now=LATER)
        self.assertEqual(self.ledger("costs"), [])
        self.assertEqual(self.at().generations, ["000001"])

    def test_hours_that_join_a_day_are_news_and_no_restatement(self):
        file = self.pipeline("usage_completions: { since: 2026-11-18, group_by: [model], bucket_width: 1h }")
        self.live(file, self.api, since=None)
        before = self.keyed_by_hour()
        self.api.clock(LATER)
        self.live(file, self.api, since=None, now=LATER)
        after = self.keyed_by_hour()
        self.assertGreater(len(after[-1][1]), len(before[-1][1]), "the day has as many rows as before")
        self.assertEqual(self.ledger("usage_completions"), [])

    def keyed_by_hour(self):
        days = {}
        for row in self.at().rows("usage_completions"):
            days.setdefault(row["start_time"][:10], []).append(row)
        return sorted((day, rows) for day, rows in days.items() if day <= "2026-11-20")

    def test_each_changed_appeared_and_vanished_row_is_told_once_with_both_values(self):
        self.live(self.file, self.api, since=None)
        seen = []
        for number, (kind, day) in enumerate((("larger", 18), ("vanished", 17), ("added", 19)), 2):
            now = f"2026-11-20T{11 + number}:00:00Z"
            before = {stream: self.keyed(stream) for stream in KEYS}
            previous = hashlib.sha256(self.at().manifest_bytes).hexdigest()
            self.restate(kind, stream="*", day=f"2026-11-{day}")
            done = self.live(self.file, self.api, since=None, now=now)
            self.assertEqual(done.summary["generation"], number)
            success = json.loads((self.at().current / "_SUCCESS").read_text())
            self.assertEqual(success["previous_manifest_sha256"], previous)
            for stream in KEYS:
                new = self.expected(stream, before[stream], self.keyed(stream), now, previous)
                if stream == "costs":
                    seen += new
                    self.assertTrue(new, kind)
                told = [line for line in self.ledger(stream) if line["previous_manifest_sha256"] == previous]
                self.assertEqual(told, new, f"{stream} {kind}")
            self.assertIn("buckets were restated", json.dumps(done.summary["streams"]))
        self.assertEqual(self.ledger("costs"), sorted(seen, key=lambda line: json.dumps(line, sort_keys=True)))
        self.assertEqual({line["change"] for line in seen}, {"changed", "vanished", "appeared"})
        self.cogni("verify", self.at().path, "--all", expect=0)

    def test_the_ledger_is_a_stream_with_schema_and_partitions(self):
        self.live(self.file, self.api, since=None)
        self.restate("larger")
        self.live(self.file, self.api, since=None, now=LATER)
        stream = self.at().stream("costs_restatements")
        self.assertEqual(stream["mode"], "log")
        self.assertEqual(stream["primary_key"], ["seen_at", "previous_manifest_sha256", *KEYS["costs"], "measure"])
        self.assertEqual([p["partition"] for p in stream["partitions"]], [{"dt": "2026-11-20"}])
        schema = json.loads((self.at().current / stream["schema"]).read_text())
        self.assertEqual([f["name"] for f in schema["fields"]], [*HEAD, *KEYS["costs"], "measure", "old_value", "new_value"])
        self.assertIn("costs_restatements", {change["stream"] for change in self.at().changes})
        [run] = [run for run in self.at().runs() if run["generation"] == 2]
        [details] = [one for one in run["details"] if one["stream"] == "costs"]
        self.assertGreater(details["restated"]["rows"]["changed"], 0)
        self.assertGreater(details["restated"]["rows"]["buckets"], 0)

    def test_a_pipeline_file_that_was_moved_goes_on_with_its_ledger(self):
        self.live(self.file, self.api, since=None)
        self.restate("larger")
        self.live(self.file, self.api, since=None, now=LATER)
        before = self.ledger("costs")
        moved = self.folder / "moved.yaml"
        self.file.rename(moved)
        self.live(moved, self.api, since=None, now="2026-11-20T19:00:00Z")
        self.assertTrue(before)
        self.assertEqual(self.ledger("costs"), before)

    def test_csv_tells_the_same(self):
        files = {format: self.pipeline(STREAMS, name=format, load=f"format: {format}") for format in ("ndjson", "csv")}
        for file in files.values():
            self.live(file, self.api, since=None)
        self.restate("smaller")
        told = []
        for name, file in files.items():
            self.live(file, self.api, since=None, now=LATER)
            rows = self.at(name).rows("costs_restatements")
            # Each output has a chain of its own.
            told.append([{key: cell or None for key, cell in row.items() if key != "previous_manifest_sha256"} for row in rows])
        self.assertEqual(told[0], told[1])
        self.assertTrue(told[0])

    def test_the_same_history_gives_the_same_ledger(self):
        trees = []
        for output in ("one", "two"):
            api = self.simulator()
            self.live(self.file, api, since=None, output=self.folder / output)
            api.change(restate="larger", stream="costs", **{"from": "2026-11-17T00:00:00Z", "until": "2026-11-18T00:00:00Z"})
            self.live(self.file, api, since=None, now=LATER, output=self.folder / output)
            trees.append(self.at(output=self.folder / output).manifest_bytes)
        self.assertEqual(trees[0], trees[1])
        self.assertEqual(LIVE_NOW, "2026-11-20T12:00:00Z")


if __name__ == "__main__":
    unittest.main()
