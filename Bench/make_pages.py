#!/usr/bin/env python3
"""Writes the pages of a made-up hourly usage report for the benchmark: make_pages.py FOLDER HOURS ROWS_PER_HOUR

A page holds 24 hours. Prints one line: pages, rows with and without repeats, bytes, hours.
"""
import os
import sys

import pages

HOURS_A_PAGE = 24


def main():
    folder, hours, rows_an_hour = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    report = pages.Report(rows_an_hour)
    os.makedirs(folder, exist_ok=True)
    sent = size = 0
    spans = [range(at, min(at + HOURS_A_PAGE, hours)) for at in range(0, hours, HOURS_A_PAGE)]
    for number, span in enumerate(spans):
        buckets = []
        for hour in span:
            rows = report.rows()
            sent += len(rows)
            start = pages.START + hour * 3600
            buckets.append({"object": "bucket", "start_time": start, "end_time": start + 3600, "results": rows})
        more = number + 1 < len(spans)
        body = pages.compact({"object": "page", "data": buckets, "has_more": more,
                              "next_page": f"page_{number + 1}" if more else None})
        with open(os.path.join(folder, f"page_{number}.json" if number else "first.json"), "w") as file:
            file.write(body)
        size += len(body)
    print(f"pages={len(spans)} rows={sent} distinct={hours * rows_an_hour} bytes={size} hours={hours}")


main()
