#!/usr/bin/env python3
"""Writes Fixtures/openai-admin: what the API would answer about an invented organization, and what to count in it.

    Tools/make_fixtures.py             write them anew
    Tools/make_fixtures.py --check     exit 1 when the files are not what this script writes

Same output every time: no network, no clock, nothing but Python 3.9 or newer.
"""

import json
import pathlib
import shutil
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).parent))

from openai_fixtures import audit, organization, projects, reports  # noqa: E402
from openai_fixtures.counts import counts  # noqa: E402
from openai_fixtures.layout import name  # noqa: E402

FOLDER = pathlib.Path(__file__).parent.parent / "Fixtures" / "openai-admin"

INDEX = {
    "format": "cogni-fixture/1",
    "connector": "openai_admin",
    "now": "2025-12-01T06:00:00Z",
    # Before and after November the organization did nothing.
    "outside": "empty",
}


def replies():
    out = organization.everything() + projects.everything() + reports.everything()
    return out + audit.everything(reports.FROM, reports.NOW)


def files():
    """Path below the folder, and text."""
    answers = replies()
    out = {"replay/replay.json": json.dumps(INDEX, indent=2) + "\n"}
    for answer in answers:
        json.loads(answer.body)
        path = f"replay/{name(answer)}"
        # Also on disks that take a.json and A.json for one file.
        if path.lower() in {known.lower() for known in out}:
            raise ValueError(f"two answers to one question: {path}")
        out[path] = answer.body
    lines = ",\n".join("  " + json.dumps(entry) for entry in counts(answers))
    out["replay-counts.json"] = f"[\n{lines}\n]\n"
    return out


def main():
    wanted = files()
    if "--check" in sys.argv[1:]:
        present = {
            str(path.relative_to(FOLDER)): path.read_text(encoding="utf-8")
            for path in sorted(FOLDER.glob("replay*")) + sorted(FOLDER.glob("replay/**/*"))
            if path.is_file()
        }
        wrong = sorted(path for path in wanted.keys() | present.keys() if wanted.get(path) != present.get(path))
        for path in wrong:
            print(f"{path} is not what Tools/make_fixtures.py writes", file=sys.stderr)
        return 1 if wrong else 0
    shutil.rmtree(FOLDER / "replay", ignore_errors=True)
    for path, text in wanted.items():
        target = FOLDER / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text.encode("utf-8"))
    size = sum(len(text.encode("utf-8")) for text in wanted.values())
    print(f"{len(wanted)} files, {size} bytes in {FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
