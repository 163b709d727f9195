#!/usr/bin/env python3
"""Prints the benchmark's table from lines of `kind wall user system memory`: table.py TIMES FACTS"""
import re
import statistics
import sys

NAMES = {
    "floor": "curl | zstd | sha256sum", "zstd": "zstd NDJSON, 2 fields sealed", "plain": "zstd NDJSON, nothing sealed",
    "gzip": "gzip NDJSON, 2 fields sealed", "none": "plain NDJSON, 2 fields sealed", "csv": "zstd CSV, 2 fields sealed",
}
runs = {}
for line in open(sys.argv[1]):
    match = re.fullmatch(r"(\w+) ([\d.]+) ([\d.]+) ([\d.]+) (\d+)\s*", line)
    if match:
        runs.setdefault(match[1], []).append([float(value) for value in match.groups()[1:]])
facts = dict(part.split("=") for part in open(sys.argv[2]).read().split())
floor = [run[0] for run in runs["floor"]]
print(f"{'':32}{'wall':>8}{'user':>8}{'system':>8}{'peak MB':>9}{'× floor':>9}{'rows/s':>12}{'MB/s':>8}")
for kind in NAMES:
    if kind not in runs:
        continue
    middle = [statistics.median(values) for values in zip(*runs[kind])]
    ratio = statistics.median(run[0] / base for run, base in zip(runs[kind], floor))
    print(f"{NAMES[kind]:32}{middle[0]:8.2f}{middle[1]:8.2f}{middle[2]:8.2f}{middle[3] / 1024:9.0f}{ratio:9.2f}"
          f"{int(facts['rows']) / middle[0]:12,.0f}{int(facts['bytes']) / middle[0] / 1e6:8.0f}")
