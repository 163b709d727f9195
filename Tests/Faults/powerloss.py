"""The power goes: after every operation of a recorded run, in every way that POSIX allows."""

import os
import pickle
import random
import subprocess
import sys
import time

import checker
import images
from kills import finish
from report import Trial
from workload import RUNS

MIXES = 3  # images with a seed of their own, for every point


class PowerLoss:
    """Images of all runs; equal images are tried once."""

    def __init__(self, workload, seed, short):
        self.workload, self.seed, self.short = workload, seed, short
        self.journals = {}

    def record(self, number, scratch):
        """(base, operations) of a run whose output stands on the recorder."""
        mount, journal = scratch / f"mount-{number}", scratch / f"journal-{number}"
        mount.mkdir()
        base = [str(self.workload.calm(1))] if number == 2 else []
        here = os.path.dirname(os.path.abspath(__file__))
        server = subprocess.Popen([sys.executable, os.path.join(here, "recorder.py"), str(mount), str(journal), *base])
        try:
            until = time.monotonic() + 30
            while not os.path.ismount(mount):
                if server.poll() is not None or time.monotonic() > until:
                    raise RuntimeError("the recording file system could not be mounted")
                time.sleep(0.01)
            done = self.workload.run(number, mount)
            if done.code != 0:
                raise RuntimeError(f"the recorded run ended with {done.code}: {done.error}")
            differing = checker.differing(self.workload.golden(number), checker.tree(self.workload.root(mount)))
            if differing:
                raise RuntimeError(f"the recorded run made another tree: {differing[:4]}")
        finally:
            subprocess.run(["fusermount", "-u", str(mount)], capture_output=True)
            server.wait(timeout=30)
        with open(journal, "rb") as file:
            return pickle.load(file)

    def plans(self, scratch):
        """(run, operations done, kind, seed) of every image that differs from those before it."""
        chance = random.Random(self.seed + 3)
        plans = []
        for number in RUNS:
            base, operations = self.journals[number] = self.record(number, scratch)
            syncs = sum(operation[0] == "sync" for operation in operations)
            if syncs < 10:
                raise RuntimeError(f"the recorder saw {syncs} syncs: it does not see them all")
            disk, seen, every = images.Disk(base), set(), []
            for done in range(len(operations) + 1):
                if done:
                    disk.apply(operations[done - 1])
                mixes = [("mixed", self.seed * 1000 + done * MIXES + mix) for mix in range(MIXES)]
                for kind, seed in [("strict", 0), ("zeroed", 0), *mixes]:
                    mark = images.signature(disk, disk.image(kind, seed))
                    if mark not in seen:
                        seen.add(mark)
                        every.append((number, done, kind, seed))
            plans += chance.sample(every, 14) if self.short else every
        return plans

    def trial(self, plan, output):
        number, done, kind, seed = plan
        trial = Trial()
        base, operations = self.journals[number]
        disk = images.Disk(base)
        for operation in operations[:done]:
            disk.apply(operation)
        images.write(disk, disk.image(kind, seed), output)
        trial.fired += 1
        last = operations[done - 1] if done else ("nothing",)
        where = f"run {number}, {kind} image {seed or ''} after {done} operations, the last: {str(last)[:120]}"
        trial.look(checker.check(self.workload.root(output)), where)
        finish(trial, self.workload, number, output, "P-03", where)
        return trial
