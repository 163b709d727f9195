"""A dry run looks: what a stopped run had kept is there for the next one, and nothing of its own stays."""

import json
import threading
import unittest

from harness import CogniTest
from plain_api import PlainTest

LAST = 6


class DryRuns(PlainTest, CogniTest):
    def setUp(self):
        super().setUp()
        self.stop = 0  # the page that is not answered before `go_on`
        self.go_on = threading.Event()
        self.server = self.api({"/events": self.events})
        self.file = self.plain("events: { since: 2026-11-01 }")
        self.addCleanup(self.go_on.set)

    def events(self, query):
        """One event a page, newest first."""
        number = int(query.get("after", "e0")[1:]) + 1
        if number == self.stop:
            self.go_on.wait()
        row = {"id": f"e{number}", "at": 1794000000 - number * 3600, "note": "x"}
        return json.dumps({"data": [row], "has_more": number < LAST, "last_id": row["id"]}).encode()

    def stopped(self, *more, number=4, kill=False):
        """A run that is stopped while it waits for a page; the ones before are kept."""
        self.stop = number
        self.go_on.clear()
        before = len(self.server.asked)
        process = self.begin(self.file, self.server, *more)
        self.wait(lambda: len(self.server.asked) == before + number, process)
        process.kill() if kill else process.terminate()
        process.communicate()
        self.stop = 0
        self.go_on.set()

    def staged(self):
        staging = self.output / "demo/.staging"
        return {str(path.relative_to(staging)): path.is_file() and path.read_bytes() for path in staging.rglob("*")}

    def test_what_a_stopped_run_had_kept_is_there_after_a_dry_run(self):
        self.stopped()
        kept = self.staged()
        self.assertTrue(any(name.endswith(".runs") for name in kept), kept)
        for more in ([], ["--full-refresh"], ["--until", "2026-11-10"]):
            done = self.go(self.file, self.server, "--dry-run", "--progress", "plain", *more, now="2026-11-20T18:00:00Z")
            self.assertEqual(done.summary["outcome"], "dry_run")
            self.assertEqual(self.staged(), kept, more)
            # It shows what the next run would do, which finishes the stopped one first.
            self.assertEqual(done.summary["started"], "2026-11-20T12:00:00Z" if not more else "2026-11-20T18:00:00Z")
        self.stopped("--dry-run", number=2)
        self.assertEqual(self.staged(), kept)
        before = len(self.server.asked)
        done = self.go(self.file, self.server, "--progress", "plain", now="2026-11-20T18:00:00Z")
        self.assertIn("going on with the run that stopped (as of 2026-11-20T12:00:00Z)", done.error)
        self.assertEqual(len(self.server.asked) - before, LAST - 3, self.server.asked[before:])
        self.assertEqual(len(self.at().rows("events")), LAST)

    def test_a_dry_run_leaves_nothing_and_one_that_was_killed_is_cleared_away(self):
        self.go(self.file, self.server, "--dry-run")
        self.assertEqual(self.staged(), {})
        for more in (["--dry-run"], []):
            self.stopped("--dry-run", kill=True)
            self.assertIn("dry-run", self.staged())
            self.go(self.file, self.server, *more)
            self.assertEqual(self.staged(), {})

    def test_a_stopped_dry_run_begins_no_run_for_others_to_finish(self):
        self.stopped("--dry-run")
        before = len(self.server.asked)
        done = self.go(self.file, self.server, "--progress", "plain", now="2026-11-20T18:00:00Z")
        self.assertNotIn("run that stopped", done.error)
        self.assertEqual(done.summary["started"], "2026-11-20T18:00:00Z")
        self.assertEqual(len(self.server.asked) - before, LAST)


if __name__ == "__main__":
    unittest.main()
