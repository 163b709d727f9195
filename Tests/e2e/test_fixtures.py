"""The recorded organization: all of it is read, counted and told."""

import datetime
import json
import shutil
import unittest

from harness import FIXTURE, NOW, ROOT, CogniTest

ALL = ROOT / "pipelines/openai-admin.yaml"
USAGE = ROOT / "pipelines/usage-and-costs.yaml"
ORACLE = json.loads((FIXTURE.parent / "replay-counts.json").read_bytes())


def oracle(manifest):
    """The oracle's line for each stream with the grouping and width that the manifest tells."""
    found = {}
    for entry in manifest["streams"]:
        for line in ORACLE:
            same = line["stream"] == entry["name"] and line.get("bucket_width") == entry.get("bucket_width")
            if same and line.get("group_by", []) == entry.get("group_by", []):
                found[entry["name"]] = line
    return found


class Fixtures(CogniTest):
    def check_counts(self, summary, manifest):
        lines = oracle(manifest)
        self.assertEqual(set(lines), {stream["name"] for stream in summary["streams"]}, "streams without an oracle")
        for stream in summary["streams"]:
            line = lines[stream["name"]]
            with self.subTest(stream["name"]):
                self.assertEqual(stream["status"], "ok")
                self.assertEqual(stream["fetched"], line["fetched"])
                self.assertEqual(stream["duplicates"], {key: line[key] for key in ("identical", "conflicts")})
                self.assertEqual(stream["written"], line["kept"])
                self.assertEqual(stream["requests"], line["requests"])

    def test_what_is_no_fixture_of_the_connector_is_a_mistake_at_once(self):
        pipeline = self.pipeline("users: {}\n")
        other = self.folder / "other"
        other.mkdir()
        (other / "replay.json").write_text('{"format": "cogni-fixture/1", "connector": "bookshop"}')
        for fixture, said in ((ROOT / "docs", "is no fixture"), ("", "names no fixture directory"), (other, "was recorded from bookshop")):
            done = self.replay(pipeline, fixture=fixture, expect=2)
            self.assertIn(said, done.error)
            self.assertFalse(self.output.exists())

    def test_all_45_streams_are_read_and_counted_as_the_oracle_says(self):
        done = self.replay(ALL)
        output = self.at("openai-admin")
        self.assertEqual(len(output.manifest["streams"]), 45)
        self.assertEqual({stream["name"] for stream in output.manifest["streams"]}, {line["stream"] for line in ORACLE})
        self.check_counts(done.summary, output.manifest)

    def test_the_hourly_pipeline_is_counted_as_the_oracle_says(self):
        done = self.replay(USAGE)
        self.check_counts(done.summary, self.at("usage-and-costs").manifest)

    def test_rows_in_manifest_files_and_summary_agree(self):
        done = self.replay(ALL)
        output = self.at("openai-admin")
        for entry in output.manifest["streams"]:
            read = output.rows(entry["name"])
            listed = sum(file["rows"] for _, _, file in output.files(entry["name"]))
            written = done.stream(entry["name"])["written"]
            self.assertEqual((len(read), listed, entry["rows"]), (written,) * 3, entry["name"])

    def test_accounting_closes_in_the_summary_and_in_the_run_file(self):
        done = self.replay(ALL)
        self.assertBalances(done.summary)
        runs = self.at("openai-admin").runs()
        self.assertEqual(len(runs), 1)
        self.assertBalances(runs[0])
        for part in ("streams", "outcome", "exit_code", "generation", "run_id"):
            self.assertEqual(runs[0][part], done.summary[part])

    def test_stdout_is_one_json_object_and_progress_goes_to_stderr(self):
        done = self.replay(ALL, "--progress", "plain")
        self.assertEqual(done.out.count("\n{"), 0)
        self.assertEqual(done.summary["outcome"], "published")
        self.assertIn("users", done.error)

    def test_without_json_stdout_is_empty(self):
        done = self.cogni(
            "run", ALL, "--replay", FIXTURE, "--since", "2025-11-01", "--output", self.output, expect=0
        )  # fmt: skip
        self.assertEqual(done.out, "")
        self.assertIn("published generation 1", done.error)

    def test_a_second_run_is_unchanged_and_leaves_every_byte(self):
        self.replay(ALL)
        output = self.at("openai-admin")
        before, inodes = output.tree(), output.inodes()
        done = self.replay(ALL)
        self.assertEqual(done.summary["outcome"], "unchanged")
        self.assertEqual(done.summary["generation"], 1)
        self.assertEqual(output.tree(), before)
        self.assertEqual(output.inodes(), inodes)
        self.assertEqual(len(output.runs()), 2)
        self.assertBalances(done.summary)

    def test_a_dry_run_counts_and_publishes_nothing(self):
        done = self.replay(ALL, "--dry-run")
        self.assertEqual(done.summary["outcome"], "dry_run")
        self.assertEqual(done.stream("users")["written"], 7)
        self.assertFalse(self.at("openai-admin").exists())

    def test_a_dry_run_compares_its_counts_with_the_current_generation(self):
        copy = self.folder / "replay"
        shutil.copytree(FIXTURE, copy)
        page = next(path for path in (copy / "projects").rglob("*.json") if not json.loads(path.read_text())["has_more"])
        body = json.loads(page.read_text())
        body["data"].append({**body["data"][0], "id": "proj_one_more"})
        body["last_id"] = "proj_one_more"
        page.write_text(json.dumps(body))
        pipeline = self.pipeline("users: {}\nprojects: {}\ninvites: {}")
        self.replay(pipeline, "--streams", "users,projects", since=None)
        before = self.at().tree()
        done = self.replay(pipeline, "--dry-run", fixture=copy, since=None)
        projects, invites = (len(self.at().rows("projects")), done.stream("invites")["written"])
        self.assertEqual(done.stream("projects")["rows"], {"current": projects, "next": projects + 1, "difference": 1})
        self.assertEqual(done.stream("users")["rows"], {"current": 7, "next": 7, "difference": 0})
        self.assertEqual(done.stream("invites")["rows"], {"current": None, "next": invites, "difference": invites})
        self.assertEqual(done.summary["totals"]["rows"]["difference"], 1 + invites)
        self.assertEqual(self.at().tree(), before)
        table = self.cogni("run", pipeline, "--replay", copy, "--now", NOW, "--output", self.output, "--dry-run", expect=0).error
        self.assertRegex(table, r"(?m)^rows +generation 1 +next +difference$")
        self.assertRegex(table, rf"(?m)^projects +{projects} +{projects + 1} +\+1$")
        self.assertNotIn("rows", self.replay(pipeline, since=None).stream("users"), "only a dry run foretells")

    def test_the_times_of_a_replay_are_the_clocks(self):
        earliest = datetime.datetime.now(datetime.UTC).replace(microsecond=0) - datetime.timedelta(seconds=2)
        done = self.replay(self.pipeline("users: {}"), since=None)
        latest = datetime.datetime.now(datetime.UTC)
        self.assertEqual(done.summary["started"], NOW)
        [run] = self.at().runs()
        history = json.loads(self.cogni("history", self.at().path, "--json", expect=0).out)["runs"][0]
        for times in (done.summary["clock"], run["clock"], history["clock"]):
            began, ended = (datetime.datetime.fromisoformat(times[name]) for name in ("began", "ended"))
            self.assertTrue(earliest <= began <= ended <= latest, times)
        self.assertIn(run["clock"]["began"], self.cogni("history", self.at().path, expect=0).out)

    def test_chosen_streams_bring_their_parents_only_as_far_as_needed(self):
        done = self.replay(ALL, "--streams", "project_api_keys")
        self.assertEqual([stream["name"] for stream in done.summary["streams"]], ["project_api_keys"])
        names = {entry["name"] for entry in self.at("openai-admin").manifest["streams"] if entry["rows"]}
        self.assertEqual(names, {"project_api_keys"})

    def test_sums_and_chain_hold(self):
        import hashlib

        self.replay(ALL)
        output = self.at("openai-admin")
        listed = dict(
            reversed(line.split("  ", 1)) for line in (output.current / "SHA256SUMS").read_text().splitlines()
        )  # fmt: skip
        for path, digest in listed.items():
            self.assertEqual(hashlib.sha256((output.current / path).read_bytes()).hexdigest(), digest, path)
        self.assertLessEqual({file["path"] for _, _, file in output.files()}, set(listed))
        success = json.loads((output.current / "_SUCCESS").read_bytes())
        self.assertEqual(success["manifest_sha256"], hashlib.sha256(output.manifest_bytes).hexdigest())


if __name__ == "__main__":
    unittest.main()
