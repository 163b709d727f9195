"""How pages follow each other is as the connector says and the reply shows; where they disagree, no rows are lost in silence."""

import json
import unittest

from harness import CogniTest
from plain_api import PlainAPI

CONNECTOR = """
connector: pages
base_url: https://api.pages.example/v1
auth: {{ header: Authorization, variable: PLAIN_KEY }}
streams:
  - name: things
    mode: snapshot
    path: /things
    {pagination}
    rows: "{rows}"
    primary_key: [id]
    columns: [{{ name: id, type: string }}]
"""
PIPELINE = """
pipeline: demo
source: { connector: ./pages.yaml, base_url: "${PLAIN_URL}", credential: "${PLAIN_KEY}" }
"""
ALL = [f"t{number}" for number in range(6)]


def paged(envelope):
    """Three pages of two rows each; `envelope` makes of the next cursor (null at the end) what stands beside them."""

    def answer(query):
        start = int(query.get("after", 0))
        following = str(start + 2) if start + 2 < len(ALL) else None
        rows = [{"id": name} for name in ALL[start : start + 2]]
        return json.dumps({"data": rows, **envelope(following)}).encode()

    return answer


class PageFields(CogniTest):
    def run_with(self, pagination, envelope, expect=0, rows="data[]"):
        api = PlainAPI({"/things": paged(envelope)})
        self.addCleanup(api.close)
        text = CONNECTOR.format(pagination=f"pagination: {{ {pagination} }}" if pagination else "", rows=rows)
        (self.folder / "pages.yaml").write_text(text)
        pipeline = self.folder / "demo.yaml"
        pipeline.write_text(PIPELINE)
        self.cogni("validate", pipeline, expect=0, env=api.environment)
        arguments = ["run", pipeline, "--output", self.output, "--now", "2026-11-20T12:00:00Z", "--json"]
        return self.cogni(*arguments, expect=expect, env=api.environment), api

    def ids(self):
        return [row["id"] for row in self.at().rows("things")]

    def assertRefused(self, done, *words):  # noqa: N802
        fault = done.summary["faults"][0]
        self.assertEqual(fault["code"], "badReply")
        for word in words:
            self.assertIn(word, fault["what"] + fault["mend"])
        self.assertFalse(self.at().exists(), "nothing is published")

    def test_a_nested_cursor_leads_to_every_page(self):
        self.run_with(
            "style: cursor_after_next, cursor_from: paging.next, more: meta.has_more",
            lambda after: {"paging": {"next": after}, "meta": {"has_more": after is not None}},
        )
        self.assertEqual(self.ids(), ALL)

    def test_a_key_with_a_dot_is_named_in_a_list(self):
        self.run_with('style: cursor_after_next, cursor_from: ["page.next"]', lambda after: {"page.next": after})
        self.assertEqual(self.ids(), ALL)

    def test_a_cursor_under_another_name_is_no_end(self):
        done, _ = self.run_with("style: cursor_after_next, cursor_from: nextCursor", lambda after: {"next_cursor": after}, expect=5)
        self.assertRefused(done, "neither nextCursor nor has_more", "compare `cursor_from`")

    def test_a_cursor_that_the_last_page_leaves_out_is_no_end_unless_the_connector_says_so(self):
        def envelope(after):
            return {"next": after} if after else {}

        done, _ = self.run_with("style: cursor_after_next", envelope, expect=5)
        self.assertRefused(done, "omitted_at_end: true")
        self.run_with("style: cursor_after_next, omitted_at_end: true", envelope)
        self.assertEqual(self.ids(), ALL)

    def test_a_last_page_may_leave_the_cursor_out_where_more_is_false(self):
        self.run_with("style: cursor_after_next", lambda after: {"next": after, "has_more": True} if after else {"has_more": False})
        self.assertEqual(self.ids(), ALL)

    def test_items_without_the_cursors_field_are_no_end(self):
        done, _ = self.run_with("style: cursor_after_item_id, cursor_from: uuid", lambda after: {}, expect=5)
        self.assertRefused(done, "its last item no uuid")

    def test_without_pagination_a_page_that_says_more_follows_is_refused(self):
        done, api = self.run_with("", lambda after: {"has_more": after is not None}, expect=5)
        self.assertRefused(done, "has_more is true", "`pagination`")
        self.assertEqual(len(api.asked), 1, "it is not asked for again")

    def test_rows_under_another_name_are_told_with_the_key_to_compare(self):
        done, _ = self.run_with("style: none", lambda after: {}, rows="items[]", expect=5)
        self.assertRefused(done, "compare `rows` of the connector file (items[])")
        done, api = self.run_with("style: none", lambda after: {"has_more": False}, rows="items[]", expect=5)
        self.assertRefused(done, "compare `rows` of the connector file (items[])")
        self.assertEqual(len(api.asked), 1, "a page with its envelope is one: another would be the same")

    def test_a_list_is_not_told_to_shorten_a_window_it_does_not_have(self):
        done, _ = self.run_with("style: cursor_after_next", lambda after: {"next": "2", "has_more": True}, expect=5)
        self.assertNotIn("--since", done.summary["faults"][0]["mend"])

    def test_a_missing_key_file_is_to_be_written_not_exported(self):
        (self.folder / "pages.yaml").write_text(CONNECTOR.format(pagination="", rows="data[]"))
        pipeline = self.folder / "demo.yaml"
        pipeline.write_text(PIPELINE.replace("${PLAIN_URL}", "https://api.example").replace("${PLAIN_KEY}", "${file:no/such/key}"))
        for command in ("run", "check"):
            done = self.cogni(command, pipeline, "--output", self.output, expect=3)
            said = done.out + done.error
            self.assertIn("the file no/such/key is missing, empty or not readable", said)
            self.assertIn("put an admin key into no/such/key", said)
            self.assertNotIn("export no/such", said)


if __name__ == "__main__":
    unittest.main()
