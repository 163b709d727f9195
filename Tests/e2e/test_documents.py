#!/usr/bin/env python3
"""Runs the shell blocks of the documents, so that no document shows a command that does not work.

    Tests/e2e/test_documents.py [BINARIES] [DOCUMENT...]

BINARIES is the folder of `cogni` and `cogni-simulator`; otherwise $BIN, otherwise .build/debug. The last line is `N passed, N failed`
and counts blocks. `Tests/e2e/run.sh` runs this file too, and counts documents.

A ```sh block is run when the line before it is `<!-- run -->`. `<!-- run needs duckdb -->` runs it where that program or
Python module is there, and says "skipped" where it is not. `<!-- run with simulator -->` (and `<!-- run with simulator needs … -->`)
gives it an API: a simulator on localhost, one for the document, and the two variables that point to it. Every document has a fresh folder that looks like the repository's root:
everything in it is a link to the real thing, but for `output/`, which is empty. Its blocks run there one after the other, so that
a later one finds what an earlier one wrote. Variables do not pass from block to block.

A ```text block behind `<!-- shows -->` right after such a block is held against what it printed: each of its lines must be in it, in that
order; `…` stands for anything.
"""
import contextlib
import datetime
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MARK = re.compile(r"<!-- run(?P<simulator> with simulator)?(?: needs (?P<needs>[a-z0-9_ ]+))? -->\s*")
SECONDS = 120
# What a user's shell may hold and what must not decide whether a document is right.
NOT_PASSED_ON = re.compile(r"^(OPENAI_|COGNI_|BOOKSHOP_|[a-z]+_proxy$)")


def blocks(text):
    """(line number, what it needs, whether it wants an API, shell text, lines it shows) of every block that is marked."""
    lines = text.split("\n")
    unread = lines.count("<!-- shows -->")
    for number, line in enumerate(lines):
        mark = MARK.fullmatch(line.strip())
        if not mark:
            continue
        if number + 1 >= len(lines) or lines[number + 1].strip() != "```sh":
            raise ValueError(f"line {number + 1}: a mark without a ```sh block behind it")
        end = next((n for n in range(number + 2, len(lines)) if lines[n].strip() == "```"), None)
        if end is None:
            raise ValueError(f"line {number + 2}: a block without an end")
        shown = []
        if lines[end + 1 : end + 3] == ["<!-- shows -->", "```text"]:
            shown = lines[end + 3 : lines.index("```", end + 3)]
            unread -= 1
        yield number + 2, (mark["needs"] or "").split(), bool(mark["simulator"]), "\n".join(lines[number + 2 : end]) + "\n", shown
    if unread:
        raise ValueError(f"{unread} blocks of output do not stand right behind what prints them")


def missing(shown, said):
    """The first line shown that was not printed behind those before it."""
    left = said.split("\n")
    for line in shown:
        pattern = re.compile(".*".join(re.escape(part) for part in line.split("…")))
        at = next((number for number, one in enumerate(left) if pattern.fullmatch(one)), None)
        if at is None:
            return line
        left = left[at + 1 :]
    return None


def stand_in_for_root(folder):
    """Links to everything in the repository, and an empty `output/`."""
    for entry in ROOT.iterdir():
        if entry.name not in {"output", ".git", ".build"}:
            (folder / entry.name).symlink_to(entry)
    (folder / "output").mkdir()


@contextlib.contextmanager
def simulator(environment):
    """The variables of a small organization's API, whose time is the machine's."""
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    command = ["cogni-simulator", "serve", "--port", "0", "--now", now, "--projects", "4", "--users", "6", "--days", "12"]
    program = shutil.which("cogni-simulator", path=environment["PATH"])
    process = subprocess.Popen([program, *command[1:]], stdout=subprocess.PIPE, text=True)
    try:
        address = process.stdout.readline().split()[-1]
        yield {"OPENAI_BASE_URL": address, "OPENAI_ADMIN_KEY": "sk-admin-simulator-000000000000000000000000000000000000"}
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


def is_there(name):
    if shutil.which(name):
        return True
    return subprocess.run([sys.executable, "-c", f"import {name}"], capture_output=True).returncode == 0


def run(document, environment):
    passed = failed = skipped = 0
    name = document.relative_to(ROOT)
    try:
        found = list(blocks(document.read_text()))
    except ValueError as problem:
        print(f"FAILED {name}: {problem}")
        return 0, 1, 0
    with tempfile.TemporaryDirectory(prefix="cogni-documents-") as folder, contextlib.ExitStack() as stack:
        folder = pathlib.Path(folder)
        stand_in_for_root(folder)
        (folder / ".home").mkdir()
        environment = environment | {"HOME": str(folder / ".home")}
        api = {}
        for line, needs, wants_api, script, shown in found:
            absent = [need for need in needs if not is_there(need)]
            if absent:
                print(f"skipped {name}:{line}: no {', '.join(absent)} here")
                skipped += 1
                continue
            if wants_api and not api:
                api = stack.enter_context(simulator(environment))
            try:
                result = subprocess.run(
                    ["bash", "-euo", "pipefail", "-c", script],
                    cwd=folder, env=environment | (api if wants_api else {}), text=True, timeout=SECONDS, stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                )
                code, said = result.returncode, result.stdout
            except subprocess.TimeoutExpired:
                code, said = "none", f"still running after {SECONDS} s"
            unsaid = missing(shown, said) if code == 0 else None
            if code == 0 and unsaid is None:
                passed += 1
                continue
            failed += 1
            if unsaid is not None:
                code = f"0, and did not print: {unsaid}"
            print(f"FAILED {name}:{line}: exit {code}\n{script}--- said:\n{said[-4000:]}")
    return passed, failed, skipped


def environment_with(binaries):
    environment = {name: value for name, value in os.environ.items() if not NOT_PASSED_ON.match(name)}
    path = [str(binaries.resolve()), str(pathlib.Path(sys.executable).parent), environment["PATH"]]
    return environment | {"PATH": os.pathsep.join(path)}


def all_documents():
    return sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").rglob("*.md"))


def default_binaries():
    return pathlib.Path(os.environ.get("BIN", ROOT / ".build/debug"))


class Documents(unittest.TestCase):
    """One test for each document that shows a command."""

    def check(self, document):
        passed, failed, skipped = run(document, environment_with(default_binaries()))
        self.assertEqual(failed, 0, f"{failed} blocks of {document.name} do not work")
        if not passed and skipped:
            self.skipTest("what its blocks need is not here")


for document in all_documents():
    if "<!-- run" in document.read_text():
        name = re.sub(r"[^a-z0-9]+", "_", document.relative_to(ROOT).as_posix().lower())
        setattr(Documents, f"test_the_commands_of_{name}_work", lambda self, document=document: self.check(document))


class InventedRows(unittest.TestCase):
    """Pipelines that a reader will also run on an organization of their own. Examples with an API of their own invention are none."""

    REAL = re.compile(r"\b(pipelines|my-pipeline)/[a-z-]+\.yaml")

    def test_nothing_that_is_shown_replays_into_the_output_of_a_real_pipeline(self):
        places = [*all_documents(), *(ROOT / "Fixtures").rglob("*.md"), ROOT / "Makefile"]
        lines = [(path.relative_to(ROOT), line) for path in places for line in path.read_text().replace("\\\n", " ").split("\n")]
        replays = [(str(path), line) for path, line in lines if self.REAL.search(line) and re.search(r"--replay \w|\$replay", line)]
        replays = [one for one in replays if "cogni preview" not in one[1]]  # writes nothing
        self.assertGreater(len(replays), 10, "the pattern finds none any more")
        self.assertEqual([one for one in replays if not re.search(r"--output \S|\$recorded", one[1])], [])


def main(arguments):
    binaries = default_binaries()
    if arguments and not arguments[0].endswith(".md"):
        binaries = pathlib.Path(arguments.pop(0))
    if not (binaries / "cogni").exists():
        print(f"no cogni in {binaries}: run `swift build` first")
        print("0 passed, 1 failed")
        return 1
    documents = [pathlib.Path(name).resolve() for name in arguments] or all_documents()
    totals = [0, 0, 0]
    for document in documents:
        totals = [total + one for total, one in zip(totals, run(document, environment_with(binaries)))]
    if totals[2]:
        print(f"{totals[2]} skipped")
    if totals[0] + totals[1] == 0:
        print("no block was found to run")
        totals[1] = 1
    print(f"{totals[0]} passed, {totals[1]} failed")
    return 1 if totals[1] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
