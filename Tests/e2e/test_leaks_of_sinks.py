"""Planted secrets through the sinks and commands around a run: webhook, metrics, Pushgateway, lineage, run log, trails, reconcile, schema,
keys, and the children that cogni starts. What is written to files that are removed again is seen by `test_leaks_traced`.

What other programs would receive is searched like what is left on disk. Receivers answer with secrets too.
"""

import base64
import json
import os
import re
import resource
import signal
import subprocess
import unittest
from pathlib import Path

from harness import COGNI, environment
from planted import SinkTest, forms
from test_last_line import commands

NOW = "2026-11-20T12:00:00Z"


class Sinks(SinkTest):
    def search_what_was_sent(self):
        for name, receiver in (("webhook", self.hook), ("Pushgateway", self.gateway), ("lineage", self.lineage)):
            self.assertGreater(len(receiver.requests), 0, f"the {name} was never told anything, so nothing was shown")
            for request in receiver.requests:
                path = request["path"] if name != "webhook" else ""  # its own address is where it has to go
                told = path.encode() + json.dumps(request["headers"]).encode() + request["body"]
                self.search(f"what the {name} got", told)

    def test_no_command_is_left_out(self):
        names = ("test_leaks.py", "test_leaks_of_sinks.py")
        texts = "".join((Path(__file__).parent / name).read_text(encoding="utf-8") for name in names)
        self.assertEqual([name for name in commands() if '"' + '", "'.join(name.split()) + '"' not in texts], [])

    def test_what_is_sent_and_kept_beside_the_data_holds_none(self):
        file, output = self.whole, self.output / "whole"
        self.quiet("keys", "create", expect=0)
        self.quiet("run", file, "--json", expect=0)
        self.quiet("run", file, expect=0)
        for mode in ("401", "500", "broken", "redirect"):
            self.api.mode = mode
            self.assertNotEqual(self.quiet("run", file, "--json").code, 0)
        for words in (["check", file], ["check", file, "--json"], ["alerts", "list", file], ["alerts", "list", file, "--json"],
                      ["alerts", "send", file, "--now"], ["alerts", "send", file, "--now", "--json"], ["metrics", file],
                      ["metrics", file, "--json"], ["metrics", file, "--push", self.gateway.url],
                      ["logs", output, "--events"], ["logs", output, "--events", "--json"], ["logs", output, "--events", "--level", "error"],
                      ["history", output], ["state", "export", file], ["disable", file], ["enable", file, "--json"],
                      ["keys", "audit", "--file", output / "audit/control.ndjson"]):  # fmt: skip
            self.quiet(*words)
        self.api.mode = "rows"
        self.hook.answers = (410, {}, self.secrets["jwt"].encode())
        self.quiet("alerts", "send", file, "--now")
        self.assertIn("410", self.quiet("alerts", "list", file).out)
        self.quiet("alerts", "resume", file, "--json", expect=0)
        self.hook.answers = (204, {"x-told": self.secrets["github"]}, b"")
        self.quiet("alerts", "send", file, "--now", "--json", expect=0)
        self.api.secrets = self.api.secrets[:-1]  # so that there is a second generation to go back from
        self.quiet("run", file, "--full-refresh", expect=0)
        for words in (["rollback", output, "--to", "1", "--dry-run"], ["rollback", output, "--to", "1", "--json"],
                      ["vacuum", output, "--keep", "1", "--json"], ["state", "reset", file], ["init", self.work / "new", "--json"]):  # fmt: skip
            self.quiet(*words, expect=0)
        self.search_what_was_sent()
        for kept in ("metrics.prom", "logs", "audit/control.ndjson", "rollback_log.ndjson", "runs"):
            self.assertTrue((output / kept).exists(), f"{kept} is searched")
        self.assertTrue((self.work / "lineage.ndjson").exists())
        events = [json.loads(request["body"])["type"] for request in self.hook.requests]
        self.assertLessEqual({"run.failed", "pipeline.disabled", "pipeline.enabled", "generation.rolled_back"}, set(events))
        self.assertIn("…", (output / "audit/control.ndjson").read_text(), "who steered it is named by the environment, masked")
        self.assertKeyReachedTheAPI()
        self.search_files()

    def test_what_commands_read_from_files_is_not_told_again(self):
        secrets = [secret.replace("\n", "\\n") for secret in self.secrets.values()]
        rows = [{"time": NOW, "user_id": one, "model": one, "input_tokens": 1, "output_tokens": 1} for one in self.secrets.values()]
        events = self.written("events.ndjson", "".join(json.dumps(row) + "\n" for row in rows))
        broken = self.written("broken.ndjson", "".join(f'{{"time": "{one}", "{one}": 1\n' for one in secrets))
        table = self.written("events.csv", "time,user,model\n" + "".join(f'{NOW},"{one}","{one}"\n' for one in secrets))
        mapping = self.written("mapping.yaml", f'time: time\nuser: user\nmodel: model\nmodels: {{ "{secrets[0]}": "{secrets[1]}" }}\n')
        wrong = self.written("wrong.yaml", f'time: "{secrets[0]}"\n"{secrets[2]}": x\nuser: [ "{secrets[3]}" ]\n')
        names = {one: {"type": "string", "enum": [one], "description": one} for one in secrets}
        schema = {"type": "object", "properties": {"data": {"type": "array", "items": {"type": "object", "properties": names}}}}
        reply = {"get": {"responses": {"200": {"content": {"application/json": {"schema": schema}}}}}}
        paths = {"/organization/users": reply} | {f"/organization/{one}": reply for one in secrets}
        document = self.written("openapi.json", json.dumps({"openapi": "3.1.0", "info": {"title": secrets[0]}, "paths": paths}))
        file = self.whole_yaml("usage", "  users: {}\n  usage_completions: { group_by: [user_id, model] }\n  costs: { group_by: [project_id] }\n")
        self.quiet("keys", "create", expect=0)
        self.quiet("run", file, "--since", "2026-11-19", "--now", NOW, expect=0)
        span = ["--from", "2026-11-19", "--until", "2026-11-21"]
        for words in (["reconcile", file, "--events", events, *span], ["reconcile", file, "--events", events, *span, "--json"],
                      ["reconcile", file, "--events", events, *span, "--csv"], ["reconcile", file, "--events", broken],
                      ["reconcile", file, "--events", table, "--mapping", mapping, *span, "--all"],
                      ["reconcile", file, "--events", table, "--mapping", wrong], ["schema", "--compare", document],
                      ["schema", "--compare", document, "--json"], ["schema", "--compare", events],
                      ["keys", "audit", "--file", events], ["diff", events, document], ["decrypt", events, "--reason", "x"]):  # fmt: skip
            self.assertNotEqual(self.quiet(*words).code, 0, words)
        self.assertIn("only_events", self.quiet("reconcile", file, "--events", events, *span).out, "the events were read")
        self.assertIn("differences", self.quiet("schema", "--compare", document).out)
        self.search_files()

    def test_keys_show_nothing_whatever_is_done_to_them(self):
        ring = self.work / "ring.json"
        self.quiet("keys", "create", "--json", expect=0)
        self.quiet("run", self.whole, expect=0)
        old = json.loads(self.quiet("keys", "list", "--json", expect=0).out)["keys"][0]["kid"]
        file = next((self.output / "whole/current/projects").iterdir())
        for words in (["keys", "rotate"], ["keys", "reencrypt", self.whole, "--json"],
                      ["keys", "retire", old, "--output", self.output / "whole", "--yes"], ["keys", "audit"], ["keys", "list"]):  # fmt: skip
            self.quiet(*words, expect=0)
        # What was sealed under the retired key can't be opened, and nobody says what it was.
        old_file = next((self.output / "whole/generations/000001/projects").iterdir())
        self.assertEqual(self.quiet("decrypt", old_file, "--reason", "x", "--output", self.work / "none").code, 9)
        file = next((self.output / "whole/current/projects").iterdir())
        self.quiet("decrypt", file, "--reason", "a test", "--output", self.work / "opened.ndjson", expect=0)
        self.quiet("decrypt", file, "--reason", "a test", expect=0)
        self.assertIn("do not use", (self.work / "opened.ndjson").read_text(), "opened, and masked before it was sealed")
        master = self.given / "master"
        master.write_text(base64.b64encode(os.urandom(32)).decode() + "\n")
        master.chmod(0o600)
        self.needles["new master key"] = forms(master.read_text().strip()[:-1])
        self.quiet("keys", "rewrap", "--to-file", master, expect=0)
        self.quiet("keys", "list", expect=9)  # with the old one
        env = {"COGNI_MASTER_KEY": "", "COGNI_MASTER_KEY_FILE": str(master)}
        self.quiet("keys", "list", env=env, expect=0)
        for damage in (b"", b"{}", ring.read_bytes()[:-40], " ".join(self.secrets.values()).encode()):
            ring.write_bytes(damage)
            self.quiet("keys", "list", env=env, expect=9)
            self.quiet("keys", "rotate", env=env, expect=9)
        ring.unlink()
        self.search_files()

    def test_children_get_nothing_of_ours_by_argument_environment_or_descriptor(self):
        seen, hook = self.given / "seen", self.given / "kms"
        # Each call leaves all that a child can see: arguments, environment, what it was sent, and what it could read of its parent.
        hook.write_text(
            "#!/bin/sh\nread line\n"
            f"{{ tr '\\0' ' ' < /proc/$$/cmdline; tr '\\0' ' ' < /proc/$$/environ; env; ls -l /proc/$$/fd; echo \"$line\"; "
            f"tr '\\0' ' ' < /proc/$PPID/cmdline; }} >> {seen} 2>&1\n"
            """data=$(printf '%s' "$line" | sed 's/.*"data":"\\([^"]*\\)".*/\\1/')\n"""
            """printf '{"ok":true,"data":"%s"}\\n' "$(printf '%s' "$data" | tr 'A-Za-z' 'a-zA-Z')"\n"""
        )
        hook.chmod(0o700)
        env = {"COGNI_MASTER_KEY": "", "COGNI_MASTER_KEY_COMMAND": f"{hook} eu-west"}
        self.quiet("keys", "create", env=env, expect=0)
        for words in (["check", self.whole], ["run", self.whole], ["keys", "rotate"], ["run", self.whole, "--full-refresh"],
                      ["keys", "reencrypt", self.whole], ["keys", "rewrap"], ["keys", "audit"]):  # fmt: skip
            self.quiet(*words, env=env, expect=0 if words[0] != "check" else None)
        file = next((self.output / "whole/current/projects").iterdir())
        self.quiet("decrypt", file, "--reason", "x", "--output", self.work / "opened", env=env, expect=0)
        data = seen.read_bytes()
        self.assertGreater(data.count(b'"op":"unwrap"'), 5, "the program was asked")
        self.search("what children see", data)
        self.assertNotIn(b"OPENAI_", data)
        opened = {line.rsplit(b"-> ", 1)[1] for line in data.splitlines() if b"-> " in line}
        strange = {one for one in opened if not re.match(rb"pipe:|/dev/null|/proc/\d+/fd|" + re.escape(bytes(hook)) + rb"|" + re.escape(bytes(seen)), one)}
        self.assertEqual(strange, set(), "a file of ours is open in the child")
        self.assertKeyReachedTheAPI()
        self.search_files()

    def test_a_crash_leaves_no_core_though_the_shell_allows_one(self):
        self.api.stalls.set()

        def allow():
            resource.setrlimit(resource.RLIMIT_CORE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))

        try:
            process = subprocess.Popen([COGNI, "check", str(self.whole)], cwd=self.work, env=environment(self.env), stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=allow)  # fmt: skip
        except (OSError, subprocess.SubprocessError):
            self.skipTest("nobody here may allow core files")
        self.assertTrue(self.api.reached.wait(60), "no request came")
        process.send_signal(signal.SIGSEGV)
        _, status = os.waitpid(process.pid, 0)
        process.returncode = -os.WTERMSIG(status)
        self.assertEqual((os.WIFSIGNALED(status), os.WCOREDUMP(status)), (True, False))
        self.assertEqual([path for path in self.work.rglob("*core*")], [])


if __name__ == "__main__":
    unittest.main()
