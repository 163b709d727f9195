"""A receiver of signed events: keeps what is signed with COGNI_WEBHOOK_SECRET, refuses the rest. Its address is its argument's file."""

import base64
import hashlib
import hmac
import http.server
import os
import sys

SECRET = base64.b64decode(os.environ["COGNI_WEBHOOK_SECRET"].removeprefix("whsec_"))


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):  # noqa: N802 - the library's name
        body = self.rfile.read(int(self.headers["content-length"]))
        signed = f"{self.headers['webhook-id']}.{self.headers['webhook-timestamp']}.".encode() + body
        code = base64.b64encode(hmac.new(SECRET, signed, hashlib.sha256).digest()).decode()
        good = any(hmac.compare_digest(one, f"v1,{code}") for one in self.headers["webhook-signature"].split(" "))
        with open(sys.argv[1] + ".events", "a", encoding="utf-8") as file:
            file.write(f"{'signed' if good else 'FORGED'} {body.decode()}\n")
        self.send_response(204 if good else 401)
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
with open(sys.argv[1], "w", encoding="utf-8") as file:
    file.write(f"http://127.0.0.1:{server.server_address[1]}/hook")
server.serve_forever()
