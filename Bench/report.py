"""Tables, verdicts and the machine's description, for the terminal and for docs/performance.md."""
import os
import platform
import re
import statistics
import subprocess

from jobs import HEADLINE, ROOT

PEERS = ("dlt", "duckdb")
DOCUMENT = ROOT + "/docs/performance.md"
COLUMNS = ("job", "wall s", "user s", "system s", "peak MiB", "× floor (min–max)", "CPU × floor", "rows/s", "MB/s")


def middle(runs, what):
    return statistics.median(run[what] for run in runs)


def ratios(runs):
    """Wall over the wall of the floor that ran just before, round by round."""
    return [run["wall"] / run["floor"] for run in runs if run.get("floor")]


def cpu(runs):
    return middle(runs, "user") + middle(runs, "system")


def row(part, name):
    runs, floor, facts = part["runs"][name], part["runs"]["floor"], part["facts"]
    wall = middle(runs, "wall")
    over = ratios(runs)
    return (part["titles"][name], f"{wall:.2f}", f"{middle(runs, 'user'):.2f}", f"{middle(runs, 'system'):.2f}",
            f"{max(part['peaks'][name]) / 2**20:.0f}",
            f"{statistics.median(over):.2f} ({min(over):.2f}–{max(over):.2f})" if over else "1",
            f"{cpu(runs) / cpu(floor):.2f}",
            f"{facts['rows'] / wall:,.0f}", f"{facts['bytes'] / wall / 1e6:,.0f}")


def tables(results):
    """One table a data set: [(heading, rows)]."""
    found = []
    for size, part in results["sizes"].items():
        facts = part["facts"]
        times = min((len(runs) for name, runs in part["runs"].items() if runs and name not in PEERS), default=0)
        heading = (f"{size}: {facts['rows']:,} rows ({facts['distinct']:,} distinct), {facts['bytes'] / 1e6:.0f} MB of JSON, "
                   f"{facts['pages']} pages; {times} pairs for each row of the table")
        found.append((heading, [row(part, name) for name, runs in part["runs"].items() if runs]))
    return found


def verdicts(results):
    """(what, target, measured, held) for every figure that the project promises; `held` is None where nothing was measured."""
    found = []

    def judge(what, target, value, text, held):
        found.append((what, target, "not measured" if value is None else text.format(value), held(value) if value is not None else None))

    def against(runs, name, other):
        """Median of the ratios round by round."""
        if not runs.get(name) or not runs.get(other):
            return None
        return statistics.median(a["wall"] / b["wall"] for a, b in zip(runs[name], runs[other]))

    for size, part in results["sizes"].items():
        runs = part["runs"]
        headline = runs.get(HEADLINE) or []
        over = statistics.median(ratios(headline)) if headline else None
        judge(f"{size}: wall, zstd NDJSON with 2 sealed fields", "≤ 1.5 × floor", over, "{:.2f} ×", lambda value: value <= 1.5)
        ours = [peak for name, peaks in part["peaks"].items() if name not in ("floor", *PEERS) for peak in peaks]
        judge(f"{size}: peak memory, every combination", "≤ 128 MiB", max(ours) / 2**20 if ours else None, "{:.0f} MiB",
              lambda value: value <= 128)
        judge(f"{size}: gzip", "≤ 2 × zstd", against(runs, "gzip-ndjson-sealed", HEADLINE), "{:.2f} ×", lambda value: value <= 2)
        judge(f"{size}: CSV", "≤ 1.15 × NDJSON", against(runs, "zstd-csv-sealed", HEADLINE), "{:.2f} ×", lambda value: value <= 1.15)
        for mask, what in (("avx2", "without AVX-512"), ("baseline", "without AVX2 and SHA")):
            value = against(runs, f"{HEADLINE}@{mask}", HEADLINE)
            judge(f"{size}: {what}", "≤ 1.6 × its best" if mask == "avx2" else "no target", value, "{:.2f} ×",
                  lambda value, mask=mask: value <= 1.6 if mask == "avx2" else True)
        if runs.get("dlt") and headline:
            judge(f"{size}: rows per second, against dlt's", "≥ 40 ×", middle(runs["dlt"], "wall") / middle(headline, "wall"), "{:.0f} ×",
                  lambda value: value >= 40)
    return found


def plain(columns, rows):
    widths = [max(len(str(row[at])) for row in [columns, *rows]) for at in range(len(columns))]
    line = lambda row: "  ".join(str(cell).ljust(width) if at == 0 else str(cell).rjust(width)
                                 for at, (cell, width) in enumerate(zip(row, widths)))
    return "\n".join([line(columns), *map(line, rows)])


def markdown(columns, rows):
    line = lambda cells: "| " + " | ".join(map(str, cells)) + " |"
    return "\n".join([line(columns), line(["---"] + ["---:"] * (len(columns) - 1)), *map(line, rows)])


def word(held):
    return "held" if held else "MISSED" if held is False else "–"


def verdict_rows(results):
    return [(what, target, measured, word(held)) for what, target, measured, held in verdicts(results)]


VERDICT_COLUMNS = ("promise", "target", "measured", "")


def show(results):
    for heading, rows in tables(results):
        print("\n" + heading)
        print(plain(COLUMNS, rows))
    print()
    print(plain(VERDICT_COLUMNS, verdict_rows(results)))


def first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20)
        return (done.stdout + done.stderr).strip().splitlines()[0]
    except (OSError, IndexError, subprocess.TimeoutExpired):
        return "absent"


def machine(binary):
    """Sentences that say where the numbers come from."""
    with open("/proc/cpuinfo") as file:
        text = file.read()
    model = (re.findall(r"model name\s*: (.*)", text) or [platform.machine()])[0]
    flags = set((re.findall(r"(?:flags|Features)\s*: (.*)", text) or [""])[0].split())
    sets = [name for flag, name in (("avx512f", "AVX-512"), ("avx2", "AVX2"), ("sha_ni", "SHA"), ("asimd", "NEON")) if flag in flags]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = "unknown"
    if os.path.exists("/etc/os-release"):
        with open("/etc/os-release") as file:
            system = (re.findall(r'PRETTY_NAME="(.*)"', file.read()) or [system])[0]
    versions = {"nginx": first_line("nginx", "-v"), "curl": first_line("curl", "--version"), "zstd": first_line("zstd", "--version"),
                "OpenSSL": first_line("openssl", "version"), "Swift": first_line("swift", "--version")}
    short = {name: (re.findall(r"\d+\.\d+(?:\.\d+)?", line) or [line])[0] for name, line in versions.items()}
    python = ROOT + "/.build/venv-bench/bin/python"
    if os.path.exists(python):
        for name in ("dlt", "duckdb"):
            short[name] = first_line(python, "-c", f"import importlib.metadata as m; print(m.version('{name}'))")
    revision = first_line("git", "-C", ROOT, "rev-parse", "--short", "HEAD")
    return (f"{model}, {os.cpu_count()} cores ({', '.join(sets) or 'baseline instruction set'}), {memory:.0f} GiB of memory; "
            f"{system}, kernel {platform.release().split('-')[0]}; cogni {first_line(binary, '--version')} at {revision}, release build; "
            + ", ".join(f"{name} {version}" for name, version in short.items()) + f"; files on {filesystem(ROOT)}.")


def filesystem(path):
    return first_line("stat", "-f", "-c", "%T", path)


def put(marker, text):
    """Replaces what stands between `<!-- marker -->` and `<!-- /marker -->` in the document."""
    with open(DOCUMENT) as file:
        page = file.read()
    start, end = f"<!-- {marker} -->", f"<!-- /{marker} -->"
    before, after = page.index(start) + len(start), page.index(end)
    with open(DOCUMENT, "w") as file:
        file.write(page[:before] + "\n" + text.strip() + "\n" + page[after:])


def document(results):
    others = results.get("load", 0)
    shared = f" **Not alone:** the load average was {others:.1f} before it began, so wall times and their ratios are too high." if others > 1 else ""
    parts = [f"Taken on {results['taken']}. {results['machine']}{shared}"]
    parts.append(markdown(VERDICT_COLUMNS, verdict_rows(results)))
    for heading, rows in tables(results):
        parts.append(f"**{heading}**\n\n" + markdown(COLUMNS, rows))
    put("bench", "\n\n".join(parts))
