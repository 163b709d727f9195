"""Plants known bugs into a copy of the sources, one at a time, and says which method of the laboratory catches each.

usage: bugs.py --binaries FOLDER --build TREE [BUILD…]   builds a cogni for each bug; TREE is a copy that may be changed
       bugs.py --binaries FOLDER [--write]               runs the laboratory against each; --write fills docs/reliability.md

Each bug is an exact change of text; when the text is gone, the bug has to be written anew, and this ends with 1. Ends with 1 as
well when a bug is not caught. `make faults-bugs` does both.
"""

import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import report

HERE = Path(__file__).resolve().parent


@dataclass
class Bug:
    name: str
    edits: list  # (file, old text, new text)
    methods: str  # of the laboratory, in the order in which they are tried


BUGS = [
    Bug(
        "a folder is not synced after the rename into place",
        [(
            "Sources/Stages/Load/GenerationBuilder.swift",
            "            try Disk.syncFolder(root.generationsPath)\n",
            "",
        )],
        "kills,powerloss",
    ),
    Bug(
        "the cursor moves before the manifest",
        [(
            "Sources/House/Runner/PipelineRun+Conclusion.swift",
            "            publication = built\n",
            "            publication = built\n"
            "            if !options.dryRun {\n"
            "                try store.rebuild(\n"
            "                    from: GenerationCommit(\n"
            "                        generation: (current?.number ?? 0) + 1, manifestSHA256: \"\", runID: options.runID,\n"
            "                        committed: options.now, watermarks: []\n"
            "                    )\n"
            "                )\n"
            "            }\n",
        ), (
            # The bug's own claim moves the number on; without this the run would notice by itself.
            "Sources/House/Ledger/Claim.swift",
            "        if holder == number { return }\n",
            "        if let holder, holder >= number { return }\n",
        )],
        "kills",
    ),
    Bug(
        "the error of a file's sync is swallowed",
        [(
            "Sources/Native/Disk/DiskFile.swift",
            "else { throw .last(\"fsync\", path) }",
            "else { return }",
        )],
        "failures",
    ),
    Bug(
        "a generation is written in its place",
        [(
            "Sources/Stages/Load/GenerationBuilder.swift",
            "        root.generationsPath + \"/\" + OutputRoot.buildingPrefix + OutputRoot.name(of: number)\n",
            "        root.generationPath(number)\n",
        ), (
            "Sources/Stages/Load/GenerationBuilder.swift",
            "            try Disk.rename(building, to: root.generationPath(number))\n",
            "",
        ), (
            # cogni's own guard would see it in the first run; without it the laboratory has to.
            "Sources/Stages/Load/OutputRoot.swift",
            "            guard try generations().isEmpty else { throw lost(\"`\\(currentPath)` is missing though generations exist\") }\n",
            "",
        )],
        "kills",
    ),
    Bug(
        "repeated rows are kept",
        [(
            "Sources/Native/CRecordScan/merge.c",
            "        if (compare_keys(merge->held, top->record) != 0) break;\n",
            "        break;\n",
        )],
        "kills",
    ),
    Bug(
        "SQLite does not sync (`synchronous = OFF`)",
        [(
            "Sources/House/Ledger/StateFile.swift",
            "PRAGMA synchronous = EXTRA",
            "PRAGMA synchronous = OFF",
        )],
        "kills,powerloss",
    ),
]  # fmt: skip


def plant(tree, bug):
    """Changes the sources; gives back what undoes it."""
    before = {}
    for file, old, new in bug.edits:
        path = tree / file
        text = path.read_text(encoding="utf-8")
        before.setdefault(path, text)
        if text.count(old) != 1:
            restore(before)
            raise LookupError(f"{bug.name}: {file} holds the text to change {text.count(old)} times")
        path.write_text(text.replace(old, new), encoding="utf-8")
    return before


def restore(before):
    for path, text in before.items():
        path.write_text(text, encoding="utf-8")


def build(tree, out, command):
    """A binary for each bug: `out/0`, `out/1` …"""
    for number, bug in enumerate(BUGS):
        before = plant(tree, bug)
        try:
            built = subprocess.run(command, cwd=tree, capture_output=True, text=True)
            if built.returncode != 0:
                raise RuntimeError(f"{bug.name} does not build: {(built.stdout + built.stderr)[-1500:]}")
            shutil.copy(tree / ".build/debug/cogni", out / str(number))
            print(f"built: {bug.name}", flush=True)
        finally:
            restore(before)


def attempt(binary, bug):
    """(method, its first failure) of the method that caught it, or `None`; methods that saw nothing are told too."""
    missed = []
    for method in bug.methods.split(","):
        done = subprocess.run(
            [sys.executable, HERE / "laboratory.py", "--short", "--only", method], capture_output=True, text=True,
            env={**os.environ, "COGNI": str(binary)},
        )  # fmt: skip
        if done.returncode != 0:
            lines = [line.strip() for line in done.stdout.splitlines() if line.strip().startswith("FAILED")]
            first = lines[0] if lines else (done.stderr.strip().splitlines() or ["no word"])[-1]
            return method, first, missed
        missed.append(method)
    return None, "", missed


def hunt(out):
    """The table's rows, and how many bugs got away."""
    rows, escaped = [], 0
    for number, bug in enumerate(BUGS):
        method, first, missed = attempt(out / str(number), bug)
        escaped += method is None
        caught = f"`{method}`: {promise(first)}" if method else "**not caught**"
        unseen = ", ".join(f"`{name}`" for name in missed) or "–"
        rows.append(f"| {bug.name} | {caught} | {unseen} |")
        print(f"{bug.name}: caught by {method}, not by {missed}: {first[:300]}", flush=True)
    return rows, escaped


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--binaries", type=Path, help="folder for one cogni for each bug")
    parser.add_argument("--build", type=Path, metavar="TREE", help="build them in this copy of the sources")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("command", nargs="*", default=["swift", "build", "--product", "cogni"])
    options = parser.parse_args()
    options.binaries.mkdir(parents=True, exist_ok=True)
    if options.build:
        return build(options.build.resolve(), options.binaries.resolve(), options.command)
    rows, escaped = hunt(options.binaries.resolve())
    if options.write:
        report.write("bugs", ["| bug | caught by | not seen by |", "|---|---|---|", *rows])
    print(f"{len(BUGS) - escaped} passed, {escaped} failed")
    return 1 if escaped else 0


def promise(line):
    """The failure without the place of one run on one machine."""
    for mark, words in (
        ("broke promises", "the checker, already on the undisturbed run"),
        ("P-01", "P-01, a visible generation is not whole"),
        ("P-04", "P-04, a final name is opened for writing"),
        ("P-07", "P-07, the state is ahead of the manifest"),
        ("said nothing of it", "P-20, a failed call and exit code 0"),
        ("the next run ended with", "the next run does not end well"),
        ("these differ", "the next run ends with another tree"),
        ("P-21", "P-21, the state is damaged"),
    ):
        if mark in line:
            return words
    return line.removeprefix("FAILED ")[:120]


if __name__ == "__main__":
    sys.exit(main())
