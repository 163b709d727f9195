"""A run may be killed at any moment. The next one goes on, and in the end the tree is the undisturbed run's."""

import os
import random
import shutil
import signal
import threading
import time
import unittest

from harness import LIVE_NOW, CogniTest, terminate

SOME = """
usage_completions: { since: 2026-11-10, bucket_width: 1h, group_by: [project_id, user_id, model] }
usage_embeddings: { since: 2026-11-10 }
costs: { since: 2026-11-10 }
projects: {}
users: {}
project_api_keys: {}
project_users: {}
project_user_roles: {}
audit_logs: { since: 2026-11-10 }
"""
SOURCE = "page_limit: 4\nconcurrency: 3"
SEED = int(os.environ.get("COGNI_E2E_SEED", "20261123"))
KILLS = int(os.environ.get("COGNI_E2E_KILLS", "12"))
# Replies in two pieces, a little apart: slow enough that kills land inside a run.
SLOW = {"fault": "drip", "bytes": 4000, "interval_ms": 10}


class Kills(CogniTest):
    def slow(self):
        simulator = self.simulator()
        pipeline = self.pipeline(SOME, source=SOURCE)
        self.live(pipeline, simulator, since=None, output=self.folder / "calm")
        simulator.faults(SLOW)
        return simulator, pipeline, self.at(output=self.folder / "calm")

    def begin(self, pipeline, simulator, now=LIVE_NOW):
        return self.start(
            "run", pipeline, "--now", now, "--output", self.output, "--progress", "plain", env=simulator.environment
        )  # fmt: skip

    def wait_for_requests(self, simulator, count, process):
        """Until the run has asked `count` times, or has ended."""
        start = len(simulator.log())
        while len(simulator.log()) < start + count and process.poll() is None:
            time.sleep(0.002)

    def test_killed_at_random_moments_the_next_run_ends_with_the_same_tree(self):
        simulator, pipeline, calm = self.slow()
        whole = len(simulator.log())
        print(f"seed {SEED}, a whole run asks {whole} times ", end="", flush=True)
        chance = random.Random(SEED)
        hit = resumed = 0
        while hit < KILLS:
            process = self.begin(pipeline, simulator)
            self.wait_for_requests(simulator, chance.randrange(1, whole), process)
            time.sleep(chance.random() * 0.02)
            number = signal.SIGTERM if chance.random() < 0.3 else signal.SIGKILL
            process.send_signal(number)
            _, error = process.communicate()
            self.assertIn(process.returncode, (0, 143 if number == signal.SIGTERM else -number), error)
            hit += process.returncode != 0
            resumed += "going on with the run that stopped" in error
            # Whenever something is visible, it is whole.
            if self.at().exists():
                self.assertEqual(self.at().manifest_bytes, calm.manifest_bytes)
            if chance.random() < 0.35 or process.returncode == 0:
                self.finish(pipeline, simulator, calm)
        self.finish(pipeline, simulator, calm)
        print(f"{hit} kills, {resumed} resumed ", end="")

    def finish(self, pipeline, simulator, calm):
        done = self.live(pipeline, simulator, since=None)
        self.assertBalances(done.summary)
        self.assertSameTree(calm, self.at(), f"seed {SEED}")
        shutil.rmtree(self.output)

    def test_killed_around_the_commit_the_next_run_finds_a_whole_generation_or_none(self):
        simulator, pipeline, calm = self.slow()
        simulator.faults()
        chance = random.Random(SEED + 2)
        before = after = 0
        for _ in range(7):
            process = self.begin(pipeline, simulator)
            generations = self.output / "demo/generations"
            while process.poll() is None and not (generations.is_dir() and any(generations.iterdir())):
                pass
            time.sleep(chance.random() * 0.2)
            process.kill()
            process.communicate()
            if self.at().exists():
                after += 1
                self.assertEqual(self.at().manifest_bytes, calm.manifest_bytes)
                self.assertEqual(self.at().archives(), calm.archives())
            else:
                before += 1
            self.finish(pipeline, simulator, calm)
        print(f"{before} before the commit, {after} after ", end="")

    def test_killed_again_and_again_it_still_ends(self):
        simulator, pipeline, calm = self.slow()
        whole = len(simulator.log())
        for _ in range(5):  # each attempt gets a little further than progress is made durable
            process = self.begin(pipeline, simulator)
            started = time.monotonic()
            self.wait_for_requests(simulator, whole // 4, process)
            while time.monotonic() < started + 1.3 and process.poll() is None:  # past a checkpoint, which is due each second
                time.sleep(0.01)
            process.kill()
            process.communicate()
        done = self.live(pipeline, simulator, since=None)
        self.assertBalances(done.summary)
        self.assertSameTree(calm, self.at())

    def stopped(self, number, code):
        simulator, pipeline, calm = self.slow()
        whole = len(simulator.log())
        process = self.begin(pipeline, simulator)
        self.wait_for_requests(simulator, whole // 2, process)
        done = terminate(process, number)
        self.assertEqual(done.code, code, done)
        self.assertFalse(self.at().exists(), "nothing is published")
        self.assertEqual(self.at().runs()[-1]["outcome"], "interrupted")
        self.assertEqual(self.at().runs()[-1]["exit_code"], code)
        self.assertIn("run again to go on", done.error)
        before = len(simulator.log())
        simulator.faults()
        again = self.live(pipeline, simulator, "--progress", "plain", since=None)
        self.assertIn("going on with the run that stopped", again.error)
        self.assertLess(len(simulator.log()) - before, whole, "what was kept is not asked for again")
        self.assertBalances(again.summary)
        self.assertSameTree(calm, self.at())

    def test_sigint_ends_with_130_and_the_next_run_goes_on(self):
        self.stopped(signal.SIGINT, 130)

    def test_sigterm_ends_with_143_and_the_next_run_goes_on(self):
        self.stopped(signal.SIGTERM, 143)

    def test_lists_that_were_whole_when_it_was_stopped_are_not_asked_for_again(self):
        """However fast they came: one that hangs keeps the run from publishing them."""
        simulator = self.simulator()
        pipeline = self.pipeline("groups: {}\nadmin_api_keys: {}\ninvites: {}\nusers: {}\nproject_users: {}", source=SOURCE)
        self.live(pipeline, simulator, since=None, output=self.folder / "calm")
        lists = ("groups", "admin_api_keys", "invites")
        simulator.faults({"fault": "stall", "path": "/organization/users", "at": "body", "seconds": 600})
        process = self.begin(pipeline, simulator)
        before = {name: len(simulator.asked(f"/organization/{name}")) for name in lists}
        self.assertTrue(all(before.values()))
        # Told by the run itself: what a list has is whole once its walk has ended.
        seen = ""
        while not all(f"{name}: done" in seen for name in lists):
            line = process.stderr.readline()
            self.assertTrue(line, seen)
            seen += line
        self.assertEqual(terminate(process, signal.SIGINT).code, 130)
        simulator.faults()
        asked = {name: len(simulator.asked(f"/organization/{name}")) for name in lists}
        again = self.live(pipeline, simulator, since=None)
        self.assertEqual({name: len(simulator.asked(f"/organization/{name}")) for name in lists}, asked)
        self.assertBalances(again.summary)
        self.assertSameTree(self.at(output=self.folder / "calm"), self.at())

    def test_a_second_signal_ends_it_at_once(self):
        simulator, pipeline, _ = self.slow()
        simulator.faults({"fault": "stall", "path": "/organization/users", "at": "body", "seconds": 600})
        for _ in range(6):
            process = self.begin(pipeline, simulator)
            self.wait_for_requests(simulator, 15, process)
            process.send_signal(signal.SIGTERM)
            process.send_signal(signal.SIGINT)
            done = terminate(process, signal.SIGINT)
            self.assertIn(done.code, (130, 143), done)

    def test_what_was_stopped_is_finished_with_its_own_now(self):
        simulator, pipeline, calm = self.slow()
        process = self.begin(pipeline, simulator)
        self.wait_for_requests(simulator, len(simulator.log()) // 2, process)
        self.assertEqual(terminate(process).code, 143)
        simulator.faults()
        # Two days later by the clock of the command, though the service has not moved.
        done = self.live(pipeline, simulator, since=None, now="2026-11-22T12:00:00Z")
        self.assertEqual(done.summary["outcome"], "published")
        self.assertSameTree(calm, self.at(), "finished as of its own time")

    def test_a_later_generation_killed_leaves_the_earlier_one_and_then_comes(self):
        simulator, pipeline, calm = self.slow()
        simulator.faults()
        self.live(pipeline, simulator, since=None)
        first = self.at().tree()
        simulator.change(seed=5)
        self.live(pipeline, simulator, since=None, output=self.folder / "calm")
        simulator.faults(SLOW)
        chance = random.Random(SEED + 1)
        for _ in range(3):
            process = self.begin(pipeline, simulator)
            self.wait_for_requests(simulator, chance.randrange(2, 40), process)
            process.kill()
            process.communicate()
            now = self.at().tree()
            self.assertEqual({path: now.get(path) for path in first}, first)
        simulator.faults()
        self.live(pipeline, simulator, since=None)
        self.assertSameTree(calm, self.at())

    def test_readers_see_whole_generations_while_runs_publish(self):
        simulator = self.simulator()
        pipeline = self.pipeline("projects: {}\ncosts: { since: 2026-11-12 }")
        self.live(pipeline, simulator, since=None)
        torn, looks, stop = [], [0], threading.Event()

        def look():
            while not stop.is_set():
                current = self.at().current.resolve()
                manifest = (current / "manifest.json").exists() and (current / "_SUCCESS").exists()
                looks[0] += 1
                if not manifest:
                    torn.append(str(current))

        reader = threading.Thread(target=look)
        reader.start()
        try:
            project = self.at().rows("projects")[0]["id"]
            for number in range(4):
                simulator.change(rename=project, name=f"Name {number}")
                self.live(pipeline, simulator, since=None)
        finally:
            stop.set()
            reader.join()
        self.assertEqual(torn, [])
        self.assertGreater(looks[0], 10)
        self.assertEqual(len(self.at().generations), 5)


if __name__ == "__main__":
    unittest.main()
