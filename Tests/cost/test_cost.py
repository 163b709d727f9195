#!/usr/bin/env python3
"""What a row costs, counted and not timed: instructions (valgrind's callgrind) and calls of the allocator.

Both are taken from two runs that differ in nothing but the number of rows: 10,000 and 20,000, in one page, one day and with the
same distinct values. The difference, by 10,000, is what one more row costs; start-up, page, file and commit cancel out. A count is the
same on a busy machine, so a slowdown shows here and not in a stopwatch. It covers the hot path from the reply's bytes to the file's: scan,
columns, tokens by dictionary, sort, merge, lines, compression, checksums, with zstd's and OpenSSL's own instructions among them.
It does not see waiting: disk, network, one thread for another.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("BIN", ROOT / ".build/debug"))
ROWS_A_BUCKET, BUCKETS = 100, 100
STEP = ROWS_A_BUCKET * BUCKETS

# Twice what was counted when this was written; lower them when the program gets better.
INSTRUCTIONS_A_ROW = 50_000
INSTRUCTIONS_TO_START = 250_000_000
# A bucket of a hundred rows costs one allocation, a row none: one row in twenty may, before something is wrong.
ALLOCATIONS_A_ROW = 0.05



def repeated(*units, end=""):
    """Text of a given length: a part for each unit, with what ends or hides nothing but at the far end."""
    return lambda count: " ".join((unit * count)[: count // len(units)] + end for unit in units)


# What wakes the sanitizer and comes to nothing, or to something each time. A part of each text must be long for quadratic work to show.
HOSTILE = {
    "keys": repeated("sk-", "ghp_", "sk-admin-", "xoxb-"),
    "tokens": repeated("eyJ.", "eyJaaaaaaaaaa.", "Bearer ", "AKIA"),
    "private keys": repeated("-----BEGIN PRIVATE KEY-----", '-----BEGIN PRIVATE KEY-----",'),
    "headers": repeated("authorization:*", "cookie:", "cookie:\\x", end="…"),
    "assignments": repeated("password=", "token=x", "?key=", end="…"),
    "addresses": repeated("://a:1", "a@b."),
    "a port and what follows": lambda count: "://a:" + "1" * (count // 2) + "x" + "," * (count // 2),
    "found each time": repeated("ghp_" + "a1" * 13 + " ", "%41%20"),
}

# One stream like the usage report; a whole connector would cost more to read than the rows.
CONNECTOR = """connector: cost
base_url: http://127.0.0.1:{port}/v1
auth: {{ header: Authorization, prefix: "Bearer ", variable: COST_KEY }}
streams:
  - name: usage
    mode: report
    path: /usage
    pagination: {{ style: bucket_page, limit: 1440 }}
    rows: "data[].results[]"
    window: {{ start: start_time, end: end_time, width: bucket_width, widths: [1m, 1d], default_width: 1d, lookback: 3d }}
    time: start_time
    primary_key: [start_time, project_id, user_id, api_key_id, model, batch, service_tier]
    ignored: [object]
    columns:
      - {{ name: start_time, from: bucket, type: timestamp }}
      - {{ name: end_time, from: bucket, type: timestamp }}
      - {{ name: project_id, type: string, nullable: true, domain: project }}
      - {{ name: user_id, type: string, nullable: true, domain: user }}
      - {{ name: api_key_id, type: string, nullable: true, domain: api_key }}
      - {{ name: model, type: string, nullable: true }}
      - {{ name: batch, type: boolean, nullable: true }}
      - {{ name: service_tier, type: string, nullable: true }}
      - {{ name: input_tokens, type: integer }}
      - {{ name: num_model_requests, type: integer }}
      - {{ name: output_tokens, type: integer }}
      - {{ name: input_audio_tokens, type: integer, nullable: true }}
      - {{ name: output_audio_tokens, type: integer, nullable: true }}
      - {{ name: input_cached_tokens, type: integer, nullable: true }}
"""
PIPELINE = """pipeline: cost
source: {{ connector: {folder}/connector.yaml, credential: "${{COST_KEY}}" }}
streams: {{ usage: {{ bucket_width: 1m, since: 2025-10-20, until: "2025-10-20T{until}:00Z" }} }}
transform: [ {{ dedupe: {{ keep: latest }} }}, {{ sanitize: {{ secrets: mask }} }},
    {{ encrypt: {{ fields: ["domain:user", "domain:api_key"], mode: deterministic, key_ring: "${{COGNI_KEY_RING}}" }} }} ]
load: {{ compression: {compression}, format: {format} }}
"""


class Cost(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="cogni-cost-")
        for name in ("example.keyring.json", "example.keyring.json.master"):
            shutil.copy(ROOT / "Fixtures/keys" / name, cls.folder)
            os.chmod(f"{cls.folder}/{name}", 0o600)
        # Valgrind stumbles over Swift's debug information.
        cls.program = f"{cls.folder}/cogni"
        subprocess.run(["strip", "-o", cls.program, BIN / "cogni"], check=True)
        cls.counter = f"{cls.folder}/count.so"
        subprocess.run(["clang", "-O1", "-fPIC", "-shared", "-o", cls.counter, ROOT / "Tests/cost/count_allocations.c", "-ldl"], check=True)
        cls.server = subprocess.Popen([sys.executable, ROOT / "Bench/endless.py", str(ROWS_A_BUCKET), "1440"],
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        port = int(cls.server.stdout.readline())
        with open(f"{cls.folder}/connector.yaml", "w") as file:
            file.write(CONNECTOR.format(port=port))

    @classmethod
    def tearDownClass(cls):
        cls.server.communicate()
        shutil.rmtree(cls.folder, ignore_errors=True)

    def run_cogni(self, arguments, wrapper=()):
        """Runs it; returns (calls of the allocator, stderr)."""
        counted = f"{self.folder}/counted"
        done = subprocess.run(
            [*wrapper, self.program, *arguments], capture_output=True, text=True, timeout=600, cwd=self.folder,
            # One seed for all hashes: else the order in which a few hundred things are sorted at the start differs from run to run.
            env={**os.environ, "SWIFT_DETERMINISTIC_HASHING": "1", "COST_KEY": "sk-admin-cost-not-a-real-key", "LD_PRELOAD": self.counter,
                 "COGNI_KEY_RING": f"{self.folder}/example.keyring.json", "COGNI_ALLOCATIONS": counted})
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        with open(counted, "rb") as file:
            return int.from_bytes(file.read(8), sys.byteorder), done.stderr

    def run_rows(self, steps, compression="zstd", form="ndjson", wrapper=()):
        """A run over `steps` times 10,000 rows."""
        minutes = BUCKETS * steps
        path = f"{self.folder}/pipeline.yaml"
        with open(path, "w") as file:
            file.write(PIPELINE.format(folder=self.folder, until=f"{minutes // 60:02}:{minutes % 60:02}", compression=compression, format=form))
        shutil.rmtree(f"{self.folder}/out", ignore_errors=True)
        counted, told = self.run_cogni(["run", path, "--now", "2026-01-01", "--output", "out", "--progress", "none"], wrapper)
        self.assertRegex(told, rf"usage +[\d,]+ +{steps * STEP:,} ")
        return counted, told

    def instructions(self, run):
        """What `run(wrapper)` executes, in this process and its children."""
        _, told = run(("valgrind", "--tool=callgrind", f"--callgrind-out-file={self.folder}/callgrind", "--error-exitcode=0"))
        return int(re.search(r"Collected : (\d+)", told)[1])

    def test_a_row_costs_no_allocation(self):
        for compression, form in (("zstd", "ndjson"), ("gzip", "ndjson"), ("zstd", "csv")):
            with self.subTest(compression=compression, format=form):
                self.run_rows(1, compression, form)
                few, many = (self.run_rows(steps, compression, form)[0] for steps in (1, 2))
                self.assertGreater(few, 1000, "the counter does not count")
                each = (many - few) / STEP
                print(f"allocations a row, {compression} {form}: {each:.3f} ({few:,} in a run of {STEP:,} rows)")
                self.assertLess(each, ALLOCATIONS_A_ROW)

    def test_a_row_costs_no_more_instructions_than_it_did(self):
        few, many = (self.instructions(lambda wrapper: self.run_rows(steps, wrapper=wrapper)) for steps in (1, 2))
        each = (many - few) / STEP
        print(f"instructions a row: {each:,.0f} ({many:,} in a run of {2 * STEP:,} rows)")
        self.assertGreater(each, 1000, "a row can't be that cheap: what was measured?")
        self.assertLess(each, INSTRUCTIONS_A_ROW)

    def test_starting_is_cheap(self):
        count = self.instructions(lambda wrapper: self.run_cogni(["--version"], wrapper))
        print(f"instructions of `cogni --version`: {count:,}")
        self.assertLess(count, INSTRUCTIONS_TO_START)

    def test_hostile_text_costs_what_its_length_costs(self):
        """Four times the text is four times the instructions, whatever is nearly a secret in it; quadratic work would be sixteen times.

        The sanitizer's own count of steps is held against the length in its unit tests; here everything is counted, also what nobody thought of
        counting. An error message that quotes a path is the way in.
        """
        folder = os.path.join(self.folder, "none")

        def instructions(text):
            done = subprocess.run(
                ["valgrind", "--tool=callgrind", f"--callgrind-out-file={self.folder}/callgrind", self.program, "keys", "list"], capture_output=True,
                text=True, timeout=600, cwd=self.folder, env={"PATH": os.environ["PATH"], "SWIFT_DETERMINISTIC_HASHING": "1",
                                                               "COGNI_KEY_RING": f"{folder}/{text}"})  # fmt: skip
            self.assertEqual(done.returncode, 9, done.stderr[-2000:])
            return int(re.search(r"Collected : (\d+)", done.stderr)[1])

        start = instructions("")
        for name, text in HOSTILE.items():
            with self.subTest(name):
                few, many = (instructions(text(count)) - start for count in (2_000, 8_000))
                print(f"hostile text, {name}: {few / 2_000:,.0f} and {many / 8_000:,.0f} instructions a byte")
                self.assertGreater(few, 100_000, "it can't be that cheap: was the text looked at?")
                self.assertLess(many / few, 5)


if __name__ == "__main__":
    begun = time.monotonic()
    result = unittest.main(exit=False, verbosity=1).result
    bad = len(result.failures) + len(result.errors)
    print(f"{result.testsRun - bad if bad <= result.testsRun else 0} passed, {bad} failed in {time.monotonic() - begun:.0f} s")
    sys.exit(bad > 0)
