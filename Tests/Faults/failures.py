"""One call of a run fails: with every error number that its kind can give, at every place where it is made.

EINTR and short writes must leave no trace. Every other failure must end the run with a documented code, and the message must
name the file and the number; the tree must keep its promises, and a clean run must end as if nothing had been.
"""

import errno
import random

import checker
import syscalls
from kills import final_names, finish
from report import Trial
from tracer import Strike, trace

NUMBERS = {
    "openat": ["EIO", "EMFILE"],
    "openat, writing": ["EIO", "ENOSPC", "EDQUOT", "EMFILE", "EROFS"],
    "mkdir": ["EIO", "ENOSPC", "EDQUOT", "EROFS"],
    "symlink": ["EIO", "ENOSPC", "EDQUOT", "EROFS"],
    "link": ["EIO", "ENOSPC", "EDQUOT", "EROFS"],
    "rename": ["EIO", "ENOSPC", "EDQUOT", "EROFS"],
    "write": ["EIO", "ENOSPC", "EDQUOT"],
    "pwrite64": ["EIO", "ENOSPC", "EDQUOT"],
    "ftruncate": ["EIO", "EROFS"],
    "fsync": ["EIO", "ENOSPC", "EDQUOT"],
    "fdatasync": ["EIO", "ENOSPC", "EDQUOT"],
    "unlink": ["EIO", "EROFS"],
    "unlinkat": ["EIO", "EROFS"],
    "rmdir": ["EIO", "EROFS"],
    "chmod": ["EIO", "EROFS"],
    "fchown": ["EIO", "EROFS"],
    "flock": ["EIO"],
    "read": ["EIO"],
    "pread64": ["EIO"],
    "getdents64": ["EIO"],
    "newfstatat": ["EIO"],
    "readlink": ["EIO"],
    "close": ["EIO"],
}
SYNCS = {"fsync", "fdatasync"}
ENDLESS = 1 << 63


def numbers(call):
    """The names of the error numbers that the kernel can answer this call with."""
    names = NUMBERS.get(f"{call.name}, writing" if call.writes else call.name)
    if names is None:
        raise RuntimeError(f"{call}: no error numbers are known for it")
    return [*names, "EINTR"] if call.name in syscalls.INTERRUPTIBLE else names


def can_be_short(call):
    return call.name in syscalls.WRITES and call.size > 1


def tolerated(call, inside):
    """Why a run may end well though this call failed: nothing that is promised depends on it. `None` when it may not."""
    if call.name == "close":
        return "close: what must be on the medium was synced before"
    if call.name == "newfstatat" and inside.startswith("state.sqlite"):
        return "SQLite looks again at a file that it has open"
    if call.name == "fchown" and inside == "state.sqlite-journal":
        return "SQLite gives its journal to the state's owner where it can"
    return None


class FailAtEveryCall:
    """Failing calls, over all calls on the output that can fail."""

    def __init__(self, workload, seed, short):
        self.workload, self.seed, self.short = workload, seed, short

    def traced(self, number, output, strike=None):
        workload = self.workload
        return trace(
            workload.command(number, output), folders=[output], environment=workload.surroundings(number), cwd=workload.folder,
            names=[*syscalls.CHANGING, *syscalls.READING], strike=strike,
        )  # fmt: skip

    def plans(self, scratch):
        """(run, kind, errno's name or empty, index)."""
        chance = random.Random(self.seed + 1)
        plans = []
        for number in (1, 2):
            output = scratch / f"count-{number}"
            self.workload.begin(number, output)
            for call in self.traced(number, output).calls:
                plans += [(number, "fail", name, call.index) for name in numbers(call)]
                if can_be_short(call):
                    plans.append((number, "short", "", call.index))
        return chance.sample(plans, 120) if self.short else plans

    def trial(self, plan, output):
        number, kind, name, at = plan
        trial = Trial()
        workload = self.workload
        workload.begin(number, output)
        root = workload.root(output)
        fits = can_be_short if kind == "short" else lambda call: name in numbers(call)
        done = self.traced(number, output, Strike(at, kind, getattr(errno, name) if name else 0, fits))
        if done.fired is None:
            return trial
        trial.fired += 1
        if done.fired.index > at:
            trial.notes.append("the call at the planned place can't fail so: the next one that can was struck")
        where = f"run {number}, {name or kind} at {done.fired}"
        invisible = name == "EINTR" or kind == "short"
        trial.checked["P-20"] += 1
        if invisible:
            if done.code != 0:
                trial.fail(f"{where}: it should not be seen, but the run ended with {done.code}: {done.error[-400:]}")
        else:
            self.told(trial, done, root, where, name)
            if done.fired.name in SYNCS:
                self.not_again(trial, done, where)
        final_names(trial, done.calls, root, where)
        trial.look(checker.check(root), where)
        if invisible and done.code == 0:
            # It must have left no trace, not even one that the next run would mend.
            trial.checked["P-20"] += 1
            differing = checker.differing(workload.golden(number), checker.tree(root))
            if differing:
                trial.differed += 1
                trial.fail(f"{where}: these differ from the undisturbed run's: {differing[:4]}")
        else:
            finish(trial, workload, number, output, "P-20", where)
        return trial

    def told(self, trial, done, root, where, name):
        """The exit code is documented, and the message names the file and the number."""
        struck = done.fired
        # The way to the output is the output's: what is asked of a folder above concerns all of it.
        inside = "" if str(root).startswith(struck.path + "/") else struck.path.removeprefix(str(root)).lstrip("/")
        if done.code == 0:
            reason = tolerated(struck, inside)
            told = f"errno {getattr(errno, name)}" in done.error
            if reason is None and told and "could not be dropped" in done.error:
                reason = "an old generation that can't be dropped is told and tried again by the next run"
            if reason is None and told and inside.split("/")[0].split(".")[0] in ("", "logs", "metrics"):
                reason = "run log and metrics are told and do not stop a run"
            if reason is None and told and "no copy of " in done.error and inside.endswith(".runs"):
                reason = "a copy for a run that is stopped is told and not needed otherwise"
            if reason is None and told and "could not be removed" in done.error:
                reason = "what was staged is told when it can't be removed after the commit, and the next run clears it"
            if reason is None and name in ("ENOSPC", "EDQUOT") and inside == "vacuum_log.ndjson.new":
                reason = "on a full disk a generation is out of sight before the line that tells of it"
            warned = "warning: state: " in done.error or "warning: metrics: " in done.error
            # Links are looked for first in the places of all folders.
            looked = inside.startswith("state.sqlite") or inside in ("generations", "runs", "logs", "audit", ".staging")
            if reason is None and told and looked and warned:
                reason = "after the commit the state is read for metrics, events and the switch: told, and the next run catches up"
            if reason is None:
                trial.fail(f"{where}: the run ended with 0 and said nothing of it")
            else:
                trial.notes.append(f"tolerated: {reason}")
            return
        if done.code != 6:
            trial.fail(f"{where}: exit code {done.code}, not 6: {done.error[-400:]}")
        number = getattr(errno, name)
        if f"errno {number}" not in done.error:
            trial.fail(f"{where}: the message does not name errno {number}: {done.error[-400:]}")
        if str(root.parent) not in done.error:
            trial.fail(f"{where}: the message names no file: {done.error[-400:]}")

    def not_again(self, trial, done, where):
        """After a failed sync the kernel may have dropped the pages; a second one on the same open file would lie, unless
        all of them have been written anew or cut off, as SQLite does when it takes a transaction back."""
        struck = done.fired
        lost = []
        for call in done.calls[: struck.index - 1]:
            if call.inode != struck.inode:
                continue
            if call.name in SYNCS:
                lost = []
            elif call.name == "ftruncate":
                lost = without(lost, (call.size, ENDLESS))
            elif call.name in syscalls.WRITES:
                # Where a plain `write` stands is not known: anywhere.
                lost.append((0, ENDLESS) if call.offset is None else (call.offset, call.offset + call.size))
        lost = lost or [(0, ENDLESS)]  # the names in a folder, or what was written before we looked
        for call in done.calls[struck.index :]:
            if call.inode != struck.inode or call.descriptor != struck.descriptor:
                continue
            if call.name == "close":
                return
            if call.name == "ftruncate":
                lost = without(lost, (call.size, ENDLESS))
            elif call.offset is not None:
                lost = without(lost, (call.offset, call.offset + call.size))
            elif call.name in SYNCS:
                if lost:
                    trial.fail(f"{where}: the failed sync is tried again at {call}, and of its bytes {lost[:3]} were not written anew")
                return


def without(ranges, gone):
    """`ranges` (from, to) without the bytes of `gone`."""
    left = []
    for begin, end in ranges:
        left += [part for part in ((begin, min(end, gone[0])), (max(begin, gone[1]), end)) if part[0] < part[1]]
    return left
