#!/usr/bin/env python3
"""How the cost of `cogni` grows: rows, partitions, requests, runs with nothing new. Writes docs/performance.md.

    Bench/scale.py [--parts start,rows,partitions,quiet,links,requests] [--append] [--no-document] [--strict]

Rows come from Bench/endless.py: two thousand an hour, the times new, the rest repeating every day. CPU seconds and memory are the
program's alone; the server runs beside it. `requests` runs a test of the real fetching side in virtual time, with 5,000 projects.
"""
import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import jobs
import measure
import report

PARTS = ("start", "rows", "partitions", "quiet", "links", "requests")
KEPT = jobs.ROOT + "/.build/bench/scale.json"


class Endless:
    """The server of a report without end; `with` stops it."""

    def __init__(self, rows_a_bucket, buckets_a_page):
        self.process = subprocess.Popen([sys.executable, jobs.HERE + "/endless.py", str(rows_a_bucket), str(buckets_a_page)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.base = f"http://127.0.0.1:{self.process.stdout.readline().strip()}/v1"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate()


class Bench:
    def __init__(self, binary, work):
        self.binary, self.work = binary, work

    def run(self, pipeline, now, *options):
        """One run; returns what it cost and what it said of itself."""
        log = self.work + "/log"
        if os.path.exists(log):
            os.remove(log)
        done = measure.measured([self.binary, "run", pipeline, "--now", now, "--output", self.work + "/out", "--progress", "none", *options],
                                jobs.ENVIRONMENT, log)
        with open(log, errors="replace") as file:
            said = file.read()
        if done.code != 0:
            sys.exit(f"cogni ended with {done.code}:\n{said[-2000:]}")
        return done, said

    def fresh(self):
        shutil.rmtree(self.work + "/out", ignore_errors=True)

    def file(self, name, text):
        with open(f"{self.work}/{name}", "w") as file:
            file.write(text)
        return f"{self.work}/{name}"

    def usage(self, base, width, since, until=None, lookback="0d"):
        end = f", until: {until}" if until else ""
        return self.file("usage.yaml", f"""pipeline: scale
source: {{ connector: openai_admin, base_url: "{base}", credential: "${{OPENAI_ADMIN_KEY}}", requests_per_minute: 100000 }}
streams: {{ usage_completions: {{ bucket_width: {width}, since: {since}{end}, lookback: {lookback}, group_by: {jobs.GROUPS} }} }}
transform: [ {{ dedupe: {{ keep: latest }} }}, {{ sanitize: {{ secrets: mask }} }}{jobs.SEALED} ]
load: {{ compression: zstd, format: ndjson, keep_generations: 3 }}
""")

    def manifest(self, pipeline="scale"):
        path = f"{self.work}/out/{pipeline}/current/manifest.json"
        with open(path) as file:
            return json.load(file), os.path.getsize(path)

    # Each part returns {"lines": [table], "columns": […], "verdicts": [(what, target, measured, held)], "title": …, "note": …}.

    def start(self):
        runs = [measure.measured([self.binary, "--version"]) for _ in range(21)]
        wall = statistics.median(run.wall for run in runs) * 1000
        cpu = statistics.median(run.cpu for run in runs) * 1000
        return {"title": "Start", "columns": ("", "wall ms", "CPU ms", "peak MiB"),
                "lines": [("cogni --version, median of 21", f"{wall:.0f}", f"{cpu:.0f}", f"{max(run.peak for run in runs) / 2**20:.0f}")],
                "verdicts": [("start (`cogni --version`)", "< 30 ms", f"{wall:.0f} ms", wall < 30)]}

    def rows(self):
        lines, costs, peaks = [], [], []
        with Endless(2000, 24) as server:
            for hours in (125, 750, 2500, 7500):
                self.fresh()
                until = time.strftime("%Y-%m-%dT%H:00:00Z", time.gmtime(1760918400 + hours * 3600))
                pipeline = self.usage(server.base, "1h", "2025-10-20", f'"{until}"')
                done, _ = self.run(pipeline, "2027-01-01")
                rows = self.manifest()[0]["streams"][0]["rows"]
                if rows != hours * 2000:
                    sys.exit(f"{rows} rows were published, not {hours * 2000}")
                costs.append(done.cpu / rows * 1e6)
                peaks.append(done.peak / 2**20)
                lines.append((f"{rows:,}", f"{done.wall:.1f}", f"{done.cpu:.1f}", f"{costs[-1]:.2f}", f"{peaks[-1]:.0f}", f"{rows / done.wall:,.0f}"))
                print(f"rows: {lines[-1]}", flush=True)
        growth = costs[-1] / costs[1]
        return {"title": "Rows", "columns": ("rows", "wall s", "CPU s", "CPU s a million rows", "peak MiB", "rows/s"), "lines": lines,
                "note": "Start-up, some 0.1 s, weighs on the first line. Wall includes the server, which is written in Python.",
                "verdicts": [("CPU a row, 15 million against 1.5 million rows", "≤ 1.15 ×", f"{growth:.2f} ×", growth <= 1.15),
                             ("peak memory at 15 million rows", "≤ 128 MiB", f"{peaks[-1]:.0f} MiB", peaks[-1] <= 128)]}

    def partitions(self):
        streams = [f"usage_{number:02}" for number in range(50)]
        with Endless(20, 31) as server:
            self.file("wide-connector.yaml", wide_connector(server.base, streams))
            pipeline = self.file("wide.yaml", f"""pipeline: wide
source: {{ connector: {self.work}/wide-connector.yaml, credential: "${{OPENAI_ADMIN_KEY}}", requests_per_minute: 100000 }}
streams: {{ {", ".join(f"{name}: {{ since: 2022-12-01, lookback: 0d }}" for name in streams)} }}
transform: [ {{ dedupe: {{ keep: latest }} }} ]
load: {{ compression: zstd, format: ndjson, keep_generations: 3 }}
""")
            self.fresh()
            lines = []
            for what, now in (("first run", "2025-08-27"), ("again, nothing new", "2025-08-27"), ("again, one day more", "2025-08-28")):
                done, _ = self.run(pipeline, now)
                manifest, size = self.manifest("wide")
                count = sum(len(stream["partitions"]) for stream in manifest["streams"])
                lines.append((what, f"{count:,}", f"{done.wall:.1f}", f"{done.cpu:.1f}", f"{done.peak / 2**20:.0f}", f"{size / 2**20:.1f}"))
                print(f"partitions: {lines[-1]}", flush=True)
        return {"title": "Partitions", "columns": ("50 streams × 1,000 days", "partitions", "wall s", "CPU s", "peak MiB", "manifest MiB"), "lines": lines,
                "note": "Each partition is a folder with one file, synced, in every generation; 20 rows each.",
                "verdicts": [("50,000 partitions are published", "50,000", lines[0][1], lines[0][1] == "50,000")]}

    def quiet(self):
        with Endless(20, 31) as server:
            self.fresh()
            pipeline = self.usage(server.base, "1d", "2022-12-01", lookback="3d")
            self.run(pipeline, "2025-08-27")
            count = len(self.manifest()[0]["streams"][0]["partitions"])
            runs = []
            for _ in range(9):
                done, said = self.run(pipeline, "2025-08-27")
                if "unchanged: generation 1" not in said:
                    sys.exit(f"a run with nothing new published something:\n{said}")
                runs.append(done)
        cpu = statistics.median(run.cpu for run in runs)
        line = (f"{count:,}", f"{statistics.median(run.wall for run in runs):.2f}", f"{cpu:.2f}", f"{max(run.peak for run in runs) / 2**20:.0f}")
        return {"title": "A run with nothing new", "columns": ("partitions", "wall s", "CPU s", "peak MiB"), "lines": [line],
                "note": "The last three days are read again, compared and found the same. Median of 9 runs.",
                "verdicts": [("CPU of a run with nothing new, 1,000 partitions", "< 0.3 s", f"{cpu:.2f} s", cpu < 0.3)]}

    def links(self):
        """Three years by the hour, then one day more: old files must be the same inodes."""
        with Endless(20, 168) as server:
            self.fresh()
            pipeline = self.usage(server.base, "1h", "2022-08-27")
            first, _ = self.run(pipeline, "2025-08-27")
            before = archives(f"{self.work}/out/scale/generations/000001")
            second, _ = self.run(pipeline, "2025-08-28")
            after = archives(f"{self.work}/out/scale/generations/000002")
        same = sum(after.get(path) == inode for path, inode in before.items())
        fresh = len(after.keys() - before.keys())
        lines = [("first run", f"{len(before):,}", "–", f"{first.wall:.2f}", f"{first.cpu:.2f}"),
                 ("one day more", f"{fresh:,}", f"{same:,}", f"{second.wall:.2f}", f"{second.cpu:.2f}")]
        return {"title": "Published again by links", "columns": ("3 years by the hour", "archives written", "archives linked", "wall s", "CPU s"), "lines": lines,
                "note": "Linked: the same path has the same inode in both generations, so no byte of it was written again.",
                "verdicts": [("archives of the generation before that are links, of " + f"{len(before):,}", f"{len(before):,}", f"{same:,}",
                              same == len(before) == 1096 and fresh == 1)]}

    def requests(self):
        done = subprocess.run(["swift", "test", "--skip-build", "--filter", "ForecastTests"], cwd=jobs.ROOT, capture_output=True, text=True,
                              env={**os.environ, "COGNI_PROJECTS": "5000"})
        told = re.findall(r"forecast (.*): (\d+) requests in (\d+) s; came: (\d+) in ([\d.]+) s", done.stdout)
        if done.returncode != 0 or not told:
            sys.exit(f"the forecast's test failed:\n{(done.stdout + done.stderr)[-3000:]}")
        lines, worst = [], 0.0
        for what, requests, seconds, came, took in sorted(told, key=lambda line: -int(line[1])):
            off = (int(seconds) - float(took)) / float(took)
            worst = max(worst, abs(off))
            lines.append((what, f"{int(requests):,}", f"{int(seconds):,}", f"{int(came):,}", f"{float(took):,.0f}", f"{off:+.1%}"))
        return {"title": "Requests, in virtual time", "columns": ("forecast", "requests foretold", "s foretold", "requests sent", "s taken", "off by"),
                "lines": lines, "note": "The first two: 5,000 projects, ten lists under each, 600 requests a minute, four at a time, replies of 150 to 350 ms, every 500th a 503.",
                "verdicts": [("`cogni plan`'s duration, off by", "≤ 10 %", f"{worst:.1%}", worst <= 0.1)]}


def archives(generation):
    """Path → inode of every data file."""
    found = {}
    for folder, _, names in os.walk(generation):
        for name in names:
            if name.endswith(".zst"):
                path = os.path.join(folder, name)
                found[os.path.relpath(path, generation)] = os.stat(path).st_ino
    return found


def wide_connector(base, streams):
    text = f'connector: wide\nbase_url: {base}\nauth: {{ header: Authorization, prefix: "Bearer ", variable: WIDE_KEY }}\nstreams:\n'
    for name in streams:
        text += f"""  - name: {name}
    mode: report
    path: /report/{name}
    pagination: {{ style: bucket_page, limit: 31 }}
    rows: "data[].results[]"
    window: {{ start: start_time, end: end_time, width: bucket_width, widths: [1d], default_width: 1d, lookback: 3d }}
    time: start_time
    primary_key: [start_time, project_id, user_id, api_key_id, model, batch, service_tier]
    ignored: [object, end_time, input_audio_tokens, output_audio_tokens, input_cached_tokens]
    columns:
      - {{ name: start_time, from: bucket, type: timestamp }}
      - {{ name: project_id, type: string }}
      - {{ name: user_id, type: string }}
      - {{ name: api_key_id, type: string }}
      - {{ name: model, type: string }}
      - {{ name: batch, type: boolean }}
      - {{ name: service_tier, type: string }}
      - {{ name: input_tokens, type: integer }}
      - {{ name: output_tokens, type: integer }}
      - {{ name: num_model_requests, type: integer }}
"""
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--binary", default=jobs.ROOT + "/.build/release/cogni")
    for flag in ("append", "no-document", "strict"):
        parser.add_argument("--" + flag, action="store_true")
    asked = parser.parse_args()
    for secret in ("example.keyring.json", "example.keyring.json.master"):
        os.chmod(f"{jobs.ROOT}/Fixtures/keys/{secret}", 0o644)
    results = {}
    if asked.append and os.path.exists(KEPT):
        with open(KEPT) as file:
            results = json.load(file)
    os.makedirs(os.path.dirname(KEPT), exist_ok=True)
    for part in asked.parts.split(","):
        with tempfile.TemporaryDirectory(prefix="cogni-scale-", dir=jobs.ROOT + "/.build") as work:
            results[part] = getattr(Bench(asked.binary, work), part)()
        results["taken"], results["machine"] = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()), report.machine(asked.binary)
        with open(KEPT, "w") as file:
            json.dump(results, file)
        print("\n" + results[part]["title"] + "\n" + report.plain(results[part]["columns"], results[part]["lines"]), flush=True)
    parts = [results[part] for part in PARTS if part in results]
    verdicts = [tuple(verdict) for part in parts for verdict in part["verdicts"]]
    shown = [(*verdict[:3], report.word(verdict[3])) for verdict in verdicts]
    print("\n" + report.plain(report.VERDICT_COLUMNS, shown))
    if not asked.no_document:
        text = [f"Taken on {results['taken']}. {results['machine']}", report.markdown(report.VERDICT_COLUMNS, shown)]
        for part in parts:
            text.append(f"**{part['title']}**" + (f" — {part['note']}" if part.get("note") else ""))
            text.append(report.markdown(part["columns"], part["lines"]))
        report.put("bench-scale", "\n\n".join(text))
    if asked.strict and not all(held for *_, held in verdicts):
        sys.exit(1)


main()
