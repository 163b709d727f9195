"""The clock is wrong, jumps, or stands at the end of an epoch: windows stay right, and no wait is endless or left out.

libfaketime gives the wall clock; each test proves from what the run itself wrote that cogni saw the false time.
"""

import glob
import json
import os
import time
import unittest
from datetime import datetime, timezone

from harness import CogniTest
from plain_api import PlainTest, page

LIBRARY = next(iter(glob.glob("/usr/lib/*/faketime/libfaketime.so.1")), None)
HOUR = 3600


def instant(told):
    return datetime.strptime(told, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc).timestamp()


@unittest.skipUnless(LIBRARY, "libfaketime is not installed")
class Clock(PlainTest, CogniTest):
    def setUp(self):
        super().setUp()
        self.windows = []
        self.refuse = 0

        def sales(query):
            begin, end = int(query["from"]), int(query["to"])
            self.windows.append((begin, end))
            if self.refuse > 0:
                self.refuse -= 1
                return 503, {"Retry-After": "2"}, b"{}"
            buckets = [
                {"start_time": at, "end_time": at + HOUR, "results": [{"copies": at // HOUR % 7}]} for at in range(begin, end, HOUR)
            ]
            return json.dumps({"data": buckets, "has_more": False, "next_page": None}).encode()

        self.server = self.api({"/sales": sales, "/things": page({"id": "t1"})})
        self.file = self.plain("sales: {}\nthings: {}")

    def at_time(self, spec, more=None):
        """`spec`: libfaketime's, absolute in UTC (`@2026-…`) or relative (`+400d`). The monotonic clock stays the real one."""
        return {
            "LD_PRELOAD": LIBRARY, "FAKETIME": spec, "TZ": "UTC", "FAKETIME_DONT_FAKE_MONOTONIC": "1", "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1", "FAKETIME_NO_CACHE": "1", **(more or {}),
        }  # fmt: skip

    def run_at(self, spec, *more, expect=0, **rest):
        done = self.go(self.file, self.server, *more, now=None, expect=expect, env=self.at_time(spec, **rest))
        if expect == 0:
            self.assertEqual(done.summary["exit_code"], 0)
        return done

    def seen(self, done):
        """The "now" that the run's own file tells: the proof that the false time arrived."""
        [run] = [run for run in self.at().runs() if run["run_id"] == done.summary["run_id"]]
        return instant(run["started"])

    def covered(self):
        coverage = self.at().stream("sales")["coverage"]
        return instant(coverage["from"]), instant(coverage["to"])

    def test_a_clock_that_is_an_hour_or_a_year_off_gives_windows_by_that_clock_and_no_others(self):
        for spec, seconds in (("-1h", -HOUR), ("+1h", HOUR), ("+400d", 400 * 86400)):
            begun = time.time()
            done = self.go(self.file, self.server, now=None, output=self.folder / spec, env=self.at_time(spec))
            self.output = self.folder / spec
            self.assertAlmostEqual(self.seen(done), begun + seconds, delta=120)
            begin, end = self.covered()
            self.assertEqual((begin % HOUR, end % HOUR), (0, 0))
            self.assertLessEqual(end, self.seen(done), "an open bucket is never read as closed")
            self.assertLess(self.seen(done) - end, HOUR, "and every closed one is")

    def test_the_ends_of_epochs_are_dates_like_others(self):
        for spec, end in (
            ("@1970-01-03 00:30:00", "1970-01-03T00:00:00Z"), ("@2024-02-29 23:59:59", "2024-02-29T23:00:00Z"),
            ("@2038-01-19 03:14:06", "2038-01-19T03:00:00Z"), ("@2038-01-19 04:14:09", "2038-01-19T04:00:00Z"),
            ("@2106-02-07 07:28:17", "2106-02-07T07:00:00Z"), ("@2242-03-16 12:56:31", "2242-03-16T12:00:00Z"),
        ):  # fmt: skip
            self.output = self.folder / spec.replace(" ", "_")
            done = self.run_at(spec)
            self.assertAlmostEqual(self.seen(done), instant(spec[1:].replace(" ", "T") + "Z"), delta=120)
            self.assertEqual(self.at().stream("sales")["coverage"]["to"], end)
            self.assertEqual(self.at().stream("sales")["watermark"], end)
            days = {name for _, name, _ in self.at().files("sales")}
            self.assertTrue(all(f"dt={end[:4]}" in day or f"dt={int(end[:4]) - 1}" in day for day in days), days)
            self.cogni("verify", self.at().path, expect=0)

    def test_a_time_zone_with_summer_time_changes_nothing(self):
        trees = []
        for zone in ("UTC", "Europe/Berlin", "America/Los_Angeles", "Australia/Lord_Howe"):
            self.output = self.folder / zone.replace("/", "_")
            self.run_at("@2026-10-25 01:30:00", more={"TZ": "UTC"}) if zone == "UTC" else self.go(
                self.file, self.server, env={"TZ": zone}, now="2026-10-25T01:30:00Z"
            )
            trees.append(self.at().archives())
        self.assertEqual(trees[0], trees[1])
        self.assertEqual(trees[0], trees[2])
        self.assertEqual(trees[0], trees[3])

    def test_a_clock_that_went_back_is_2_and_says_so(self):
        self.run_at("@2026-11-20 12:00:00")
        before, asked = self.at().tree(), len(self.server.asked)
        done = self.run_at("@2026-11-20 10:59:00", expect=2)
        for told in ("the clock went back", "2026-11-20T10:59", "2026-11-20T12:00", "--now"):
            self.assertIn(told, done.error)
        self.assertIn("clock", json.dumps(done.summary["faults"]))
        self.assertEqual(len(self.server.asked), asked, "no request")
        self.assertEqual(self.at().tree(), before)
        # What time synchronization does is no reason to stop, and who says "now" is believed; neither un-reads anything.
        for way in (lambda: self.run_at("@2026-11-20 11:58:00"), lambda: self.go(self.file, self.server, now="2026-11-20T10:00:00Z")):
            way()
            self.assertEqual(self.at().stream("sales")["watermark"], "2026-11-20T12:00:00Z")
        self.run_at("@2026-11-20 13:05:00")
        self.assertEqual(self.at().stream("sales")["watermark"], "2026-11-20T13:00:00Z")
        self.same_as_calm("2026-11-20T13:05:00Z")

    def same_as_calm(self, now):
        """Whatever happened on the way, the rows are those of one run at that time (apart from how far back they go)."""
        self.go(self.file, self.server, now=now, output=self.folder / "calm-rows")
        calm = {row["start_time"]: row for row in self.at(output=self.folder / "calm-rows").rows("sales")}
        ours = {row["start_time"]: row for row in self.at().rows("sales")}
        self.assertEqual({at: ours.get(at) for at in calm}, calm)

    def test_a_clock_that_was_far_ahead_is_mended_by_a_rollback(self):
        self.run_at("@2026-11-20 12:00:00")
        good = self.at().manifest_bytes
        self.run_at("@2026-11-22 12:00:00")
        self.assertEqual(self.at().generation, "generations/000002")
        self.assertIn("cogni rollback", self.run_at("@2026-11-20 13:00:00", expect=2).error)
        self.cogni("rollback", self.at().path, "--to", "1", expect=0, env=self.at_time("@2026-11-20 13:01:00"))
        self.assertEqual(self.at().manifest_bytes, good)
        self.run_at("@2026-11-20 14:00:00")
        self.assertEqual(self.at().stream("sales")["watermark"], "2026-11-20T14:00:00Z")

    def test_what_a_run_with_a_clock_ahead_had_begun_is_not_gone_on_with(self):
        self.server.gate.clear()
        process = self.begin(self.file, self.server, now=None, env=self.at_time("@2027-11-20 12:00:00"))
        self.wait(lambda: self.server.asked and self.has_begun(), process)
        process.kill()
        process.communicate()
        self.server.gate.set()
        done = self.run_at("@2026-11-20 12:00:00", "--progress", "plain")
        self.assertIn("whose clock was ahead", done.error)
        self.assertEqual(self.at().stream("sales")["watermark"], "2026-11-20T12:00:00Z")

    def test_steps_between_the_pages_of_a_walk_change_no_byte(self):
        """Every reply finds another time: an hour back, 400 days on, 1970's end of days, 2038. The walk keeps the "now" it began with."""
        setting = self.folder / "faketime"
        steps = ("-3600", "+34560000", "-1728000000", "+400000000", "+1")
        shown = []

        def sales(query):
            begin, end = int(query["from"]), int(query["to"])
            at = int(query.get("page", begin))
            if self.stepping:
                step = steps[len(shown) % len(steps)]
                setting.write_text(step + "\n")
                shown.append(step)
                self.windows.append((begin, end))
            until = min(at + 6 * HOUR, end)
            buckets = [{"start_time": one, "end_time": one + HOUR, "results": [{"copies": one // HOUR % 7}]} for one in range(at, until, HOUR)]
            more = until < end
            return json.dumps({"data": buckets, "has_more": more, "next_page": str(until) if more else None}).encode()

        self.server = self.api({"/sales": sales})
        self.file = self.plain("sales: {}")
        setting.write_text("+0\n")
        environment = self.at_time("", {"FAKETIME_TIMESTAMP_FILE": str(setting)})
        del environment["FAKETIME"]
        self.stepping = True
        done = self.go(self.file, self.server, now=None, env=environment)
        self.assertGreaterEqual(len(shown), len(steps), "the clock stepped in the middle of the walk")
        self.assertEqual(len(set(self.windows)), 1, "the window stays the plan's")
        self.stepping = False
        now = next(run["started"] for run in self.at().runs() if run["run_id"] == done.summary["run_id"])
        ours = (self.at().manifest_bytes, self.at().archives())
        self.output = self.folder / "calm"
        self.go(self.file, self.server, now=now)
        self.assertEqual(ours, (self.at().manifest_bytes, self.at().archives()))

    def test_a_step_during_a_retry_wait_neither_shortens_nor_prolongs_it(self):
        """One wait for each step, and begun before it: libfaketime 0.9.10 moves the deadline of every timer that is set while it shifts the
        clock, also of timers on the monotonic clock, which no kernel does."""
        self.file = self.plain("sales: {}")
        for step in ("-3600", "+3600", "+34560000", "-1728000000"):
            self.windows.clear()
            self.output = self.folder / step
            setting = self.folder / "faketime"
            setting.write_text("+0\n")
            environment = self.at_time("", {"FAKETIME_TIMESTAMP_FILE": str(setting)})
            del environment["FAKETIME"]
            self.refuse, begun, started = 1, time.monotonic(), time.time()
            process = self.begin(self.file, self.server, now=None, env=environment)
            self.wait(lambda: self.refuse == 0, process)
            time.sleep(1)  # of the 2 s that it was told to wait: its timer is set by now
            setting.write_text(step + "\n")
            out, error = process.communicate(timeout=100)
            took = time.monotonic() - begun
            self.assertEqual(process.returncode, 0, error)
            self.assertGreaterEqual(took, 2, f"{step}: the wait of 2 s is kept")
            self.assertLess(took, 60, f"{step}: and ends")
            self.assertEqual(len(self.windows), 2)
            self.assertEqual(self.windows[0], self.windows[1], f"{step}: the window stays the plan's")
            begin, end = self.windows[0]
            self.assertIn(end, (started // HOUR * HOUR, time.time() // HOUR * HOUR), step)
            self.assertEqual(json.loads(out)["totals"]["retries"], 1)


if __name__ == "__main__":
    unittest.main()
