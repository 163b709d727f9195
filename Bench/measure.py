"""One command, measured: wall, user and system seconds, and the most memory that it and its children held at once.

Looking at memory costs the processor time, and most with a tree of several processes: what is timed for a comparison is run without.

Times come from wait4(2): user and system seconds include every child that was waited for. Memory is the sum over the process tree, read
from /proc every 5 ms as PSS where several processes run (pages that they share count once) and as RSS where it is one; it is never less than the
largest single process at its highest, as the kernel keeps it (VmHWM); not ru_maxrss, which counts what this program held when it
began the other one. A tree's peak between two looks is missed.
"""
import os
import subprocess
import threading
import time
from dataclasses import dataclass

LOOK_EVERY = 0.005


@dataclass
class Measured:
    wall: float
    user: float
    system: float
    peak: int  # bytes
    code: int

    @property
    def cpu(self):
        return self.user + self.system


def measured(command, environment=None, log=None, folder=None, looking=True):
    """Runs the command to its end. Output goes to the file `log`, or nowhere. Without `looking` its peak stays 0."""
    out = open(log, "ab") if log else subprocess.DEVNULL
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, cwd=folder,
                               env={**os.environ, **(environment or {})})
    ended = threading.Event()
    peak = [0]
    looker = threading.Thread(target=look, args=(process.pid, ended, peak), daemon=True)
    if looking:
        looker.start()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    ended.set()
    if looking:
        looker.join()
    if log:
        out.close()
    return Measured(wall, usage.ru_utime, usage.ru_stime, peak[0], process.returncode)


def look(root, ended, peak):
    page = os.sysconf("SC_PAGE_SIZE")
    while not ended.wait(LOOK_EVERY):
        tree = family(root)
        held = highest = 0
        for pid in tree:
            try:
                highest = max(highest, kilobytes(text(pid, "status"), "VmHWM:"))
                if len(tree) == 1:
                    held += int(text(pid, "statm").split()[1]) * page
                else:
                    held += kilobytes(text(pid, "smaps_rollup"), "Pss:")
            except (OSError, StopIteration, IndexError):
                continue  # it has just ended
        peak[0] = max(peak[0], held, highest)


def family(root):
    """The process and all below it, by the kernel's own lists of children."""
    found, unread = [], [root]
    while unread:
        pid = unread.pop()
        found.append(pid)
        try:
            for thread in os.listdir(f"/proc/{pid}/task"):
                unread += [int(child) for child in text(pid, f"task/{thread}/children").split()]
        except OSError:
            continue
    return found


def kilobytes(table, name):
    return next(int(line.split()[1]) * 1024 for line in table.splitlines() if line.startswith(name))


def text(pid, name):
    with open(f"/proc/{pid}/{name}") as file:
        return file.read()
