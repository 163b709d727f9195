"""An HTTP server that remembers what it was sent, and answers as a test wants. Standard library only."""

import http.server
import threading
import time


class Receiver:
    """`answers`: a status, or a function of the request's number that gives a status, a (status, headers, body), or "hang"."""

    def __init__(self, answers=200, date=None):
        self.requests = []
        self.answers = answers
        self.release = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # noqa: N802 - the library's name
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                outer.requests.append({"path": self.path, "headers": {k.lower(): v for k, v in self.headers.items()}, "body": body,
                                       "at": time.time()})
                number = len(outer.requests)
                answer = outer.answers(number) if callable(outer.answers) else outer.answers
                if answer == "hang":
                    outer.release.wait(60)
                    self.close_connection = True
                    return
                status, headers, body = answer if isinstance(answer, tuple) else (answer, {}, b"{}")
                try:
                    self.send_response(status)
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True

            def do_GET(self):  # noqa: N802
                self.do_POST()

            def date_time_string(self, timestamp=None):
                return date or super().date_time_string(timestamp)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def wait(self, count, seconds=60):
        end = time.monotonic() + seconds
        while len(self.requests) < count:
            if time.monotonic() > end:
                raise AssertionError(f"{len(self.requests)} of {count} requests came within {seconds} s")
            time.sleep(0.02)

    def close(self):
        self.release.set()
        self.server.shutdown()
        self.server.server_close()
