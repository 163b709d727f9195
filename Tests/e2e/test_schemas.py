"""`schemas/` is true for the files as stored: every row is what its stream's Table Schema says."""

import json
import re
import shutil
import unittest

from harness import FIXTURE, ROOT, CogniTest, Literal

RING = {"COGNI_KEY_RING": str(ROOT / "Fixtures/keys/example.keyring.json")}
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z"
SHAPES = {"integer": r"-?\d+", "number": r"-?\d+(\.\d+)?", "datetime": TIME, "boolean": "true|false"}


def text(value):
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else value


class Schemas(CogniTest):
    def untrue(self, output):
        """Every (stream, column, what) in which a row is not what the schema says."""
        found = set()
        for stream in output.manifest["streams"]:
            name = stream["name"]
            schema = json.loads((output.current / stream["schema"]).read_text())
            for row in output.rows(name):
                self.assertEqual(list(row), [field["name"] for field in schema["fields"]], name)
                for field in schema["fields"]:
                    value, kind = row[field["name"]], field["type"]
                    isNull = value is None or value in schema["missingValues"]  # noqa: N806
                    if isNull and field.get("constraints", {}).get("required"):
                        found.add((name, field["name"], "is null and required"))
                    if isNull and field["name"] in schema.get("primaryKey", []):
                        found.add((name, field["name"], "is null and of the primary key"))
                    if isNull or kind == "any":
                        continue
                    isText = isinstance(value, str) and not isinstance(value, Literal)  # noqa: N806
                    if kind == "string" and not isText or kind in SHAPES and not re.fullmatch(SHAPES[kind], text(value)):
                        found.add((name, field["name"], f"is no {kind}"))
        return found

    def field(self, output, stream, column):
        fields = json.loads((output.current / f"schemas/{stream}.json").read_text())["fields"]
        return next(field for field in fields if field["name"] == column)

    def test_the_shipped_pipelines_schemas_are_true(self):
        for name in ("openai-admin", "usage-and-costs", "security-inventory"):
            self.replay(ROOT / f"pipelines/{name}.yaml", env=RING, cwd=ROOT)
            self.assertEqual(self.untrue(self.at(name)), set())

    def test_dropped_masked_and_encrypted_columns_are_what_the_files_hold(self):
        rules = "- sanitize: { fields: { users.added_at: mask, projects.name: drop, usage_completions.input_tokens: mask } }\n"
        rules += '- encrypt: { fields: [projects.created_at, email], key_ring: "${COGNI_KEY_RING}" }'
        streams = "users: {}\nprojects: {}\nusage_completions: { since: 2025-11-01 }"
        for form in ("ndjson", "csv"):
            self.replay(self.pipeline(streams, name=form, transform=rules, load=f"format: {form}"), env=RING)
            output = self.at(form)
            self.assertEqual(self.untrue(output), set(), form)
            for stream, column in (("users", "added_at"), ("projects", "created_at"), ("usage_completions", "input_tokens")):
                self.assertEqual(self.field(output, stream, column)["type"], "string", (stream, column))
            self.assertNotIn("constraints", self.field(output, "projects", "name"))
            self.assertEqual(self.field(output, "projects", "id")["type"], "string")
            self.cogni("verify", output.path, expect=0)

    def test_a_field_that_the_api_left_out_is_not_required_until_every_row_has_it_again(self):
        copy = self.folder / "replay"
        shutil.copytree(FIXTURE, copy)
        pipeline = self.pipeline("invites: {}")
        self.replay(pipeline, since=None, output=self.folder / "whole")
        self.assertTrue(self.field(self.at(output=self.folder / "whole"), "invites", "role")["constraints"]["required"])
        page = next((copy / "invites").rglob("*.json"))
        page.write_text(re.sub(r'"role": *"[^"]*",?', "", page.read_text(), count=1))
        self.replay(pipeline, since=None, fixture=copy)
        self.assertEqual(self.untrue(self.at()), set())
        self.assertNotIn("constraints", self.field(self.at(), "invites", "role"))
        self.replay(pipeline, since=None)
        self.assertTrue(self.field(self.at(), "invites", "role")["constraints"]["required"])


if __name__ == "__main__":
    unittest.main()
