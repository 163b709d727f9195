"""The switch and the breaker: a pipeline that keeps failing switches itself off, stays off, and comes back by one probe or a hand."""

import concurrent.futures
import fcntl
import json
import unittest

from harness import CogniTest

STREAMS = "users: {}\nprojects: {}"
WRONG = {"OPENAI_ADMIN_KEY": "sk-admin-wrong-" + "x" * 40}


class Breaker(CogniTest):
    def setUp(self):
        super().setUp()
        self.server = self.simulator()

    def guarded(self, alerts="disable_after_failures: 3"):
        more = "alerts:\n" + "".join(f"  {line}\n" for line in alerts.splitlines())
        return self.pipeline(STREAMS, more=more, source="retry: { budget: 1s, max_delay: 1s }")

    def good(self, pipeline, *more, expect=0):
        return self.live(pipeline, self.server, *more, expect=expect)

    def bad(self, pipeline, *more, expect=3):
        return self.live(pipeline, self.server, *more, env=WRONG, expect=expect)

    def switch(self, pipeline):
        state = self.cogni("state", "show", pipeline, "--output", self.output, "--json", expect=0).summary
        return state["switch"]

    def test_after_so_many_failures_it_is_off_and_stays_off_until_a_person_says_so(self):
        pipeline = self.guarded()
        self.good(pipeline)
        for number in range(3):
            done = self.bad(pipeline)
            self.assertEqual("switched off now" in done.error, number == 2, done)
        requests = len(self.server.log())
        for _ in range(2):
            done = self.good(pipeline, expect=8)
            self.assertIn("3 failures in a row", done.error)
        self.assertEqual(len(self.server.log()), requests, "a pipeline that is off asks for nothing")
        self.assertEqual(self.switch(pipeline)["by"], "cogni")
        self.cogni("enable", pipeline, "--output", self.output, "--reason", "key renewed", "--by", "ada", expect=0)
        self.good(pipeline)
        self.assertEqual((self.switch(pipeline)["by"], self.switch(pipeline)["reason"]), ("ada", "key renewed"))

    def test_who_turned_it_is_kept_in_a_chain_that_shows_what_was_changed(self):
        pipeline = self.guarded("disable_after_failures: 1")
        self.good(pipeline)
        self.bad(pipeline)
        self.cogni("enable", pipeline, "--output", self.output, "--reason", "key renewed", "--by", "ada", expect=0)
        self.cogni("rollback", self.at().path, "--to", "1", expect=0)  # current already: nothing to keep
        trail = self.output / "demo/audit/control.ndjson"
        records = [json.loads(line) for line in trail.read_text().splitlines()]
        self.assertEqual([(one["action"], one["by"], one["before"], one["after"]) for one in records],
                         [("disable", "cogni", True, False), ("enable", "ada", False, True)])  # fmt: skip
        self.cogni("keys", "audit", "--file", trail, expect=0)
        trail.write_text(trail.read_text().replace("key renewed", "key revoked"))
        self.cogni("keys", "audit", "--file", trail, expect=1)

    def test_a_success_between_begins_the_count_anew(self):
        pipeline = self.guarded("disable_after_failures: 2")
        self.good(pipeline)
        for _ in range(3):
            self.bad(pipeline)
            self.good(pipeline)

    def test_a_share_of_failures_over_a_window_switches_off(self):
        pipeline = self.guarded("disable_at_failure_share: { percent: 50, runs: 4 }")
        for run in (self.good, self.bad, self.good):
            run(pipeline)
        self.assertIn("2 of the last 4 runs failed", self.bad(pipeline).error)
        self.good(pipeline, expect=8)

    def test_our_own_lock_and_our_own_mistakes_never_count(self):
        pipeline = self.guarded("disable_after_failures: 2")
        self.good(pipeline)
        with open(self.output / "demo/.lock", "r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            for _ in range(3):
                self.good(pipeline, expect=7)
        # Settings that changed are refused by us, not by the source.
        other = self.pipeline(STREAMS, more="alerts: { disable_after_failures: 2 }", load="compression: zstd", file="other.yaml")
        for _ in range(3):
            self.live(other, self.server, expect=2)
        self.good(pipeline)
        self.assertTrue(self.switch(pipeline)["enabled"])

    def test_a_probe_that_succeeds_switches_on_and_one_that_fails_does_not(self):
        pipeline = self.guarded("disable_after_failures: 1")
        self.good(pipeline)
        self.bad(pipeline)
        self.assertIn("stays off", self.bad(pipeline, "--probe").error)
        self.good(pipeline, expect=8)
        self.assertIn("switched on again", self.good(pipeline, "--probe").error)
        self.good(pipeline)
        self.assertEqual(self.switch(pipeline)["consecutive_failures"], 0)

    def test_what_a_person_switched_off_no_probe_gets_through(self):
        pipeline = self.guarded()
        self.good(pipeline)
        self.cogni("disable", pipeline, "--output", self.output, "--reason", "audit", "--by", "ada", expect=0)
        self.assertIn("switched off by ada", self.good(pipeline, "--probe", expect=8).error)

    def rebuild(self, pipeline, *more, expect=0):
        return self.cogni("state", "rebuild", pipeline, "--output", self.output, *more, expect=expect)

    def test_a_rebuilt_state_leaves_the_switch_as_it_stood(self):
        pipeline = self.guarded("disable_after_failures: 2")
        self.good(pipeline)
        self.bad(pipeline)
        self.assertIn("the pipeline is on", self.rebuild(pipeline).out)
        self.assertEqual(self.switch(pipeline)["consecutive_failures"], 1, "the old state tells it")
        self.bad(pipeline)
        self.assertIn("stays switched off by cogni", self.rebuild(pipeline).out)
        self.assertIn("2 failures in a row", self.good(pipeline, expect=8).error)
        self.good(pipeline, "--probe")
        self.cogni("disable", pipeline, "--output", self.output, "--reason", "audit", "--by", "ada", expect=0)
        state = self.output / "demo/state.sqlite"
        for damage in (lambda: state.write_bytes(b"no database at all, but long enough to be taken for one" * 20), state.unlink):
            damage()
            said = self.rebuild(pipeline).out
            self.assertIn("stays switched off by ada", said)
            self.assertRegex(said, "begun anew: .*count of failures.*events that waited")
            self.assertIn("switched off by ada", self.good(pipeline, expect=8).error)
        state.write_bytes(b"damaged" * 200)
        self.assertEqual(self.rebuild(pipeline, "--json").summary["switch_from"], "trail")
        state.write_bytes(b"damaged" * 200)
        (self.output / "demo/audit/control.ndjson").chmod(0o666)
        said = self.rebuild(pipeline).out
        self.assertIn("the pipeline is on: whether it was switched off could not be read", said)

    def test_a_mistyped_output_is_refused_and_not_made(self):
        pipeline = self.guarded()
        self.good(pipeline)
        for words in (["disable"], ["enable"], ["state", "rebuild"], ["alerts", "resume"]):
            done = self.cogni(*words, pipeline, "--output", self.folder / "outptu", expect=2)
            self.assertRegex(done.error, rf"there is no (output|state yet) at `?{self.folder}/outptu/demo")
            self.assertFalse((self.folder / "outptu").exists(), words)

    def test_a_switch_that_turns_before_the_first_run_waits_for_no_one_and_holds(self):
        pipeline = self.pipeline(STREAMS, load=f"directory: {self.output}")
        self.cogni("disable", pipeline, "--reason", "not yet", "--by", "ada", expect=0)
        self.assertIn("not yet", self.good(pipeline, expect=8).error)

    def test_only_one_probe_at_a_time_asks_the_source(self):
        pipeline = self.guarded("disable_after_failures: 1")
        self.good(pipeline)
        self.bad(pipeline)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            codes = sorted(pool.map(lambda _: self.live(pipeline, self.server, "--probe", expect=None).code, range(4)))
        # Whoever did not get the lock ended with 7; one that came after the first had ended found the switch on, and ran.
        self.assertIn(0, codes)
        self.assertTrue(set(codes) <= {0, 7}, codes)
        self.good(pipeline)

    def test_a_switch_that_turns_while_a_run_is_under_way_lets_it_end_and_refuses_the_next(self):
        pipeline = self.guarded()
        self.good(pipeline)
        self.server.change(rename=self.at().rows("projects")[0]["id"], name="Renamed")
        self.server.faults({"fault": "retry_after", "path": "/organization/users", "nth": 1, "seconds": 1})
        process = self.start("run", pipeline, "--now", "2026-11-20T12:00:00Z", "--output", self.output, env=self.server.environment)
        self.cogni("disable", pipeline, "--output", self.output, "--reason", "audit", "--by", "ada", expect=0)
        process.communicate(timeout=60)
        self.assertIn(process.returncode, (0, 8))
        self.good(pipeline, expect=8)
        self.assertEqual(self.switch(pipeline)["by"], "ada")


if __name__ == "__main__":
    unittest.main()
