"""Kills at random moments by the clock, several in a row: the method that knows nothing about what it hits."""

import random
import signal
import subprocess
import time

import checker
from kills import finish
from report import Trial
from workload import RUNS


class RandomKills:
    """Every trial has a seed of its own, which a failure prints."""

    def __init__(self, workload, seed, short):
        self.workload, self.seed, self.short = workload, seed, short

    def plans(self, scratch):
        output = scratch / "timed"
        started = time.monotonic()
        self.workload.run(1, output)
        whole = time.monotonic() - started
        return [(number, self.seed + at, whole) for at in range(6 if self.short else 150) for number in RUNS]

    def trial(self, plan, output):
        number, seed, whole = plan
        chance = random.Random(seed)
        kills = chance.randint(1, 4)
        trial = Trial(injected=0)
        self.workload.begin(number, output)
        root = self.workload.root(output)
        where = f"run {number}, seed {seed}, {kills} kills in a row"
        for _ in range(kills):
            trial.injected += 1
            process = subprocess.Popen(
                self.workload.command(number, output), env=self.workload.surroundings(number), cwd=self.workload.folder,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            )  # fmt: skip
            time.sleep(chance.random() * whole)
            process.send_signal(signal.SIGKILL)
            _, error = process.communicate(timeout=60)
            trial.fired += process.returncode == -signal.SIGKILL
            if process.returncode not in (0, -signal.SIGKILL):
                trial.fail(f"{where}: the run ended with {process.returncode}: {error[-400:]}")
            if root.exists():
                trial.look(checker.check(root), where)
        finish(trial, self.workload, number, output, "P-02", where)
        return trial
