"""A disk of every size from too small to enough, and one with every number of inodes.

Each trial has a tmpfs of its own. Full: exit code 6, the state still opens, nothing half-written is visible. Then the disk is made
larger, as an operator would, and the next run must end with the undisturbed tree.
"""

import os
import random
import subprocess

import checker
from kills import finish
from report import Trial

PAGE = os.sysconf("SC_PAGE_SIZE")
MOST = {"size": 4 << 20, "nr_inodes": 512}


class FullDisk:
    def __init__(self, workload, seed, short):
        self.workload, self.seed, self.short = workload, seed, short

    def plans(self, scratch):
        """(run, option of the mount, value): sizes page by page, inodes one by one, up to what the run needs."""
        chance = random.Random(self.seed + 2)
        plans = []
        for number in (1, 2):
            need = self.need(number, scratch)
            for option, step in (("size", PAGE), ("nr_inodes", 1)):
                # What the run before left must fit, or the trial would not begin.
                first = step * 2 if number == 1 else need[option][0]
                every = range(first, need[option][1] + step, step)
                plans += [(number, option, value) for value in (chance.sample(every, min(6, len(every))) if self.short else every)]
        return plans

    def need(self, number, scratch):
        """option → (the least that holds what stands there before the run, the least that is enough for the run)."""
        found = {}
        for option, step in (("size", PAGE), ("nr_inodes", 1)):
            limits = []
            for attempt in (self.begins, self.ends):
                low, high = 0, MOST[option]
                while high - low > step:
                    middle = (low + high) // 2 // step * step
                    folder = scratch / f"{number}-{option}-{middle}-{len(limits)}"
                    folder.mkdir()
                    mount(folder, option, max(step, middle))
                    try:
                        low, high = (low, middle) if attempt(number, folder) else (middle, high)
                    finally:
                        subprocess.run(["umount", folder], check=True)
                limits.append(high)
            found[option] = tuple(limits)
        return found

    def begins(self, number, folder):
        try:
            self.place(number, folder)
        except OSError:
            return False
        return True

    def ends(self, number, folder):
        return self.begins(number, folder) and self.workload.run(number, folder).code == 0

    def place(self, number, output):
        if number > 1:
            inner = output / "demo"
            done = subprocess.run(["cp", "-a", self.workload.root(self.workload.calm(number - 1)), inner], capture_output=True)
            if done.returncode != 0:
                raise OSError("it does not fit")

    def trial(self, plan, output):
        number, option, value = plan
        trial = Trial()
        output.mkdir()
        mount(output, option, value)
        try:
            self.place(number, output)
            where = f"run {number}, tmpfs with {option}={value}"
            done = self.workload.run(number, output)
            root = self.workload.root(output)
            if done.code != 0:
                trial.fired += 1
                if done.code != 6:
                    trial.fail(f"{where}: exit code {done.code}, not 6: {done.error[-400:]}")
                elif "errno 28" not in done.error or str(output) not in done.error:
                    trial.fail(f"{where}: the message does not name file and errno 28: {done.error[-400:]}")
                trial.look(checker.check(root), where)
            subprocess.run(["mount", "-o", f"remount,{option}={MOST[option]}", output], check=True, capture_output=True)
            finish(trial, self.workload, number, output, "P-21", where)
        finally:
            subprocess.run(["umount", output], check=True)
        return trial


def mount(folder, option, value):
    rest = "nr_inodes=100000" if option == "size" else f"size={MOST['size']}"
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"{option}={value},{rest}", "cogni-lab", folder], check=True, capture_output=True
    )
