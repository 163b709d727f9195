"""What the wire suite stands on: one run of cogni against one simulator, measured, and what is asked of it afterwards."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "e2e"), str(HERE.parent / "simulator")]

from harness import COGNI, LIVE_NOW, ROOT, Done, Output, Simulator, environment  # noqa: E402

USERS, PROJECTS, COSTS = "/organization/users", "/organization/projects", "/organization/costs"
COMPLETIONS, AUDIT, GROUPS = "/organization/usage/completions", "/organization/audit_logs", "/organization/groups"
ADMIN_KEYS = "/organization/admin_api_keys"
MEMBERS, KEYS = "/organization/projects/{project_id}/users", "/organization/projects/{project_id}/api_keys"

BASE = "costs: { since: 2026-11-12 }\nusers: {}\nprojects: {}\nproject_users: {}"
SOURCE = "page_limit: 3\nconcurrency: 8\nretry: { budget: 60s, max_delay: 1s }"
# Faults that never end are given up on soon.
SHORT = "page_limit: 3\nconcurrency: 8\nretry: { budget: 1s, max_delay: 1s }"
DAY = 86400
NOW = 1795176000  # LIVE_NOW


class Wrong(Exception):
    """A claim that does not hold."""


def claim(holds, *words):
    if not holds:
        raise Wrong(" ".join(str(word) for word in words)[:1500])


def equal(left, right, *words):
    claim(left == right, *words, f"{str(left)[:400]} is not {str(right)[:400]}")


class Run(Done):
    """A run that has ended: code, output, peak memory in bytes, the simulator's log of its requests, hits of each fault."""

    rss = 0
    log = ()
    struck = ()

    @property
    def said(self):
        """The last error line; what the summary says about the same fault is asked for as well."""
        last = self.error.strip().splitlines()[-1] if self.error.strip() else ""
        claim(last.startswith("error: "), "the last line is no error:", self)
        fault = self.summary["faults"][0]
        claim(fault["what"] in last and all(place in last for place in fault["where"]), "summary and last line differ:", last, fault)
        claim(fault["mend"] and self.summary["exit_code"] == self.code, "the summary says no mend, or another code:", fault)
        return f"{last}\n  mend: {fault['mend']}"

    def asked(self, template):
        return [line for line in self.log if line["template"] == template]


CALM = {}
CALM_ROOT = tempfile.TemporaryDirectory(prefix="cogni-wire-calm-")
LOCK = threading.Lock()


def calm(streams, source="", load="", switches=None, options=()):
    """The undisturbed run's output, made once for each organization and pipeline. Page size and pace leave no trace in it."""
    key = json.dumps([streams, load, switches or {}, list(options)])
    with LOCK:
        gate = CALM.setdefault(key, [threading.Lock(), None])
    with gate[0]:
        if gate[1] is None:
            with Bench() as bench:
                simulator = bench.simulator(*options, switches=switches)
                done = bench.run(bench.pipeline(streams, "retry: { budget: 5s }", load), simulator)
                equal(done.code, 0, "the undisturbed run:", done)
                kept = Path(CALM_ROOT.name) / str(len(list(Path(CALM_ROOT.name).iterdir())))
                shutil.copytree(bench.folder / "rough", kept, symlinks=True)
                gate[1] = Output(kept / "demo")
    return gate[1]


class Bench:
    """One try: a fresh folder, simulators that are ended with it."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="cogni-wire-"))
        self.simulators = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for simulator in self.simulators:
            simulator.__exit__()
        shutil.rmtree(self.folder, ignore_errors=True)

    def simulator(self, *options, faults=(), switches=None, small=True, seed=1):
        scenario = {"seed": seed, "switches": switches or {}, "faults": list(faults)}
        simulator = Simulator(*options, scenario=scenario, small=small)
        self.simulators.append(simulator)
        return simulator

    def pipeline(self, streams=BASE, source=SOURCE, load="", transform="", connector="openai_admin", name="demo", file=None):
        text = f"pipeline: {name}\nsource:\n  connector: {connector}\n  base_url: ${{OPENAI_BASE_URL}}\n"
        text += "  credential: ${OPENAI_ADMIN_KEY}\n  requests_per_minute: 60000\n"
        text += "".join(f"  {line}\n" for line in source.splitlines())
        for section, body in (("streams", streams), ("transform", transform), ("load", load)):
            if body:
                text += f"{section}:\n" + "".join(f"  {line}\n" for line in body.strip().splitlines())
        path = self.folder / (file or f"{name}.yaml")
        path.write_text(text, encoding="utf-8")
        return path

    def start(self, pipeline, simulator, *more, output="rough", now=LIVE_NOW, env=None):
        """The process and the files of its outputs."""
        arguments = ["run", str(pipeline), "--now", now, "--output", str(self.folder / output), "--json", "--progress", "none"]
        out, error = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        process = subprocess.Popen(
            [COGNI, *arguments, *map(str, more)], stdout=out, stderr=error, stdin=subprocess.DEVNULL, cwd=self.folder,
            env=environment({**simulator.environment, **(env or {})}),
        )  # fmt: skip
        return process, out, error

    def run(self, pipeline, simulator, *more, timeout=120, **rest):
        before = len(simulator.log())
        process, out, error = self.start(pipeline, simulator, *more, **rest)
        killer = threading.Timer(timeout, process.kill)
        killer.start()
        _, status, usage = os.wait4(process.pid, 0)
        killer.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        done = Run(process.returncode, read(out), read(error))
        done.rss = usage.ru_maxrss * 1024
        done.log = simulator.log()[before:]
        done.struck = [fault["injected"] for fault in simulator.ask("faults")["faults"]]
        if not rest.get("now"):
            balances(done)
        return done

    def out(self, output="rough", name="demo"):
        return Output(self.folder / output / name)


def read(file):
    file.seek(0)
    data = file.read().decode("utf-8", "replace")
    file.close()
    return data


def balances(done):
    """Rows are conserved, also in a run that failed."""
    if not done.out.startswith("{"):
        return
    for stream in done.summary["streams"]:
        repeats = stream["duplicates"]
        gone = repeats["identical"] + repeats["conflicts"] + sum(stream["dropped"].values())
        equal(stream["fetched"], stream["written"] + gone, "rows were lost:", stream["name"])


def same_data(one, other, why="", restated=False):
    """- restated: `other` saw values change, and its ledger of them, which `one` can't have, stands apart."""
    left, right = json.loads(one.manifest_bytes), json.loads(other.manifest_bytes)
    names = {stream["name"] for stream in right["streams"]}
    ledgers = {name for name in names if name.endswith("_restatements") and name.removesuffix("_restatements") in names}
    equal(bool(ledgers), restated, why, "restatements:", ledgers)
    right["streams"] = [stream for stream in right["streams"] if stream["name"] not in ledgers]
    equal(left, right, why, "the manifests differ:")
    theirs = {path: digest for path, digest in other.archives().items() if path.split("/")[0] not in ledgers}
    equal(one.archives(), theirs, why, "the archives differ:")


def same_tree(one, other, why=""):
    left, right = one.tree(), other.tree()
    differing = sorted(path for path in left.keys() | right.keys() if left.get(path) != right.get(path))
    claim(not differing and len(left) > 4, why, "these differ:", differing[:8])


def wait_for(condition, seconds=60):
    """Looks again and again until the condition holds; False when it never did."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


BUILT_IN = ROOT / "Sources/House/Connector/Connectors/openai_admin.yaml"
BIN_SIMULATOR = str(Path(COGNI).parent / "cogni-simulator")
