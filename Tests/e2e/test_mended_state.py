"""What operators do to state and keys: lose the state, roll the data on without it, change the key."""

import gzip
import json
import os
import subprocess

from harness import CogniTest

SOME = """
costs: { since: 2025-11-01 }
projects: {}
users: {}
"""
SEALED = """
- encrypt: { fields: ["domain:user", email] }
"""


class State(CogniTest):
    def test_a_lost_state_is_built_again_by_the_next_run_itself(self):
        pipeline = self.pipeline(SOME)
        self.replay(pipeline)
        before = self.at().tree()
        (self.output / "demo/state.sqlite").unlink()
        self.assertEqual(self.replay(pipeline).summary["outcome"], "unchanged")
        self.assertEqual(self.at().tree(), before)

    def test_a_state_behind_its_output_catches_up_and_the_run_goes_on(self):
        pipeline = self.pipeline(SOME)
        self.replay(pipeline, "--until", "2025-11-20")
        state = self.output / "demo/state.sqlite"
        old = state.read_bytes()
        self.replay(pipeline)
        # As after a crash between the swap of `current` and the ledger's commit.
        state.write_bytes(old)
        self.assertEqual(self.replay(pipeline).summary["outcome"], "unchanged")

    def test_a_state_on_a_disk_that_may_only_be_read_can_be_looked_at_and_a_run_says_why_not(self):
        pipeline = self.pipeline(SOME)
        self.replay(pipeline)
        only_read = 'mount --bind "$1" "$1" && mount -o remount,bind,ro "$1" && shift && exec "$@"'
        before = ("unshare", "-m", "sh", "-c", only_read, "sh", str(self.output))
        if os.geteuid() != 0 or subprocess.run([*before, "true"], capture_output=True).returncode != 0:
            self.skipTest("mounting takes root")
        written = self.cogni("state", "show", pipeline, "--output", self.output, "--json", expect=0).summary
        shown = self.cogni("state", "show", pipeline, "--output", self.output, "--json", expect=0, before=before).summary
        self.assertEqual(shown, written)
        self.assertIn("Read-only file system (errno 30)", self.replay(pipeline, expect=6, before=before).error)


class Keys(CogniTest):
    def rows(self, stream):
        files = sorted((self.at().current / stream).glob("*.gz"))
        return [json.loads(line) for file in files for line in gzip.decompress(file.read_bytes()).splitlines()]

    def test_a_new_key_seals_lists_anew_and_takes_nobody_for_removed(self):
        env = {"COGNI_KEY_RING": str(self.folder / "keys.json")}
        pipeline = self.pipeline(SOME, transform=SEALED)
        self.cogni("keys", "create", env=env, expect=0)
        self.replay(pipeline, env=env)
        before, users = self.at().tree(), self.rows("users")
        self.assertTrue(all(row["id"].startswith("ef1.s.") for row in users))

        self.cogni("keys", "rotate", env=env, expect=0)
        self.replay(pipeline, env=env)
        self.assertNotEqual(self.at().tree(), before)
        after = self.rows("users")
        self.assertEqual(len(after), len(users))
        self.assertTrue(all(row["deleted_at"] is None for row in after))
        self.assertEqual({row["id"] for row in after} & {row["id"] for row in users}, set())
