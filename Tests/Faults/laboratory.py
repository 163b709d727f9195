"""The fault laboratory: disturbs small runs in every way we know and looks whether the promises hold.

usage: laboratory.py [--short] [--only METHOD,…] [--seed N] [--minutes N] [--write]

`--short` takes a seeded sample of every method; without it every call is struck. `--write` puts the table into
docs/reliability.md. `COGNI` names the program under test. Ends with 1 when a promise was broken or a method struck nothing.
"""

import argparse
import concurrent.futures
import importlib.util
import multiprocessing
import os
import platform
import random
import shutil
import sys
import tempfile
import time
import traceback
from pathlib import Path

import report
from census import Census
from failures import FailAtEveryCall
from fullness import FullDisk
from kills import KillAtEveryCall
from mixed import SIMULATOR, MixedFaults
from powerloss import PowerLoss
from randomkills import RandomKills
from workload import Workload

METHODS = {
    "census": ("census: strace and our tracer see the same calls", Census),
    "kills": ("SIGKILL instead of the k-th changing call, torn writes, three in a row", KillAtEveryCall),
    "powerloss": ("power loss after every operation: strict, zeroed and mixed images", PowerLoss),
    "failures": ("EIO, ENOSPC, EDQUOT, EMFILE, EROFS, EINTR and short writes at the k-th call", FailAtEveryCall),
    "fullness": ("a full disk: tmpfs of every size and number of inodes", FullDisk),
    "random": ("SIGKILL at random moments, up to four in a row", RandomKills),
    "mixed": ("plans of random faults of the wire, with kills and resumes in between", MixedFaults),
}


def missing(key):
    """What this machine lacks for a method; empty when nothing."""
    lacks = []
    if key in ("census", "kills", "failures") and (os.geteuid() != 0 or platform.machine() != "x86_64"):
        lacks.append("root on x86-64, to trace a process that may not be looked into")
    if key == "census" and not shutil.which("strace"):
        lacks.append("strace")
    if key == "powerloss":
        lacks += [name for name in ("/dev/fuse",) if not os.path.exists(name)]
        lacks += [name for name in ("fusermount",) if not shutil.which(name)]
        lacks += [name for name in ("fuse",) if importlib.util.find_spec(name) is None]
    if key == "mixed" and not os.access(SIMULATOR, os.X_OK):
        lacks.append(f"{SIMULATOR}: swift build --product cogni-simulator")
    if key == "fullness" and os.geteuid() != 0:
        lacks.append("root, to mount")
    return lacks


def one(method, plan, folder):
    """A trial in a folder of its own; an exception is a failure with its place."""
    output = Path(tempfile.mkdtemp(prefix="trial-", dir=folder)) / "output"
    try:
        return method.trial(plan, output)
    except Exception:
        trial = report.Trial()
        trial.fail(f"{plan}: {traceback.format_exc(limit=4)}")
        return trial
    finally:
        shutil.rmtree(output.parent, ignore_errors=True)


def run(key, workload, seed, short, folder, minutes=0):
    name, kind = METHODS[key]
    result = report.Method(name, seed)
    started = time.monotonic()
    method = kind(workload, seed, short)
    scratch = folder / f"scratch-{key}"
    scratch.mkdir()
    plans = method.plans(scratch)
    width = int(os.environ.get("COGNI_LAB_WIDTH", min(4, os.cpu_count() or 1)))
    context = multiprocessing.get_context("fork")
    if minutes:
        random.Random(seed).shuffle(plans)
    done = 0
    with concurrent.futures.ProcessPoolExecutor(width, mp_context=context) as pool:
        futures = [pool.submit(one, method, plan, folder) for plan in plans]
        for future in concurrent.futures.as_completed(futures):
            result.add(future.result())
            done += 1
            if done % 250 == 0:
                print(f"  {key}: {done} of {len(plans)} after {time.monotonic() - started:.0f} s", flush=True)
            if minutes and time.monotonic() - started > minutes * 60:
                pool.shutdown(wait=True, cancel_futures=True)
                break
    if done < len(plans):
        result.name += f" (a seeded choice of {done} of {len(plans)} trials)"
    result.seconds = time.monotonic() - started
    result.tell()
    sys.stdout.flush()
    return result


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--minutes", type=int, default=0, help="at most this long for each method, in a seeded order")
    parser.add_argument("--only", default=",".join(METHODS))
    parser.add_argument("--seed", type=int, default=int(os.environ.get("COGNI_LAB_SEED", "20261125")))
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="cogni-lab-"))
    try:
        workload = Workload(folder / "workload").prepare()
        results, skipped = [], []
        for key in options.only.split(","):
            lacks = missing(key)
            if lacks:
                skipped.append(f"{key} skipped: this machine lacks {', '.join(lacks)}")
                print(skipped[-1])
            else:
                results.append(run(key, workload, options.seed, options.short, folder, options.minutes))
                if options.write:
                    report.store(key, results[-1])
                    report.write("laboratory", report.table(METHODS))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    # A sample may be taken where a part is missing; what is written into the documents may not.
    if skipped and not options.short:
        print(f"0 passed, {len(skipped)} failed")
        return 1
    passed = sum(result.passed for result in results)
    print(f"{passed} passed, {len(results) - passed} failed")
    return 0 if passed == len(results) and results else 1


if __name__ == "__main__":
    sys.exit(main())
