"""Every command from the outside: through the built program, on the recorded fixtures, in fresh folders.

    COGNI=.build/debug/cogni python3 -m unittest discover -s Tests/e2e -p 'test_commands.py'
    COGNI=.build/debug/cogni python3 Tests/e2e/test_commands.py        the same, with a count at the end
"""

import glob
import json
import os
import pathlib
import pty
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
COGNI = str((ROOT / os.environ.get("COGNI", ".build/debug/cogni")).resolve())
FIXTURE = str(ROOT / "Fixtures/openai-admin/replay")
ADMIN = str(ROOT / "pipelines/openai-admin.yaml")
SECURITY = str(ROOT / "pipelines/security-inventory.yaml")
COSTS = str(ROOT / "pipelines/usage-and-costs.yaml")

MINI = """\
pipeline: mini
source:
  connector: openai_admin
  credential: ${OPENAI_ADMIN_KEY}
streams:
  costs: { since: 2025-11-01, group_by: [project_id, line_item] }
  users: {}
  projects: {}
transform:
  - dedupe: { keep: latest }
load:
  directory: output
"""


class Case(unittest.TestCase):
    """A fresh folder, and an environment that holds nothing of the caller's."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cogni-e2e-"))
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "USER": "tester"}
        self.mini = self.folder / "mini.yaml"
        self.mini.write_text(MINI)

    def cogni(self, *arguments, code=0):
        done = subprocess.run(
            [COGNI, *map(str, arguments)], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, code, f"cogni {' '.join(map(str, arguments))}\n{done.stdout}\n{done.stderr}")
        return done

    def json(self, *arguments, code=0):
        return json.loads(self.cogni(*arguments, "--json", code=code).stdout)

    def run_mini(self, *more):
        self.cogni("run", self.mini, "--replay", FIXTURE, "--progress", "none", *more)
        return self.folder / "output/mini"

    def second_generation(self, output):
        """Another generation: the same pipeline told of one project less is a changed list."""
        fixture = self.folder / "changed"
        shutil.copytree(FIXTURE, fixture)
        for page in glob.glob(str(fixture / "users/*.json")):
            text = pathlib.Path(page).read_text().replace("Ada Quill", "Ada Feather")
            pathlib.Path(page).write_text(text)
        self.cogni("run", self.mini, "--replay", fixture, "--progress", "none")
        self.assertEqual(os.readlink(output / "current"), "generations/000002")


class CommandLine(Case):
    def test_an_unknown_subcommand_ends_with_2(self):
        done = self.cogni("frobnicate", code=2)
        self.assertEqual(done.stdout, "")
        self.assertIn("frobnicate", done.stderr)

    def test_an_unknown_option_ends_with_2(self):
        self.cogni("verify", "output", "--frobnicate", code=2)

    def test_a_missing_argument_ends_with_2(self):
        self.cogni("diff", "a", code=2)

    def test_every_command_has_examples(self):
        root = self.cogni("--help").stdout
        names = "init validate discover plan preview check run record schema verify diff reconcile history logs rollback vacuum state enable disable keys decrypt"
        for name in names.split():
            with self.subTest(name):
                self.assertIn(f"  {name} ", root)
                self.assertIn(f"cogni {name}", self.cogni(name, "--help").stdout.split("EXAMPLES")[-1])
                self.assertIn("Examples:", self.cogni(name, "--help").stdout)

    def test_completion_scripts_are_made(self):
        for shell in ("bash", "zsh", "fish"):
            self.assertIn("cogni", self.cogni("--generate-completion-script", shell).stdout)


class Files(Case):
    def test_valid_files_say_what_to_do_next(self):
        done = self.cogni("validate", ADMIN, SECURITY, COSTS)
        self.assertIn("next: cogni plan", done.stdout)

    def test_all_mistakes_come_at_once(self):
        broken = self.folder / "broken.yaml"
        broken.write_text(MINI.replace("group_by", "gruop_by").replace("users: {}", "userz: {}"))
        done = self.cogni("validate", broken, code=2)
        self.assertIn('unknown key "gruop_by"', done.stdout)
        self.assertIn('did you mean "group_by"?', done.stdout)
        self.assertIn("userz", done.stdout)
        self.assertIn(f"{broken}:6:", done.stdout)

    def test_formats_for_editors_and_ci(self):
        broken = self.folder / "broken.yaml"
        broken.write_text(MINI.replace("group_by", "gruop_by"))
        report = json.loads(self.cogni("validate", broken, "--format", "json", code=2).stdout)
        self.assertEqual(report["errors"], 1)
        self.assertEqual(report["diagnostics"][0]["line"], 6)
        sarif = json.loads(self.cogni("validate", broken, "--format", "sarif", code=2).stdout)
        self.assertEqual(sarif["version"], "2.1.0")
        self.assertEqual(len(sarif["runs"][0]["results"]), 1)
        self.assertTrue(self.cogni("validate", broken, "--format", "github", code=2).stdout.startswith("::error file="))
        self.cogni("validate", broken, "--format", "xml", code=2)

    def test_a_missing_file_is_a_mistake_among_others(self):
        done = self.cogni("validate", "nowhere.yaml", self.mini, code=2)
        self.assertIn("nowhere.yaml", done.stdout)
        self.assertIn("pipeline mini", done.stdout)

    def test_schemas_are_json_schema(self):
        for kind in ("pipeline", "connector", "manifest"):
            schema = json.loads(self.cogni("schema", kind).stdout)
            self.assertTrue(schema["$schema"].startswith("https://json-schema.org/"))
        self.cogni("schema", "weather", code=2)

    def test_discover_lists_all_streams_of_the_connector(self):
        streams = self.json("discover", "openai_admin")["streams"]
        self.assertEqual(len(streams), 45)
        self.assertTrue(all(stream["primary_key"] and stream["fields"] for stream in streams))

    def test_discover_shows_a_pipelines_own_key(self):
        costs = self.json("discover", COSTS, "--stream", "costs")["streams"][0]
        self.assertEqual(costs["primary_key"], ["start_time", "project_id", "line_item"])
        self.assertEqual([field["sensitivity"] for field in costs["fields"] if field["name"] == "user_email"], ["email"])
        self.assertIn("user_email", self.cogni("discover", COSTS, "--stream", "costs").stdout)

    def test_discover_helps_with_spelling(self):
        self.assertIn("costs", self.cogni("discover", "openai_admin", "--stream", "cost", code=2).stderr)
        self.cogni("discover", "openai_amdin", code=2)


class Starting(Case):
    def test_what_init_writes_is_valid_and_runs_without_a_key(self):
        self.cogni("init", "mine")
        self.cogni("validate", "mine/pipeline.yaml")
        self.cogni("run", "mine/pipeline.yaml", "--replay", "mine/fixtures", "--progress", "none")
        report = self.json("verify", "output/my-organization")
        self.assertTrue(report["ok"])
        self.assertEqual(report["rows"], 87)

    def test_init_overwrites_nothing(self):
        self.cogni("init", "mine")
        before = (self.folder / "mine/pipeline.yaml").read_bytes()
        done = self.cogni("init", "mine", code=2)
        self.assertIn("exists already", done.stderr)
        self.assertEqual((self.folder / "mine/pipeline.yaml").read_bytes(), before)

    def test_preview_shows_rows_and_writes_nothing(self):
        before = sorted(os.listdir(self.folder))
        done = self.cogni("preview", self.mini, "projects", "--replay", FIXTURE, "-n", "3")
        rows = [json.loads(line) for line in done.stdout.strip().split("\n")]
        self.assertEqual(len(rows), 3)
        self.assertTrue(all(row["id"].startswith("proj_") for row in rows))
        self.assertEqual(sorted(os.listdir(self.folder)), before)

    def test_preview_of_a_child_asks_its_parents(self):
        rows = self.json("preview", ADMIN, "project_api_keys", "--replay", FIXTURE, "-n", "2")["rows"]
        self.assertEqual(len(rows), 2)
        self.assertTrue(all(row["project_id"].startswith("proj_") for row in rows))

    def test_preview_follows_the_pipelines_format_and_rules(self):
        done = self.cogni("preview", COSTS, "costs", "--replay", FIXTURE, "-n", "2")
        lines = done.stdout.splitlines()
        self.assertTrue(lines[0].startswith("start_time,end_time,project_id"))
        self.assertNotIn("@example", done.stdout)

    def test_preview_of_an_unknown_stream_ends_with_2(self):
        self.assertIn("projects", self.cogni("preview", self.mini, "project", "--replay", FIXTURE, code=2).stderr)

    def test_plan_counts_report_requests_and_needs_no_network(self):
        plan = self.json("plan", COSTS, "--now", "2025-12-01T06:00:00Z")
        streams = {stream["name"]: stream for stream in plan["streams"]}
        # 726 hours, 168 a page; 30 days, 180 a page; keys hang below projects, which nobody has counted yet.
        self.assertEqual(streams["usage_completions"]["requests"], 5)
        self.assertEqual(streams["costs"]["requests"], 1)
        self.assertIsNone(streams["project_api_keys"]["requests"])
        self.assertFalse(plan["complete"])
        self.assertEqual(streams["costs"]["partitions"], ["2025-11"])

    def test_plan_knows_more_after_a_run(self):
        self.cogni("run", COSTS, "--replay", FIXTURE, "--progress", "none")
        plan = self.json("plan", COSTS, "--now", "2025-12-01T06:00:00Z")
        streams = {stream["name"]: stream for stream in plan["streams"]}
        self.assertEqual(streams["costs"]["window"]["from"], "2025-11-24T00:00:00Z")
        self.assertEqual(streams["project_api_keys"]["walks"], 4)
        self.assertTrue(plan["complete"])
        full = self.json("plan", COSTS, "--now", "2025-12-01T06:00:00Z", "--full-refresh")
        self.assertGreater(full["requests"], plan["requests"])

    def test_check_looks_at_everything(self):
        good = self.json("check", self.mini, "--replay", FIXTURE)
        self.assertTrue(good["ok"])
        bad = self.json("check", self.mini, "--offline", code=3)
        self.assertEqual([one["name"] for one in bad["checks"] if one["status"] == "failed"], ["credential"])
        self.assertNotIn("API", [one["name"] for one in bad["checks"]])
        self.assertFalse((self.folder / "output").exists())

    def test_check_finds_a_broken_chain(self):
        output = self.run_mini()
        (output / "generations/000001/_SUCCESS").unlink()
        bad = self.json("check", self.mini, "--replay", FIXTURE, code=1)
        self.assertEqual([one["name"] for one in bad["checks"] if one["status"] == "failed"], ["chain"])


class Archives(Case):
    def test_verify_finds_nothing_wrong_with_what_was_published(self):
        output = self.run_mini()
        self.assertTrue(self.json("verify", output)["ok"])
        self.assertTrue(self.json("verify", output, "--all")["ok"])
        self.assertTrue(self.json("verify", output, "--generation", "1")["ok"])
        self.cogni("verify", output, "--generation", "9", code=2)
        self.cogni("verify", self.folder / "nowhere", code=2)

    def test_verify_finds_a_changed_file(self):
        output = self.run_mini()
        victim = pathlib.Path(glob.glob(str(output / "current/users/*.gz"))[0])
        data = bytearray(victim.read_bytes())
        data[len(data) // 2] ^= 1
        victim.chmod(0o644)
        victim.write_bytes(data)
        report = self.json("verify", output, code=1)
        self.assertFalse(report["ok"])
        self.assertTrue(any(finding["path"].startswith("users/") for finding in report["findings"]))

    def test_diff_tells_what_changed(self):
        output = self.run_mini()
        self.second_generation(output)
        self.assertTrue(self.json("diff", output, output)["same"])
        report = self.json("diff", output / "generations/000001", output, code=1)
        self.assertIn("users", [stream["name"] for stream in report["streams"]])
        self.assertNotIn("costs", [stream["name"] for stream in report["streams"]])
        self.cogni("diff", output, "nowhere", code=2)

    def test_history_and_logs_tell_of_the_runs(self):
        output = self.run_mini()
        self.second_generation(output)
        history = self.json("history", output)
        self.assertEqual(history["current"], 2)
        self.assertEqual([run["outcome"] for run in history["runs"]], ["published", "published"])
        self.assertEqual(len(self.json("history", output, "--limit", "1")["runs"]), 1)
        logs = self.json("logs", output)
        self.assertEqual(len(logs["runs"]), 1)
        self.assertEqual(len(logs["runs"][0]["details"]), 3)
        self.assertIn("stream costs", self.cogni("logs", output, "--stream", "costs").stdout)
        self.cogni("logs", output, "--run", "no-such-run", code=2)

    def test_rollback_takes_the_cursors_along(self):
        output = self.run_mini()
        first = self.json("state", "show", self.mini)
        self.second_generation(output)
        done = self.json("rollback", output, "--to", "1")
        self.assertTrue(done["changed"])
        self.assertEqual(os.readlink(output / "current"), "generations/000001")
        state = self.json("state", "show", self.mini)
        self.assertEqual(state["generation"]["generation"], 1)
        self.assertEqual(state["generation"]["reason"], "rollback")
        strip = lambda streams: [{k: v for k, v in one.items() if k != "generation"} for one in streams]
        self.assertEqual(strip(state["streams"]), strip(first["streams"]))
        self.assertEqual(len((output / "rollback_log.ndjson").read_text().splitlines()), 1)
        self.assertFalse(self.json("rollback", output, "--to", "1")["changed"])
        self.cogni("rollback", output, "--to", "7", code=2)
        # The next run goes on from there, and never reuses a number.
        self.run_mini()
        self.assertTrue(self.json("verify", output, "--all")["ok"])

    def test_vacuum_keeps_what_it_says(self):
        output = self.run_mini()
        self.second_generation(output)
        plan = self.json("vacuum", output, "--keep", "1", "--dry-run")
        self.assertEqual([entry["path"] for entry in plan["dropped"]], ["generations/000001"])
        self.assertTrue((output / "generations/000001").exists())
        self.json("vacuum", output, "--keep", "1")
        self.assertFalse((output / "generations/000001").exists())
        self.assertTrue(self.json("verify", output, "--all")["ok"])
        self.cogni("vacuum", output, "--keep", "0", code=2)


class Remembering(Case):
    def test_state_is_shown_and_exported(self):
        self.cogni("state", "show", self.mini, code=2)
        self.run_mini()
        self.assertIn("costs", self.cogni("state", "show", self.mini).stdout)
        exported = json.loads(self.cogni("state", "export", self.mini).stdout)
        self.assertEqual(exported["format"], "cogni-state/1")
        self.assertEqual(exported["generation"]["generation"], 1)

    def test_reset_makes_the_next_run_read_from_the_beginning(self):
        output = self.run_mini()
        window = lambda: {
            one["name"]: one["window"] for one in self.json("plan", self.mini, "--now", "2025-12-01T06:00:00Z")["streams"]
        }["costs"]["from"]
        self.assertEqual(window(), "2025-11-24T00:00:00Z")
        self.assertTrue(self.json("state", "reset", self.mini, "--stream", "costs")["reset"])
        self.assertEqual(window(), "2025-11-01T00:00:00Z")
        self.run_mini()
        logs = self.json("logs", output)
        costs = [one for one in logs["runs"][0]["details"] if one["stream"] == "costs"][0]
        self.assertTrue(costs["window"].startswith("2025-11-01T00:00:00Z"))
        # It was read again; from now on it goes forward as before.
        self.assertEqual(window(), "2025-11-24T00:00:00Z")
        self.assertEqual(os.readlink(output / "current"), "generations/000001")

    def test_a_lost_or_damaged_state_is_rebuilt_from_the_manifest(self):
        output = self.run_mini()
        before = self.json("state", "show", self.mini)["streams"]
        (output / "state.sqlite").write_bytes(b"not a database at all, but long enough to be taken for one" * 20)
        self.cogni("state", "show", self.mini, code=6)
        self.assertEqual(self.json("state", "rebuild", self.mini)["generation"], 1)
        self.assertEqual(self.json("state", "show", self.mini)["streams"], before)
        self.assertTrue((output / "state.sqlite.damaged-1").exists())

    def test_a_disabled_pipeline_does_not_run(self):
        self.run_mini()
        flag = self.json("disable", self.mini, "--reason", "moving house", "--by", "ada")
        self.assertFalse(flag["enabled"])
        done = self.cogni("run", self.mini, "--replay", FIXTURE, code=8)
        self.assertIn("moving house", done.stderr)
        self.assertIn("switched off by ada", self.cogni("state", "show", self.mini).stdout)
        self.assertTrue(self.json("enable", self.mini)["enabled"])
        self.run_mini()


class Secrets(Case):
    def setUp(self):
        super().setUp()
        self.environment["COGNI_KEY_RING"] = str(self.folder / "keys.json")

    def test_keys_are_made_listed_and_rotated_without_showing_one(self):
        made = self.json("keys", "create")
        self.assertEqual([key["state"] for key in made["keys"]], ["active"])
        self.assertEqual((self.folder / "keys.json").stat().st_mode & 0o777, 0o600)
        self.cogni("keys", "create", code=9)
        rotated = self.json("keys", "rotate")
        self.assertEqual([key["state"] for key in rotated["keys"]], ["decrypt-only", "active"])
        self.assertEqual(self.json("keys", "list")["keys"], rotated["keys"])
        self.cogni("keys", "retire", rotated["keys"][0]["kid"], code=2)
        retired = self.json("keys", "retire", rotated["keys"][0]["kid"], "--yes")
        self.assertEqual(retired["keys"][0]["state"], "retired")

    def test_without_a_ring_there_is_a_mend(self):
        del self.environment["COGNI_KEY_RING"]
        self.assertIn("COGNI_KEY_RING", self.cogni("keys", "list", code=2).stderr)

    def sealed(self):
        self.cogni("keys", "create")
        self.cogni("run", SECURITY, "--replay", FIXTURE, "--progress", "none")
        return glob.glob(str(self.folder / "output/security-inventory/current/users/*.zst"))

    def test_what_was_sealed_opens_again(self):
        files = self.sealed()
        done = self.cogni("decrypt", *files, "--reason", "test", "--output", "users.ndjson")
        self.assertIn("tokens opened", done.stderr)
        rows = [json.loads(line) for line in (self.folder / "users.ndjson").read_text().strip().split("\n")]
        self.assertTrue(any(row["email"] == "ada@example.com" for row in rows))
        self.assertFalse(any("ef1." in json.dumps(row) for row in rows))
        self.assertEqual((self.folder / "users.ndjson").stat().st_mode & 0o777, 0o600)
        self.assertIn("ada@example.com", self.cogni("decrypt", *files, "--reason", "test").stdout)

    def test_opened_fields_are_not_shown_on_a_terminal_by_accident(self):
        files = self.sealed()
        for more, code in (([], 2), (["--yes"], 0)):
            leader, follower = pty.openpty()
            done = subprocess.run(
                [COGNI, "decrypt", *files, "--reason", "test", *more], cwd=self.folder, env=self.environment, stdout=follower,
                stderr=subprocess.PIPE, timeout=60)
            os.close(follower)
            self.assertEqual(done.returncode, code)
            if code:
                self.assertIn(b"--yes", done.stderr)
            else:
                self.assertIn(b"{", os.read(leader, 100))
            os.close(leader)

    def test_the_wrong_tenant_opens_nothing(self):
        files = self.sealed()
        done = self.cogni("decrypt", *files, "--reason", "test", "--tenant", "someone-else", "--output", "users.ndjson", code=9)
        self.assertIn("a token can't be opened", done.stderr)
        self.assertFalse((self.folder / "users.ndjson").exists())
        self.assertFalse((self.folder / "users.ndjson.partial").exists())

    def test_the_wrong_ring_opens_nothing(self):
        files = self.sealed()
        self.cogni("keys", "create", "--ring", "other.json")
        self.cogni("decrypt", *files, "--reason", "test", "--ring", "other.json", "--output", "users.ndjson", code=9)

    def test_files_from_elsewhere_need_tenant_and_domains(self):
        files = self.sealed()
        shutil.copy(files[0], self.folder / "users.ndjson.zst")
        self.cogni("decrypt", "users.ndjson.zst", "--reason", "test", "--output", "out.ndjson", code=2)
        report = self.json(
            "decrypt", "users.ndjson.zst", "--reason", "test", "--tenant", "security-inventory", "--domain", "email=email", "--output", "out.ndjson")
        self.assertGreater(report["opened"], 0)
        self.assertGreater(report["left"], 0)

    def test_recordings_hold_no_real_identifier_and_replay_to_the_same_shape(self):
        del self.environment["COGNI_KEY_RING"]
        report = self.json("record", ADMIN, "recorded", "--replay", FIXTURE, "--since", "2025-11-01")
        self.assertEqual(report["failed"], [])
        everything = "".join(
            path.read_text() + str(path) for path in (self.folder / "recorded").rglob("*.json"))
        for real in ("ada@example.com", "Ada Quill", "user-kw2fCYjde0BniS7TAht6NOhN", "proj_dakeCAbI4vRTXrvbiEwrisjg", "key_azWy7qXcSDf0JAq1"):
            self.assertNotIn(real, everything)
        for replay, output in ((FIXTURE, "real"), ("recorded", "invented")):
            self.cogni("run", ADMIN, "--replay", replay, "--since", "2025-11-01", "--output", output, "--progress", "none")
        counts = lambda output: {
            stream["name"]: stream["rows"]
            for stream in json.loads((self.folder / output / "openai-admin/current/manifest.json").read_text())["streams"]
        }
        self.assertEqual(counts("invented"), counts("real"))
        self.cogni("record", ADMIN, "recorded", "--replay", FIXTURE, code=2)

    def test_recorded_streams_still_join(self):
        del self.environment["COGNI_KEY_RING"]
        self.cogni("record", ADMIN, "recorded", "--replay", FIXTURE, "--streams", "users,project_users", "--since", "2025-11-01")
        ids = lambda pattern: {
            item["id"] for page in glob.glob(str(self.folder / pattern)) for item in json.loads(pathlib.Path(page).read_text()).get("data", [])
        }
        members = ids("recorded/project_users/*.json")
        self.assertTrue(members)
        real = {
            item["id"] for page in glob.glob(FIXTURE + "/project_users/*.json")
            for item in json.loads(pathlib.Path(page).read_text()).get("data", [])
        }
        real_users = {
            item["id"] for page in glob.glob(FIXTURE + "/users/*.json")
            for item in json.loads(pathlib.Path(page).read_text()).get("data", [])
        }
        self.assertEqual(len(members & ids("recorded/users/*.json")), len(real & real_users))


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=1).result
    failed = len({str(test) for test, _ in result.failures + result.errors})
    print(f"{result.testsRun - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)
