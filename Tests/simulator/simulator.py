"""Starts a simulator binary, asks it about itself, stops it. Standard library only."""

import json
import os
import signal
import subprocess
import tempfile
import urllib.parse
import urllib.error
import urllib.request

NOW = 1795176000  # 2026-11-20T12:00:00Z
DAY = 86400


class Simulator:
    def __init__(self, binary, *options, scenario=None):
        self.folder = tempfile.TemporaryDirectory(prefix="cogni-simulator-")
        self.log_path = os.path.join(self.folder.name, "requests.ndjson")
        command = [binary, "serve", "--port", "0", "--now", "2026-11-20T12:00:00Z", "--log", self.log_path, *options]
        if scenario is not None:
            path = os.path.join(self.folder.name, "scenario.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(scenario, file)
            command += ["--scenario", path]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening on http://127.0.0.1:"), line
        self.base_url = line.split()[-1]
        self.root = self.base_url.removesuffix("/v1")
        self.key = "sk-admin-simulator-000000000000000000000000000000000000"
        self.limited_key = "sk-admin-simulator-limited-0000000000000000000000000000"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=10)
        self.process.stdout.close()
        self.folder.cleanup()
        assert code == 0, f"the simulator ended with {code}"

    def ask(self, address, post=None):
        """GET, or POST of an object, below /_simulator/."""
        body = None if post is None else json.dumps(post).encode()
        with urllib.request.urlopen(urllib.request.Request(f"{self.root}/_simulator/{address}", data=body)) as reply:
            return json.load(reply)

    def count(self, target):
        return self.ask("count?target=" + urllib.parse.quote(target, safe=""))

    def get(self, target, key=None, headers=None):
        """Status, headers and raw body of a read; no error for any status."""
        request = urllib.request.Request(self.base_url + target, headers=headers or {})
        request.add_header("Authorization", "Bearer " + (key or self.key))
        try:
            with urllib.request.urlopen(request, timeout=10) as reply:
                return reply.status, reply.headers, reply.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    def log(self):
        with open(self.log_path, encoding="utf-8") as file:
            # The last line may still be on its way; line by line its rest would come as a line of its own.
            return [json.loads(line) for line in file.read().split("\n")[:-1]]


class Report:
    """Counts claims and prints a line for each."""

    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, claim, action):
        try:
            detail = action()
            self.passed += 1
            print(f"ok      {claim}" + (f": {detail}" if detail else ""))
        except Exception as error:  # noqa: BLE001 - every failure is one failed claim
            self.failed += 1
            print(f"FAILED  {claim}: {type(error).__name__}: {str(error)[:400]}")

    def finish(self):
        print(f"{self.passed} passed, {self.failed} failed")
        raise SystemExit(1 if self.failed else 0)
