#!/usr/bin/env python3
"""The same job by hand with DuckDB: peer_duckdb.py BASE_URL FOLDER

Pages fetched to disk, one row per key, two fields as keyed hashes, zstd NDJSON by day in key order, SHA-256 of every file
into a manifest, all synced. Two threads, like the machine that the target names.
"""
import hashlib
import json
import os
import sys
import urllib.request

import duckdb

base, folder = sys.argv[1], os.path.abspath(sys.argv[2])
os.makedirs(folder, exist_ok=True)
page, number = "", 0
while page is not None:
    url = f"{base}/organization/usage/completions" + (f"?page={page}" if page else "")
    with urllib.request.urlopen(url) as reply:
        body = reply.read()
    with open(f"{folder}/page_{number:04d}.json", "wb") as file:
        file.write(body)
    end = body[body.rindex(b'"has_more"'):].decode()
    page, number = json.loads("{" + end)["next_page"], number + 1

database = duckdb.connect()
database.execute("SET threads = 2")
token = lambda name: f"CASE WHEN {name} IS NULL THEN NULL ELSE sha256('a key that nobody knows' || {name}) END AS {name}"
database.execute(f"""
    COPY (
        WITH buckets AS (
            SELECT unnest(data, recursive := false) AS bucket
            FROM read_json('{folder}/page_*.json', maximum_object_size = 1000000000)),
        rows AS (SELECT bucket.start_time AS start_time, bucket.end_time AS end_time, unnest(bucket.results) AS row FROM buckets),
        flat AS (SELECT start_time, end_time, unnest(row) FROM rows)
        SELECT DISTINCT ON (start_time, project_id, user_id, api_key_id, model, batch, service_tier)
            to_timestamp(start_time) AS start_time, to_timestamp(end_time) AS end_time, project_id,
            {token("user_id")}, {token("api_key_id")}, model, batch, service_tier, input_tokens, num_model_requests,
            output_tokens, input_audio_tokens, output_audio_tokens, input_cached_tokens,
            CAST(to_timestamp(start_time) AS DATE) AS dt
        FROM flat ORDER BY dt, start_time, project_id, user_id, api_key_id, model, batch, service_tier)
    TO '{folder}/out' (FORMAT json, COMPRESSION zstd, PARTITION_BY (dt))
""")
manifest = []
for place, _, names in sorted(os.walk(folder + "/out")):
    for name in sorted(names):
        with open(os.path.join(place, name), "rb") as file:
            manifest.append({"path": os.path.join(place, name), "sha256": hashlib.file_digest(file, "sha256").hexdigest()})
            os.fsync(file.fileno())
with open(folder + "/manifest.json", "w") as file:
    json.dump(manifest, file)
    file.flush()
    os.fsync(file.fileno())
found = database.execute(f"SELECT count(*) FROM read_json('{folder}/out/**/*.json*', compression = 'zstd')") if "--count" in sys.argv else None
print(found.fetchone()[0] if found else len(manifest))
