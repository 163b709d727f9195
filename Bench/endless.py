#!/usr/bin/env python3
"""A report without end, on loopback: endless.py ROWS_PER_BUCKET [BUCKETS_PER_PAGE]

Answers every path with the buckets between `start_time` and `end_time`, `bucket_width` wide, a page at a time. The rows of 24
buckets are made once and repeat; only the times are new, so that a row costs the server next to nothing and 15 million
of them need no disk. Prints its port on the first line; ends when its standard input is closed.
"""
import http.server
import sys
import threading
from urllib.parse import parse_qs, urlsplit

import pages

WIDTHS = {"1m": 60, "1h": 3600, "1d": 86400}
rows_a_bucket = int(sys.argv[1])
most_buckets = int(sys.argv[2]) if len(sys.argv) > 2 else 24
report = pages.Report(rows_a_bucket)
bodies = [pages.compact(report.rows()).encode() for _ in range(24)]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16

    def do_GET(self):
        asked = {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()}
        width = WIDTHS[asked.get("bucket_width", "1d")]
        start, end = int(asked["start_time"]), int(asked["end_time"])
        first = int(asked["page"].removeprefix("page_")) if "page" in asked else start
        last = min(end, first + width * min(most_buckets, int(asked.get("limit", most_buckets))))
        parts = [b'{"object":"page","data":[']
        for at in range(first, last, width):
            head = b'%s{"object":"bucket","start_time":%d,"end_time":%d,"results":'
            parts += [head % (b"," if at > first else b"", at, at + width), bodies[at // width % 24], b"}"]
        parts.append(b'],"has_more":true,"next_page":"page_%d"}' % last if last < end
                     else b'],"has_more":false,"next_page":null}')
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(sum(map(len, parts))))
        self.end_headers()
        for part in parts:
            self.wfile.write(part)
        self.wfile.flush()

    def log_message(self, *arguments):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()
print(server.server_address[1], flush=True)
sys.stdin.read()
