"""Other people's tools read every output: sha256sum, gzip, zstd, bsdtar, Python, and where installed frictionless and DuckDB."""

import subprocess
import sys
import unittest

from harness import ROOT, CogniTest

PROGRAM = ROOT / "Tests/readers/check_output.py"
VENV = ROOT / ".build/venv-readers/bin/python"


@unittest.skipUnless(PROGRAM.exists(), "Tests/readers is not there")
class Readers(CogniTest):
    def read(self, load):
        """Two generations, so that there is a `…_changes` stream and a link to read, then the readers."""
        pipeline = self.pipeline(None, load=load)
        self.replay(pipeline)
        self.replay(pipeline, now="2025-12-03T06:00:00Z", since=None)
        python = str(VENV) if VENV.exists() else sys.executable
        done = subprocess.run([python, PROGRAM, self.output / "demo"], capture_output=True, text=True)
        failures = [line for line in done.stdout.splitlines() if line.startswith("FAILED")]
        self.assertEqual(failures, [])
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        self.assertRegex(done.stdout.splitlines()[-1], r"^[1-9]\d+ passed, 0 failed")
        if not VENV.exists():
            print("(only with what is installed: run Tests/readers/run.sh once for the rest) ", end="")

    def test_ndjson_with_gzip(self):
        self.read("format: ndjson\ncompression: gzip")

    def test_csv_with_gzip(self):
        self.read("format: csv\ncompression: gzip\nbundle: zip")

    def test_ndjson_with_zstd(self):
        self.read("format: ndjson\ncompression: zstd\nbundle: tar.zst")

    def test_csv_by_month_without_compression(self):
        self.read("format: csv\ncompression: none\npartition_by: month\nguard_formulas: true")


if __name__ == "__main__":
    unittest.main()
