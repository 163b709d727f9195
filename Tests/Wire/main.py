"""Tries every behaviour, some at a time, and says what held. `--table` prints the documents' table; words pick tries."""

import concurrent.futures
import os
import re
import subprocess
import sys
import time

from stand import BIN_SIMULATOR, ROOT, Wrong
import behaviours  # noqa: F401
import cuts  # noqa: F401
from tries import TRIES, attempt

PAGE = ROOT / "docs/simulator.md"
TITLES = ROOT / "Tests/Wire/titles.txt"


def shown():
    """Number → names, as the simulator lists them."""
    lines = subprocess.run([BIN_SIMULATOR, "behaviours"], capture_output=True, text=True, check=True).stdout.splitlines()
    return {int(line.split("\t")[0]): [name.split()[-1] for name in line.split("\t")[1].split(", ")] for line in lines}


def table():
    titles = dict(line.split("\t") for line in TITLES.read_text(encoding="utf-8").splitlines())
    lines = ["| | behaviour | asked for by | what `cogni` does |", "|---|---|---|---|"]
    for number, names in shown().items():
        claims = list(dict.fromkeys(one.text for one in TRIES if number in one.numbers and not one.text.startswith("cut ")))
        lines.append(f"| {number} | {titles[str(number)]} | {', '.join(f'`{name}`' for name in names)} | {'. '.join(text[0].upper() + text[1:] if text[0] != '`' else text for text in claims)} |")
    return "\n".join(lines) + "\n"


def check_table():
    """All 72 have a name in the simulator and a try that uses one of its names; the documents say the same."""
    names = shown()
    if sorted(names) != list(range(1, 73)):
        raise Wrong(f"the simulator lists {len(names)} behaviours")
    for number, known in names.items():
        used = set().union(*(one.names for one in TRIES if number in one.numbers))
        if not used & set(known):
            raise Wrong(f"behaviour {number}: no try uses one of {known}")
    written = PAGE.read_text(encoding="utf-8").split("<!-- behaviours -->\n")[1].split("<!-- /behaviours -->")[0]
    if written != table():
        raise Wrong("docs/simulator.md has another table: write `python3 Tests/Wire/main.py --table` between its marks")


def main(words):
    if words == ["--table"]:
        print(table(), end="")
        return 0
    chosen = [one for one in TRIES if not words or any(re.search(word, f"{'+'.join(map(str, one.numbers)) or 'network'} {one.text}") for word in words)]
    passed = failed = 0
    workers = int(os.environ.get("COGNI_WIRE_WORKERS", "6"))
    if not words:
        try:
            check_table()
            passed += 1
            print("ok      the 72 numbers are covered by a switch, by a try and by the documents' table")
        except Wrong as wrong:
            failed += 1
            print(f"FAILED  {wrong}")
    # The slow ones first, so that none of them ends alone.
    chosen.sort(key=lambda one: not set(one.numbers) & {2, 13, 15, 16, 19, 72})
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        begun = {}

        def timed(one):
            begun[id(one)] = time.monotonic()
            return attempt(one), time.monotonic() - begun[id(one)]

        jobs = {pool.submit(timed, one): one for one in chosen}
        for job in concurrent.futures.as_completed(jobs):
            wrong, seconds = job.result()
            one = jobs[job]
            name = f"{','.join(map(str, one.numbers)) or 'network'}: {one.text} [{' '.join(sorted(one.names))}]"
            passed += wrong is None
            failed += wrong is not None
            print(f"ok      {name} ({seconds:.1f} s)" if wrong is None else f"FAILED  {name}\n        {wrong}", flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
