"""Whatever the service and the network do: a run that ends well has the undisturbed run's bytes, else it says why not."""

import json
import unittest

from harness import CogniTest

SOME = """
usage_completions: { since: 2026-11-12, group_by: [project_id, user_id, model] }
costs: { since: 2026-11-12 }
users: {}
projects: {}
project_api_keys: {}
project_users: {}
audit_logs: { since: 2026-11-12 }
"""
SOURCE = "page_limit: 3\nconcurrency: 4\nretry: { budget: 20s, max_delay: 1s }"
USERS, PROJECTS, COSTS = "/organization/users", "/organization/projects", "/organization/costs"
COMPLETIONS, AUDIT = "/organization/usage/completions", "/organization/audit_logs"
KEYS = "/organization/projects/{project_id}/api_keys"


class Faults(CogniTest):
    def disturbed(self, *faults, expect=0, source=SOURCE, every=True):
        """Runs undisturbed, then into another folder with the faults; gives both outputs and what the second said."""
        simulator = self.simulator()
        pipeline = self.pipeline(SOME, source=source)
        self.live(pipeline, simulator, since=None, output=self.folder / "calm")
        simulator.faults(*faults)
        done = self.live(pipeline, simulator, since=None, output=self.folder / "rough", expect=expect)
        self.struck = [fault["injected"] for fault in simulator.ask("faults")["faults"]]
        self.assertTrue((all if every else any)(self.struck), f"a fault never struck: {self.struck}")
        self.assertBalances(done.summary)
        return self.at(output=self.folder / "calm"), self.at(output=self.folder / "rough"), done

    def same(self, *faults, **rest):
        calm, rough, done = self.disturbed(*faults, **rest)
        self.assertSameTree(calm, rough, json.dumps(faults))
        return done

    def retried(self, *faults, **rest):
        done = self.same(*faults, **rest)
        retries = done.summary["totals"]["retries"]
        if rest.get("every", True):
            # A connection that was kept open and is reset before the reply began is asked again by libcurl itself.
            ours = [struck for fault, struck in zip(faults, self.struck) if fault["fault"] != "reset"]
            self.assertGreaterEqual(retries, sum(ours))
        self.assertGreater(retries, 2)

    def test_429_with_and_without_a_hint_is_waited_out(self):
        self.retried(
            {"fault": "retry_after", "path": USERS, "nth": 2, "seconds": 1},
            {"fault": "retry_after", "path": COSTS, "nth": 1, "value": "Fri, 20 Nov 2026 12:00:01 GMT"},
            {"fault": "retry_after_ms", "path": PROJECTS, "nth": 1, "ms": 50, "seconds": 1},
            {"fault": "status", "path": COMPLETIONS, "nth": 2, "status": 429},
        )

    def test_500_and_502_in_html_are_tried_again(self):
        self.retried(
            {"fault": "status", "path": USERS, "nth": 1, "status": 500},
            {"fault": "status", "path": AUDIT, "page": 2, "times": 1, "status": 502},
            {"fault": "status", "path": KEYS, "nth": 2, "status": 504},
        )

    def test_resets_short_bodies_and_cut_chunks_are_never_data(self):
        self.retried(
            {"fault": "reset", "path": USERS, "nth": 1},
            {"fault": "reset_mid_body", "path": COMPLETIONS, "page": 2, "times": 1},
            {"fault": "short_body", "path": COSTS, "page": 2, "times": 1},
            {"fault": "cut_chunked", "path": AUDIT, "page": 2, "times": 1},
            {"fault": "cut_close", "path": PROJECTS, "nth": 1},
        )

    def test_broken_bodies_are_asked_for_again(self):
        self.retried(
            {"fault": "truncate_json", "path": COMPLETIONS, "page": 3, "times": 1},
            {"fault": "empty_body", "path": USERS, "nth": 1},
            {"fault": "html_200", "path": COSTS, "nth": 1},
            {"fault": "trailing_garbage", "path": AUDIT, "nth": 1},
            {"fault": "gzip_corrupt", "path": PROJECTS, "nth": 1},
        )

    def test_a_third_of_all_requests_may_fail(self):
        self.retried(
            {"fault": "status", "probability": 0.15, "status": 503},
            {"fault": "reset_mid_body", "probability": 0.1},
            {"fault": "short_body", "probability": 0.1},
            every=False,
        )

    def test_encodings_and_odd_headers_change_nothing(self):
        done = self.same(
            {"fault": "gzip", "path": USERS}, {"fault": "chunked", "path": COMPLETIONS}, {"fault": "drip", "path": PROJECTS, "nth": 1, "bytes": 400, "interval_ms": 1},
            {"fault": "no_request_id", "path": COSTS}, {"fault": "date_skew", "path": AUDIT, "seconds": 86400},
        )  # fmt: skip
        self.assertEqual(done.summary["totals"]["retries"], 0)

    def test_all_replies_compressed_change_nothing(self):
        pipeline = self.pipeline(SOME, source=SOURCE)
        for name, switches in (("plain", {}), ("gzip", {"gzip": True})):
            simulator = self.simulator(scenario={"seed": 1, "faults": [], "switches": switches})
            self.live(pipeline, simulator, since=None, output=self.folder / name)
            self.assertTrue(all(line["accepts_gzip"] for line in simulator.log()))
        self.assertSameTree(self.at(output=self.folder / "plain"), self.at(output=self.folder / "gzip"))

    def test_odd_paging_that_loses_nothing_changes_nothing(self):
        self.same(
            {"fault": "last_page_cursor", "path": USERS}, {"fault": "last_page_cursor", "path": COMPLETIONS},
            {"fault": "rotating_last_id", "path": PROJECTS}, {"fault": "empty_page", "path": COSTS, "page": 2, "times": 1},
            {"fault": "long_cursors", "path": AUDIT},
        )  # fmt: skip

    def test_rows_repeated_at_a_seam_stand_once(self):
        done = self.same(
            {"fault": "overlap", "path": COMPLETIONS, "page": 2}, {"fault": "overlap", "path": USERS, "page": 2},
            {"fault": "duplicate_row", "path": COSTS, "page": 1},
        )  # fmt: skip
        repeats = {stream["name"]: stream["duplicates"]["identical"] for stream in done.summary["streams"]}
        self.assertGreater(repeats["usage_completions"], 0)
        self.assertGreater(repeats["users"], 0)
        self.assertGreater(repeats["costs"], 0)

    def test_the_order_of_arrival_changes_nothing(self):
        calm, rough, done = self.disturbed({"fault": "reversed", "path": COSTS}, {"fault": "reversed", "path": COMPLETIONS})
        self.assertSameTree(calm, rough)

    def fails(self, fault, stream, *words, code=5, source=SOURCE):
        calm, rough, done = self.disturbed(fault, expect=code, source=source)
        self.assertIn(f"stream {stream}", done.error)
        for word in words:
            self.assertIn(word, done.error)
        stale = {entry["name"] for entry in rough.manifest["streams"] if entry["stale"]}
        self.assertEqual(stale, {stream})
        for entry in calm.manifest["streams"]:
            if entry["name"] != stream:
                self.assertEqual(rough.stream(entry["name"])["partitions"], entry["partitions"])

    def test_more_promised_without_a_cursor_is_5(self):
        self.fails({"fault": "has_more_no_cursor", "path": COMPLETIONS, "page": 2}, "usage_completions", "page 2", "req_")

    def test_a_cursor_that_comes_back_is_5(self):
        self.fails({"fault": "cursor_cycle", "path": USERS}, "users", "req_", source=SOURCE.replace("3", "1", 1))

    def test_a_cursor_that_never_moves_is_5(self):
        self.fails({"fault": "constant_cursor", "path": COSTS}, "costs", "req_")

    def test_a_hole_between_buckets_is_5_and_names_the_hole(self):
        self.fails({"fault": "gap", "path": COMPLETIONS, "page": 2}, "usage_completions", "hole from 2026-11-", "window 2026-11-12")

    def test_a_missing_has_more_is_never_the_end(self):
        simulator = self.simulator(scenario={"seed": 1, "faults": [{"fault": "no_has_more", "path": USERS}]})
        done = self.live(self.pipeline("users: {}", source="page_limit: 3\nretry: { budget: 2s }"), simulator, since=None, expect=None)
        if done.code == 0:  # a page without has_more may go on by its cursor, but nothing may be lost
            calm = self.simulator()
            self.live(self.pipeline("users: {}", source="page_limit: 3"), calm, since=None, output=self.folder / "calm")
            self.assertSameTree(self.at(output=self.folder / "calm"), self.at())
        else:
            self.assertEqual(done.code, 5, done)

    def test_a_spent_quota_is_final(self):
        calm, rough, done = self.disturbed({"fault": "quota", "path": COSTS}, expect=None)
        self.assertIn(done.code, (3, 4), done)
        self.assertEqual(self.struck, [1], "asked once")

    def test_a_403_fails_its_stream_at_once(self):
        self.fails({"fault": "missing_scope", "path": COSTS, "scope": "api.usage.read"}, "costs", "api.usage.read", code=3)
        self.assertEqual(self.struck, [1], "asked once")

    def test_a_redirect_to_another_host_never_gets_the_key(self):
        import http.server
        import threading

        seen = []

        class Thief(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802
                seen.append(self.headers.get("authorization"))
                self.send_error(404)

            def log_message(self, *_):
                pass

        with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Thief) as thief:
            threading.Thread(target=thief.serve_forever, daemon=True).start()
            location = f"http://localhost:{thief.server_port}/v1/organization/costs"
            _, _, done = self.disturbed({"fault": "redirect", "path": COSTS, "location": location}, expect=None)
            thief.shutdown()
        self.assertNotEqual(done.code, 0)
        self.assertEqual([header for header in seen if header], [], "the key went elsewhere")

    def test_a_parent_that_vanishes_on_the_way_is_a_note(self):
        simulator = self.simulator()
        pipeline = self.pipeline("projects: {}\nproject_users: {}", source=SOURCE)
        self.live(pipeline, simulator, since=None, output=self.folder / "calm")
        rows = self.at(output=self.folder / "calm").rows("project_users")
        gone = sorted({row["project_id"] for row in rows})[0]
        simulator.faults({"fault": "not_found", "path": f"/organization/projects/{gone}/users"})
        done = self.live(pipeline, simulator, since=None)
        self.assertRegex(" ".join(done.stream("project_users")["notes"]), "1 of . parents")
        self.assertEqual({row["project_id"] for row in self.at().rows("project_users")}, {row["project_id"] for row in rows} - {gone})

    def test_amounts_as_text_and_as_numbers_give_the_same_archive(self):
        outputs = []
        for values in ("number", "string"):
            simulator = self.simulator("--cost-values", values)
            self.live(self.pipeline("costs: { since: 2026-11-12 }"), simulator, since=None, output=self.folder / values)
            outputs.append(self.at(output=self.folder / values))
        left, right = (output.text("costs") for output in outputs)
        self.assertEqual(left, right)


if __name__ == "__main__":
    unittest.main()
