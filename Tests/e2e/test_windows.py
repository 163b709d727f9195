"""What a later run reads again, what it claims to have read, and that rows of two groupings never stand beside each other."""

import datetime
import json
import unittest

from harness import CogniTest
from plain_api import PlainTest

HOUR = 3600


def moment(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


class Spans(PlainTest, CogniTest):
    """A log and a report of an API that remembers from `floor` on, if that is set."""

    def setUp(self):
        super().setUp()
        self.days, self.floor, self.starts = range(1, 20), None, []
        self.server = self.api({"/events": self.events, "/sales": self.sales})

    def events(self, query):
        self.starts.append(int(query["from"]))
        rows = [{"id": f"e{day:02d}", "at": moment(f"2026-11-{day:02d}T05:00:00Z")} for day in self.days]
        rows = [row for row in rows if int(query["from"]) <= row["at"] < int(query["to"])]
        return json.dumps({"data": rows, "has_more": False, "last_id": None}).encode()

    def sales(self, query):
        begin, end = int(query["from"]), int(query["to"])
        self.starts.append(begin)
        if self.floor and begin < moment(self.floor):
            error = {"message": f"Earliest supported start date: {self.floor[:10]} (UTC).", "code": "reporting_lookback_exceeded"}
            return 400, {}, json.dumps({"error": error}).encode()
        buckets = [{"start_time": at, "end_time": at + HOUR, "results": [{"copies": 3}]} for at in range(begin, end, HOUR)]
        return json.dumps({"data": buckets, "has_more": False, "next_page": None}).encode()

    def read(self, file, *more, now="2026-11-20T12:00:00Z", **rest):
        self.starts = []
        return self.go(file, self.server, *more, now=now, **rest)

    def ids(self):
        return [row["id"] for row in self.at().rows("events")]

    def coverage(self, stream="events"):
        coverage = self.at().stream(stream)["coverage"]
        gaps = [(gap["from"], gap["to"]) for gap in coverage.get("gaps", [])]
        return coverage["from"][:13], coverage["to"][:13], *gaps

    def test_an_earlier_since_reads_a_log_from_there(self):
        self.read(self.plain("events: { since: 2026-11-10 }"))
        self.assertEqual(len(self.ids()), 10)
        self.assertEqual(self.coverage(), ("2026-11-10T00", "2026-11-19T05"))
        for since, way in (("2026-11-05", "--since"), ("2026-11-02", "file")):
            file = self.plain(f"events: {{ since: {since if way == 'file' else '2026-11-10'} }}")
            more = ["--since", since] if way == "--since" else []
            done = self.read(file, *more, now="2026-11-21T12:00:00Z")
            self.assertEqual(done.summary["outcome"], "published")
            self.assertEqual(self.ids(), [f"e{day:02d}" for day in range(int(since[-2:]), 20)])
            self.assertEqual(self.coverage(), (since + "T00", "2026-11-19T05"))
            # Once is enough: what was read stays known, however late it gets.
            done = self.read(file, *more, now="2026-11-22T12:00:00Z")
            self.assertEqual(done.summary["outcome"], "unchanged")
            self.assertEqual(self.starts, [moment("2026-11-19T05:00:00Z")])
        self.cogni("verify", self.at().path, "--all", expect=0)

    def test_a_log_without_events_is_unchanged_however_late_it_gets(self):
        self.days = []
        for file in (self.plain("events: {}"), self.plain("events: { since: 2026-11-10 }", name="since")):
            self.read(file)
            for now in ("2026-11-21T12:00:00Z", "2026-11-25T12:00:00Z"):
                self.assertEqual(self.read(file, now=now).summary["outcome"], "unchanged")
        self.days = [24]
        self.assertEqual(self.read(file, now="2026-11-26T12:00:00Z").summary["outcome"], "published")
        [coverage] = [stream["coverage"] for stream in self.at("since").manifest["streams"]]
        self.assertEqual(coverage, {"from": "2026-11-10T00:00:00Z", "to": "2026-11-24T05:00:00Z"})

    def test_an_earlier_span_of_a_log_is_read_up_to_what_is_known(self):
        file = self.plain("events: { since: 2026-11-10 }")
        self.read(file)
        self.read(file, "--since", "2026-11-02", "--until", "2026-11-04")
        self.assertEqual(self.ids(), [f"e{day:02d}" for day in range(2, 20)])
        self.assertEqual(self.coverage(), ("2026-11-02T00", "2026-11-19T05"))

    def reset(self, file, stream):
        self.cogni("state", "reset", file, "--stream", stream, "--output", self.output, env=self.server.environment, expect=0)

    def test_a_reset_stream_is_read_from_where_it_began_and_leaves_no_gap(self):
        file = self.plain("sales: {}")
        self.read(file, now="2026-11-01T12:00:00Z")
        self.assertEqual(self.coverage("sales"), ("2026-10-30T12", "2026-11-01T12"))
        self.reset(file, "sales")
        plan = json.loads(
            self.cogni(
                "plan", file, "--output", self.output, "--now", "2026-11-20T12:00:00Z", "--json", env=self.server.environment, expect=0
            ).out
        )
        self.assertIn("2026-10-30T12:00:00Z", json.dumps(plan["streams"]))
        done = self.read(file, now="2026-11-20T12:00:00Z")
        self.assertEqual(self.coverage("sales"), ("2026-10-30T12", "2026-11-20T12"))
        self.assertNotIn("nothing was ever read", str(done.stream("sales").get("notes")))
        self.assertEqual(len(self.at().rows("sales")), 21 * 24)
        # With a `since`, the beginning is that; but what follows on what is kept.
        for since, start in (("2026-11-10", "2026-11-10T00:00:00Z"), ("2026-11-21", "2026-11-20T12:00:00Z")):
            self.reset(file, "sales")
            self.read(file, "--since", since, now=f"{max(since, '2026-11-20')}T12:00:00Z")
            self.assertEqual(self.starts, [moment(start)])
            self.assertEqual(len(self.coverage("sales")), 2)

    def test_hours_of_a_gap_are_read_for_the_first_time_and_no_restatement(self):
        file = self.plain("sales: { since: 2026-10-30, lookback: 3h }", load="partition_by: month", connector="floor")
        connector = self.folder / "floor.connector.yaml"
        connector.write_text(connector.read_text().replace("streams:\n", "errors: { history: [reporting_lookback_exceeded] }\nstreams:\n", 1))
        self.read(file, now="2026-11-01T12:00:00Z")
        self.floor = "2026-11-05"
        self.read(file, now="2026-11-08T12:00:00Z")
        self.assertEqual(self.coverage("sales")[2:], (("2026-11-01T12:00:00Z", "2026-11-05T00:00:00Z"),))
        self.floor = None
        done = self.read(file, "--since", "2026-11-01", now="2026-11-08T12:00:00Z")
        self.assertEqual(len(self.coverage("sales")), 2)
        self.assertEqual(len(self.at().rows("sales")), 9 * 24 + 12)
        self.assertNotIn("restated", str(done.stream("sales").get("notes")))
        self.assertIsNone(self.at().stream("sales_restatements"))

    def test_an_open_bucket_may_name_the_end_that_it_will_have(self):
        file = self.plain("sales: { since: 2026-11-19 }", source="include_open_bucket: true")
        self.read(file, now="2026-11-20T12:30:00Z")
        last = self.at().rows("sales")[-1]
        self.assertEqual((last["start_time"], last["end_time"]), ("2026-11-20T12:00:00Z", "2026-11-20T13:00:00Z"))
        self.assertEqual(self.at().stream("sales")["watermark"], "2026-11-20T12:30:00Z", "not yet read to its end")
        self.read(file, now="2026-11-20T14:00:00Z")
        self.assertEqual(len(self.at().rows("sales")), 38)
        self.assertEqual(self.at().stream("sales")["watermark"], "2026-11-20T14:00:00Z")


class Groupings(CogniTest):
    """Costs by user and project, which some organizations are refused."""

    def setUp(self):
        super().setUp()
        self.accepts = self.simulator()
        self.refuses = self.simulator(scenario={"switches": {"refuse_user_with_project": True}})

    def file(self, lookback="3d"):
        return self.pipeline(f"costs: {{ since: 2026-11-12, group_by: [project_id, user_id], lookback: {lookback} }}\nprojects: {{}}")

    def run_at(self, file, simulator, *more, now="2026-11-20T12:00:00Z", **rest):
        simulator.clock(now)
        return self.live(file, simulator, *more, now=now, since=None, **rest)

    def grouping(self):
        costs = self.at().stream("costs")
        self.assertEqual(costs["primary_key"], ["start_time", *costs["group_by"]])
        return costs["group_by"]

    def test_a_grouping_that_was_refused_once_is_not_mixed_in_when_it_is_accepted(self):
        for lookback in ("3d", "0s"):
            self.output = self.folder / lookback
            file = self.file(lookback)
            done = self.run_at(file, self.refuses)
            self.assertIn("the API refused to group by user_id", str(done.stream("costs")["notes"]))
            self.assertEqual(self.grouping(), ["project_id"])
            for now in ("2026-11-20T18:00:00Z", "2026-11-21T12:00:00Z"):
                done = self.run_at(file, self.accepts, now=now)
                self.assertEqual(self.grouping(), ["project_id"])
                self.assertEqual([row for row in self.at().rows("costs") if row["user_id"] is not None], [])
                self.assertIsNone(self.at().stream("costs_restatements"))
            self.assertIn("cogni run PIPELINE --full-refresh --streams costs", str(done.stream("costs")["notes"]))
            self.run_at(file, self.accepts, "--full-refresh", "--streams", "costs", now="2026-11-21T12:00:00Z")
            self.assertEqual(self.grouping(), ["project_id", "user_id"])
            self.assertTrue([row for row in self.at().rows("costs") if row["user_id"] is not None])

    def test_a_grouping_that_is_refused_from_now_on_holds_the_stream_and_keeps_its_rows(self):
        file = self.file()
        self.run_at(file, self.accepts)
        before = self.at().text("costs")
        done = self.run_at(file, self.refuses, now="2026-11-21T12:00:00Z", expect=5)
        for told in ("user_id", "can't stand beside them", "cogni run PIPELINE --full-refresh --streams costs"):
            self.assertIn(told, done.error + json.dumps(done.summary["faults"], ensure_ascii=False))
        self.assertEqual(done.stream("projects")["status"] in ("ok", "unchanged"), True)
        costs = self.at().stream("costs")
        self.assertEqual((self.grouping(), costs["stale"], costs["watermark"]), (["project_id", "user_id"], True, "2026-11-20T00:00:00Z"))
        self.assertEqual(self.at().text("costs"), before)
        self.run_at(file, self.refuses, "--full-refresh", "--streams", "costs", now="2026-11-21T12:00:00Z")
        self.assertEqual(self.grouping(), ["project_id"])
        self.cogni("verify", self.at().path, "--all", expect=0)


if __name__ == "__main__":
    unittest.main()
