"""How every command ends: an exit code of the table, one last line that says class, what and where, and with --json the same as JSON."""

import json
import re
import subprocess
import unittest

from harness import COGNI, FIXTURE, NOW, SINCE, CogniTest, environment

LAST = re.compile(r"^error: (?P<code>[a-zA-Z]+): (?P<what>.+?)(?: \((?P<where>[^()]+(?:\([^()]*\)[^()]*)*)\))?$")
CODES = {
    "difference": 1, "badPlan": 2, "denied": 3, "unreachable": 4, "badReply": 5, "cannotWrite": 6, "locked": 7, "disabled": 8,
    "cannotSeal": 9, "interrupted": 130, "terminated": 143,
}  # fmt: skip


def commands():
    """Every command that does something, with its options, from the program's own description of itself."""
    dump = subprocess.run([COGNI, "--experimental-dump-help"], capture_output=True, text=True, env=environment(), check=True).stdout

    def walk(one, path):
        below = [sub for sub in one.get("subcommands", []) if sub["commandName"] != "help"]
        if not below:
            yield " ".join(path), {name["name"] for argument in one.get("arguments", []) for name in argument.get("names", [])}
        for sub in below:
            yield from walk(sub, [*path, sub["commandName"]])

    return dict(walk(json.loads(dump)["command"], []))


class LastLine(CogniTest):
    def setUp(self):
        super().setUp()
        self.good = self.pipeline("users: {}\nprojects: {}")
        self.published = self.output / "demo"
        self.wrong = self.folder / "wrong.yaml"
        self.wrong.write_text("pipeline: wrong\nsource: { connector: openai_admin }\nstraems: {}\n")
        self.events = self.folder / "events.ndjson"
        self.events.write_text("no event\n")
        self.document = self.folder / "openapi.json"
        self.document.write_text(json.dumps({"openapi": "3.1.0", "paths": {}}))
        self.trail = self.folder / "trail.ndjson"
        self.trail.write_text('{"format":"cogni-audit/1","number":7}\n')
        self.trail.chmod(0o600)

    def failures(self):
        """Command → a way to fail, and the exit code of it."""
        off = self.pipeline("users: {}", name="off", more="enabled: false")
        sealed = self.pipeline("users: {}", name="sealed", transform='- encrypt: { fields: [email], key_ring: "${COGNI_KEY_RING}" }')
        at = ["--output", self.output]
        token = self.folder / "rows.ndjson"
        token.write_text('{"email":"x"}\n')
        return {
            "init": [(["init", self.folder], 0), (["init", self.folder], 2)],
            "validate": [(["validate", self.wrong, self.good], 2), (["validate", self.folder / "none.yaml"], 2)],
            "discover": [(["discover", self.wrong], 2), (["discover", "openai_admn"], 2)],
            "plan": [(["plan", self.wrong], 2), (["plan", self.good, "--now", "yesterday"], 2)],
            "preview": [(["preview", self.good, "usrs"], 2), (["preview", self.good, "users"], 3)],
            "check": [(["check", self.good, "--offline", *at], 3), (["check", self.wrong], 2)],
            "run": [(["run", self.good, *at], 3), (["run", self.wrong], 2), (["run", off, *at], 8), (["run", self.good, "--strems", "x"], 2),
                    (["run", sealed, "--replay", FIXTURE, *at], 9), (["run", self.good, "--replay", self.folder, *at], 2)],
            "record": [(["record", self.good, self.folder / "new"], 3), (["record", self.good, self.folder], 2)],
            "schema": [(["schema"], 2), (["schema", "--compare", self.document], 1)],
            "verify": [(["verify", self.folder], 2), (["verify", self.published, "--generation", "9"], 2)],
            "diff": [(["diff", self.published, self.folder / "none"], None), (["diff", self.published, self.folder / "changed"], 1)],
            "reconcile": [(["reconcile", self.good, "--events", self.events, *at], None)],
            "history": [(["history", self.folder / "none"], 2), (["history", self.published, "--limit", "0"], 2)],
            "logs": [(["logs", self.folder / "none"], 2)],
            "rollback": [(["rollback", self.published, "--to", "9"], None)],
            "vacuum": [(["vacuum", self.folder, "--keep", "1"], 2), (["vacuum", self.published], 2)],
            "state show": [(["state", "show", self.good, "--output", self.folder / "nowhere"], 2)],
            "state reset": [(["state", "reset", self.good, "--stream", "usrs"], 2)],
            "state export": [(["state", "export", self.good, "--output", self.folder / "nowhere"], 2)],
            "state rebuild": [(["state", "rebuild", self.wrong], 2)],
            "enable": [(["enable", self.wrong], 2)],
            "disable": [(["disable", self.folder / "none.yaml"], 2)],
            "alerts list": [(["alerts", "list", self.wrong], 2)],
            "alerts send": [(["alerts", "send", self.good], 2)],
            "alerts resume": [(["alerts", "resume", self.wrong], 2)],
            "metrics": [(["metrics", self.good, "--output", self.folder / "nowhere"], 2),
                        (["metrics", self.good, *at, "--push", "http://127.0.0.1:9"], 4)],
            "keys create": [(["keys", "create"], 2)],
            "keys list": [(["keys", "list", "--ring", self.folder / "none"], 9)],
            "keys rotate": [(["keys", "rotate", "--ring", self.folder / "none"], 9)],
            "keys rewrap": [(["keys", "rewrap", "--to-file", "a", "--to-fd", "3"], 2)],
            "keys reencrypt": [(["keys", "reencrypt", self.good], 2)],
            "keys retire": [(["keys", "retire", "aaaaaaaaaa", "--ring", self.folder / "none"], 9)],
            "keys audit": [(["keys", "audit", "--file", self.trail], 1)],
            "decrypt": [(["decrypt", token, "--reason", "x", "--ring", self.folder / "none", "--output", self.folder / "out"], 9)],
        }  # fmt: skip

    def check(self, words, code):
        words = list(map(str, words))
        done = self.cogni(*words, "--json")
        told = f"{' '.join(words)}: {done}"
        if code is not None:
            self.assertEqual(done.code, code, told)
        if done.code == 0:
            return
        lines = done.error.splitlines()
        last = LAST.match(lines[-1] if lines else "")
        self.assertIsNotNone(last, told)
        self.assertEqual(CODES.get(last["code"]), done.code, told)
        self.assertEqual(sum(line.startswith("error: ") for line in lines), 1, told)
        found = json.loads(done.out)  # one object, and nothing beside it
        if found.get("format") == "cogni-error/1":
            error = found["error"]
            self.assertEqual((error["code"], error["exit_code"]), (last["code"], done.code), told)
            self.assertIn(" ".join(error["what"].split()), " ".join(last.string.split()), told)
            self.assertIsInstance(error["where"], list)
            self.assertIn("mend", error)

    def test_every_command_can_print_json(self):
        self.assertEqual([name for name, options in commands().items() if "json" not in options], [])

    def test_every_success_is_one_json_object(self):
        ring = {"COGNI_KEY_RING": str(self.folder / "ring.json")}
        sealed = self.pipeline("users: {}", name="sealed", transform='- encrypt: { fields: [email], key_ring: "${COGNI_KEY_RING}" }')
        at, replay = ["--output", self.output], ["--replay", FIXTURE]
        self.replay(self.good)
        done, said = set(), {}

        def good(*words, code=0):
            told = self.cogni(*words, "--json", env=ring, expect=code)
            name = " ".join(words[:2]) if " ".join(map(str, words[:2])) in commands_known else words[0]
            done.add(name)
            said[name] = json.loads(told.out)
            self.assertNotIn("error: ", told.error)

        commands_known = commands()
        for words in (["init", self.folder / "new"], ["validate", self.good], ["discover", self.good], ["plan", self.good, *at], ["preview", self.good, "users", *replay],
                      ["keys", "create"], ["run", sealed, *replay, *at], ["keys", "list"], ["keys", "rotate"], ["keys", "reencrypt", sealed, *at]):  # fmt: skip
            good(*words)
        kid = said["keys list"]["keys"][0]["kid"]
        [file] = (self.output / "sealed/current/users").iterdir()
        for words in (["keys", "retire", kid, "--output", self.output / "sealed", "--yes"], ["keys", "rewrap"],
                      ["decrypt", file, "--reason", "x", "--output", self.folder / "opened"], ["keys", "audit"],
                      ["check", self.good, "--offline", *replay, *at], ["record", self.good, self.folder / "recorded", *replay],
                      ["schema", "manifest"], ["verify", self.published], ["diff", self.published, self.published], ["history", self.published],
                      ["logs", self.published], ["rollback", self.output / "sealed", "--to", "2"], ["vacuum", self.published, "--keep", "1"],
                      ["state", "show", self.good, *at], ["state", "export", self.good, *at], ["state", "reset", self.good, *at],
                      ["state", "rebuild", self.good, *at], ["disable", self.good, *at], ["enable", self.good, *at],
                      ["alerts", "list", self.good, *at], ["alerts", "resume", self.good, *at], ["metrics", sealed, *at]):  # fmt: skip
            good(*words)
        # Those that need a report and a receiver have their own tests: test_reconcile, test_webhook.
        self.assertEqual(set(commands_known) - done, {"reconcile", "alerts send"})
        self.assertTrue(all(isinstance(one, dict) for one in said.values()), said)

    def test_every_failure_ends_with_one_line_of_class_what_and_where_and_is_the_same_as_json(self):
        self.replay(self.good)
        cases = self.failures()
        self.assertEqual(set(cases), set(commands()), "a command without a case")
        changed = json.loads((self.published / "current/manifest.json").read_text())
        changed["streams"] = changed["streams"][:1]
        (self.folder / "changed").write_text(json.dumps(changed))
        for ways in cases.values():
            for words, code in ways:
                with self.subTest(" ".join(map(str, words[:2]))):
                    self.check(words, code)

    def test_json_of_a_command_that_can_not_use_its_file_holds_each_mistake(self):
        wanted = self.cogni("validate", self.wrong, "--json", expect=2).summary
        self.assertGreater(wanted["errors"], 0)
        self.assertTrue(all(one["line"] and one["column"] and one["message"] for one in wanted["diagnostics"]))
        for command in ("run", "check", "discover", "plan", "state show", "enable"):
            found = self.cogni(*command.split(), self.wrong, "--json", expect=2).summary
            self.assertEqual({key: found.get(key) for key in wanted}, wanted, command)

    def test_a_damaged_output_and_a_stream_that_failed_end_the_same_way(self):
        self.replay(self.good)
        [first, *_] = (self.published / "current").resolve().glob("users/*")
        first.chmod(0o600)
        first.write_bytes(first.read_bytes()[:-9])
        self.check(["verify", self.published], 1)
        ranged = ["--replay", FIXTURE, "--now", NOW, "--since", SINCE]
        file = self.pipeline("users: {}\ncosts: {}", name="half")
        broken = self.folder / "broken"
        subprocess.run(["cp", "-r", FIXTURE, broken], check=True)
        for page in (broken / "users").glob("*.json"):
            page.write_text(page.read_text()[:-30])
        self.check(["run", file, *ranged[2:], "--replay", broken, "--output", self.output], 5)

    def test_people_get_the_same_last_line_without_json_and_how_to_mend_it_before(self):
        for words, code in ((["run", self.good], 3), (["verify", self.folder], 2), (["keys", "list", "--ring", "/none"], 9)):
            done = self.cogni(*words, expect=code)
            *_, mend, last = done.error.splitlines()
            self.assertRegex(mend, "^  mend: ")
            self.assertEqual(CODES[LAST.match(last)["code"]], code)
            self.assertEqual(self.cogni(*words, "--json").error.splitlines()[-1], last)
            self.assertEqual(done.out, "")

    def test_what_people_asked_for_is_no_error(self):
        for words in (["--help"], ["--version"], ["run", "--help"], ["keys"], ["help", "run"]):
            done = self.cogni(*words, expect=0)
            self.assertNotIn("error: ", done.out + done.error)
            self.assertTrue(done.out, words)

    def test_a_wrong_command_line_says_how_it_is_used_before_the_last_line(self):
        done = self.cogni("run", "x.yaml", "--sicne", "2025-11-01", expect=2)
        self.assertIn("Usage: cogni run", done.error)
        self.assertRegex(done.error.splitlines()[-1], r"^error: badPlan: Unknown option '--sicne'.* \(command line\)$")


if __name__ == "__main__":
    unittest.main()
