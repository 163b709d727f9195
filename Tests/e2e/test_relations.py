"""Relations between streams: cogni's findings are those that a few lines of Python find in the published rows."""

import hashlib
import json
import shutil
import unittest
from collections import Counter

from harness import FIXTURE, ROOT, CogniTest
from harness import rows as rows_of

REPORTS = [
    "usage_completions", "usage_embeddings", "usage_moderations", "usage_images", "usage_audio_speeches",
    "usage_audio_transcriptions", "usage_file_search_calls", "usage_web_search_calls", "costs",
]  # fmt: skip
STREAMS = """
usage_completions: {}
usage_moderations: {}
costs: {}
projects: {}
users: {}
groups: {}
roles: {}
admin_api_keys: {}
group_roles: {}
group_users: {}
user_roles: {}
project_api_keys: {}
project_users: {}
project_groups: {}
project_roles: {}
project_group_roles: {}
project_user_roles: {}
"""
FEW = "usage_completions: {}\ncosts: {}\nprojects: {}\nusers: {}"
# What the connector's relations mean, said a second time: rows, where they are listed, whether the listed must live.
MEANING = {
    "keys_without_project": (["project_api_keys.project_id"], ["projects.id"], True),
    "unknown_projects": ([f"{name}.project_id" for name in REPORTS], ["projects.id"], False),
    "unknown_users": ([f"{name}.user_id" for name in REPORTS], ["users.id"], False),
    "unknown_keys": ([f"{name}.api_key_id" for name in REPORTS], ["project_api_keys.id", "admin_api_keys.id"], False),
    "unknown_members": (["project_users.id", "group_users.id"], ["users.id"], True),
    "roles_without_holders": (
        ["roles.id", "project_roles.id"],
        ["user_roles.id", "group_roles.id", "project_user_roles.id", "project_group_roles.id"], True,
    ),
}  # fmt: skip
LISTS = ",".join(line.split(":")[0] for line in STREAMS.split() if line.endswith(":") and line[:-1] not in REPORTS)
LATER = "2025-12-02T06:00:00Z"
RING = {"COGNI_KEY_RING": str(ROOT / "Fixtures/keys/example.keyring.json")}


def by_partition(output, name):
    for _, partition, file in output.files(name):
        yield partition.removeprefix("dt=") or None, rows_of(output.current / file["path"])


def living(row):
    return row.get("deleted_at") is None


def expected(output):
    """(relation, stream, column, partition, value) → rows, from the archives alone."""
    found = Counter()
    for relation, (places, lists, must_live) in MEANING.items():
        listed = set()
        for place in lists:
            stream, column = place.split(".")
            listed |= {row[column] for row in output.rows(stream) if living(row) or not must_live}
        for place in places:
            stream, column = place.split(".")
            if output.stream(stream) is None:
                continue
            for partition, rows in by_partition(output, stream):
                for row in rows:
                    value = row.get(column)
                    if value is not None and value not in listed and living(row):
                        found[(relation, stream, column, partition, value)] += 1
    for row in output.rows("projects"):
        if not living(row):
            found[("vanished_projects", "projects", "id", None, row["id"])] += 1
    return found


class Relations(CogniTest):
    def setUp(self):
        super().setUp()
        self.fixture = self.folder / "replay"
        shutil.copytree(FIXTURE, self.fixture)
        self.file = self.pipeline(STREAMS)

    def run_at(self, now="2025-12-01T06:00:00Z", *more, **rest):
        return self.replay(self.file, *more, fixture=self.fixture, now=now, **rest)

    def edit(self, stream, change):
        for page in sorted((self.fixture / stream).glob("*.json")):
            reply = json.loads(page.read_text())
            reply["data"] = [item for item in map(change, reply["data"]) if item is not None]
            page.write_text(json.dumps(reply))

    def findings(self, output=None):
        path = (output or self.at()).current / "diagnostics/relations.ndjson"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def check(self, output=None):
        output = output or self.at()
        found = self.findings(output)
        told = {(f["relation"], f["stream"], f["column"], f["partition"], f["value"]): f["rows"] for f in found}
        self.assertEqual(told, dict(expected(output)))
        said = {r["name"]: (r["findings"], r["rows"]) for r in output.manifest["diagnostics"]["relations"]}
        values, rows = {}, Counter()
        for finding in found:
            values.setdefault(finding["relation"], set()).add(finding["value"])
            rows[finding["relation"]] += finding["rows"]
        self.assertEqual(said, {name: (len(values.get(name, ())), rows[name]) for name in [*MEANING, "vanished_projects"]})
        self.cogni("verify", output.path, expect=0)
        return told

    def drop_some(self):
        users = sorted({row["user_id"] for row in self.at().rows("usage_completions") if row["user_id"]})[:2]
        self.edit("users", lambda item: None if item["id"] in users else item)
        return users

    def test_findings_are_those_of_the_rows(self):
        self.file = self.pipeline(FEW)
        self.run_at()
        self.drop_some()
        self.file = self.pipeline(STREAMS)
        shutil.rmtree(self.output)
        self.run_at()
        self.assertGreater(len(self.check()), 3)

    def test_a_deleted_user_is_known_and_a_forgotten_one_is_not(self):
        self.run_at()
        before = self.check()
        users = self.drop_some()
        self.run_at(LATER, "--streams", LISTS)
        told = self.check()
        # Removed from the list, but the list remembers them.
        self.assertFalse([key for key in set(told) - set(before) if key[0] == "unknown_users"])
        self.run_at(LATER, "--full-refresh", "--streams", "users")
        told = self.check()
        self.assertEqual({key[4] for key in set(told) - set(before) if key[0] == "unknown_users"} & set(users), set(users))

    def test_unchanged_days_keep_their_findings_without_being_read_again(self):
        self.file = self.pipeline(FEW)
        self.run_at()
        self.drop_some()
        shutil.rmtree(self.output)
        self.file = self.pipeline(STREAMS)
        self.run_at()
        before = self.check()
        # Days before the lookback stay; a user that appears in the list is no finding any more, there too.
        shutil.rmtree(self.fixture / "users")
        shutil.copytree(FIXTURE / "users", self.fixture / "users")
        self.run_at(LATER, "--streams", "users")
        after = self.check()
        self.assertLess(len(after), len(before))

    def test_tokens_join_as_ids_do(self):
        self.file = self.pipeline(FEW)
        self.run_at()
        self.drop_some()
        plain = self.pipeline(STREAMS, name="plain")
        sealed = self.pipeline(
            STREAMS, name="sealed", transform='- encrypt: { fields: ["domain:user", "domain:api_key", "domain:project"] }'
        )
        for file in (plain, sealed):
            self.replay(file, fixture=self.fixture, env=RING)
        self.check(self.at("sealed"))
        shapes = [
            Counter((f["relation"], f["stream"], f["column"], f["partition"], f["rows"]) for f in self.findings(self.at(name)))
            for name in ("plain", "sealed")
        ]
        self.assertEqual(shapes[0], shapes[1])
        self.assertFalse({f["value"] for f in self.findings(self.at("plain"))} & {
            f["value"] for f in self.findings(self.at("sealed")) if f["relation"] != "roles_without_holders"
        })  # fmt: skip

    def test_csv_gives_the_same_findings(self):
        self.file = self.pipeline(FEW)
        self.run_at()
        self.drop_some()
        for format in ("ndjson", "csv"):
            file = self.pipeline(FEW, name=format, load=f"format: {format}")
            self.replay(file, fixture=self.fixture)
        self.assertEqual(self.findings(self.at("csv")), self.findings(self.at("ndjson")))
        self.assertTrue(self.findings(self.at("csv")))

    def test_a_list_that_is_not_there_is_said_and_not_guessed(self):
        file = self.pipeline("usage_completions: {}\nprojects: {}", name="few")
        self.replay(file)
        relations = {r["name"]: r for r in self.at("few").manifest["diagnostics"]["relations"]}
        self.assertEqual(relations["unknown_users"]["skipped"], "users is not in this pipeline")
        self.assertNotIn("skipped", relations["unknown_projects"])

    def test_a_threshold_fails_the_run_and_the_data_is_published(self):
        self.file = self.pipeline(FEW)
        self.run_at()
        self.drop_some()
        file = self.pipeline(FEW, name="strict", more="diagnostics: { max_findings: { unknown_users: 0 } }")
        done = self.replay(file, fixture=self.fixture, expect=5)
        self.assertIn("unknown_users", json.dumps(done.summary["faults"]))
        self.assertTrue(self.at("strict").rows("usage_completions"))
        self.replay(file, fixture=self.fixture, expect=5)
        file = self.pipeline(FEW, name="strict", more="diagnostics: { max_findings: { unknown_users: 1000 } }")
        self.replay(file, fixture=self.fixture)

    def test_another_format_with_a_full_refresh_is_looked_at_anew(self):
        self.file = self.pipeline(FEW)
        self.run_at()
        told = self.findings()
        self.file = self.pipeline(FEW, load="format: csv")
        self.run_at("2025-12-01T06:00:00Z", "--full-refresh")
        self.assertEqual(self.findings(), told)
        self.run_at("2025-12-01T06:00:00Z")

    def test_thresholds_are_checked(self):
        file = self.pipeline("users: {}", name="bad", more="diagnostics: { max_findings: { unknwn_users: 0 } }")
        self.assertIn('did you mean "unknown_users"', self.cogni("validate", file, expect=2).out)
        file = self.pipeline("users: {}", name="bad", more="diagnostics: { max_finding: 1 }")
        self.assertIn('did you mean "max_findings"', self.cogni("validate", file, expect=2).out)

    def test_the_file_is_the_same_however_rows_arrive(self):
        self.file = self.pipeline(FEW)
        self.run_at()
        self.drop_some()
        digests = set()
        for concurrency in (1, 8):
            shutil.rmtree(self.output, ignore_errors=True)
            self.file = self.pipeline(FEW, source=f"concurrency: {concurrency}")
            self.run_at()
            digests.add(hashlib.sha256((self.at().current / "diagnostics/relations.ndjson").read_bytes()).hexdigest())
        self.assertEqual(len(digests), 1)


if __name__ == "__main__":
    unittest.main()
