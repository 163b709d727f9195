"""Nothing that lost too much, and nothing of another organization, replaces what was published."""

import json
import unittest

from harness import CogniTest

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

    def test_a_loss_within_the_share_is_published(self):
        self.file = self.pipeline(STREAMS.replace("max_shrink: 20%", "max_shrink: 80%"))
        self.lose(0.75)
        self.again()

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


if __name__ == "__main__":
    unittest.main()
