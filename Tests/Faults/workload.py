"""The small run that all methods disturb: recorded replies, four streams, two generations, one of them dropped again.

Run 1 publishes reports of several days, a log and two lists, sealed and bundled. For run 2 the recorded organization has
changed: new days, a renamed project. It keeps one generation, so it also drops the first. Run 3 is run 1 by a clock 200
times as fast (libfaketime), so that progress, which is made durable once a second, is made durable at every page.
"""

import functools
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import checker

ROOT = Path(__file__).resolve().parents[2]
COGNI = os.environ.get("COGNI", str(ROOT / ".build/debug/cogni"))
STREAMS = ("costs", "projects", "users", "audit_logs")
PIPELINE = """\
pipeline: demo
source:
  connector: small.yaml
  credential: ${OPENAI_ADMIN_KEY}
streams:
  costs: { since: 2025-11-01 }
  projects: {}
  users: {}
  audit_logs: { since: 2025-11-01 }
transform:
- encrypt: { fields: ["domain:user", email] }
load: { bundle: zip, keep_generations: 1 }
"""
FAKETIME = next(iter(sorted(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))), None)
# Runs whose kills and power cuts meet progress made durable on the way.
RUNS = (1, 2, 3) if FAKETIME else (1, 2)


@dataclass
class Ended:
    code: int
    out: str
    error: str


def small_connector():
    """The built-in connector with our streams alone: most of a short run would go into reading the other 41."""
    text = (ROOT / "Sources/House/Connector/Connectors/openai_admin.yaml").read_text(encoding="utf-8")
    head, *streams = text.split("\n  - name: ")
    wanted = [stream for stream in streams if stream.split("\n")[0].strip() in STREAMS]
    if len(wanted) != len(STREAMS):
        raise RuntimeError("the built-in connector has another shape")
    # What stands behind the streams speaks of streams that are not here.
    wanted = [re.split(r"\n(?=[a-z#])", stream)[0] for stream in wanted]
    return "\n  - name: ".join([head, *wanted]) + "\n"


class Workload:
    """Files that every trial reads, made once: `fixture`, `after` (the changed organization), `demo.yaml`."""

    def __init__(self, folder):
        self.folder = Path(folder)
        self.environment = {
            "PATH": os.environ["PATH"],
            "NO_COLOR": "1",
            "HOME": str(self.folder),
            "COGNI_KEY_RING": str(ROOT / "Fixtures/keys/example.keyring.json"),
        }

    def prepare(self):
        """Writes the files and makes the undisturbed outputs that every trial is compared with."""
        replay = ROOT / "Fixtures/openai-admin/replay"
        for name in ("fixture", "after"):
            target = self.folder / name
            target.mkdir(parents=True)
            shutil.copy(replay / "replay.json", target)
            for stream in STREAMS:
                shutil.copytree(replay / stream, target / stream)
        renamed = 0
        for file in (self.folder / "after/projects").iterdir():
            text = file.read_text(encoding="utf-8")
            changed = text.replace('"name": "', '"name": "New ', 1) if renamed == 0 else text
            renamed += changed != text
            file.write_text(changed, encoding="utf-8")
        if renamed != 1:
            raise RuntimeError("no project could be renamed: the fixture has another shape")
        (self.folder / "small.yaml").write_text(small_connector(), encoding="utf-8")
        (self.folder / "demo.yaml").write_text(PIPELINE, encoding="utf-8")
        for number in (1, 2):
            if number == 2:
                shutil.copytree(self.calm(1), self.calm(2), symlinks=True)
            done = self.run(number, self.calm(number))
            if done.code != 0:
                raise RuntimeError(f"the undisturbed run {number} ended with {done.code}: {done.error}")
            found = checker.check(self.root(self.calm(number)))
            if found.broken:
                raise RuntimeError(f"the undisturbed run {number} broke promises: {found.broken}")
        return self

    def calm(self, number):
        """The output folder after the undisturbed run 1 or 2."""
        return self.folder / f"calm-{number}"

    def root(self, output):
        return Path(output) / "demo"

    @functools.cache
    def golden(self, number):
        return checker.tree(self.root(self.calm(2 if number == 2 else 1)))

    def begin(self, number, output):
        """Puts into `output` what the run before `number` left."""
        if number == 2:
            shutil.copytree(self.calm(1), output, symlinks=True)

    def surroundings(self, number):
        """The run's environment variables."""
        fast = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": "+0 x200"} if number == 3 else {}
        return {**self.environment, **fast}

    def command(self, number, output):
        fixture, until = ("fixture", "2025-11-04") if number != 2 else ("after", "2025-11-06")
        return [
            COGNI, "run", str(self.folder / "demo.yaml"), "--replay", str(self.folder / fixture), "--until", until,
            "--now", "2025-12-01T06:00:00Z", "--output", str(output), "--json", "--progress", "plain",
        ]  # fmt: skip

    def run(self, number, output, timeout=120):
        done = subprocess.run(
            self.command(number, output), env=self.surroundings(number), cwd=self.folder, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=timeout,
        )  # fmt: skip
        return Ended(done.returncode, done.stdout, done.stderr)
