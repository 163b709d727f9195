"""Values of the API never choose where something is written or asked for, and nothing is ever made outside the output."""

import json
import os
import shutil
import unittest
from pathlib import Path

from harness import CogniTest
from plain_api import PlainTest, page

SEED = int(os.environ.get("COGNI_E2E_SEED", "20261125"))
ODD = [
    "..", ".", "", "../../etc/passwd", "/etc/passwd", "a/b", "a\\b", "a\0b", "CON", "con", "Con", "nul.txt", "\u2028", "\u2029", "x" * 4000, "é", "e\u0301",
    "%2e%2e", "%2F", "~", "-rf", "--output", "$(touch x)", "`id`", ";", "*", "?", "#", " ", "\n", "\r\n", "\ufeff", "\U0001f600", "a" * 250, "a" * 250 + "b",
    ".staging", "current", "generations", "__HIVE_DEFAULT_PARTITION__", "dt=2026-01-01",
]  # fmt: skip


def listing(*folders):
    """Every name below the folders: kind, size, time of change, and the contents of what is small."""
    found = {}
    for folder in folders:
        for path in sorted(Path(folder).rglob("*")):
            status = path.lstat()
            kind = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else "folder"
            found[str(path)] = (status.st_mode, status.st_ino, status.st_mtime_ns, kind)
    return found


class Paths(PlainTest, CogniTest):
    def setUp(self):
        super().setUp()
        self.asked_of = []
        good = [value for value in ODD if value not in ("..", ".", "", "a\0b")]
        pages = {"/things": page(*({"id": value} for value in ODD))}
        self.server = self.api(pages)
        self.good, self.pages = good, pages
        self.outside = self.folder / "outside"
        self.outside.mkdir()
        (self.outside / "kept").write_text("kept")

    def test_odd_ids_become_rows_and_no_paths(self):
        self.go(self.plain("things: {}"), self.server)
        ids = [row["id"] for row in self.at().rows("things")]
        self.assertEqual(sorted(ids), sorted(value.replace("\0", "\ufffd") for value in ODD))
        for path in (self.output / "demo/current/").resolve().rglob("*"):
            self.assertRegex(path.name, r"^(things(_changes)?(-\d{5}-[0-9a-f]{16}\.ndjson\.gz)?|schemas|_SUCCESS|SHA256SUMS|[a-z_]+\.json)$")
        self.assertEqual(listing(self.outside).keys(), {str(self.outside / "kept")})
        self.cogni("verify", self.output / "demo", expect=0)

    def test_each_parent_is_asked_for_in_one_segment_of_its_own(self):
        self.pages["/things"] = page(*({"id": value} for value in self.good))
        self.go(self.plain("things: {}\nparts: {}", source="concurrency: 8\nrequests_per_minute: 600000"), self.server)
        asked = [target for target in self.server.asked if target != "/v1/things"]
        self.assertEqual(len(set(asked)), len(self.good), "as many addresses as parents")
        for target in asked:
            self.assertRegex(target, r"^/v1/things/[A-Za-z0-9%._~-]+/parts$")
            self.assertNotIn(target.split("/")[3], (".", ".."))

    def test_an_id_that_would_lead_to_another_address_is_5_and_never_asked_for(self):
        """A server takes `/things/../parts` for `/parts`: another list, that would be archived as this one's."""
        for value in ("..", ".", ""):
            self.pages["/things"] = page({"id": value})
            before = len(self.server.asked)
            done = self.go(self.plain("things: {}\nparts: {}"), self.server, expect=5)
            self.assertIn("can't be part of a path", done.error)
            self.assertEqual(self.server.asked[before:], ["/v1/things"])
            shutil.rmtree(self.output)

    # -- links planted in the output ------------------------------------------------------------------------------------

    def test_links_planted_below_the_output_lead_nothing_outside(self):
        streams = "things: {}\nevents: { since: 2026-11-01 }"
        self.pages["/events"] = b'{"data":[{"id":"e","at":1793500000}],"has_more":false,"last_id":"e"}'
        pipeline = self.plain(streams)
        self.go(pipeline, self.server)
        self.cogni("disable", pipeline, "--output", self.output, env=self.server.environment, expect=0)
        self.cogni("enable", pipeline, "--output", self.output, env=self.server.environment, expect=0)
        good = self.folder / "good"
        shutil.copytree(self.output, good, symlinks=True)
        plants = (
            "demo", "demo/generations", "demo/generations/000001", "demo/generations/000002", "demo/generations/.building-000002", "demo/current",
            "demo/.current.new", "demo/.staging", "demo/.staging/FINGERPRINT", "demo/runs", "demo/.lock", "demo/state.sqlite", "demo/state.sqlite-journal",
            "demo/state.sqlite-wal", "demo/state.sqlite-shm", "demo/state.sqlite.rebuilding", "demo/rollback_log.ndjson", "demo/vacuum_log.ndjson",
            "demo/rollback_log.ndjson.new", "demo/logs", "demo/audit", "demo/metrics.prom", "demo/generations/000001/things", "demo/generations/000001/manifest.json",
        )  # fmt: skip
        commands = (
            lambda: self.go(pipeline, self.server, expect=None), lambda: self.go(pipeline, self.server, "--full-refresh", expect=None),
            lambda: self.cogni("state", "rebuild", pipeline, "--output", self.output, env=self.server.environment),
            lambda: self.cogni("rollback", self.output / "demo", "--to", "1"), lambda: self.cogni("vacuum", self.output / "demo", "--keep", "1"),
            lambda: self.cogni("disable", pipeline, "--output", self.output, env=self.server.environment),
            lambda: self.cogni("verify", self.output / "demo", "--all"),
        )  # fmt: skip
        (self.outside / "20200101T000000Z-x.ndjson").write_text("a log that is old enough to be removed\n")
        refused = 0
        kinds = ("folder", "file", "missing")
        for number, plant in enumerate(plants):
            # In a folder's place a link to another folder is what would be followed.
            is_folder = (good / plant).is_dir()
            some = {kinds[(number + SEED) % 3]} | ({"folder"} if is_folder else set())
            for kind in kinds if os.environ.get("COGNI_E2E_FULL") else sorted(some):
                shutil.rmtree(self.output)
                shutil.copytree(good, self.output, symlinks=True)
                path = self.output / plant.replace("FINGERPRINT", self.fingerprint(good))
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path)
                elif path.is_symlink() or path.exists():
                    path.unlink()
                path.parent.mkdir(exist_ok=True)
                target = {"folder": self.outside, "file": self.outside / "kept", "missing": self.outside / "new"}[kind]
                path.symlink_to(target)
                before = listing(self.outside)
                self.pages["/things"] = page({"id": "new " + plant})
                for command in commands:
                    refused += command().code != 0
                    self.assertEqual(listing(self.outside), before, f"{plant} -> {kind}")
        self.assertGreater(refused, len(plants))
        print(f"seed {SEED}, {len(plants)} links, {refused} refusals ", end="")

    def fingerprint(self, good):
        """The name of the staging folder that the next run will use: of a copy whose run is cut off."""
        if not hasattr(self, "known"):
            again = self.folder / "again"
            shutil.copytree(good, again, symlinks=True)
            process = self.held(self.folder / "demo.yaml", self.server, output=again)
            process.kill()
            process.communicate()
            self.server.gate.set()
            [self.known] = [path.name for path in (again / "demo/.staging").iterdir()]
        return self.known

    def test_a_recording_of_odd_ids_stays_in_its_folder(self):
        self.pages["/things"] = page(*({"id": value} for value in self.good))
        pipeline = self.plain("things: {}\nparts: {}", source="requests_per_minute: 600000")
        before = listing(self.outside)
        self.cogni("record", pipeline, self.folder / "fixture", "--now", "2026-11-20T12:00:00Z", env=self.server.environment, expect=0)
        self.assertEqual(listing(self.outside), before)
        self.assertEqual({path.name for path in self.folder.iterdir()}, {"outside", "fixture", "demo.yaml", "plain.connector.yaml"})
        recorded = list((self.folder / "fixture/parts").rglob("*.json"))
        self.assertEqual(len(recorded), len(self.good), "a file for each parent, none of them another's")
        self.assertTrue(all(json.loads(path.read_bytes()) == {"data": []} for path in recorded))


if __name__ == "__main__":
    unittest.main()
