"""The page for security reviewers: every threat has its row, and every test that a row names is there and can fail."""

import re
import shutil
import subprocess
import unittest
from pathlib import Path

from harness import ROOT, CogniTest

PAGE = ROOT / "docs/security.md"
ROW = re.compile(r"^\| (T\d+) \|(.*)\|(.*)\|(.*)\|$", re.MULTILINE)


def tests():
    """Names of all test functions: those of Swift behind `@Test`, those of Python whose names begin with test_."""
    names = set()
    for path in (ROOT / "Tests").rglob("*.swift"):
        names |= set(re.findall(r"@Test\b(?:\((?:[^()]|\([^()]*\))*\))?\s*(?:static )?func (\w+)", path.read_text(encoding="utf-8")))
        names |= set(re.findall(r"@Test\(arguments: \[.*?\n\]\)\s*func (\w+)", path.read_text(encoding="utf-8"), re.DOTALL))
    for path in (ROOT / "Tests").rglob("*.py"):
        names |= set(re.findall(r"^ *def (test_\w+)", path.read_text(encoding="utf-8"), re.MULTILINE))
    return names


class SecurityPage(CogniTest):
    def test_every_threat_has_a_row_and_every_named_test_exists(self):
        rows = {number: (attack, control, guard) for number, attack, control, guard in ROW.findall(PAGE.read_text(encoding="utf-8"))}
        self.assertEqual(sorted(rows, key=lambda name: int(name[1:])), [f"T{number}" for number in range(1, 36)])
        there = tests()
        self.assertGreater(len(there), 300, "the tests were not found")
        missing = []
        for number, (_, control, guard) in rows.items():
            named = re.findall(r"`(\w+)`", guard)
            missing += [f"{number}: {name}" for name in named if name not in there]
            if not named:
                self.assertIn("not applicable", control, f"{number} names no test and does not say why")
        self.assertEqual(missing, [])

    def test_a_sink_around_the_one_door_is_refused_by_the_walls(self):
        copy = self.folder / "copy"
        shutil.copytree(ROOT / "Sources", copy / "Sources", ignore=shutil.ignore_patterns("*.yaml"))
        shutil.copytree(ROOT / "Tools", copy / "Tools")
        walls = ["bash", str(copy / "Tools/walls.sh")]
        done = subprocess.run(walls, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout)
        for line in (
            'func f() { print("x") }', "func f() { Console.write(text) }", "func f() { Terminal.data(bytes) }",
            "let s = secret.reveal()", 'func f() { fatalError("bad \\(value)") }', "let x = try! f()",
            "func f() { FileHandle.standardError.write(data) }", "func f() { debugPrint(error) }",
        ):  # fmt: skip
            path = copy / "Sources/House/Reporting/Planted.swift"
            path.write_text(line + "\n")
            done = subprocess.run(walls, capture_output=True, text=True, timeout=120)
            self.assertEqual(done.returncode, 1, line)
            self.assertIn("Planted.swift", done.stdout, line)
            path.unlink()


if __name__ == "__main__":
    unittest.main()
