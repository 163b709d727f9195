#!/usr/bin/env python3
"""Measures cogni against the floor, pair by pair, and against others doing the same job; writes docs/performance.md.

    Bench/bench.py [--repeats 7] [--sizes small,big] [--jobs NAME,…] [--append] [--no-peers] [--no-document] [--strict]

`--append` adds to the results of the last run (.build/bench/results.json), for sittings that must be short. `--strict` ends
with 1 when a promise was missed. Only ratios of one sitting mean something: a busy machine changes all times.
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile
import time

import jobs
import measure
import report
import serving

SIZES = {"small": (168, 1500), "big": (720, 2000)}
START = 1760918400


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--sizes", default="small,big")
    parser.add_argument("--jobs", default="", help="combinations, masks (zstd-ndjson-sealed@avx2) and peers (dlt, duckdb); all by default")
    parser.add_argument("--binary", default=jobs.ROOT + "/.build/release/cogni")
    for flag in ("append", "no-peers", "no-document", "strict"):
        parser.add_argument("--" + flag, action="store_true")
    asked = parser.parse_args()
    for secret in ("example.keyring.json", "example.keyring.json.master"):
        os.chmod(f"{jobs.ROOT}/Fixtures/keys/{secret}", 0o644)  # a checkout under a loose umask would be refused
    kept = jobs.ROOT + "/.build/bench/results.json"
    results = {"sizes": {}}
    if asked.append and os.path.exists(kept):
        with open(kept) as file:
            results = json.load(file)
    results["load"] = max(results.get("load", 0), os.getloadavg()[0])
    results["machine"], results["taken"] = report.machine(asked.binary), time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime())
    with tempfile.TemporaryDirectory(prefix="cogni-bench-", dir=jobs.ROOT + "/.build") as work:
        for size in asked.sizes.split(","):
            measure_size(size, asked, results, work)
            os.makedirs(os.path.dirname(kept), exist_ok=True)
            with open(kept, "w") as file:
                json.dump(results, file)
    report.show(results)
    if not asked.no_document:
        report.document(results)
    if asked.strict and any(held is False for *_, held in report.verdicts(results)):
        sys.exit(1)


def pages(size):
    """The data set, made once and kept below .build. Returns its folder and what it holds."""
    hours, rows = SIZES[size]
    folder = f"{jobs.ROOT}/.build/bench/{size}"
    if not os.path.exists(folder + "/facts"):
        print(f"making the {size} pages …", flush=True)
        facts = subprocess.run([sys.executable, jobs.HERE + "/make_pages.py", folder, str(hours), str(rows)],
                               check=True, capture_output=True, text=True).stdout
        with open(folder + "/facts", "w") as file:
            file.write(facts)
    with open(folder + "/facts") as file:
        return folder, {name: int(value) for name, value in (part.split("=") for part in file.read().split())}


def measure_size(size, asked, results, work):
    folder, facts = pages(size)
    base = serving.serve(folder)
    until = time.strftime("%Y-%m-%d", time.gmtime(START + facts["hours"] * 3600))
    floor = jobs.floor(base, facts["pages"])
    ours = [jobs.cogni(asked.binary, work, name, base, until) for name in jobs.combinations()]
    ours[1:1] = [jobs.cogni(asked.binary, work, jobs.HEADLINE, base, until, mask) for mask in jobs.MASKS]
    # The peers need seconds to minutes for the small set; the big one would say the same again.
    peers = jobs.peers(work, base) if size == "small" and not asked.no_peers else []
    if asked.jobs:
        wanted = asked.jobs.split(",")
        ours, peers = [job for job in ours if job.name in wanted], [job for job in peers if job.name in wanted]
    part = results["sizes"].setdefault(size, {"runs": {}, "titles": {}})
    part["facts"] = facts
    for job in [floor, *ours, *peers]:
        part["titles"][job.name] = job.title
        part["runs"].setdefault(job.name, [])
        part.setdefault("peaks", {}).setdefault(job.name, [])
        if job is not floor and not asked.append:
            part["runs"][job.name] = []
            part["peaks"][job.name] = []
    run(floor, facts, work)  # brings pages and programs into memory; not counted
    for number in range(asked.repeats):
        for job in ours:
            below = run(floor, facts, work)
            part["runs"]["floor"].append(below)
            part["runs"][job.name].append({**run(job, facts, work), "floor": below["wall"]})
        print(f"{size}: round {number + 1} of {asked.repeats}", flush=True)
    for job in peers:
        below = run(floor, facts, work)
        part["runs"][job.name].append({**run(job, facts, work), "floor": below["wall"]})
    # Apart from what is timed: looking would slow down the floor, which is four processes, most.
    for job in [floor, *ours, *peers]:
        part["peaks"][job.name] += [run(job, facts, work, looking=True)["peak"] for _ in range(1 if job in peers else 3)]


def run(job, facts, work, looking=False):
    jobs.clear(job)
    log = work + "/log"
    done = measure.measured(job.command, job.environment, log, looking=looking)
    if done.code != 0:
        with open(log, errors="replace") as file:
            sys.exit(f"{job.name} ended with {done.code}:\n" + file.read()[-2000:])
    if job.environment and jobs.rows_written(job) != facts["distinct"]:
        sys.exit(f"{job.name} published {jobs.rows_written(job)} rows, not {facts['distinct']}")
    if os.path.exists(log):
        os.remove(log)
    jobs.clear(job)
    return {"wall": done.wall, "user": done.user, "system": done.system, "peak": done.peak}


main()
