"""A later run fetches what is new or may have been restated, and says exactly what changed."""

import json
import unittest

from harness import ROOT, CogniTest

ALL = ROOT / "pipelines/openai-admin.yaml"
REPORTS = """
usage_completions: { since: 2026-11-12, lookback: 3d, group_by: [project_id, model] }
costs: { since: 2026-11-12, lookback: 3d, group_by: [project_id, line_item] }
users: {}
audit_logs: { since: 2026-11-12 }
"""


def moment(text):
    import datetime

    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC).timestamp())


class Incremental(CogniTest):
    def test_two_days_later_only_new_days_and_the_lookback_are_asked_for(self):
        simulator = self.simulator("--log", str(self.folder / "x"), "--now", "2026-11-20T12:00:00Z")
        simulator.log_path = str(self.folder / "x")
        pipeline = self.pipeline(REPORTS)
        self.live(pipeline, simulator, since=None)
        first = self.at()
        inodes, partitions = first.inodes(), {(name, part) for name, part, _ in first.files()}
        success = json.loads((first.current / "_SUCCESS").read_bytes())
        before = len(simulator.log())

        simulator.clock("2026-11-22T12:00:00Z")
        done = self.live(pipeline, simulator, since=None, now="2026-11-22T12:00:00Z")
        self.assertEqual((done.summary["outcome"], done.summary["generation"]), ("published", 2))
        self.assertBalances(done.summary)

        asked = [line for line in simulator.log()[before:] if "/usage/completions" in line["path"]]
        starts = {int(line["query"].split("start_time=")[1].split("&")[0]) for line in asked}
        self.assertEqual(starts, {moment("2026-11-17T00:00:00")}, "three days before the watermark of 20 November")

        second = self.at()
        self.assertEqual(second.generations, ["000001", "000002"])
        for path, inode in second.inodes().items():
            if path in inodes:
                self.assertEqual(inode, inodes[path], f"{path} should be a hard link")
        linked = set(inodes) & set(second.inodes())
        self.assertTrue(any("dt=2026-11-13" in path for path in linked))

        now = {(name, part) for name, part, _ in second.files()}
        changed = {(change["stream"], ",".join(f"{k}={v}" for k, v in change["partition"].items())) for change in second.changes}
        new = {(name, part) for name, part, file in second.files() if file["path"] not in inodes}
        self.assertEqual(changed, new | (partitions - now), "changes.json names the changed partitions and no other")
        self.assertIn(("usage_completions", "dt=2026-11-20"), changed)
        self.assertNotIn(("usage_completions", "dt=2026-11-13"), changed)
        self.assertNotIn(("users", ""), changed, "no user changed")
        chain = json.loads((second.current / "_SUCCESS").read_bytes())
        self.assertEqual(chain["previous_manifest_sha256"], success["manifest_sha256"])

    def notes(self, done, stream):
        return next(each for each in done.summary["streams"] if each["name"] == stream).get("notes", [])

    def test_a_time_in_which_there_is_nothing_to_read_is_told(self):
        simulator = self.simulator()
        pipeline = self.pipeline("costs: { since: 2027-01-01, group_by: [project_id] }\nprojects: {}")
        done = self.live(pipeline, simulator, since=None)
        self.assertIn("there was no time to read", str(self.notes(done, "costs")))
        self.assertEqual(simulator.asked("/costs"), [])
        for command in ("run", "plan", "preview"):
            words = [command, pipeline] + (["projects"] if command == "preview" else ["--output", self.output])
            done = self.cogni(*words, "--since", "2099-01-01", "--now", "2026-11-20T12:00:00Z", env=simulator.environment, expect=2)
            self.assertIn("--since 2099-01-01T00:00:00Z is after now, which is 2026-11-20T12:00:00Z", done.error)

    def test_a_since_before_the_api_s_history_is_asked_for_once(self):
        simulator = self.simulator(scenario={"switches": {"lookback": {"days": 14}}})
        pipeline = self.pipeline("costs: { since: 2026-08-01, lookback: 1d, group_by: [project_id] }\nprojects: {}")
        self.live(pipeline, simulator, since=None)
        gap = {"from": "2026-08-01T00:00:00Z", "to": "2026-11-06T00:00:00Z"}
        self.assertEqual(self.at().stream("costs")["coverage"], {"from": gap["from"], "gaps": [gap], "to": "2026-11-20T00:00:00Z"})
        simulator.clock("2026-11-21T12:00:00Z")
        asked = len(simulator.asked("/costs"))
        done = self.live(pipeline, simulator, since=None, now="2026-11-21T12:00:00Z")
        self.assertEqual(len(simulator.asked("/costs")), asked + 1)
        self.assertIn("start_time=%d" % moment("2026-11-19T00:00:00"), simulator.asked("/costs")[-1]["path"] + str(simulator.asked("/costs")[-1]))
        self.assertEqual(self.notes(done, "costs"), [])
        self.assertEqual(self.at().stream("costs")["coverage"]["gaps"], [gap])

    def test_time_that_the_api_has_forgotten_between_two_runs_is_told_and_not_claimed(self):
        simulator = self.simulator(scenario={"switches": {"lookback": {"days": 14}}})
        pipeline = self.pipeline("costs: { since: 2026-11-12, lookback: 3d, group_by: [project_id] }\nprojects: {}")
        self.live(pipeline, simulator, since=None)
        self.assertNotIn("gaps", self.at().stream("costs")["coverage"])
        simulator.clock("2026-12-20T12:00:00Z")
        done = self.live(pipeline, simulator, since=None, now="2026-12-20T12:00:00Z")
        gap = {"from": "2026-11-20T00:00:00Z", "to": "2026-12-06T00:00:00Z"}
        coverage = self.at().stream("costs")["coverage"]
        self.assertEqual(coverage, {"from": "2026-11-12T00:00:00Z", "to": "2026-12-20T00:00:00Z", "gaps": [gap]})
        told = f"nothing was ever read from {gap['from']} to {gap['to']}"
        self.assertIn(told, str(self.notes(done, "costs")))
        kept = [row["start_time"] for row in self.at().rows("costs")]
        self.assertIn("2026-11-13T00:00:00Z", kept)
        self.assertFalse([day for day in kept if gap["from"] <= day < gap["to"]])
        # It stays, is told once, and nothing is read anew because of it.
        simulator.clock("2026-12-21T12:00:00Z")
        asked = len(simulator.asked("/costs"))
        done = self.live(pipeline, simulator, since=None, now="2026-12-21T12:00:00Z")
        self.assertEqual(self.at().stream("costs")["coverage"]["gaps"], [gap])
        self.assertNotIn("nothing was ever read", str(self.notes(done, "costs")))
        self.assertEqual(len(simulator.asked("/costs")), asked + 1)
        self.cogni("verify", self.output / "demo", "--all", expect=0)
        # A service that remembers again fills it.
        remembers = self.simulator()
        remembers.clock("2026-12-21T12:00:00Z")
        self.live(pipeline, remembers, "--since", "2026-11-12", since=None, now="2026-12-21T12:00:00Z")
        self.assertNotIn("gaps", self.at().stream("costs")["coverage"])

    def test_a_restated_day_replaces_its_partition_alone(self):
        simulator = self.simulator()
        pipeline = self.pipeline(REPORTS)
        self.live(pipeline, simulator, since=None)
        before = self.at().archives()
        simulator.change(
            restate="larger", stream="usage_completions", **{"from": "2026-11-17T00:00:00Z", "until": "2026-11-18T00:00:00Z"}
        )  # fmt: skip
        done = self.live(pipeline, simulator, since=None)
        self.assertEqual(done.summary["outcome"], "published")
        output = self.at()
        expected = [("usage_completions", {"dt": "2026-11-17"}), ("usage_completions_restatements", {"dt": "2026-11-20"})]
        self.assertEqual([(c["stream"], c["partition"]) for c in output.changes], expected)
        change = output.changes[0]
        self.assertEqual(len(change["remove"]), 1)
        self.assertIn(change["remove"][0], before)
        self.assertNotIn(change["remove"][0], output.archives())
        self.assertEqual(change["rows"], sum(file["rows"] for file in change["add"]))

    def test_rows_that_vanish_empty_their_partition(self):
        simulator = self.simulator()
        pipeline = self.pipeline("usage_completions: { since: 2026-11-12, lookback: 5d, group_by: [project_id] }")
        self.live(pipeline, simulator, since=None)
        span = {"from": "2026-11-17T00:00:00Z", "until": "2026-11-18T00:00:00Z"}
        target = "/organization/usage/completions?start_time=%d&end_time=%d&bucket_width=1d&group_by[]=project_id"
        target %= (moment("2026-11-17T00:00:00"), moment("2026-11-18T00:00:00"))
        rows = simulator.count(target)["rows"]
        self.assertGreater(rows, 0)
        for _ in range(rows):
            if simulator.count(target)["rows"]:
                simulator.change(restate="vanished", stream="usage_completions", **span)
        left = simulator.count(target)["rows"]
        self.live(pipeline, simulator, since=None)
        output = self.at()
        kept = [row for row in output.rows("usage_completions") if row["start_time"].startswith("2026-11-17")]
        self.assertEqual(len(kept), left)
        self.assertLess(left, rows)

    def test_replayed_two_days_later_old_days_stay_as_they_were(self):
        self.replay(ALL)
        output = self.at("openai-admin")
        before, watermark = output.archives(), output.stream("costs")["watermark"]
        done = self.replay(ALL, now="2025-12-03T06:00:00Z", since=None)
        self.assertEqual(done.code, 0)
        after = output.archives()
        early = {path: digest for path, digest in before.items() if "dt=2025-11-0" in path or "dt=2025-11-1" in path}
        self.assertGreater(len(early), 50)
        self.assertEqual({path: after.get(path) for path in early}, early)
        self.assertGreater(output.stream("costs")["watermark"], watermark)
        self.assertBalances(done.summary)

    def test_no_choice_of_since_and_until_leaves_a_hole(self):
        simulator = self.simulator()
        pipeline = self.pipeline("costs: { lookback: 1d, group_by: [project_id] }\naudit_logs: { lookback: 1d }")
        for since, until in (("2026-11-12", "2026-11-15"), ("2026-11-18", "2026-11-20"), ("2026-11-05", "2026-11-07")):
            self.live(pipeline, simulator, "--until", until, since=since)
        output = self.at()
        self.assertEqual(output.stream("costs")["coverage"], {"from": "2026-11-05T00:00:00Z", "to": "2026-11-20T00:00:00Z"})
        self.live(pipeline, simulator, "--until", "2026-11-20", since="2026-11-05", output=self.folder / "whole")
        whole = self.at(output=self.folder / "whole")
        self.assertEqual(output.rows("costs"), whole.rows("costs"))
        self.assertTrue([row for row in whole.rows("audit_logs") if row["effective_at"] < "2026-11-12"])
        self.assertEqual(output.rows("audit_logs"), whole.rows("audit_logs"))
        self.assertEqual(output.stream("audit_logs")["coverage"], whole.stream("audit_logs")["coverage"])

    def test_full_refresh_gives_what_a_first_run_gives(self):
        simulator = self.simulator()
        pipeline = self.pipeline(REPORTS)
        self.live(pipeline, simulator, since=None)
        simulator.change(restate="smaller", stream="costs")
        done = self.live(pipeline, simulator, "--full-refresh", since=None)
        self.assertEqual(done.code, 0)
        self.live(pipeline, simulator, since=None, output=self.folder / "fresh")
        self.assertSameData(self.at(), self.at(output=self.folder / "fresh"), "refreshed against fresh")


if __name__ == "__main__":
    unittest.main()
