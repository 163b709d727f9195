"""An API of a few lines, for tests that must hold a reply back, or send bytes that no decent service would send."""

import http.server
import json
import threading
import time
import urllib.parse

CONNECTOR = """
connector: {name}
version: 1
base_url: https://api.{name}.example/v1
auth: {{ header: Authorization, prefix: "Bearer ", variable: PLAIN_KEY }}
streams:
  - name: things
    mode: snapshot
    path: /things
    pagination: {{ style: none }}
    primary_key: [id]
    columns:
      - {{ name: id, type: string }}
      - {{ name: name, type: string, nullable: true }}
      - {{ name: size, type: integer, nullable: true }}
      - {{ name: price, type: decimal, nullable: true }}
      - {{ name: more, type: json, nullable: true }}
  - name: parts
    mode: snapshot
    path: /things/{{thing_id}}/parts
    parents: [{{ parameter: thing_id, of: things.id }}]
    absent: empty
    pagination: {{ style: none }}
    primary_key: [thing_id, id]
    columns:
      - {{ name: thing_id, from: thing_id, type: string }}
      - {{ name: id, type: string }}
  - name: events
    mode: log
    path: /events
    pagination: {{ style: cursor_after_last_id, limit: 100 }}
    window: {{ start: from, end: to, history: 30d }}
    time: at
    primary_key: [id]
    columns:
      - {{ name: id, type: string }}
      - {{ name: at, type: timestamp }}
      - {{ name: note, type: string, nullable: true }}
  - name: sales
    mode: report
    path: /sales
    pagination: {{ style: bucket_page, limit: {{ 1h: 168, 1d: 31 }} }}
    rows: "data[].results[]"
    window: {{ start: from, end: to, width: bucket, widths: [1h, 1d], default_width: 1h, lookback: 3h, history: 2d }}
    time: start_time
    primary_key: [start_time]
    columns:
      - {{ name: start_time, from: bucket, type: timestamp }}
      - {{ name: end_time, from: bucket, type: timestamp }}
      - {{ name: copies, type: integer }}
"""


def page(*rows):
    return json.dumps({"data": list(rows)}, ensure_ascii=False).encode()


class PlainAPI:
    """Answers by `pages`: path below the base URL → bytes, or a function of the query that gives bytes or
    (status, headers, bytes). While `gate` is closed every reply waits. `asked` are the requests, in order."""

    def __init__(self, pages):
        self.pages, self.asked = pages, []
        self.gate = threading.Event()
        self.gate.set()
        api = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):  # noqa: N802
                raw, _, query = self.path.partition("?")
                api.asked.append(raw)
                api.gate.wait()
                answer = api.pages.get(raw.removeprefix("/v1"), b'{"data":[]}')
                if callable(answer):
                    answer = answer(dict(urllib.parse.parse_qsl(query)))
                status, headers, body = answer if isinstance(answer, tuple) else (200, {}, answer)
                try:
                    self.send_response_only(status)  # without a Date: the clock under test is the only one
                    for name, value in {"Content-Type": "application/json", **headers}.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # whoever asked is gone

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 128

        self.server = Server(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    @property
    def environment(self):
        return {"PLAIN_URL": f"http://127.0.0.1:{self.server.server_address[1]}/v1", "PLAIN_KEY": "plain-key"}

    def close(self):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()


class PlainTest:
    """For a CogniTest: a connector and a pipeline on a `PlainAPI`."""

    def api(self, pages):
        api = PlainAPI(pages)
        self.addCleanup(api.close)
        return api

    def plain(self, streams="things: {}", load="", more="", name="demo", file=None, connector="plain", source=""):
        (self.folder / f"{connector}.connector.yaml").write_text(CONNECTOR.format(name=connector), encoding="utf-8")
        text = f"pipeline: {name}\n{more}\nsource:\n  connector: {connector}.connector.yaml\n  base_url: ${{PLAIN_URL}}\n"
        text += "  credential: ${PLAIN_KEY}\n" + "".join(f"  {line}\n" for line in source.splitlines())
        text += "streams:\n" + "".join(f"  {line}\n" for line in streams.strip().splitlines())
        if load:
            text += "load:\n" + "".join(f"  {line}\n" for line in load.strip().splitlines())
        path = self.folder / (file or f"{name}.yaml")
        path.write_text(text, encoding="utf-8")
        return path

    def go(self, pipeline, api, *more, now="2026-11-20T12:00:00Z", expect=0, output=None, env=None, **rest):
        """Runs it; `now=None` leaves "now" to the clock."""
        arguments = ["run", pipeline, "--output", output or self.output, "--json", *more]
        arguments += ["--now", now] if now else []
        return self.cogni(*arguments, expect=expect, env={**api.environment, **(env or {})}, **rest)

    def begin(self, pipeline, api, *more, now="2026-11-20T12:00:00Z", output=None, env=None):
        arguments = ["run", pipeline, "--output", output or self.output, "--json", *more, *(["--now", now] if now else [])]
        return self.start(*arguments, env={**api.environment, **(env or {})})

    def wait(self, condition, process=None, what=""):
        """Until the condition holds; a process that ends before is a failure."""
        deadline = time.monotonic() + 60
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"waited in vain {what}")
            if process is not None and process.poll() is not None and not condition():
                self.fail(f"the process ended {what}: {process.communicate()}")
            time.sleep(0.005)

    def held(self, pipeline, api, **rest):
        """A run whose first request waits at the closed gate."""
        api.gate.clear()
        before = len(api.asked)
        process = self.begin(pipeline, api, **rest)
        self.wait(lambda: len(api.asked) > before, process, "for a request")
        self.wait(lambda: self.has_begun(rest.get("output")), process, "for the run to begin")
        return process

    def has_begun(self, output=None):
        """Whether the run is on record and its streams have begun: a new output's first request is sent before that."""
        return any((output or self.output).glob("*/.staging/*"))
