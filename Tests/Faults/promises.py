"""docs/reliability.md names a test for every promise, and each test it names exists."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/reliability.md"
# 37 is about the roles of a web page, which there is not.
PROMISES = [f"P-{number:02}" for number in (*range(1, 37), 38)]


def rows():
    """(promise, [(file, test), …]) of every line of the table."""
    text = PAGE.read_text(encoding="utf-8")
    table = text.split("<!-- promises -->")[1].split("<!-- /promises -->")[0]
    for line in table.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
        if cells and re.fullmatch(r"P-\d\d", cells[0]):
            yield cells[0], re.findall(r"`([^`:]+)::([^`]+)`", cells[-1])


def exists(file, test):
    path = ROOT / file
    if not path.is_file():
        return False
    pattern = rf"^\s*(?:async )?(?:class|def)\s+{re.escape(test)}\b|\bfunc\s+{re.escape(test)}\b"
    return re.search(pattern, path.read_text(encoding="utf-8"), re.M) is not None


def faults(demand_all=True):
    found, seen = [], {}
    for promise, guards in rows():
        seen[promise] = guards
        found += [f"{promise}: {file} has no test {test}" for file, test in guards if not exists(file, test)]
    wanted = PROMISES
    found += [f"{promise} has no row" for promise in wanted if promise not in seen]
    if demand_all:
        found += [f"{promise} has no guard" for promise in wanted if promise in seen and not seen[promise]]
    return found


if __name__ == "__main__":
    wrong = faults(demand_all="--while-growing" not in sys.argv)
    for line in wrong:
        print(line)
    checked = sum(len(guards) for _, guards in rows())
    print(f"{checked} guards of {len(PROMISES)} promises")
    sys.exit(1 if wrong or not checked else 0)
