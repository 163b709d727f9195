"""What goes wrong is told by an exit code and a sentence, leaves the last generation alone, and is over when it is mended."""

import json
import os
import shutil
import socket
import time
import unittest

from harness import FIXTURE, LIVE_NOW, CogniTest, terminate

SOME = """
usage_completions: { since: 2026-11-12, group_by: [project_id, model] }
costs: { since: 2026-11-12 }
users: {}
projects: {}
project_api_keys: {}
"""
QUICK = "retry: { budget: 2s, max_delay: 1s }"


class Refusals(CogniTest):
    """Each test: a good run, something wrong, the generation still there byte for byte, a good run again."""

    def good(self, pipeline=None, simulator=None):
        self.server = simulator or self.simulator()
        self.file = pipeline or self.pipeline(SOME, source=QUICK)
        self.live(self.file, self.server, since=None)
        self.before = self.at().tree()
        # So that the next run has something to publish.
        self.server.change(rename=self.at().rows("projects")[0]["id"], name="Renamed Project")

    def check_untouched(self):
        self.assertEqual(self.at().generation, "generations/000001")
        now = self.at().tree()
        self.assertEqual({path: now.get(path) for path in self.before}, self.before)
        self.assertEqual([path for path in now if path.startswith("generations/000002")], [])

    def check_mended(self, pipeline=None):
        done = self.live(pipeline or self.file, self.server, since=None)
        self.assertEqual(done.summary["outcome"], "published")
        self.assertIn("Renamed Project", self.at().text("projects"))
        self.assertFalse(any(entry["stale"] for entry in self.at().manifest["streams"]))
        now = self.at().tree()
        for path, digest in self.before.items():
            if path.startswith("generations/000001/"):
                self.assertEqual(now.get(path), digest, path)

    def assertTells(self, done, *words):  # noqa: N802
        """One line on stderr names the class and what happened, what follows is `where` and `mend`; JSON says the same."""
        told = done.error + json.dumps(done.summary["faults"], ensure_ascii=False)
        for word in words:
            self.assertIn(word, told)
        self.assertEqual(done.summary["exit_code"], done.code)
        lines = done.error.strip().splitlines()
        [at] = [number for number, line in enumerate(lines) if line.startswith("error: ")]
        self.assertRegex(lines[at], r"^error: \w+: .+")
        self.assertTrue(all(line.startswith("  ") for line in lines[at + 1 :]), lines[at:])

    def test_a_wrong_key_is_3_and_stops_the_run_at_once(self):
        self.good()
        asked = len(self.server.log())
        done = self.live(self.file, self.server, since=None, expect=3, env={"OPENAI_ADMIN_KEY": "sk-admin-wrong-" + "1" * 40})
        self.assertTells(done, "OPENAI_ADMIN_KEY")
        self.assertNotIn("1" * 40, done.error + done.out)
        self.assertLessEqual(len(self.server.log()) - asked, 8, "nothing is tried again")
        self.check_untouched()
        self.check_mended()

    def test_an_unset_key_is_3_and_names_the_variable(self):
        self.good()
        done = self.live(self.file, self.server, since=None, expect=3, env={"OPENAI_ADMIN_KEY": ""})
        self.assertTells(done, "OPENAI_ADMIN_KEY is not set", "--replay")
        self.check_untouched()
        self.check_mended()

    def test_a_limited_key_fails_the_reports_and_publishes_the_lists(self):
        self.good()
        limited = {"OPENAI_ADMIN_KEY": self.server.limited_key}
        done = self.live(self.file, self.server, since=None, expect=3, env=limited)
        self.assertTells(done, "api.usage.read", "usage_completions")
        manifest = self.at().manifest
        self.assertEqual(
            {entry["name"]: entry["stale"] for entry in manifest["streams"] if not entry["name"].endswith("_changes")},
            {"usage_completions": True, "costs": True, "users": False, "projects": False, "project_api_keys": False},
        )
        self.assertIn("Renamed Project", self.at().text("projects"))
        self.assertEqual({s["name"]: s["status"] for s in done.summary["streams"]}["costs"], "stale")
        self.assertBalances(done.summary)
        reports = {path: digest for path, digest in self.before.items() if "/costs/" in path or "/usage_completions/" in path}
        now = self.at().tree()
        for path, digest in reports.items():
            self.assertEqual(now[path.replace("000001", "000002")], digest, "a stale stream keeps its files")
        self.check_mended()

    def test_a_limited_key_on_the_first_run_says_which_streams_are_missing(self):
        server = self.simulator()
        pipeline = self.pipeline(SOME, source=QUICK)
        self.live(pipeline, server, since=None, expect=3, env={"OPENAI_ADMIN_KEY": server.limited_key})
        self.assertTrue(self.at().stream("costs")["stale"])
        self.assertGreater(self.at().stream("users")["rows"], 0)
        self.live(pipeline, server, since=None)
        self.live(pipeline, server, since=None, output=self.folder / "fresh")
        self.assertSameData(self.at(), self.at(output=self.folder / "fresh"))

    def test_on_failure_stop_publishes_nothing_instead(self):
        stop = SOME.replace("costs: { since: 2026-11-12 }", "costs: { since: 2026-11-12, on_failure: stop }")
        self.good(self.pipeline(stop, source=QUICK))
        self.live(self.file, self.server, since=None, expect=3, env={"OPENAI_ADMIN_KEY": self.server.limited_key})
        self.check_untouched()
        self.check_mended()

    def test_a_closed_port_is_4_after_the_retry_budget(self):
        self.good()
        with socket.socket() as taken:  # bound and not listening: nobody else gets the port, and nobody answers
            taken.bind(("127.0.0.1", 0))
            address = f"http://127.0.0.1:{taken.getsockname()[1]}/v1"
            done = self.live(self.file, self.server, since=None, expect=4, env={"OPENAI_BASE_URL": address})
        self.assertTells(done, "127.0.0.1")
        self.check_untouched()
        self.check_mended()

    def test_a_service_that_keeps_failing_is_4(self):
        self.good()
        self.server.faults({"fault": "status", "status": 503})
        done = self.live(self.file, self.server, since=None, expect=4)
        self.assertTells(done, "503", "request req_")
        self.check_untouched()
        self.server.faults()
        self.check_mended()

    def test_a_page_that_stays_malformed_is_5_and_names_page_and_request(self):
        self.good(self.pipeline(SOME, source=QUICK + "\npage_limit: 2"))
        self.server.faults({"fault": "truncate_json", "path": "/organization/users", "page": 2})
        done = self.live(self.file, self.server, since=None, expect=5)
        self.assertTells(done, "stream users", "page 2", "request req_")
        self.assertTrue(self.at().stream("users")["stale"])
        self.assertFalse(self.at().stream("projects")["stale"])
        self.server.faults()
        self.check_mended()

    def test_a_mistake_in_the_pipeline_file_is_2_with_its_place(self):
        self.good()
        wrong = self.folder / "wrong.yaml"
        wrong.write_text(self.file.read_text().replace("group_by:", "gruop_by:"))
        asked = len(self.server.log())
        done = self.live(wrong, self.server, since=None, expect=2)
        self.assertRegex(done.error, r'wrong\.yaml:\d+:\d+: error: unknown key "gruop_by"')
        self.assertIn('did you mean "group_by"?', done.error)
        self.assertEqual(len(self.server.log()), asked, "no request")
        self.check_untouched()
        self.check_mended()

    def test_a_literal_key_in_the_pipeline_file_is_2_and_not_repeated(self):
        wrong = self.folder / "wrong.yaml"
        key = "sk-admin-" + "q7" * 20
        wrong.write_text(self.pipeline(SOME).read_text().replace("${OPENAI_ADMIN_KEY}", key))
        done = self.cogni("run", wrong, "--output", self.output, expect=2)
        self.assertNotIn(key, done.error)
        self.assertFalse(self.output.exists())

    def test_a_literal_that_looks_like_no_key_is_repeated_by_no_command_however_it_is_miswritten(self):
        literal = "correct-horse-battery-staple"
        head = "pipeline: demo\nsource:\n  connector: openai_admin\n"
        for text in (
            f'  "credential": {literal}\n  x: ]\n',
            f"  credential: >-\n    {literal}\n   bad: ]\n",
            f"  credential : {literal}\n  x: ]\n",
            f"  credentials: {literal}\n",
            f"  Credential: {literal}\n",
            f"alerts:\n  webhook_secret: {literal}\n  bad: ]\n",
            f"alerts:\n  webhook_secret: [{literal}]\n",
        ):
            wrong = self.folder / "wrong.yaml"
            wrong.write_text(head + text)
            for command in (["run", "--output", self.output], ["plan"], *(["validate", "--format", f] for f in ("text", "json", "sarif", "github"))):
                with self.subTest(text, command=command[-1]):
                    done = self.cogni(command[0], wrong, *command[1:], expect=2)
                    self.assertNotIn(literal, done.out + done.error)
                    self.assertIn("wrong.yaml", done.out + done.error)

    def test_changed_settings_are_2_until_a_full_refresh(self):
        self.good()
        other = self.pipeline(SOME, source=QUICK, load="format: csv", file="other.yaml")
        done = self.live(other, self.server, since=None, expect=2)
        self.assertIn("--full-refresh", done.error)
        self.check_untouched()
        self.live(other, self.server, "--full-refresh", since=None)
        self.assertIn("Renamed Project", self.at().text("projects"))

    def test_a_wrong_command_line_is_2(self):
        pipeline = self.pipeline(SOME)
        for arguments in (["run"], ["walk"], ["run", pipeline, "--now", "yesterday"], ["run", pipeline, "--streams", "usres"],
                          ["run", self.folder / "none.yaml"], ["run", pipeline, "--since", "2026-02-01", "--until", "2026-01-01"]):  # fmt: skip
            done = self.cogni(*arguments, expect=2)
            self.assertTrue(done.error.strip(), arguments)
            self.assertEqual(done.out, "")

    def test_a_switched_off_pipeline_is_8(self):
        self.good()
        off = self.pipeline(SOME, more="enabled: false", file="off.yaml")
        asked = len(self.server.log())
        self.assertTells(self.live(off, self.server, since=None, expect=8), "enabled: false")
        self.assertEqual(len(self.server.log()), asked, "no request")
        self.check_untouched()
        self.check_mended()

    def test_a_missing_key_ring_is_9(self):
        self.good()
        sealing = '- encrypt: { fields: [email], mode: deterministic, key_ring: "${COGNI_KEY_RING}" }'
        sealed = self.pipeline(SOME, transform=sealing, file="sealed.yaml")
        asked = len(self.server.log())
        self.assertTells(self.live(sealed, self.server, since=None, expect=9), "COGNI_KEY_RING", "cogni keys create")
        ring = {"COGNI_KEY_RING": str(self.folder / "none.keyring.json")}
        self.assertTells(self.live(sealed, self.server, since=None, expect=9, env=ring), "none.keyring.json")
        self.assertEqual(len(self.server.log()), asked, "no request")
        self.check_untouched()
        self.check_mended()

    def test_an_output_that_cannot_be_written_is_6(self):
        as_nobody = ()
        if os.geteuid() == 0:
            if not shutil.which("setpriv"):
                self.skipTest("root can write everywhere, and setpriv is not installed")
            as_nobody = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        self.good()
        program = shutil.which("true")
        self.folder.chmod(0o755)
        readable = os.access(self.folder.parent, os.X_OK) and self.can_run(as_nobody)
        if not program or not readable:
            self.skipTest("another user can't run this build where it stands")
        pipeline_folder = self.output / "demo"
        pipeline_folder.chmod(0o555)
        for path in (pipeline_folder / "state.sqlite", self.file):
            path.chmod(0o644)
        done = self.live(self.file, self.server, since=None, expect=6, before=as_nobody)
        self.assertTells(done, "output/demo")
        pipeline_folder.chmod(0o755)
        self.check_untouched()
        self.check_mended()

    def can_run(self, before):
        return self.cogni("--version", before=before).code == 0

    def test_a_full_disk_is_6(self):
        self.good()
        # No file may grow beyond 8 kB: the kernel's way to say that nothing more goes in.
        limited = ("sh", "-c", 'trap "" XFSZ; ulimit -f 8; exec "$@"', "sh")
        done = self.live(self.file, self.server, since=None, expect=None, before=limited)
        self.assertEqual(done.code, 6, done)
        self.check_untouched()
        self.check_mended()

    def test_a_second_run_is_7_at_once_without_a_request(self):
        self.good()
        self.server.faults({"fault": "stall", "path": "/organization/users", "at": "headers", "seconds": 600})
        first = self.start(
            "run", self.file, "--now", LIVE_NOW, "--output", self.output, env=self.server.environment
        )  # fmt: skip
        self.until(lambda: self.stalled(), first)
        self.until(self.quiet, first)
        asked = len(self.server.log())
        done = self.live(self.file, self.server, since=None, expect=7)
        self.assertTells(done, "another run", f"process {first.pid}")
        self.assertEqual(len(self.server.log()), asked, "no request")
        self.assertEqual(terminate(first).code, 143)
        self.check_untouched()
        self.server.faults()
        self.check_mended()

    def stalled(self):
        return sum(fault["injected"] for fault in self.server.ask("faults")["faults"]) > 0

    def quiet(self):
        """Whether all else that the first run asks for has been answered."""
        asked = self.server.ask("requests")
        time.sleep(0.3)
        return self.server.ask("requests") == asked

    def until(self, condition, process):
        while not condition():
            self.assertIsNone(process.poll(), "the first run ended")

    def test_a_run_file_tells_of_a_failed_run_too(self):
        self.good()
        self.server.faults({"fault": "missing_scope", "path": "/organization/costs"})
        done = self.live(self.file, self.server, since=None, expect=3)
        [last] = [run for run in self.at().runs() if run["run_id"] == done.summary["run_id"]]
        self.assertEqual(last["exit_code"], 3)
        self.assertEqual(json.dumps(last["faults"]), json.dumps(done.summary["faults"]))

    def test_too_many_failures_switch_the_pipeline_off(self):
        self.good(self.pipeline(SOME + "", source=QUICK, load=f"directory: {self.output}", more="alerts: { disable_after_failures: 2 }"))
        wrong = {"OPENAI_ADMIN_KEY": "sk-admin-wrong-" + "1" * 40}
        self.live(self.file, self.server, since=None, expect=3, env=wrong)
        self.assertIn("switched off", self.live(self.file, self.server, since=None, expect=3, env=wrong).error)
        done = self.live(self.file, self.server, since=None, expect=8)
        self.assertTells(done, "cogni enable")
        self.check_untouched()
        self.cogni("enable", self.file, expect=0)
        self.check_mended()


class Replays(CogniTest):
    def test_a_folder_that_is_no_fixture_is_2(self):
        (self.folder / "empty").mkdir()
        self.replay(self.pipeline("users: {}"), fixture=self.folder / "empty", expect=2)
        self.assertFalse(self.at().exists())

    def test_a_reply_that_was_not_recorded_fails_its_stream_alone(self):
        copy = self.folder / "replay"
        shutil.copytree(FIXTURE, copy)
        shutil.rmtree(copy / "users")
        done = self.replay(self.pipeline("users: {}\nprojects: {}"), fixture=copy, expect=None)
        self.assertNotEqual(done.code, 0)
        self.assertIn("stream users", done.error)
        self.assertEqual(self.at().stream("projects")["stale"], False)


if __name__ == "__main__":
    unittest.main()
