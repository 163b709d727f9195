"""Runs the end-to-end tests and says how many passed. Files run side by side, one process for each core."""

import concurrent.futures
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
TALLY = re.compile(r"^tally (\d+) (\d+) (\d+)$", re.MULTILINE)


def one(names):
    """The tests named, in this process: a line for each, then the tally."""
    import unittest

    class Result(unittest.TextTestResult):
        def getDescription(self, test):  # noqa: N802 - unittest's name
            return str(test).split(" ")[0].removeprefix("test_").replace("_", " ")

    sys.path[:0] = [str(HERE), str(HERE.parent / "simulator")]
    suite = unittest.defaultTestLoader.loadTestsFromNames(names)
    result = unittest.TextTestRunner(sys.stdout, verbosity=2, resultclass=Result, buffer=False).run(suite)
    failed = len({str(test) for test, _ in result.failures + result.errors}) + len(result.unexpectedSuccesses)
    skipped = len(result.skipped)
    print(f"tally {result.testsRun - failed - skipped} {failed} {skipped}")


def main(names):
    names = names or sorted((path.stem for path in HERE.glob("test_*.py")), key=lambda name: (SLOW.index(name) if name in SLOW else len(SLOW), name))
    totals = [0, 0, 0]
    with concurrent.futures.ThreadPoolExecutor(max(2, os.cpu_count() or 2)) as pool:
        command = [sys.executable, __file__, "--here"]
        jobs = {pool.submit(subprocess.run, [*command, name], capture_output=True, text=True): name for name in names}
        for job in concurrent.futures.as_completed(jobs):
            done = job.result()
            print(f"== {jobs[job]}\n{TALLY.sub('', done.stdout).rstrip()}")
            if done.stderr.strip():
                print(done.stderr.rstrip())
            tally = TALLY.search(done.stdout)
            # A file that died before its tally is one failure.
            for index, count in enumerate(tally.groups() if tally else (0, 1, 0)):
                totals[index] += int(count)
            sys.stdout.flush()
    passed, failed, skipped = totals
    print(f"{passed} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed or not passed else 0


# Begun first, so that none of them ends alone.
SLOW = ("test_leak_product", "test_kills", "test_faults", "test_reproducible", "test_signals", "test_leaks", "test_documents", "test_webhook")

if __name__ == "__main__":
    if sys.argv[1:2] == ["--here"]:
        one(sys.argv[2:])
    else:
        sys.exit(main(sys.argv[1:]))
