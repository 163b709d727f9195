"""Every byte that any command writes to any file, also to files that go again; every name it gives one; all that its children get.

Each command runs under strace, and so does each way to fail that quotes what strangers wrote. Secrets are planted as in the other tests of leaks.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import unittest
from pathlib import Path

from harness import COGNI, Done, environment
from planted import SinkTest, forms
from test_last_line import commands

NOW = "2026-11-20T12:00:00Z"
CALLS = "write,pwrite64,writev,pwritev,pwritev2,sendfile,copy_file_range,openat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,mkdir,mkdirat,execve"
LINE = re.compile(rb"(?:\d+ +)?(\w+)\((.*)")
TEXT = re.compile(rb'"((?:\\x[0-9a-f]{2})*)"')
FAILS = None  # with whatever code
PLACE = re.compile(rb"\d+<([^>]*)>")


def unhexed(text):
    return bytes.fromhex(text.replace(b"\\x", b"").decode()) if text.startswith(b"\\x") else text


class Call:
    """One line of a trace: what was called, on what, with which texts."""

    def __init__(self, line):
        found = LINE.match(line)
        self.name = found[1].decode() if found else ""
        rest = found[2] if found else b""
        self.data = b"\n".join(map(unhexed, TEXT.findall(rest)))
        place = PLACE.match(rest)
        # What is sent to others, and what a child says, is searched where it arrives.
        kind = unhexed(place[1]) if place else b""
        self.is_sent = kind.startswith((b"socket:", b"TCP", b"pipe:"))
        self.is_write = "write" in self.name


@unittest.skipUnless(shutil.which("strace"), "no strace here")
class Traced(SinkTest):
    def setUp(self):
        super().setUp()
        self.trace = self.given / "trace"
        self.names, self.written_bytes, self.children, self.done = set(), 0, 0, set()
        self.known = commands()

    def traced(self, *words, code=0, env=None):
        # -xx: every byte in hexadecimal; -y: what each descriptor is; environments in full.
        tracer = ["strace", "-f", "-qq", "-xx", "-y", "-s", "4000000", "-e", "abbrev=none", "-e", f"trace={CALLS}", "-o", str(self.trace)]
        words = [str(word() if callable(word) else word) for word in words]
        done = subprocess.run([*tracer, COGNI, *words], capture_output=True, env=environment({**self.env, **(env or {})}), cwd=self.work,
                              stdin=subprocess.DEVNULL, timeout=120)  # fmt: skip
        told = " ".join(words[:3])[:60]
        if code is FAILS:
            self.assertIn(done.returncode, range(1, 10), f"{told}: {done.stderr[-2000:]}")
        else:
            self.assertEqual(done.returncode, code, f"{told}: {done.stderr[-2000:]}")
        self.search_trace(told)
        self.search(f"{told}: stdout", done.stdout)
        self.search(f"{told}: stderr", done.stderr)
        self.done.add(next(name for name in (" ".join(words[:2]), words[0]) if name in self.known))
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    def search_trace(self, told):
        calls = [Call(line) for line in self.trace.read_bytes().splitlines()]
        executed = [call for call in calls if call.name == "execve"]
        # The first one is cogni itself, with the test's own environment and arguments; all others are its children.
        self.assertGreater(len(executed), 0, "the trace can't be read")
        self.children += len(executed) - 1
        kept = [call for call in calls if call.name and call is not executed[0] and not (call.is_write and call.is_sent)]
        self.written_bytes += sum(len(call.data) for call in kept if call.is_write)
        self.names |= {Path(os.fsdecode(call.data.split(b"\n")[0])).name for call in kept if call.name == "openat"}
        # One look at all of it. What a write cut in two is found as well: pieces follow each other.
        for kind, data in (
            ("names and children", b"\n".join(call.data for call in kept if not call.is_write)),
            ("writes", b"\n".join(call.data for call in kept if call.is_write)),
            ("writes, joined", b"".join(call.data for call in kept if call.is_write)),
        ):
            self.search(f"{told}: {kind}", data)

    def documents(self):
        """Files of other people, full of secrets."""
        secrets = [secret.replace("\n", "\\n") for secret in self.secrets.values()]
        rows = [{"time": NOW, "user_id": one, "model": one, "input_tokens": 1, "output_tokens": 1} for one in self.secrets.values()]
        events = self.written("events.ndjson", "".join(json.dumps(row) + "\n" for row in rows))
        names = {one: {"type": "string", "enum": [one]} for one in secrets}
        schema = {"type": "object", "properties": {"data": {"type": "array", "items": {"type": "object", "properties": names}}}}
        reply = {"get": {"responses": {"200": {"content": {"application/json": {"schema": schema}}}}}}
        document = {"openapi": "3.1.0", "info": {"title": "x"}, "paths": {"/organization/users": reply}}
        broken = "".join(f'"{secret}": true\n' for secret in secrets)
        return (
            events, self.written("openapi.json", json.dumps(document)),
            self.written("broken.yaml", "pipeline: x\nsource: { connector: openai_admin }\n" + broken),
        )  # fmt: skip

    def test_no_byte_that_is_ever_written_to_a_file_holds_one_also_of_files_that_go_again(self):
        run, output = self.traced, self.output / "whole"
        reports = "  usage_completions: { group_by: [user_id, model] }\n  costs: { group_by: [project_id] }\n"
        file = self.whole_yaml("whole", "  projects: {}\n  users: {}\n" + reports)
        events, document, broken = self.documents()
        times, span = ["--since", "2026-11-19", "--now", NOW], ["--from", "2026-11-19", "--until", "2026-11-21"]
        for words in (["keys", "create"], ["init", self.work / "new"], ["discover", file], ["validate", file], ["plan", file],
                      ["preview", file, "projects"], ["check", file], ["run", file, "--max-memory", "16MiB", *times],
                      ["record", file, self.work / "recorded", *times]):  # fmt: skip
            run(*words)
        self.api.secrets = self.api.secrets[:-1]
        run("run", file, "--full-refresh", *times)
        for mode in ("401", "500", "broken", "redirect", "html"):
            self.api.mode = mode
            run("run", file, code=FAILS)
        self.api.mode = "rows"
        for words in (["alerts", "send", file, "--now"], ["metrics", file, "--push", self.gateway.url]):
            run(*words, code=FAILS)
        self.hook.answers = (410, {}, self.secrets["jwt"].encode())
        run("alerts", "send", file, "--now", code=FAILS)
        [kid] = [one["kid"] for one in json.loads(run("keys", "list", "--json").out)["keys"]]
        for words in (["alerts", "list", file], ["alerts", "resume", file], ["metrics", file], ["logs", output, "--events"], ["history", output],
                      ["state", "show", file], ["state", "export", file], ["disable", file, "--reason", "x"], ["enable", file],
                      ["verify", output, "--all"], ["diff", output, output], ["keys", "rotate"], ["keys", "reencrypt", file],
                      ["decrypt", lambda: next((output / "current/projects").iterdir()), "--reason", "x", "--output", self.work / "opened.ndjson"],
                      ["keys", "audit"], ["keys", "retire", kid, "--output", output, "--yes"], ["rollback", output, "--to", "1"],
                      ["vacuum", output, "--keep", "1"], ["state", "rebuild", file], ["state", "reset", file]):  # fmt: skip
            run(*words)
        for words in (["reconcile", file, "--events", events, *span],
                      ["schema", "--compare", document], ["validate", broken], ["run", broken], ["run", self.secrets["github"]]):  # fmt: skip
            run(*words, code=FAILS)
        master = self.given / "master"
        master.write_text(base64.b64encode(os.urandom(32)).decode())
        master.chmod(0o600)
        self.needles["new master key"] = forms(master.read_text()[:-1])
        run("keys", "rewrap", "--to-file", master)
        run("keys", "list", code=FAILS)  # with the old one
        self.assertEqual(set(self.known) - self.done, set(), "a command that was not traced")
        self.assertGreater(self.written_bytes, 50_000, "the trace was read")
        self.assertTrue(any(name.startswith("state.sqlite-") for name in self.names), "journals are files that go again")
        self.assertKeyReachedTheAPI()

    def test_a_key_program_gets_no_secret_by_argument_or_environment(self):
        hook = self.given / "kms"
        hook.write_text(
            "#!/bin/sh\nread line\n"
            """data=$(printf '%s' "$line" | sed 's/.*"data":"\\([^"]*\\)".*/\\1/')\n"""
            """printf '{"ok":true,"data":"%s"}\\n' "$(printf '%s' "$data" | tr 'A-Za-z' 'a-zA-Z')"\n"""
        )
        hook.chmod(0o700)
        env = {"COGNI_MASTER_KEY": "", "COGNI_MASTER_KEY_COMMAND": f"{hook} eu-west"}
        for words in (["keys", "create"], ["check", self.whole], ["run", self.whole]):
            self.traced(*words, env=env)
        self.assertGreater(self.children, 6, "the program was never started")
        complaints = " ".join(self.secrets.values()).replace("\n", " ")
        hook.write_text(f"#!/bin/sh\ncat > /dev/null\ncat {self.written('said', complaints)} >&2\nexit 3\n")
        for words in (["keys", "list"], ["run", self.whole]):
            self.traced(*words, env=env, code=FAILS)


if __name__ == "__main__":
    unittest.main()
