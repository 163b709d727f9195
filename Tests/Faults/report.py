"""What a method did, in numbers, and the table in docs/reliability.md that is made of them."""

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/reliability.md"
STORE = ROOT / ".build/faults.json"


@dataclass
class Trial:
    """One disturbed run: did the fault fire, what was looked at, what was wrong."""

    injected: int = 1
    fired: int = 0
    checked: Counter = field(default_factory=Counter)
    failures: list = field(default_factory=list)
    differed: int = 0
    notes: list = field(default_factory=list)

    def look(self, found, where):
        """Takes over what the checker found."""
        self.checked += found.checked
        self.failures += [f"{where}: {what}" for what in found.broken]

    def fail(self, what):
        self.failures.append(what)


@dataclass
class Method:
    """All trials of one method."""

    name: str
    seed: int
    total: Trial = field(default_factory=lambda: Trial(injected=0))
    seconds: float = 0

    def add(self, trial):
        total = self.total
        total.injected += trial.injected
        total.fired += trial.fired
        total.checked += trial.checked
        total.failures += trial.failures
        total.differed += trial.differed
        total.notes += trial.notes

    @property
    def passed(self):
        """A method that struck nothing has shown nothing."""
        total = self.total
        return not total.failures and not total.differed and total.fired > 0 and sum(total.checked.values()) > 0

    def tell(self):
        total = self.total
        checks = ", ".join(f"{promise} ×{count}" for promise, count in sorted(total.checked.items()))
        print(
            f"{self.name}: {total.injected} injected, {total.fired} fired, promises checked: {checks}; {len(total.failures)} failures, "
            f"{total.differed} re-runs that differed, seed {self.seed}, {self.seconds:.0f} s"
        )
        for note, count in Counter(total.notes).most_common(12):
            print(f"  note: {note}" + (f" (×{count})" if count > 1 else ""))
        for failure in total.failures[:20]:
            print(f"  FAILED {failure}")
        if total.fired == 0:
            print("  FAILED no fault fired: this method has shown nothing")

    @property
    def row(self):
        total = self.total
        checks = ", ".join(f"{promise} ×{count}" for promise, count in sorted(total.checked.items()))
        return f"| {self.name} | {total.injected} | {total.fired} | {checks} | {len(total.failures)} | {total.differed} | {self.seed} |"


def write(marker, lines):
    """Puts lines between `<!-- marker -->` and `<!-- /marker -->` of the page."""
    text = PAGE.read_text(encoding="utf-8")
    pattern = re.compile(rf"(<!-- {marker} -->\n).*?(<!-- /{marker} -->)", re.S)
    if not pattern.search(text):
        raise RuntimeError(f"{PAGE} has no place for `{marker}`")
    PAGE.write_text(pattern.sub(lambda found: found[1] + "\n".join(lines) + "\n" + found[2], text), encoding="utf-8")


def store(key, method):
    """Keeps a method's row, so that methods can be run one after the other, also on different days."""
    rows = stored()
    rows[key] = method.row
    STORE.parent.mkdir(exist_ok=True)
    STORE.write_text(json.dumps(rows, indent=1), encoding="utf-8")


def stored():
    return json.loads(STORE.read_text(encoding="utf-8")) if STORE.exists() else {}


def table(keys):
    """The rows that are there, in the order of `keys`."""
    rows = stored()
    head = "| method | injected | fired | promises checked | failures | re-runs that differed | seed |"
    return [head, "|---|---|---|---|---|---|---|", *(rows[key] for key in keys if key in rows)]
