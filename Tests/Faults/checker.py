"""Looks at an output root as a stranger would and says which promises are broken. Shares no code with cogni.

What is read here is described in FORMAT.md. Nothing is repaired, and nothing is written below the root.
"""

import gzip
import hashlib
import json
import os
import re
import shutil
import sqlite3
import tempfile
from collections import Counter
from pathlib import Path

GENERATION = re.compile(r"\d{6,}")
NUMBERED = re.compile(r"(?:^|/)generations/\d{6,}(?:/|$)")
# What a run leaves beside the data; everything else is the same, byte for byte, whenever the data is.
TRACES = ("state.sqlite", "runs", ".lock", "logs", "metrics.prom", "rollback_log.ndjson")


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Findings:
    """Promises that were looked at, how often, and what was wrong."""

    def __init__(self):
        self.checked = Counter()
        self.broken = []

    def say(self, promise, holds, what):
        self.checked[promise] += 1
        if not holds:
            self.broken.append(f"{promise}: {what}")


def check(root, state=True):
    """P-01 and P-04 on every generation that has its final name, P-07 and P-23 on the state."""
    found = Findings()
    root = Path(root)
    folder = root / "generations"
    numbers = sorted(int(path.name) for path in folder.iterdir() if GENERATION.fullmatch(path.name)) if folder.is_dir() else []
    link = root / "current"
    current = None
    if link.is_symlink():
        target = os.readlink(link)
        found.say("P-01", re.fullmatch(r"generations/\d{6,}", target), f"current points to {target}")
        current = int(target.split("/")[-1])
        found.say("P-01", current in numbers, f"current points to generation {current}, which is missing")
    else:
        found.say("P-01", not os.path.lexists(link), "current is not a link")
    dropped = _dropped(root)
    for number in numbers:
        _generation(found, folder, number, numbers, dropped)
    if state:
        _state(found, root, folder, current)
    return found


def _dropped(root):
    path = root / "vacuum_log.ndjson"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    dropped = {line["generation"]: line["manifest_sha256"] for line in lines}
    for left in (root / "generations").glob(".untold-*"):  # the disk had no room for the line
        if (left / "manifest.json").exists():
            dropped[int(left.name.removeprefix(".untold-"))] = hashlib.sha256((left / "manifest.json").read_bytes()).hexdigest()
    return dropped


def _generation(found, folder, number, numbers, dropped):
    path = folder / f"{number:06}"
    try:
        manifest_bytes = (path / "manifest.json").read_bytes()
        manifest, success = json.loads(manifest_bytes), json.loads((path / "_SUCCESS").read_bytes())
        sums_bytes = (path / "SHA256SUMS").read_bytes()
        changes = json.loads((path / "changes.json").read_bytes())
    except (OSError, ValueError) as error:
        return found.say("P-01", False, f"generation {number} has its name and not its files: {type(error).__name__}: {error}")

    def say(holds, what):
        found.say("P-01", holds, f"generation {number}: {what}")

    say(success["generation"] == number, "_SUCCESS tells another number")
    say(success["manifest_sha256"] == sha256(manifest_bytes), "_SUCCESS tells another manifest")
    say(success["sums_sha256"] == sha256(sums_bytes), "_SUCCESS tells other sums")
    sums = dict(reversed(line.split("  ", 1)) for line in sums_bytes.decode().splitlines())
    there = {str(file.relative_to(path)): file.read_bytes() for file in path.rglob("*") if file.is_file()}
    extra = {"SHA256SUMS", "_SUCCESS"}
    if "bundle" in success:
        bundle = success["bundle"]
        extra.add(bundle["path"])
        data = there.get(bundle["path"], b"")
        say((len(data), sha256(data)) == (bundle["bytes"], bundle["sha256"]), "the bundle is not whole")
    say(set(there) == set(sums) | extra, f"these files differ from SHA256SUMS: {sorted(set(there) ^ (set(sums) | extra))[:3]}")
    for name, digest in sums.items():
        say(sha256(there.get(name, b"")) == digest, f"{name} is not what SHA256SUMS says")
    named = {}
    for stream in manifest["streams"]:
        rows, keys = 0, Counter()
        for partition in stream["partitions"]:
            files = partition["files"]
            named[stream["name"], json.dumps(partition["partition"])] = [file["path"] for file in files]
            for file in files:
                rows += file["rows"]
                keys.update(_file(say, there.get(file["path"]), file, stream["primary_key"]))
        found.say("P-10", not keys or max(keys.values()) == 1, f"generation {number}: {stream['name']} has a key twice")
        say(rows == stream["rows"], f"{stream['name']} has other rows than its files")
        say(sha256(there.get(stream["schema"], b"")) == stream["schema_sha256"], f"{stream['schema']} is another")

    before, digest = success["previous_generation"], success["previous_manifest_sha256"]
    say((before is None) == (digest is None), "half a link to the generation before")
    say(changes["manifest_sha256"] == sha256(manifest_bytes), "changes.json belongs to another manifest")
    say(changes["previous_manifest_sha256"] == digest, "changes.json follows another manifest")
    old = {}
    if before in numbers:
        bytes_before = (folder / f"{before:06}" / "manifest.json").read_bytes()
        say(sha256(bytes_before) == digest, f"the chain to generation {before} is broken")
        for stream in json.loads(bytes_before)["streams"]:
            for partition in stream["partitions"]:
                files = [file["path"] for file in partition["files"]]
                old[stream["name"], json.dumps(partition["partition"])] = files
    elif before is not None:
        return say(dropped.get(before) == digest, f"generation {before} is gone and no vacuum tells of it")
    for change in changes["changes"]:
        key = change["stream"], json.dumps(change["partition"])
        say(old.pop(key, []) == change["remove"], f"changes.json removes other files of {key}")
        if change["add"]:
            old[key] = [file["path"] for file in change["add"]]
    say(old == named, "folding changes.json does not give the manifest")


def _file(say, data, file, primary_key):
    """The keys of its rows."""
    name = file["path"]
    if data is None:
        say(False, f"{name} is missing")
        return []
    say((len(data), sha256(data)) == (file["bytes"], file["sha256"]), f"{name} has other bytes than the manifest says")
    try:
        content = gzip.decompress(data) if name.endswith(".gz") else data
    except (OSError, EOFError, ValueError) as error:
        say(False, f"{name} does not open: {error}")
        return []
    say((len(content), sha256(content)) == (file["content_bytes"], file["content_sha256"]), f"{name} has another content")
    lines = content.split(b"\n")
    say(len(lines) == file["rows"] + 1 and lines[-1] == b"", f"{name} has other rows")
    try:
        rows = [json.loads(line) for line in lines[:-1]]
        return [json.dumps([row[column] for column in primary_key]) for row in rows]
    except (ValueError, KeyError) as error:
        say(False, f"{name} has a row without its key: {type(error).__name__}")
        return []


def _state(found, root, folder, current):
    """The state opens with SQLite, and never tells of a generation that is not there."""
    path = root / "state.sqlite"
    if not path.exists() or path.stat().st_size == 0:
        return
    with tempfile.TemporaryDirectory(prefix="cogni-state-") as copy:
        for name in ("state.sqlite", "state.sqlite-journal"):  # SQLite rolls a journal back: not in the root itself
            if (root / name).exists():
                shutil.copy(root / name, copy)
        try:
            state = sqlite3.connect(f"{copy}/state.sqlite")
            found.say("P-21", state.execute("PRAGMA integrity_check").fetchall() == [("ok",)], "the state is damaged")
            tables = {name for (name,) in state.execute("SELECT name FROM sqlite_master")}
            if "generations" not in tables:
                return
            row = state.execute("SELECT generation, manifest_sha256 FROM generations").fetchone()
            marks = state.execute("SELECT stream, watermark FROM watermarks WHERE watermark IS NOT NULL").fetchall()
            state.close()
        except sqlite3.DatabaseError as error:
            return found.say("P-21", False, f"the state does not open: {error}")
    if row is None:
        return found.say("P-07", not marks, "the state has cursors and no generation")
    number, digest = row
    manifest = folder / f"{number:06}" / "manifest.json"
    found.say("P-07", current is not None and number <= current, f"the state is at generation {number}, current is {current}")
    if manifest.exists():
        found.say("P-07", sha256(manifest.read_bytes()) == digest, f"the state tells another manifest of generation {number}")


def tree(root):
    """Everything below the root but the traces: path → sha256, link target or kind."""
    root, found = Path(root), {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if name.split("/")[0].split("-")[0] in TRACES or name.split("/")[0] in TRACES:
            continue
        if path.is_symlink():
            found[name] = "-> " + os.readlink(path)
        else:
            found[name] = "folder" if path.is_dir() else sha256(path.read_bytes())
    return found


def differing(one, other):
    """Paths that are not the same in both trees."""
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))
