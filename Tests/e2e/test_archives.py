"""Outputs are checked, compared, recorded and taken back by cogni's own commands."""

import json
import unittest

from harness import ROOT, CogniTest
from plain_api import PlainAPI, page

SOME = """
usage_completions: { since: 2026-11-12, group_by: [project_id, user_id, model] }
costs: { since: 2026-11-12 }
users: {}
projects: {}
project_api_keys: {}
project_users: {}
audit_logs: { since: 2026-11-12 }
"""
ALL = ROOT / "pipelines/openai-admin.yaml"


class Archives(CogniTest):
    def two_generations(self):
        simulator = self.simulator()
        self.file = self.pipeline(SOME)
        self.live(self.file, simulator, since=None)
        simulator.change(rename=self.at().rows("projects")[0]["id"], name="Other")
        simulator.change(restate="larger", stream="costs", **{"from": "2026-11-17T00:00:00Z", "until": "2026-11-18T00:00:00Z"})
        self.live(self.file, simulator, since=None)
        self.assertEqual(self.at().generations, ["000001", "000002"])
        return simulator

    def test_what_was_published_verifies_all_generations(self):
        self.two_generations()
        self.cogni("verify", self.output / "demo", "--all", expect=0)

    def test_every_kind_of_rot_is_found_and_named(self):
        self.two_generations()
        output = self.at()
        path = next(file["path"] for _, _, file in output.files("users"))
        target = output.current.resolve() / path
        target.chmod(0o600)
        good = target.read_bytes()
        for what, bad in (("flipped", good[:-9] + bytes([good[-9] ^ 1]) + good[-8:]), ("cut", good[:-20]), ("longer", good + b"x")):
            target.write_bytes(bad)
            done = self.cogni("verify", output.path, expect=1)
            self.assertIn(path.split("/")[-1], done.out + done.error, what)
        target.write_bytes(good)
        self.cogni("verify", output.path, expect=0)
        other = output.current.resolve() / "users" / "nobody-named-this.ndjson"
        other.write_text("{}\n")
        self.assertIn("nobody-named-this", str(self.cogni("verify", output.path, expect=1).out))
        other.unlink()
        target.unlink()
        self.cogni("verify", output.path, expect=1)

    def test_diff_names_what_changed_between_generations_and_nothing_else(self):
        self.two_generations()
        generations = self.output / "demo/generations"
        self.cogni("diff", generations / "000002", self.output / "demo", expect=0)
        done = self.cogni("diff", generations / "000001", generations / "000002", "--json", expect=1)
        told = json.dumps(json.loads(done.out))
        for name in ("costs", "projects"):
            self.assertIn(f'"{name}"', told)
        self.assertNotIn('"audit_logs"', told)
        human = self.cogni("diff", generations / "000001", generations / "000002", expect=1)
        self.assertIn("costs", human.out)

    def test_another_compressor_is_no_difference(self):
        simulator = self.simulator()
        for codec in ("gzip", "none"):
            self.live(self.pipeline(SOME, load=f"compression: {codec}"), simulator, since=None, output=self.folder / codec)
        self.cogni("diff", self.folder / "gzip/demo", self.folder / "none/demo", expect=0)

    def test_rolled_back_the_next_run_comes_to_the_same_again(self):
        simulator = self.two_generations()
        output = self.at()
        latest, first = output.manifest_bytes, (output.path / "generations/000001/manifest.json").read_bytes()
        self.cogni("rollback", output.path, "--to", "1", expect=0)
        self.assertEqual(output.manifest_bytes, first)
        self.cogni("verify", output.path, expect=0)
        self.live(self.file, simulator, since=None)
        self.assertEqual(output.manifest_bytes, latest)
        self.cogni("verify", output.path, expect=0)

    def test_vacuum_keeps_what_is_current_whole(self):
        self.two_generations()
        before = self.at().archives()
        self.cogni("vacuum", self.output / "demo", "--keep", "1", expect=0)
        self.assertEqual(self.at().generations, ["000002"])
        self.assertEqual(self.at().archives(), before)
        self.cogni("verify", self.output / "demo", expect=0)

    def test_state_lost_is_rebuilt_from_the_manifest(self):
        simulator = self.two_generations()
        before = self.at().tree()
        (self.output / "demo/state.sqlite").unlink()
        done = self.live(self.file, simulator, since=None)
        self.assertEqual(done.summary["outcome"], "unchanged")
        self.assertEqual(self.at().tree(), before)


NUMBERS = """
connector: numbers
version: 1
base_url: https://api.numbers.example/v1
auth: { header: Authorization, prefix: "Bearer ", variable: PLAIN_KEY }
streams:
  - name: things
    mode: snapshot
    path: /things
    pagination: { style: cursor_after_last_id }
    primary_key: [id]
    columns:
      - { name: id, type: integer, domain: user }
      - { name: role, type: string, nullable: true, domain: person }
      - { name: by, type: json, nullable: true }
  - name: parts
    mode: snapshot
    path: /things/{thing_id}/parts
    parents: [{ parameter: thing_id, of: things.id }]
    pagination: { style: none }
    primary_key: [thing_id, id]
    columns:
      - { name: thing_id, from: thing_id, type: integer, domain: user }
      - { name: id, type: string }
      - { name: owner, type: integer, domain: user }
"""


class Recording(CogniTest):
    def test_a_recording_replays_to_the_live_run_apart_from_invented_names(self):
        simulator = self.simulator()
        pipeline = self.pipeline(SOME)
        live = self.live(pipeline, simulator, since=None)
        self.cogni("record", pipeline, self.folder / "fixture", "--now", "2026-11-20T12:00:00Z", env=simulator.environment, expect=0)
        done = self.replay(pipeline, fixture=self.folder / "fixture", now="2026-11-20T12:00:00Z", since=None, output=self.folder / "again")
        again = self.at(output=self.folder / "again")
        counts = [{s["name"]: (s["fetched"], s["written"]) for s in run.summary["streams"]} for run in (live, done)]
        self.assertEqual(counts[0], counts[1])
        for stream in ("costs", "usage_completions"):
            numbers = [
                sorted((row["start_time"], *(str(v) for k, v in row.items() if k.startswith(("amount", "input", "output", "num_")))) for row in output.rows(stream))
                for output in (self.at(), again)
            ]  # fmt: skip
            self.assertEqual(*numbers, stream)
        real = {row["id"] for row in self.at().rows("users")} | {row["email"] for row in self.at().rows("users")} - {None}
        for path in (self.folder / "fixture").rglob("*"):
            text = path.name + (path.read_text() if path.is_file() else "")
            for value in real:
                self.assertNotIn(value, text, path)
        joined = {row["user_id"] for row in again.rows("usage_completions")} & {row["id"] for row in again.rows("users")}
        joined_live = {row["user_id"] for row in self.at().rows("usage_completions")} & {row["id"] for row in self.at().rows("users")}
        self.assertEqual(len(joined), len(joined_live), "streams still join")

    def test_a_recording_of_secrets_holds_none(self):
        simulator = self.simulator(scenario={"seed": 1, "switches": {"secrets_in_text": True}})
        self.cogni("record", self.pipeline("projects: {}\nusers: {}\naudit_logs: { since: 2026-11-12 }"), self.folder / "fixture",
                   "--now", "2026-11-20T12:00:00Z", env=simulator.environment, expect=0)  # fmt: skip
        for path in (self.folder / "fixture").rglob("*.json"):
            self.assertNotIn("CANARY", path.read_text(), path)

    def test_a_recording_of_ids_that_are_numbers_holds_none_and_still_joins(self):
        ids = [99_887_766_554 + 7 * i for i in range(6)]
        pages = {f"/things/{i}/parts": page({"id": f"part-{n}", "owner": i}) for n, i in enumerate(ids)}
        things = [
            {"id": i, "role": f"Person {i} of p{n}@corp.example", "by": {f"p{n}@corp.example": n, f"user-AbCdEfGh1234567{n}": n}}
            for n, i in enumerate(ids)
        ]

        def listed(query):
            at = ids.index(int(query["after"])) + 1 if "after" in query else 0
            body = {"data": things[at : at + 2], "has_more": at + 2 < len(ids), "last_id": str(ids[min(at + 1, len(ids) - 1)])}
            return json.dumps(body).encode()

        api = PlainAPI({"/things": listed, **pages})
        self.addCleanup(api.close)
        (self.folder / "numbers.yaml").write_text(NUMBERS)
        pipeline = self.folder / "p.yaml"
        pipeline.write_text(
            "pipeline: demo\nsource: { connector: numbers.yaml, base_url: \"${PLAIN_URL}\", credential: \"${PLAIN_KEY}\" }\n"
        )
        now = "2026-11-20T12:00:00Z"
        fixture = self.folder / "fixture"
        self.cogni("record", pipeline, fixture, "--now", now, env=api.environment, expect=0)
        for path in fixture.rglob("*"):
            text = str(path.relative_to(fixture)) + (path.read_text() if path.is_file() else "")
            for real in (*map(str, ids), "corp.example", "user-AbCdEfGh", "Person 9"):
                self.assertNotIn(real, text, path)
        live = self.cogni("run", pipeline, "--output", self.output, "--json", "--now", now, env=api.environment, expect=0)
        again = self.cogni(
            "run", pipeline, "--output", self.folder / "again", "--json", "--now", now, "--replay", fixture, env=api.environment, expect=0
        )  # fmt: skip
        counts = [{s["name"]: (s["fetched"], s["written"]) for s in done.summary["streams"]} for done in (live, again)]
        self.assertEqual(counts[0], {"things": (6, 6), "parts": (6, 6)})
        self.assertEqual(counts[1], counts[0])
        output = self.at(output=self.folder / "again")
        invented = {row["id"] for row in output.rows("things")}
        self.assertEqual(len(invented), 6)
        self.assertEqual({len(str(i)) for i in invented}, {11})
        for column in ("thing_id", "owner"):
            self.assertEqual({row[column] for row in output.rows("parts")}, invented, column)

    def test_replaying_twice_is_the_same(self):
        self.replay(ALL)
        self.replay(ALL, output=self.folder / "again")
        self.assertSameTree(self.at("openai-admin"), self.at("openai-admin", self.folder / "again"))


if __name__ == "__main__":
    unittest.main()
