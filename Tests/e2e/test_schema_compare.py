"""`cogni schema --compare` tells where a connector and an API's own description differ, and only that."""

import json
import unittest

from harness import ROOT, CogniTest

DOCUMENT = ROOT / "Fixtures/openapi/bookshop.yaml"
CONNECTOR = ROOT / "docs/examples/bookshop/connector.yaml"


class Compare(CogniTest):
    def compare(self, document, connector=CONNECTOR, expect=1):
        done = self.cogni("schema", "--compare", document, "--connector", connector, "--json", expect=expect)
        return [(d["kind"], d["stream"], d["place"]) for d in json.loads(done.out)["differences"]]

    def changed(self, *pairs, name="openapi.yaml"):
        text = DOCUMENT.read_text()
        for old, new in pairs:
            self.assertEqual(text.count(old), 1, old)
            text = text.replace(old, new)
        path = self.folder / name
        path.write_text(text)
        return path

    def test_two_that_say_the_same_do_not_differ(self):
        self.assertEqual(self.compare(DOCUMENT, expect=0), [])
        done = self.cogni("schema", "--compare", DOCUMENT, "--connector", CONNECTOR, expect=0)
        self.assertIn("describe the same", done.out)

    def test_each_kind_of_difference_is_told_at_its_place(self):
        cases = [
            ("  /settings:\n", "  /setting:\n", ("missing_path", "chain_settings", "/settings")),
            ("till_seen_at: {", "till_at: {", ("missing_field", "shops", "till_seen_at")),
            ("opened_at: { type: integer", "opened_at: { type: boolean", ("type", "shops", "opened_at")),
            ("        name: { type: string }", "        name: { type: [string, 'null'] }", ("optional", "shops", "name")),
            ("        name: { type: string }\n", "        name: { type: string }\n        city: { type: string }\n", ("new_field", "shops", "city")),
            ("{ email: {", "{ phone: { type: string }, email: {", ("new_field", "shop_staff", "contact.phone")),
            ("  /settings:\n", "  /shops/{shop}/tills:\n    get: { responses: {} }\n  /settings:\n", ("new_path", None, "/shops/{}/tills")),
            ("        results:\n", "        rows:\n", ("missing_field", "sales", "results")),
        ]  # fmt: skip
        for old, new, expected in cases:
            found = self.compare(self.changed((old, new)))
            self.assertIn(expected, found, new)
            # Renaming something makes it both missing and new; nothing else is touched.
            self.assertLessEqual(len(found), 2, f"{new}: {found}")

    def test_listed_values_are_compared_both_ways(self):
        connector = self.folder / "connector.yaml"
        text = CONNECTOR.read_text()
        connector.write_text(text.replace("- { name: status, type: string }", "- { name: status, type: string, values: [open, shut] }"))
        document = self.changed(("        status: { type: string }", "        status: { type: string, enum: [open, closed] }"))
        found = self.compare(document, connector)
        self.assertEqual(found, [("new_value", "shops", "status"), ("missing_value", "shops", "status")])

    def test_json_says_the_same_as_yaml(self):
        text = """{"openapi": "3.0.3", "paths": {"/shops": {"get": {"responses": {"200": {"content": {"application/json":
            {"schema": {"properties": {"data": {"type": "array", "items": {"type": "object", "properties": {
            "id": {"type": "string"}}}}}}}}}}}}}}"""
        path = self.folder / "openapi.json"
        path.write_text(text)
        found = self.compare(path)
        self.assertIn(("missing_field", "shops", "name"), found)
        self.assertIn(("optional", "shops", "id"), found)
        self.assertIn(("missing_path", "sales", "/reports/sales"), found)

    def test_what_is_no_openapi_document_is_a_bad_command(self):
        for text in ("", "a: [", "swagger: '2.0'\npaths: {}\n", '{"openapi": "3.1.0"', "[1]"):
            path = self.folder / "bad"
            path.write_text(text)
            done = self.cogni("schema", "--compare", path, expect=2)
            self.assertIn("mend", done.error, text)

    def test_a_document_that_turns_in_circles_ends(self):
        document = self.changed(("    Shop:\n      type: object\n", "    Shop:\n      allOf: [{ $ref: '#/components/schemas/Shop' }]\n      type: object\n"))
        self.assertEqual(self.compare(document, expect=0), [])

    def test_a_large_document_is_read(self):
        """Three megabytes of YAML, as large APIs have."""
        block = "".join(
            f"    Thing{n}:\n      type: object\n      required: [id]\n      description: {'words ' * 30}\n      properties:\n"
            f"        id: {{ type: string }}\n        next: {{ $ref: '#/components/schemas/Thing{n + 1}' }}\n"
            for n in range(9500)
        )
        document = self.folder / "large.yaml"
        document.write_text(DOCUMENT.read_text() + block)
        self.assertGreater(document.stat().st_size, 3_000_000)
        self.assertEqual(self.compare(document, expect=0), [])


if __name__ == "__main__":
    unittest.main()
