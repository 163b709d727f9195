#!/usr/bin/env python3
"""Writes the pages of a made-up hourly usage report for the benchmark: make_pages.py FOLDER HOURS ROWS_PER_HOUR

Seeded, so that everyone measures the same bytes. A page holds 24 hours; two rows in a hundred come twice.
Prints one line: pages, rows with and without repeats, bytes, first and last hour.
"""
import json
import os
import random
import string
import sys

START = 1760918400  # 2025-10-20T00:00:00Z
HOURS_A_PAGE = 24
MODELS = ["gpt-5-2026-01-15", "gpt-5-mini-2026-01-15", "gpt-4.1-2025-04-14", "o3-2025-04-16", "o4-mini-2025-04-16"]
TIERS = ["default", "priority", "flex"]


def main():
    folder, hours, rows_an_hour = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    dice = random.Random(20261123)
    letters = string.ascii_letters + string.digits
    name = lambda prefix, length: prefix + "".join(dice.choices(letters, k=length))
    projects = [name("proj_", 24) for _ in range(40)]
    users = [name("user-", 24) for _ in range(300)]
    keys = [name("key_", 16) for _ in range(800)]
    places = set()
    while len(places) < rows_an_hour:
        places.add((dice.choice(projects), dice.choice(users), dice.choice(keys), dice.choice(MODELS),
                    dice.random() < 0.1, dice.choice(TIERS)))
    places = sorted(places)
    dice.shuffle(places)
    os.makedirs(folder, exist_ok=True)
    sent = size = 0
    pages = [range(at, min(at + HOURS_A_PAGE, hours)) for at in range(0, hours, HOURS_A_PAGE)]
    for number, page in enumerate(pages):
        buckets = []
        for hour in page:
            rows = []
            for project, user, key, model, batch, tier in places:
                tokens = int(dice.expovariate(1 / 20000))
                rows.append({
                    "object": "organization.usage.completions.result", "input_tokens": tokens,
                    "output_tokens": int(tokens * dice.random() / 2), "input_cached_tokens": tokens // 3,
                    "input_audio_tokens": 0, "output_audio_tokens": 0, "num_model_requests": 1 + tokens // 900,
                    "project_id": project, "user_id": user, "api_key_id": key, "model": model, "batch": batch,
                    "service_tier": tier})
                if dice.random() < 0.02:
                    rows.append(rows[-1])
            sent += len(rows)
            start = START + hour * 3600
            buckets.append({"object": "bucket", "start_time": start, "end_time": start + 3600, "results": rows})
        more = number + 1 < len(pages)
        body = json.dumps({"object": "page", "data": buckets, "has_more": more,
                           "next_page": f"page_{number + 1}" if more else None}, separators=(",", ":"))
        with open(os.path.join(folder, f"page_{number}.json" if number else "first.json"), "w") as file:
            file.write(body)
        size += len(body)
    print(f"pages={len(pages)} rows={sent} distinct={hours * rows_an_hour} bytes={size} hours={hours}")


main()
