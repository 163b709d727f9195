"""SIGKILL at every call that changes the disk, in each of the runs; torn writes; three kills in a row."""

import random

import checker
from report import Trial
from tracer import Strike, trace
from workload import RUNS

NAME = "SIGKILL at every changing call"


class KillAtEveryCall:
    """The process ends *instead of* call k, for every k: after k-1 calls the disk is as the kernel has it."""

    def __init__(self, workload, seed, short):
        self.workload, self.seed, self.short = workload, seed, short

    def plans(self, scratch):
        """(run, strikes in a row) of every trial."""
        chance = random.Random(self.seed)
        plans = []
        for number in RUNS:
            output = scratch / f"count-{number}"
            self.workload.begin(number, output)
            calls = self.traced(number, output).calls
            every = list(range(1, len(calls) + 1))
            writes = [call.index for call in calls if call.name in ("write", "pwrite64") and call.size > 1]
            kills = chance.sample(every, 12) if self.short else every
            torn = chance.sample(writes, 5) if self.short else writes
            plans += [(number, [Strike(at, "kill")]) for at in kills]
            plans += [(number, [Strike(at, "tear")]) for at in torn]
            for _ in range(2 if self.short else 60):
                plans.append((number, [Strike(chance.choice(every), "kill") for _ in range(3)]))
        return plans

    def traced(self, number, output, strike=None):
        workload = self.workload
        return trace(
            workload.command(number, output), folders=[output], environment=workload.surroundings(number), cwd=workload.folder,
            strike=strike,
        )  # fmt: skip

    def trial(self, plan, output):
        number, strikes = plan
        trial = Trial(injected=len(strikes))
        self.workload.begin(number, output)
        root = self.workload.root(output)
        for strike in strikes:
            done = self.traced(number, output, strike)
            where = f"run {number}, {strike.kind} at {done.fired or strike.at}"
            # Killed by our signal, at our call: a run that had fewer calls has not been struck.
            if done.fired is not None and done.code == -9:
                trial.fired += 1
            elif done.code != 0:
                trial.fail(f"{where}: the run ended with {done.code}: {done.error[-400:]}")
            final_names(trial, done.calls, root, where)
            trial.look(checker.check(root), where)
        finish(trial, self.workload, number, output, "P-02", where)
        return trial


def final_names(trial, calls, root, where):
    """P-04: no open call may write to a file that stands under its final name."""
    for call in calls:
        if call.writes:
            inside = call.path.removeprefix(str(root) + "/")
            final = checker.NUMBERED.search(inside) or inside in ("current", "vacuum_log.ndjson", "rollback_log.ndjson")
            final = final or (inside.startswith("runs/") and inside.endswith(".json"))
            trial.checked["P-04"] += 1
            if final:
                trial.fail(f"{where}: P-04: {inside} is opened for writing")


def finish(trial, workload, number, output, promise, where):
    """Runs again, undisturbed: it must end well and with the undisturbed tree."""
    done = workload.run(number, output)
    trial.checked[promise] += 1
    if done.code != 0:
        trial.differed += 1
        return trial.fail(f"{where}: the next run ended with {done.code}: {done.error[-400:]}")
    root = workload.root(output)
    differing = checker.differing(workload.golden(number), checker.tree(root))
    if differing:
        trial.differed += 1
        trial.fail(f"{where}: {promise}: after the next run these differ: {differing[:4]}")
    trial.look(checker.check(root), where + ", after the next run")
