#!/usr/bin/env python3
"""The same job in dlt: peer_dlt.py BASE_URL FOLDER

Pages over dlt's own REST client, one row per key, two fields as keyed hashes, one table for each UTC day, gzip NDJSON (what
its filesystem destination writes). No manifest, no checksums, no order, no sync.
"""
import datetime
import hashlib
import hmac
import os
import sys

base, folder = sys.argv[1], os.path.abspath(sys.argv[2])
os.environ["DESTINATION__FILESYSTEM__BUCKET_URL"] = f"file://{folder}/out"
os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"

import dlt  # noqa: E402  (its settings are read at import)
from dlt.sources.helpers.rest_client import RESTClient  # noqa: E402
from dlt.sources.helpers.rest_client.paginators import JSONResponseCursorPaginator  # noqa: E402

KEY = ("project_id", "user_id", "api_key_id", "model", "batch", "service_tier")
tokens = {}


def token(value):
    if value is None:
        return None
    if value not in tokens:
        tokens[value] = hmac.new(b"\1" * 32, value.encode(), hashlib.sha256).hexdigest()
    return tokens[value]


def day(row):
    return "usage_completions_" + datetime.datetime.fromtimestamp(row["start_time"], datetime.UTC).strftime("%Y%m%d")


@dlt.resource(name="usage_completions", table_name=day, write_disposition="append")
def usage():
    client = RESTClient(base, paginator=JSONResponseCursorPaginator(cursor_path="next_page", cursor_param="page"))
    seen = set()
    for page in client.paginate("organization/usage/completions", data_selector="data"):
        rows = []
        for bucket in page:
            for row in bucket["results"]:
                key = (bucket["start_time"], *(row[name] for name in KEY))
                if key in seen:
                    continue
                seen.add(key)
                rows.append(dict(row, start_time=bucket["start_time"], end_time=bucket["end_time"],
                                 user_id=token(row["user_id"]), api_key_id=token(row["api_key_id"])))
        yield rows


pipeline = dlt.pipeline("bench", destination="filesystem", dataset_name="bench", pipelines_dir=folder + "/state")
pipeline.run(usage(), loader_file_format="jsonl")
print(sum(count for name, count in pipeline.last_trace.last_normalize_info.row_counts.items() if name.startswith("usage")))
