"""Lists are remembered: what left stays with a date, and every change is told with its fields."""

import json
import os
import shutil
import unittest

from harness import FIXTURE, CogniTest

LATER = "2025-12-02T06:00:00Z"
LISTS = "projects: {}\nusers: {}\nadmin_api_keys: {}\nproject_api_keys: {}\norganization_data_retention: {}"


class Snapshots(CogniTest):
    def setUp(self):
        super().setUp()
        self.fixture = self.folder / "replay"
        shutil.copytree(FIXTURE, self.fixture)
        self.file = self.pipeline(LISTS)

    def run_at(self, now, **rest):
        return self.replay(self.file, fixture=self.fixture, now=now, since=None, **rest)

    def edit(self, stream, change):
        """Gives every item of a stream's recorded pages to `change`; what it returns stands in its place, None removes it."""
        for page in sorted((self.fixture / stream).glob("*.json")):
            reply = json.loads(page.read_text())
            reply["data"] = [item for item in map(change, reply["data"]) if item is not None]
            page.write_text(json.dumps(reply))

    def changes(self, stream):
        found = self.at().rows(f"{stream}_changes") if self.at().stream(f"{stream}_changes") else []
        return found

    def test_the_first_snapshot_tells_no_changes(self):
        self.run_at("2025-12-01T06:00:00Z")
        self.assertEqual(self.changes("projects"), [])
        self.assertTrue(all(row["deleted_at"] is None for row in self.at().rows("projects")))

    def test_added_renamed_and_removed_projects_are_told_and_the_removed_row_stays(self):
        self.run_at("2025-12-01T06:00:00Z")
        before = {row["id"]: row for row in self.at().rows("projects")}
        renamed, removed = sorted(id for id, row in before.items() if row["status"] == "active")[:2]

        def change(item):
            if item["id"] == removed:
                return None
            return {**item, "name": "A new name"} if item["id"] == renamed else item

        self.edit("projects", change)
        page = self.fixture / "projects/first.json"
        reply = json.loads(page.read_text())
        reply["data"].insert(0, {**reply["data"][0], "id": "proj_added", "name": "Added"})
        page.write_text(json.dumps(reply))
        keys = self.fixture / "project_api_keys"
        [sample] = [page for page in keys.glob("project_id=proj_bV*.json")]
        shutil.copy(sample, keys / "project_id=proj_added.json")
        self.run_at(LATER)

        rows = {row["id"]: row for row in self.at().rows("projects")}
        self.assertEqual(set(rows), set(before) | {"proj_added"})
        self.assertEqual(rows[removed], {**before[removed], "deleted_at": LATER})
        self.assertEqual(rows[renamed], {**before[renamed], "name": "A new name"})
        told = {row["id"]: row for row in self.changes("projects")}
        self.assertEqual({id: row["change"] for id, row in told.items()}, {"proj_added": "added", renamed: "changed", removed: "removed"})
        self.assertEqual(told[renamed]["fields"], ["name"])
        self.assertEqual(told[renamed]["before"], {"name": before[renamed]["name"]})
        self.assertEqual(told[renamed]["after"], {"name": "A new name"})
        self.assertTrue(all(row["changed_at"] == LATER for row in told.values()))

        # The same again: nothing new is told, and the date of deletion stays.
        self.run_at("2025-12-03T06:00:00Z")
        self.assertEqual({row["id"]: row for row in self.at().rows("projects")}, rows)
        self.assertEqual(len(self.changes("projects")), 3)

    def test_values_that_are_encrypted_at_random_change_only_when_they_do(self):
        """Each run seals anew; a row that says the same keeps its tokens, also inside of lists and in CSV."""
        ring = FIXTURE.parent.parent / "keys" / "example.keyring.json"
        seal = '- encrypt: { fields: [email, users.name, projects_data, "domain:person"], mode: randomized, key_ring: "${COGNI_KEY_RING}" }'
        os.chmod(ring, 0o600)
        for load in ("compression: none", "format: csv"):
            self.file = self.pipeline("users: {}\nproject_users: {}", transform=seal, load=load)
            env = {"COGNI_KEY_RING": str(ring)}
            shutil.rmtree(self.output, ignore_errors=True)
            first = self.run_at("2025-12-01T06:00:00Z", env=env)
            self.assertEqual(first.summary["outcome"], "published")
            before = self.at().rows("users")
            self.assertTrue(all(row["email"].startswith("ef1.g.") for row in before if row["email"]), before)
            self.assertEqual(self.run_at("2025-12-02T06:00:00Z", env=env).summary["outcome"], "unchanged")
            self.edit("users", lambda user: {**user, "name": "Somebody Else"} if user["id"] == before[0]["id"] else user)
            self.assertEqual(self.run_at("2025-12-03T06:00:00Z", env=env).summary["outcome"], "published")
            told = self.changes("users")
            self.assertEqual([(row["id"], row["fields"]) for row in told], [(before[0]["id"], told[0]["fields"])])
            self.assertIn("name", told[0]["fields"])
            after = self.at().rows("users")
            self.assertNotEqual(after[0]["name"], before[0]["name"])
            self.assertEqual(after[0]["email"], before[0]["email"])
            self.assertEqual(after[1:], before[1:])
            self.edit("users", lambda user: user)
            shutil.rmtree(self.fixture)
            shutil.copytree(FIXTURE, self.fixture)

    def test_what_comes_back_is_told_and_has_no_date_of_deletion(self):
        self.run_at("2025-12-01T06:00:00Z")
        user = self.at().rows("users")[1]["id"]
        kept = {page: page.read_text() for page in (self.fixture / "users").glob("*.json")}
        self.edit("users", lambda item: None if item["id"] == user else item)
        self.run_at(LATER)
        self.assertEqual([row["deleted_at"] for row in self.at().rows("users") if row["id"] == user], [LATER])
        for page, text in kept.items():
            page.write_text(text)
        self.run_at("2025-12-04T06:00:00Z")
        self.assertEqual([row["deleted_at"] for row in self.at().rows("users") if row["id"] == user], [None])
        self.assertEqual([(row["id"], row["change"]) for row in self.changes("users")][0], (user, "removed"))
        self.assertEqual(len(self.changes("users")), 2)

    def test_last_used_at_alone_is_no_change(self):
        self.run_at("2025-12-01T06:00:00Z")
        self.edit("admin_api_keys", lambda item: {**item, "last_used_at": 1764600000})
        self.run_at(LATER)
        self.assertTrue(all(row["last_used_at"] == "2025-12-01T14:40:00Z" for row in self.at().rows("admin_api_keys")))
        self.assertEqual(self.changes("admin_api_keys"), [])

    def test_live_a_deleted_key_and_a_renamed_project_are_told(self):
        simulator = self.simulator()
        pipeline = self.pipeline("projects: {}\nproject_api_keys: {}", name="live")
        self.live(pipeline, simulator, since=None)
        output = self.at("live")
        key, project = output.rows("project_api_keys")[0]["id"], output.rows("projects")[0]["id"]
        simulator.change(delete=key)
        simulator.change(rename=project, name="Other")
        self.live(pipeline, simulator, since=None, now="2026-11-21T00:00:00Z")
        self.assertEqual([row["deleted_at"] for row in output.rows("project_api_keys") if row["id"] == key], ["2026-11-21T00:00:00Z"])
        self.assertEqual([(row["id"], row["change"]) for row in output.rows("project_api_keys_changes")], [(key, "removed")])
        self.assertEqual([(row["id"], row["fields"]) for row in output.rows("projects_changes")], [(project, ["name"])])
        self.assertEqual({entry["stream"] for entry in output.changes}, {"projects", "projects_changes", "project_api_keys", "project_api_keys_changes"})


if __name__ == "__main__":
    unittest.main()
