"""Counts a run's system calls with strace and compares: no call that changes the disk may escape the laboratory.

strace is a second witness: it shares nothing with tracer.py. Every call that it sees must be in one of the two lists of
syscalls.py, and of the changing ones on the output both must have counted the same.
"""

import re
import subprocess
from collections import Counter

import syscalls
from report import Trial
from tracer import trace

LINE = re.compile(r"^\d+\s+([a-z0-9_]+)\((.*)$")


class Census:
    """One trial for each of the two runs. Nothing is struck; `fired` is the number of calls that both saw."""

    def __init__(self, workload, seed, short):
        self.workload = workload

    def plans(self, scratch):
        return [1, 2]

    def trial(self, number, output):
        trial = Trial(injected=0)
        workload = self.workload
        output.mkdir()
        seen = [output / name for name in ("strace", "tracer")]
        for folder in seen:
            workload.begin(number, folder)
        log = output / "log"
        done = subprocess.run(
            ["strace", "-f", "-qq", "-y", "-s", "0", "-o", log, *workload.command(number, seen[0])], capture_output=True,
            text=True, env=workload.surroundings(number), cwd=workload.folder, stdin=subprocess.DEVNULL, timeout=120,
        )  # fmt: skip
        if done.returncode != 0:
            trial.fail(f"under strace the run ended with {done.returncode}: {done.stderr[-300:]}")
        known = syscalls.HARMLESS | set(syscalls.CHANGING) | set(syscalls.READING)
        witness, unknown = Counter(), Counter()
        for line in log.read_text(encoding="utf-8", errors="replace").splitlines():
            match = LINE.match(line)
            if not match:
                continue
            name, rest = match.groups()
            if name not in known:
                unknown[name] += 1
            elif name in syscalls.CHANGING and str(seen[0]) in rest and (name not in syscalls.FLAGS_AT or writes(rest)):
                witness[name] += 1
        trial.checked["census"] += 1
        if unknown:
            trial.fail(f"run {number}: calls that the laboratory does not know: {dict(unknown)}")
        calls = trace(
            workload.command(number, seen[1]), folders=[seen[1]], environment=workload.surroundings(number), cwd=workload.folder
        ).calls
        counted = Counter(call.name for call in calls if call.name not in syscalls.FLAGS_AT or call.writes)
        trial.fired += sum(counted.values())
        # Progress is made durable by the clock, so a slow run may write a little more.
        exact = ("rename", "link", "symlink", "mkdir", "flock", "ftruncate")
        for name in sorted(witness.keys() | counted.keys()):
            trial.checked["census"] += 1
            if (witness[name] == 0) != (counted[name] == 0) or (name in exact and witness[name] != counted[name]):
                trial.fail(f"run {number}: strace saw {name} {witness[name]} times, the tracer {counted[name]} times")
        return trial


def writes(rest):
    return any(flag in rest for flag in ("O_WRONLY", "O_RDWR", "O_CREAT", "O_TRUNC"))

