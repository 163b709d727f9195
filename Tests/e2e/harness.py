"""What the end-to-end tests stand on: fresh folders, cogni as a process, outputs read with other tools than cogni's."""

import csv
import gzip
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import tempfile
import unittest
from pathlib import Path

from simulator import Simulator as PlainSimulator

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("BIN", ROOT / ".build/debug"))
COGNI = str(BIN / "cogni")
FIXTURE = ROOT / "Fixtures/openai-admin/replay"
SINCE, NOW = "2025-11-01", "2025-12-01T06:00:00Z"
# What a run may leave beside the data; everything else must be the same, byte for byte, whenever the data is.
TRACES = ("state.sqlite", "runs", ".lock", "lock", "logs", "cogni.log", "metrics.prom", "audit", "rollback_log.ndjson")
LIVE_NOW = "2026-11-20T12:00:00Z"
LIVE_SINCE = "2026-11-12"
SMALL = ["--projects", "4", "--users", "6", "--keys", "2", "--groups", "2", "--rows-per-bucket", "4"]
SMALL += ["--audit-events", "40", "--days", "12", "--models", "3"]


class Done:
    """A process that has ended: its code, stdout and stderr."""

    def __init__(self, code, out, error):
        self.code, self.out, self.error = code, out, error

    @property
    def summary(self):
        return json.loads(self.out)

    def stream(self, name):
        return next(stream for stream in self.summary["streams"] if stream["name"] == name)

    def __str__(self):
        return f"exit {self.code}\n{self.error[-3000:]}"


class Simulator(PlainSimulator):
    """A small organization; `scenario=` plans its faults, `clock()` moves its time."""

    def __init__(self, *options, scenario=None, small=True):
        super().__init__(str(BIN / "cogni-simulator"), *(SMALL if small else []), *options, scenario=scenario)

    @property
    def environment(self):
        return {"OPENAI_BASE_URL": self.base_url, "OPENAI_ADMIN_KEY": self.key}

    def faults(self, *faults, **more):
        self.ask("scenario", post={"seed": 1, "faults": list(faults), **more})

    def clock(self, now):
        self.ask("clock", post={"now": now})

    def change(self, **change):
        return self.ask("mutate", post=change)

    def asked(self, part):
        """Requests so far whose path contains `part`."""
        return [line for line in self.log() if part in line["path"]]


def environment(more=None):
    """A clean one: nothing of the caller's but what programs need to start."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ}
    return {**kept, "NO_COLOR": "1", **(more or {})}


class CogniTest(unittest.TestCase):
    maxDiff = 20_000

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="cogni-e2e-"))
        self.addCleanup(self.clear)
        self.output = self.folder / "output"

    def clear(self):
        for path in self.folder.rglob("*"):  # a test may have taken the right to write away
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o700)
        shutil.rmtree(self.folder)

    # -- processes --------------------------------------------------------------------------------------------------

    def cogni(self, *arguments, env=None, expect=None, cwd=None, before=(), umask=-1, descriptors=()):
        done = subprocess.run(
            [*before, COGNI, *map(str, arguments)], capture_output=True, text=True, env=environment(env),
            cwd=cwd or self.folder, stdin=subprocess.DEVNULL, umask=umask, timeout=120, pass_fds=descriptors,
        )  # fmt: skip
        done = Done(done.returncode, done.stdout, done.stderr)
        if expect is not None:
            self.assertEqual(done.code, expect, done)
        return done

    def start(self, *arguments, env=None):
        process = subprocess.Popen(
            [COGNI, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env=environment(env), cwd=self.folder, stdin=subprocess.DEVNULL,
        )  # fmt: skip

        def end():
            if process.poll() is None:
                process.kill()
            process.communicate()

        self.addCleanup(end)
        return process

    def simulator(self, *options, scenario=None, small=True):
        simulator = Simulator(*options, scenario=scenario, small=small)
        self.addCleanup(simulator.__exit__)
        return simulator

    # -- runs -------------------------------------------------------------------------------------------------------

    def replay(self, pipeline, *more, fixture=FIXTURE, now=NOW, output=None, expect=0, since=SINCE, **rest):
        arguments = ["run", pipeline, "--replay", fixture, "--now", now, "--output", output or self.output, "--json"]
        if since:
            arguments += ["--since", since]
        return self.cogni(*arguments, *more, expect=expect, **rest)

    def live(self, pipeline, simulator, *more, now=LIVE_NOW, output=None, expect=0, since=LIVE_SINCE, env=None, **rest):
        arguments = ["run", pipeline, "--now", now, "--output", output or self.output, "--json"]
        if since:
            arguments += ["--since", since]
        return self.cogni(*arguments, *more, expect=expect, env={**simulator.environment, **(env or {})}, **rest)

    def pipeline(self, streams=None, name="demo", source="", transform="", load="", more="", file=None):
        """Writes a pipeline file; the parts are YAML of the sections' insides."""
        text = f"pipeline: {name}\n{more}\nsource:\n  connector: openai_admin\n"
        text += "  base_url: ${OPENAI_BASE_URL:-https://api.openai.com/v1}\n  credential: ${OPENAI_ADMIN_KEY}\n"
        text += "".join(f"  {line}\n" for line in ["requests_per_minute: 60000", *source.splitlines()] if line)
        if streams is not None:
            text += "streams:\n" + "".join(f"  {line}\n" for line in streams.strip().splitlines())
        if transform:
            text += "transform:\n" + "".join(f"  {line}\n" for line in transform.strip().splitlines())
        if load:
            text += "load:\n" + "".join(f"  {line}\n" for line in load.strip().splitlines())
        path = self.folder / (file or f"{name}.yaml")
        path.write_text(text, encoding="utf-8")
        return path

    # -- outputs ----------------------------------------------------------------------------------------------------

    def at(self, name="demo", output=None):
        return Output((output or self.output) / name)

    def assertSameTree(self, one, other, why=""):  # noqa: N802 - as unittest names them
        left, right = one.tree(), other.tree()
        differing = sorted(path for path in left.keys() | right.keys() if left.get(path) != right.get(path))
        self.assertEqual(differing, [], f"{why}: these differ")
        self.assertGreater(len(left), 4, "an empty tree says nothing")

    def assertSameData(self, one, other, why=""):  # noqa: N802
        """The same manifest, byte for byte, and so the same archives."""
        self.assertEqual(one.manifest_bytes, other.manifest_bytes, f"{why}: the manifests differ")
        self.assertEqual(one.archives(), other.archives(), f"{why}: the archives differ")

    def assertBalances(self, summary):  # noqa: N802
        for stream in summary["streams"]:
            duplicates = stream["duplicates"]
            gone = duplicates["identical"] + duplicates["conflicts"] + sum(stream["dropped"].values())
            self.assertEqual(stream["fetched"], stream["written"] + gone, stream)


class Output:
    """A pipeline's folder, read without cogni."""

    def __init__(self, path):
        self.path = Path(path)

    @property
    def current(self):
        return self.path / "current"

    @property
    def manifest_bytes(self):
        return (self.current / "manifest.json").read_bytes()

    @property
    def manifest(self):
        return json.loads(self.manifest_bytes)

    @property
    def changes(self):
        return json.loads((self.current / "changes.json").read_bytes())["changes"]

    @property
    def generation(self):
        return os.readlink(self.current)

    @property
    def generations(self):
        return sorted(path.name for path in (self.path / "generations").iterdir())

    def exists(self):
        return self.current.exists()

    def stream(self, name):
        return next((stream for stream in self.manifest["streams"] if stream["name"] == name), None)

    def files(self, stream=None):
        """(stream's name, partition's text, file's entry) of every file the manifest names."""
        for entry in self.manifest["streams"]:
            if stream in (None, entry["name"]):
                for partition in entry["partitions"]:
                    name = ",".join(f"{key}={value}" for key, value in partition["partition"].items())
                    for file in partition["files"]:
                        yield entry["name"], name, file

    def archives(self):
        """Path → sha256 of the bytes, of every file the manifest names."""
        paths = [file["path"] for _, _, file in self.files()]
        return {path: hashlib.sha256((self.current / path).read_bytes()).hexdigest() for path in paths}

    def inodes(self):
        return {file["path"]: (self.current / file["path"]).stat().st_ino for _, _, file in self.files()}

    def tree(self):
        """Everything below the folder but the traces: path → sha256, link target or kind."""
        found = {}
        for path in sorted(self.path.rglob("*")):
            name = str(path.relative_to(self.path))
            if name.split("/")[0].split("-")[0] in TRACES:
                continue
            if path.is_symlink():
                found[name] = "-> " + os.readlink(path)
            elif path.is_dir():
                found[name] = "folder"
            else:
                found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
        return found

    def rows(self, stream):
        """All rows of a stream, numbers as their literal text, in the order of the files."""
        return [row for _, _, file in self.files(stream) for row in rows(self.current / file["path"])]

    def text(self, stream):
        return "".join(content(self.current / file["path"]).decode() for _, _, file in self.files(stream))

    def runs(self):
        return [json.loads(path.read_bytes()) for path in sorted((self.path / "runs").glob("*.json"))]

    def everything(self):
        """Bytes of every file below the folder, and of compressed ones also the inside: (path, bytes)."""
        for path in sorted(self.path.rglob("*")):
            if path.is_file() and not path.is_symlink():
                data = path.read_bytes()
                yield path, data
                inside = opened(data)  # by its first bytes: files in staging have other names
                if inside is not data:
                    yield path, inside


class Literal(str):
    """A JSON number, as it was written."""


def content(path):
    return opened(Path(path).read_bytes())


def opened(data):
    if data.startswith(b"\x1f\x8b"):
        return gzip.decompress(data)
    if data.startswith(b"\x28\xb5\x2f\xfd"):
        return subprocess.run(["zstd", "-dcq"], input=data, capture_output=True, check=True).stdout
    return data


def rows(path):
    text = content(path).decode("utf-8")
    if ".csv" in Path(path).name:
        return list(csv.DictReader(io.StringIO(text, newline="")))
    return [json.loads(line, parse_int=Literal, parse_float=Literal) for line in text.split("\n")[:-1]]


def has_zstd():
    return shutil.which("zstd") is not None


def hears(process, number):
    """Whether the process has a handler for the signal by now, or is gone."""
    try:
        with open(f"/proc/{process.pid}/status") as status:
            caught = next(line for line in status if line.startswith("SigCgt:"))
    except (OSError, StopIteration):
        return True
    return bool(int(caught.split()[1], 16) >> (number - 1) & 1)


def terminate(process, number=signal.SIGTERM):
    while process.poll() is None and not hears(process, number):
        pass
    process.send_signal(number)
    out, error = process.communicate(timeout=60)
    return Done(process.returncode, out, error)
