"""Encrypted fields: equal ids give equal tokens, nothing is in clear anywhere, and the key's holder reads it all back."""

import json
import os
import shutil
import unittest

from harness import FIXTURE, ROOT, CogniTest, content, has_zstd, terminate
from plain_api import PlainTest, page

EXAMPLE = ROOT / "Fixtures/keys/example.keyring.json"
INVENTORY = ROOT / "pipelines/security-inventory.yaml"
STREAMS = """
usage_completions: { since: 2025-11-01, group_by: [project_id, user_id, api_key_id, model, batch, service_tier, api_source] }
costs: { since: 2025-11-01, group_by: [project_id, line_item] }
users: {}
projects: {}
project_users: {}
project_api_keys: {}
"""
SEAL = """
- sanitize: { fields: { user_email: drop } }
- encrypt: { fields: ["domain:user", "domain:email", "domain:person"], mode: %s, key_ring: "${COGNI_KEY_RING}" }
"""


@unittest.skipUnless(EXAMPLE.exists(), "this tree has no example key ring")
class Encryption(CogniTest):
    ring = {"COGNI_KEY_RING": str(EXAMPLE)}

    def sealed(self, mode="deterministic", output=None, streams=STREAMS, load="", name="sealed"):
        pipeline = self.pipeline(streams, name=name, transform=SEAL % mode, load=load)
        self.replay(pipeline, output=output, env=self.ring)
        return self.at(name, output=output)

    def clear_values(self):
        """What must not be seen: ids, addresses and names of all people of the fixture."""
        found = set()
        for stream in ("users", "project_users"):
            for page in (FIXTURE / stream).glob("*.json"):
                for item in json.loads(page.read_text())["data"]:
                    found |= {item["id"], item.get("email"), item.get("name")}
        return {value for value in found if value and len(value) > 5}

    def test_tokens_of_one_person_are_equal_in_every_stream(self):
        self.replay(self.pipeline(STREAMS, name="clear"))
        clear, sealed = self.at("clear"), self.sealed()
        ids = {row["id"] for row in clear.rows("users")}
        tokens = {row["id"] for row in sealed.rows("users")}
        self.assertEqual(len(tokens), len(ids))
        self.assertTrue(all(token.startswith("ef1.") for token in tokens), tokens)
        joined = [row for row in clear.rows("usage_completions") if row["user_id"] in ids]
        self.assertGreater(len(joined), 20)
        self.assertEqual(len([row for row in sealed.rows("usage_completions") if row["user_id"] in tokens]), len(joined))
        owners = {row["user_id"] for row in sealed.rows("usage_completions")} - {None}
        self.assertEqual(len(owners), len({row["user_id"] for row in clear.rows("usage_completions")} - {None}))
        self.assertLessEqual({row["id"] for row in sealed.rows("project_users")}, tokens)

    def test_two_runs_are_the_same_byte_for_byte(self):
        self.assertSameTree(self.sealed(), self.sealed(output=self.folder / "again"))

    def test_nothing_is_in_clear_anywhere_below_the_output(self):
        values = [value.encode() for value in self.clear_values()]
        self.assertGreater(len(values), 10)
        output = self.sealed()
        for path, data in output.everything():
            for value in values:
                self.assertNotIn(value, data, path)

    def test_nothing_is_in_clear_in_state_and_staging_of_a_stopped_run(self):
        simulator = self.simulator()
        users = json.loads(simulator.get("/organization/users?limit=100")[2])["data"]
        values = [user["id"].encode() for user in users] + [user["email"].encode() for user in users if user.get("email")]
        streams = STREAMS.replace("2025-11-01", "2026-11-12") + "project_user_roles: {}\naudit_logs: { since: 2026-11-12 }"
        pipeline = self.pipeline(streams, name="sealed", transform=SEAL % "deterministic", source="page_limit: 2")
        for _ in range(2):
            simulator.faults(
                {"fault": "drip", "bytes": 2000, "interval_ms": 5},
                {"fault": "stall", "path": "/organization/usage/completions", "page": 3, "at": "body"},
            )
            process = self.start("run", pipeline, "--now", "2026-11-20T12:00:00Z", "--output", self.output, env={**simulator.environment, **self.ring})
            while process.poll() is None and not simulator.ask("faults")["faults"][1]["injected"]:
                pass
            self.assertEqual(terminate(process).code, 143)
        output = self.at("sealed")
        self.assertTrue(any(".staging" in path.parts for path, _ in output.everything()), "rows wait in staging")
        for path, data in output.everything():
            for value in values:
                self.assertNotIn(value, data, path)

    def test_pseudonyms_join_too_and_randomized_tokens_differ(self):
        output = self.sealed("pseudonym", output=self.folder / "p")
        users = {row["id"] for row in output.rows("users")}
        self.assertTrue({row["user_id"] for row in output.rows("usage_completions")} & users)
        seen = []
        for folder in ("r1", "r2"):
            transform = '- encrypt: { fields: [email], mode: randomized, key_ring: "${COGNI_KEY_RING}" }'
            pipeline = self.pipeline("users: {}", name="random", transform=transform)
            self.replay(pipeline, output=self.folder / folder, env=self.ring)
            seen.append({row["email"] for row in self.at("random", self.folder / folder).rows("users")})
        self.assertGreater(len(seen[0]), 3)
        self.assertEqual((seen[0] & seen[1]) - {None}, set())

    def test_the_shipped_inventory_seals_people_and_bundles_the_evidence(self):
        self.replay(INVENTORY, env=self.ring)
        output = self.at("security-inventory")
        # Whole values: people's addresses that others wrote into free text are another matter.
        values = [json.dumps(value, ensure_ascii=False).encode() for value in self.clear_values()]
        self.assertGreater(len(values), 10)
        for path, data in output.everything():
            for value in values:
                self.assertNotIn(value, data, path)
        self.assertEqual(len(list(output.current.glob("*.tar.zst"))), 1)
        self.assertEqual(len(output.manifest["key_ids"]), 1)

    def test_decrypt_gives_the_clear_values_back(self):
        self.replay(self.pipeline(STREAMS, name="clear"))
        for load in ("compression: none", "compression: gzip", "format: csv") + (("compression: zstd",) if has_zstd() else ()):
            folder = self.folder / load.replace(": ", "-")
            self.replay(self.pipeline(STREAMS, name="plain", load=load, transform=SEAL.splitlines()[1]), output=folder)
            sealed = self.sealed(output=folder, load=load)
            for stream in ("users", "usage_completions", "audit_logs"):
                pairs = zip(self.at("plain", folder).files(stream), sealed.files(stream), strict=True)
                clear, opened = [], []
                for (_, _, one), (_, _, other) in pairs:
                    clear += content(self.at("plain", folder).current / one["path"]).decode().splitlines()
                    done = self.cogni("decrypt", sealed.current / other["path"], "--reason", "test", "--audit", self.folder / "trail", env=self.ring, expect=0)
                    opened += done.out.splitlines()
                self.assertEqual(sorted(opened), sorted(clear), f"{stream} with {load}")

    def test_decrypt_makes_no_file_of_rows_that_do_not_fit_together(self):
        streams = "users: {}\nprojects: {}\ncosts: { since: 2025-11-01 }"
        rows, cells = self.sealed(streams=streams), self.sealed(streams=streams, load="format: csv", name="cells")
        first = lambda output, stream: output.current / next(output.files(stream))[2]["path"]  # noqa: E731
        wanted = ["--reason", "test", "--audit", self.folder / "trail"]
        for one, other in ((first(cells, "users"), first(cells, "projects")), (first(cells, "users"), first(rows, "users")),
                           (first(rows, "users"), first(cells, "users"))):  # fmt: skip
            done = self.cogni("decrypt", one, other, *wanted, env=self.ring, expect=2)
            self.assertEqual(done.out, "")
            self.assertIn(str(one), done.error)
            self.assertIn(str(other), done.error)
            self.assertFalse((self.folder / "trail").exists(), "nothing was opened")
        # Parts of one stream are one file under one header, also behind a part without a row.
        parts = [cells.current / file["path"] for _, _, file in cells.files("costs")]
        self.assertGreater(len(parts), 1)
        empty = self.folder / "empty.csv"
        empty.write_text("")
        more = ["--tenant", "cells", "--domain", "user_id=user"]
        done = self.cogni("decrypt", empty, *parts, *wanted, *more, env=self.ring, expect=0)
        whole = b"".join(content(part).split(b"\n", 1)[index > 0] if index else content(part) for index, part in enumerate(parts))
        self.assertEqual(done.out.encode(), whole)

    def test_without_the_key_ring_decrypt_is_9(self):
        sealed = self.sealed()
        path = next(iter(sealed.files("users")))[2]["path"]
        self.cogni("decrypt", sealed.current / path, "--reason", "test", env={"COGNI_KEY_RING": str(self.folder / "none.json")}, expect=9)

    def test_a_ring_of_ones_own_is_made_private_and_works(self):
        ring = self.folder / "own" / "ring.json"
        ring.parent.mkdir(mode=0o700)
        env = {"COGNI_KEY_RING": str(ring)}
        self.cogni("keys", "create", env=env, expect=0)
        self.assertEqual(ring.stat().st_mode & 0o077, 0, "nobody else reads it")
        pipeline = self.pipeline("users: {}", name="own", transform=SEAL % "deterministic")
        self.replay(pipeline, env=env)
        rows = self.at("own").rows("users")
        self.replay(pipeline, env=self.ring, output=self.folder / "other")
        self.assertFalse({row["id"] for row in rows} & {row["id"] for row in self.at("own", self.folder / "other").rows("users")})

    def test_a_ring_that_others_may_write_is_9(self):
        copy = self.folder / "ring.json"
        for ending in ("", ".master"):
            shutil.copy(str(EXAMPLE) + ending, str(copy) + ending)
        os.chmod(copy, 0o666)
        pipeline = self.pipeline("users: {}", name="sealed", transform=SEAL % "deterministic")
        self.replay(pipeline, env={"COGNI_KEY_RING": str(copy)}, expect=9)
        self.assertFalse(self.at("sealed").exists())


@unittest.skipUnless(EXAMPLE.exists(), "this tree has no example key ring")
class Guarded(PlainTest, CogniTest):
    def test_opened_texts_are_guarded_as_the_other_cells_where_asked(self):
        seal = 'transform:\n  - encrypt: { fields: [things.name], mode: deterministic, key_ring: "${COGNI_KEY_RING}" }'
        api = self.api({"/things": page({"id": "=1", "name": "=HYPERLINK(1)"}, {"id": "a", "name": "ann"})})
        pipeline = self.plain(load="format: csv\nguard_formulas: true\ncompression: none", more=seal)
        self.go(pipeline, api, env=Encryption.ring)
        file = self.at().current / next(self.at().files("things"))[2]["path"]
        wanted = ["--reason", "test", "--audit", self.folder / "trail"]
        names = lambda *more: {  # noqa: E731
            tuple(line.split(",")[:2]) for line in self.cogni("decrypt", file, *wanted, *more, env=Encryption.ring, expect=0).out.splitlines()[1:]
        }  # fmt: skip
        self.assertEqual(names(), {("'=1", "=HYPERLINK(1)"), ("a", "ann")})
        self.assertEqual(names("--guard-formulas"), {("'=1", "'=HYPERLINK(1)"), ("a", "ann")})

    def test_rows_that_no_spreadsheet_runs_have_no_guard(self):
        file = self.folder / "rows.ndjson"
        file.write_text("{}\n")
        done = self.cogni("decrypt", file, "--reason", "test", "--guard-formulas", env=Encryption.ring, expect=2)
        self.assertIn("is for CSV", done.error)


if __name__ == "__main__":
    unittest.main()
