"""Rollback and vacuum as an operator meets them: dry runs, the lock, a state that was left behind, links."""

import fcntl
import json
import os
import shutil
import unittest

from harness import CogniTest

SOME = "costs: { since: 2026-11-12, group_by: [project_id] }\nprojects: {}\nusers: {}"


class Keeping(CogniTest):
    def setUp(self):
        super().setUp()
        self.api = self.simulator()
        self.file = self.pipeline(SOME)
        self.run_at("2026-11-20T12:00:00Z")
        for hour in (13, 14):
            self.api.change(rename=self.at().rows("projects")[0]["id"], name=f"Name {hour}")
            self.run_at(f"2026-11-20T{hour}:00:00Z")
        self.assertEqual(len(self.at().generations), 3)

    def run_at(self, now, **rest):
        return self.live(self.file, self.api, since=None, now=now, **rest)

    def state(self):
        return json.loads(self.cogni("state", "show", self.file, "--output", self.output, "--json", expect=0).out)

    def test_a_dry_run_of_vacuum_lists_exactly_what_the_real_one_drops(self):
        path = self.at().path
        before = self.at().tree()
        told = self.cogni("vacuum", path, "--keep", "1", "--dry-run", expect=0).out
        self.assertEqual(self.at().tree(), before)
        done = self.cogni("vacuum", path, "--keep", "1", expect=0).out
        self.assertEqual(told.replace("would drop", "dropped"), done)
        gone = {name for name in before if name not in self.at().tree()}
        listed = {line.split()[1].rstrip(",") for line in done.splitlines() if line.startswith("dropped generations/")}
        self.assertEqual({"/".join(name.split("/")[:2]) for name in gone}, listed)

    def test_a_dry_run_of_rollback_says_what_the_real_one_does(self):
        path = self.at().path
        before = self.at().tree()
        plan = json.loads(self.cogni("rollback", path, "--to", "1", "--dry-run", "--json", expect=0).out)
        self.assertEqual(self.at().tree(), before)
        self.assertFalse((path / "rollback_log.ndjson").exists())
        done = json.loads(self.cogni("rollback", path, "--to", "1", "--json", expect=0).out)
        for one in (plan, done):
            del one["rollback"]["at"], one["dry_run"]
        self.assertEqual(plan, done)
        self.assertEqual(self.at().generations, ["000001", "000002", "000003"])

    def test_neither_is_done_while_a_run_holds_the_lock(self):
        path = self.at().path
        before = self.at().tree()
        with open(path / ".lock", "r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for command in (["rollback", path, "--to", "1"], ["vacuum", path, "--keep", "1"]):
                self.assertIn("another run holds", self.cogni(*command, expect=7).error)
        self.assertEqual(self.at().tree(), before)

    def test_a_rollback_killed_before_its_cursors_is_finished_by_the_next_run(self):
        path = self.at().path
        shutil.copy(path / "state.sqlite", self.folder / "state.sqlite")
        self.cogni("rollback", path, "--to", "1", expect=0)
        self.assertEqual(self.state()["generation"]["generation"], 1)
        # As if it had been killed between the swap of `current` and the state.
        for name in ("state.sqlite-wal", "state.sqlite-shm"):
            (path / name).unlink(missing_ok=True)
        shutil.copy(self.folder / "state.sqlite", path / "state.sqlite")
        done = self.cogni("run", self.file, "--output", self.output, "--now", "2026-11-20T14:00:00Z", "--dry-run", env=self.api.environment, expect=0)
        self.assertIn("has caught up", done.error)
        self.assertEqual(self.state()["generation"]["generation"], 1)
        self.run_at("2026-11-20T14:00:00Z")
        self.assertEqual(self.at().generations[-1], "000004")
        success = json.loads((self.at().current / "_SUCCESS").read_text())
        self.assertEqual(success["previous_generation"], 1)

    def test_going_back_and_forth_restores_every_byte(self):
        path = self.at().path
        before = {name: digest for name, digest in self.at().tree().items()}
        for to in ("1", "2", "3"):
            self.cogni("rollback", path, "--to", to, expect=0)
            self.cogni("verify", path, "--all", expect=0)
        self.assertEqual(self.at().tree(), before)
        log = [json.loads(line) for line in (path / "rollback_log.ndjson").read_text().splitlines()]
        self.assertEqual([(entry["from"], entry["to"]) for entry in log], [(3, 1), (1, 2), (2, 3)])

    def test_vacuum_deletes_nothing_behind_links(self):
        path = self.at().path
        outside = self.folder / "outside"
        outside.mkdir()
        (outside / "precious").write_text("x")
        os.symlink(outside, path / "generations/000001/way")
        os.symlink(outside, path / "generations/000009")
        self.cogni("vacuum", path, "--keep", "1", expect=0)
        self.assertEqual((outside / "precious").read_text(), "x")
        self.assertFalse((path / "generations/000001").exists())


if __name__ == "__main__":
    unittest.main()
