"""Nothing that lost too much, and nothing of another organization, replaces what was published."""

import datetime
import json
import threading
import time
import unittest

from harness import CogniTest
from plain_api import PlainTest, page

STREAMS = """
users: { max_shrink: 50%, min_rows: 2 }
projects: { max_shrink: 20% }
costs: { since: 2026-11-12, max_shrink: 50% }
usage_completions: { since: 2026-11-12, group_by: [project_id] }
"""
LATER = "2026-11-20T18:00:00Z"


class Guards(CogniTest):
    def setUp(self):
        super().setUp()
        self.api = self.simulator()
        self.file = self.pipeline(STREAMS)
        self.live(self.file, self.api, since=None)

    def lose(self, share):
        rows = self.at().rows("projects")
        for row in rows[: int(len(rows) * share)]:
            self.api.change(delete=row["id"])

    def again(self, *more, **rest):
        return self.live(self.file, self.api, *more, since=None, now=LATER, **rest)

    def test_a_list_that_lost_too_much_is_held_back_and_the_others_are_published(self):
        before = self.at().stream("projects")["partitions"]
        self.lose(0.75)
        self.api.change(restate="larger", stream="costs", **{"from": "2026-11-17T00:00:00Z", "until": "2026-11-18T00:00:00Z"})
        done = self.again(expect=5)
        held = self.at().stream("projects")
        self.assertEqual(held["partitions"], before)
        self.assertTrue(held["stale"])
        self.assertFalse(self.at().stream("costs")["stale"])
        self.assertEqual(self.at().generation, "generations/000002")
        self.assertIn("--accept-shrink projects", done.out)
        self.assertIn("max_shrink", json.dumps(done.summary["faults"]))

    def test_what_was_held_back_passes_when_it_is_accepted(self):
        self.lose(0.75)
        self.again(expect=5)
        self.again("--accept-shrink", "projects")
        stream = self.at().stream("projects")
        self.assertFalse(stream["stale"])
        self.assertEqual(sum(row["deleted_at"] is not None for row in self.at().rows("projects")), 3)

    def test_children_and_grandchildren_of_a_list_that_is_held_back_keep_their_files(self):
        streams = ("projects", "project_users", "project_user_roles", "project_api_keys")
        self.file = self.pipeline("projects: { max_shrink: 20% }\n" + "".join(f"{name}: {{}}\n" for name in streams[1:]), name="tree")
        self.again()
        before = {name: self.at("tree").stream(name)["partitions"] for name in streams}
        rows = {name: len(self.at("tree").rows(name)) for name in streams}
        self.assertTrue(all(rows.values()), rows)
        self.lose(0.75)
        done = self.again(expect=5)
        for name in streams:
            self.assertEqual(done.stream(name)["status"], "stale", name)
            self.assertEqual(self.at("tree").stream(name)["partitions"], before[name], name)

    def test_a_loss_within_the_share_is_published(self):
        self.file = self.pipeline(STREAMS.replace("max_shrink: 20%", "max_shrink: 80%"))
        self.lose(0.75)
        self.again()

    def test_a_stream_that_left_the_pipeline_file_is_told_of(self):
        rows = len(self.at().rows("projects"))
        self.file = self.pipeline(STREAMS.replace("projects: { max_shrink: 20% }\n", ""))
        done = self.again("--progress", "plain")
        self.assertIn(f"projects is no longer in the pipeline file: its {rows} rows are in generation 1, and in none after it", done.error)
        self.assertNotIn("projects", [stream["name"] for stream in self.at().manifest["streams"]])
        # Once it has gone there is nothing more to tell.
        self.assertNotIn("no longer in the pipeline file", self.again("--progress", "plain").error)

    def test_other_settings_of_one_stream_ask_for_that_stream_alone(self):
        self.file = self.pipeline(STREAMS.replace("group_by: [project_id]", "group_by: [project_id, model]"))
        done = self.again(expect=2)
        self.assertIn("run once with `--full-refresh --streams usage_completions`", done.error)
        self.again("--full-refresh", "--streams", "usage_completions")
        self.again()

    def test_recorded_rows_do_not_come_beside_live_ones(self):
        folder = self.folder / "recorded"
        self.cogni("record", str(self.file), str(folder), "--now", LATER, env=self.api.environment, expect=0)
        done = self.cogni("run", str(self.file), "--replay", str(folder), "--output", str(self.output), expect=2)
        self.assertIn("holds rows of the live API, and this run would add recorded ones", done.error)
        own = str(self.folder / "own")
        self.cogni("run", str(self.file), "--replay", str(folder), "--output", own, expect=0)
        self.cogni("run", str(self.file), "--replay", str(folder), "--output", own, expect=0)
        done = self.live(self.file, self.api, since=None, now=LATER, output=self.folder / "own", expect=2)
        self.assertIn("holds rows of recorded replies, and this run would add the live API's", done.error)
        self.assertIn("`--full-refresh`", done.error)
        self.live(self.file, self.api, "--full-refresh", since=None, now=LATER, output=self.folder / "own")
        self.live(self.file, self.api, since=None, now=LATER, output=self.folder / "own")

    def test_a_trial_with_recorded_replies_leaves_nothing_behind(self):
        folder, own = self.folder / "recorded", self.folder / "own"
        self.cogni("record", str(self.file), str(folder), "--now", LATER, env=self.api.environment, expect=0)
        self.cogni("run", str(self.file), "--replay", str(folder), "--output", str(own), "--dry-run", expect=0)
        self.live(self.file, self.api, since=None, now=LATER, output=own)

    def test_too_few_rows_are_held_back_on_the_first_run_too(self):
        file = self.pipeline("users: { min_rows: 1000 }\nprojects: {}", name="few")
        done = self.live(file, self.api, since=None, expect=5)
        self.assertIn("min_rows", done.out)
        self.assertEqual(self.at("few").rows("users"), [])
        self.assertGreater(len(self.at("few").rows("projects")), 0)

    def test_an_accepted_stream_must_exist(self):
        self.assertIn("projects", self.again("--accept-shrink", "projcts", expect=2).error)

    def test_shares_are_checked(self):
        for bad in ("20", "120%", "-1%", "a%", "1.234%"):
            file = self.pipeline(f'users: {{ max_shrink: "{bad}" }}', name="bad")
            self.assertIn("must be a share such as 20%", self.cogni("validate", file, expect=2).out, bad)
        file = self.pipeline("audit_logs: { min_rows: 2 }", name="bad")
        self.assertIn("only ever grow", self.cogni("validate", file, expect=2).out)


class Reports(PlainTest, CogniTest):
    """A report that says "nothing" where it had said something."""

    def setUp(self):
        super().setUp()
        self.empty, self.thin = set(), set()
        self.server = self.api({"/sales": self.sales})
        self.file = self.plain("sales: { bucket_width: 1h, since: 2026-11-17, lookback: 3d, max_shrink: 50% }")
        self.go(self.file, self.server, now="2026-11-20T00:00:00Z")

    def sales(self, query):
        data = []
        for at in range(int(query["from"]), int(query["to"]), 3600):
            moment = datetime.datetime.fromtimestamp(at, datetime.timezone.utc)
            day = moment.strftime("%d")
            gone = day in self.empty or day in self.thin and moment.hour > 5
            results = [] if gone else [{"copies": 3}]
            data.append({"start_time": at, "end_time": at + 3600, "results": results})
        return json.dumps({"data": data, "has_more": False, "next_page": None}).encode()

    def again(self, *more, **rest):
        return self.go(self.file, self.server, *more, now="2026-11-20T06:00:00Z", **rest)

    def days(self):
        return {name: sum(file["rows"] for _, other, file in self.at().files("sales") if other == name) for _, name, _ in self.at().files("sales")}

    def test_a_covered_day_that_went_to_zero_is_held_back_until_it_is_accepted(self):
        before = self.days()
        self.empty = {"18"}
        done = self.again(expect=5)
        self.assertIn("came without rows for 1 covered partitions that had some (2026-11-18)", json.dumps(done.summary["faults"]))
        self.assertEqual(self.days(), before)
        self.assertEqual(self.at().stream("sales")["watermark"], "2026-11-20T00:00:00Z", "its cursor stays, so that it is read again")
        self.again("--accept-shrink", "sales")
        self.assertNotIn("dt=2026-11-18", self.days())

    def test_days_that_lost_more_than_the_share_together_are_held_back_and_fewer_pass(self):
        before = self.days()
        self.thin = {"17", "18", "19"}
        self.assertIn("75% less", json.dumps(self.again(expect=5).summary["faults"]))
        self.assertEqual(self.days(), before)
        self.thin = {"18"}
        self.again()
        self.assertEqual(self.days()["dt=2026-11-18"], 6)


    def test_a_refresh_with_no_time_to_read_is_refused_before_it_drops_what_there_is(self):
        before, asked = self.at().tree(), len(self.server.asked)
        done = self.go(self.file, self.server, "--full-refresh", "--until", "2026-11-10", now="2026-11-20T06:00:00Z", expect=2)
        self.assertIn("nothing to read from 2026-11-17T00:00:00Z to 2026-11-10T00:00:00Z", done.error)
        self.assertIn("`--full-refresh` would drop the 72 rows of sales", done.error)
        self.assertEqual(len(self.server.asked), asked)
        self.assertEqual(self.at().generation, "generations/000001")
        self.assertEqual(self.days(), {name: 24 for name in ("dt=2026-11-17", "dt=2026-11-18", "dt=2026-11-19")})
        self.assertEqual({name: digest for name, digest in self.at().tree().items() if name in before}, before)
        # A plain run with nothing to read changes nothing, and neither is it a mistake.
        self.go(self.file, self.server, "--until", "2026-11-10", now="2026-11-20T00:00:00Z")
        self.assertEqual(sum(self.days().values()), 72)

    def test_a_refresh_of_what_has_no_rows_yet_may_have_nothing_to_read(self):
        self.go(self.file, self.server, "--full-refresh", "--until", "2026-11-10", output=self.folder / "new")


class Parents(PlainTest, CogniTest):
    """What stands below a list whose answers can't be trusted stays as it was."""

    def setUp(self):
        super().setUp()
        self.things = [{"id": name} for name in "abcd"]
        self.server = self.api({"/things": lambda _: page(*self.things)})
        for name in "abcd":
            self.server.pages[f"/things/{name}/parts"] = page({"id": "p" + name})
        self.file = self.plain("things: {}\nparts: {}", source="concurrency: 1")
        self.go(self.file, self.server)

    def again(self, *more, **rest):
        return self.go(self.file, self.server, *more, now="2026-11-21T00:00:00Z", **rest)

    def refuse(self, seconds):
        def refused(_):
            time.sleep(seconds)
            return 400, {}, b'{"error":{"message":"bad parameter"}}'

        for name in "abcd":
            self.server.pages[f"/things/{name}/parts"] = refused

    def deleted(self, stream="parts"):
        return [row["id"] for row in self.at().rows(stream) if row["deleted_at"] is not None]

    def test_refused_below_every_parent_it_is_refused_again_however_often_it_runs(self):
        self.refuse(0.4)  # so that progress becomes durable on the way
        for _ in range(3):  # alone, since a run that publishes something leaves nothing to go on from
            self.assertIn("bad parameter", self.again("--streams", "parts", expect=5).out)
            self.assertEqual(self.deleted(), [])

    def test_stopped_among_refusals_the_run_that_goes_on_counts_them_too(self):
        self.refuse(0.4)
        process = self.begin(self.file, self.server, now="2026-11-21T00:00:00Z")
        self.wait(lambda: "/things/c/" in self.server.asked[-1], process, "for the third parent")
        process.terminate()
        process.communicate()
        self.assertEqual(process.returncode, 143)
        self.assertIn("bad parameter", self.again(expect=5).out)
        self.assertEqual(self.deleted(), [])

    def test_children_of_a_list_that_is_held_back_keep_their_files(self):
        self.file = self.plain("things: { min_rows: 1, max_shrink: 50% }\nparts: {}")
        self.things = []
        asked = len(self.server.asked)
        done = self.again(expect=5)
        self.assertEqual([done.stream(name)["status"] for name in ("things", "parts")], ["stale", "stale"])
        self.assertIn("its parent stream things could not be listed: the stream was held back: it came with 0 rows", done.out)
        self.assertEqual(self.deleted(), [])
        self.things = [{"id": "a"}]
        self.assertIn("75% less", self.again(expect=5).out)
        self.assertEqual(self.deleted(), [])
        self.assertEqual(len(self.server.asked), asked + 2, "nothing is asked for below a list that is held back")
        self.again("--accept-shrink", "things")
        self.assertEqual(self.deleted(), ["pb", "pc", "pd"])

    def test_a_parent_that_is_fetched_for_its_ids_alone_is_judged_too(self):
        self.file = self.plain("things: { max_shrink: 50% }\nparts: {}")
        self.things = [{"id": "a"}]
        done = self.again("--streams", "parts", expect=5)
        self.assertIn("--accept-shrink things", done.out)
        self.assertEqual(self.deleted(), [])
        self.again("--streams", "parts", "--accept-shrink", "things")
        self.assertEqual(self.deleted(), ["pb", "pc", "pd"])
        self.assertEqual(self.deleted("things"), [])

    def test_a_list_within_its_guard_has_its_children_read(self):
        self.file = self.plain("things: { min_rows: 1, max_shrink: 50% }\nparts: {}")
        self.things = self.things[:3]
        self.again()
        self.assertEqual((self.deleted("things"), self.deleted()), (["d"], ["pd"]))


class Organizations(CogniTest):
    def published(self):
        return {name: digest for name, digest in self.at().tree().items() if not name.startswith(".staging")}

    def test_rows_of_another_organization_are_refused_before_anything_is_published(self):
        file = self.pipeline("users: {}\nprojects: {}\ncosts: { since: 2026-11-12 }")
        one, other = self.simulator("--seed", "1"), self.simulator("--seed", "2")
        self.live(file, one, since=None)
        self.assertTrue(self.at().manifest["organization"]["header"])
        before = self.published()
        done = self.live(file, other, since=None, expect=5, now=LATER)
        self.assertIn("another organization", done.out)
        self.assertEqual(self.published(), before)
        self.live(file, one, since=None, now=LATER)


class Owners(PlainTest, CogniTest):
    """Whose an output is, is what was published into it, not what was tried."""

    STREAMS = "things: {}\nsales: { since: 2026-11-19 }"

    def setUp(self):
        super().setUp()
        self.things = page({"id": "a"}, {"id": "b"})
        self.server = self.api({"/things": lambda _: self.things, "/sales": self.sales})
        self.file = self.plain(self.STREAMS)
        self.other = self.plain(self.STREAMS, file="other.yaml", connector="other")

    def sales(self, query):
        data = [{"start_time": at, "end_time": at + 3600, "results": [{"copies": 3}]} for at in range(int(query["from"]), int(query["to"]), 3600)]
        return json.dumps({"data": data, "has_more": False, "next_page": None}).encode()

    def published(self):
        return {name: digest for name, digest in self.at().tree().items() if not name.startswith(".staging")}

    def run_at(self, file, *more, **rest):
        return self.go(file, self.server, *more, now=LATER, **rest)

    def recorded(self):
        folder = self.folder / "recorded"
        self.cogni("record", self.file, folder, "--now", LATER, env=self.server.environment, expect=0)
        return folder

    def test_a_dry_run_of_recorded_replies_takes_nothing_over(self):
        self.go(self.file, self.server)
        self.cogni(
            "run", self.file, "--replay", self.recorded(), "--output", self.output, "--dry-run", "--full-refresh",
            env=self.server.environment, expect=0,
        )  # fmt: skip
        self.run_at(self.file)

    def test_a_full_refresh_that_publishes_nothing_takes_nothing_over(self):
        self.go(self.file, self.server)
        good, self.things = self.things, (401, {}, b'{"error":{"message":"no"}}')
        self.run_at(self.other, "--full-refresh", expect=3)
        self.things = good
        self.run_at(self.file)
        self.assertIn("belongs to", self.run_at(self.other, expect=2).error)

    def test_a_full_refresh_of_some_streams_takes_nothing_over(self):
        self.go(self.file, self.server)
        before = self.at().tree()
        done = self.run_at(self.other, "--full-refresh", "--streams", "sales", expect=2)
        self.assertIn("belongs to", done.error)
        self.assertEqual(self.at().tree(), before)
        self.run_at(self.other, "--full-refresh", "--streams", "things,sales")
        self.assertIn("belongs to", self.run_at(self.file, expect=2).error)

    def test_an_output_is_not_taken_over_while_rows_of_the_other_source_would_stay(self):
        self.go(self.file, self.server)
        before, good = self.published(), self.things
        self.things = (403, {}, b'{"error":{"message":"no"}}')
        done = self.run_at(self.other, "--full-refresh", expect=3)
        self.assertIn("rows of things that", json.dumps(done.summary["faults"]))
        self.assertEqual(done.summary["outcome"], "failed")
        self.assertEqual(self.published(), before)
        self.things = good
        self.run_at(self.file)

    def test_an_output_that_was_taken_over_stays_so_when_nothing_had_changed(self):
        self.go(self.file, self.server)
        moved = self.folder / "moved.yaml"
        moved.write_text(self.file.read_text())
        self.assertEqual(self.go(moved, self.server).summary["outcome"], "unchanged")
        moved.write_text(moved.read_text().replace("  sales: { since: 2026-11-19 }\n", ""))
        self.run_at(moved)
        self.assertIsNone(self.at().stream("sales"))

    def test_a_first_run_that_failed_leaves_the_output_to_anybody(self):
        good, self.things = self.things, (401, {}, b'{"error":{"message":"no"}}')
        self.go(self.file, self.server, expect=3)
        self.things = good
        self.run_at(self.other)

    def test_what_a_stopped_first_run_had_read_is_not_gone_on_from_with_another_source(self):
        folder = self.recorded()
        self.things = page({"id": "live"})
        held, good = threading.Event(), self.server.pages["/sales"]
        self.addCleanup(held.set)
        self.server.pages["/sales"] = lambda query: held.wait() and good(query)
        before = len(self.server.asked)
        process = self.begin(self.file, self.server, now=LATER)
        self.wait(lambda: len(self.server.asked) == before + 2, process)
        time.sleep(0.5)  # for the things to be read and parked
        process.terminate()
        process.communicate()
        held.set()
        self.cogni("run", self.file, "--replay", folder, "--output", self.output, "--now", LATER, env=self.server.environment, expect=0)
        self.assertEqual([row["id"] for row in self.at().rows("things")], ["a", "b"])


if __name__ == "__main__":
    unittest.main()
