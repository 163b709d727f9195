"""Results reach stdout whole, or the command says that they did not."""

import fcntl
import os
import subprocess
import threading
import time
import unittest

from harness import COGNI, FIXTURE, NOW, SINCE, CogniTest, environment

SEALED = '- encrypt: { fields: [email], key_ring: "${COGNI_KEY_RING}" }'


class Stdout(CogniTest):
    def into(self, stdout, *arguments, env=None):
        """The exit code and stderr of a command whose stdout is this file."""
        done = subprocess.run(
            [COGNI, *map(str, arguments)], stdout=stdout, stderr=subprocess.PIPE, text=True, env=environment(env),
            cwd=self.folder, stdin=subprocess.DEVNULL, timeout=120,
        )  # fmt: skip
        return done.returncode, done.stderr

    def assertSaysSo(self, code, error, told):  # noqa: N802 - as unittest names them
        self.assertEqual(code, 6, f"{told}: {error}")
        last = error.splitlines()[-1]
        self.assertEqual(last, "error: cannotWrite: the result could not be written: No space left on device (stdout)", told)

    def published(self):
        ring = {"COGNI_KEY_RING": str(self.folder / "ring.json"), "COGNI_MASTER_KEY": "BwcH" * 10 + "Bwc="}
        self.cogni("keys", "create", env=ring, expect=0)
        pipeline = self.pipeline("users: {}\ncosts: {}", transform=SEALED)
        self.replay(pipeline, env=ring)
        return pipeline, ring

    def test_a_result_on_a_full_disk_ends_with_6(self):
        pipeline, ring = self.published()
        root = self.output / "demo"
        at = ["--output", self.output]
        users = next((root / "current/users").glob("*.gz"))
        results = [
            ["decrypt", users, "--reason", "x"], ["state", "export", pipeline, *at], ["state", "show", pipeline, *at, "--json"],
            ["preview", pipeline, "users", "--replay", FIXTURE, "--now", NOW], ["plan", pipeline, *at, "--json"], ["plan", pipeline, *at],
            ["verify", root], ["history", root, "--json"], ["history", root], ["logs", root], ["schema", "pipeline"], ["validate", pipeline],
            ["discover", "openai_admin"], ["metrics", pipeline, *at], ["diff", root, root], ["--help"], ["run", "--help"], ["--version"],
        ]  # fmt: skip
        for words in results:
            with open("/dev/full", "w") as full:
                self.assertSaysSo(*self.into(full, *words, env=ring), words[0])

    def test_a_result_for_a_closed_stdout_ends_with_6(self):
        self.published()
        root = self.output / "demo"
        for words in (["verify", root], ["diff", root, root], ["history", root, "--json"], ["--version"]):
            done = subprocess.run(
                ["sh", "-c", 'exec "$@" >&-', "sh", COGNI, *map(str, words)], stderr=subprocess.PIPE, text=True, env=environment(), timeout=60
            )
            self.assertEqual(done.returncode, 6, done.stderr)
            last = done.stderr.splitlines()[-1]
            self.assertEqual(last, "error: cannotWrite: the result could not be written: Bad file descriptor (stdout)")

    def test_a_difference_that_nobody_is_shown_ends_with_6_and_a_failure_keeps_its_code(self):
        self.published()
        wrong = self.folder / "wrong.yaml"
        wrong.write_text("pipeline: wrong\n")
        (next((self.output / "demo/current/users").glob("*.gz"))).write_bytes(b"rot")
        with open("/dev/full", "w") as full:
            self.assertSaysSo(*self.into(full, "verify", self.output / "demo"), "verify")
            code, error = self.into(full, "validate", wrong)
        self.assertEqual(code, 2, error)
        self.assertIn("warning: the result could not be written", error)

    def test_a_run_that_has_published_says_so_and_that_its_summary_is_lost(self):
        pipeline = self.pipeline("users: {}")
        words = ["run", pipeline, "--replay", FIXTURE, "--now", NOW, "--output", self.output, "--json"]
        with open("/dev/full", "w") as full:
            code, error = self.into(full, *words)
            self.assertSaysSo(code, error, "run")
            self.assertIn("generation 1", error)
            self.assertEqual(self.at().runs()[-1]["exit_code"], 0)
            self.cogni("verify", self.output / "demo", expect=0)
            # What the run came to stands before what became of its words.
            code, error = self.into(full, *words, "--streams", "costs", "--since", SINCE, "--replay", self.folder)
        self.assertEqual(code, 2, error)

    def test_a_reader_that_has_seen_enough_ends_no_command_badly(self):
        read, write = os.pipe()
        os.close(read)
        with os.fdopen(write, "w") as gone:
            self.assertEqual(self.into(gone, "schema", "pipeline"), (0, ""))

    def test_a_pipe_that_does_not_wait_gets_the_whole_result(self):
        read, write = os.pipe()
        fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
        os.set_blocking(write, False)
        found = []

        def drain():
            while piece := os.read(read, 1024):
                found.append(piece)
                time.sleep(0.001)

        reader = threading.Thread(target=drain)
        reader.start()
        with os.fdopen(write, "w") as pipe:
            code, error = self.into(pipe, "schema", "pipeline")
        reader.join()
        os.close(read)
        self.assertEqual(code, 0, error)
        whole = self.cogni("schema", "pipeline", expect=0).out
        self.assertGreater(len(whole), 16_384)
        self.assertEqual(b"".join(found).decode(), whole)


if __name__ == "__main__":
    unittest.main()
