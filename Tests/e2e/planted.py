"""What tests of leaks stand on: secrets of every class, an API that answers with nothing else, and the search for them in what was left."""

import base64
import binascii
import http.server
import json
import os
import random
import re
import string
import threading
import urllib.parse

from harness import CogniTest, opened
from receiver import Receiver

SEED = int(os.environ.get("COGNI_E2E_SEED", "20261125"))
LETTERS = string.ascii_letters + string.digits
MARK = "T3Blb" + "kFJ"


def planted(seed):
    """Class → a fresh secret of it. Put together here, so that no scanner of repositories takes this file for a leak."""
    rng = random.Random(seed)

    def some(count, letters=LETTERS):
        return "".join(rng.choice(letters) for _ in range(count - 1)) + "7"

    def part(count):
        return base64.urlsafe_b64encode(some(count).encode()).decode().rstrip("=")

    header = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode().rstrip("=")
    return {
        "openai": "sk-" + "admin-" + some(58) + MARK + some(58),
        "openai legacy": "sk-" + some(20) + MARK + some(20),
        "anthropic": "sk-ant-" + "api03-" + some(93),
        "aws": "AKIA" + "".join(rng.choice(string.ascii_uppercase + "234567") for _ in range(16)),
        "github": "gh" + "p_" + some(36),
        "gitlab": "glp" + "at-" + some(20),
        "slack": "xo" + "xb-" + some(12, string.digits) + "-" + some(24),
        "google": "AI" + "za" + some(35),
        "webhook": "whs" + "ec_" + base64.b64encode(some(24).encode()).decode().rstrip("="),
        "jwt": f"{header}.{part(40)}.{part(32)}",
        "pem": "-----BEGIN PRIVATE " + "KEY-----\n" + base64.b64encode(some(96).encode()).decode() + "\n-----END PRIVATE " + "KEY-----",
        "bearer": "Bearer " + some(40),
        "password": "postgres://app:" + some(24) + "@db.example/x",
    }


def core(secret):
    """What of a secret must not be seen: not what a mask shows of it."""
    if "PRIVATE KEY" in secret:
        return secret.split("\n")[1][8:-8]
    for around in ("://app:", "Bearer "):
        if around in secret:
            secret = secret.split(around)[1].split("@")[0]
    return secret[5:-5] if len(secret) < 40 else secret[12:-12]


def forms(text):
    value = text.encode()
    found = {value, binascii.hexlify(value), binascii.hexlify(value).upper(), urllib.parse.quote(text, safe="").encode()}
    for offset in range(3):
        whole = base64.b64encode(b"x" * offset + value)
        found.add(whole[(4 if offset else 0) : len(whole) // 4 * 4 - 4])
        found.add(whole[(4 if offset else 0) : -4].replace(b"+", b"-").replace(b"/", b"_"))
    return {form for form in found if len(form) >= 8}


def quoted(text):
    return json.dumps(text)[1:-1]


# How serializers, templates and gateways write what is no letter and no digit, when they write a text once more.
ESCAPES = {
    "json": "\\u{:04X}", "small json": "\\u{:04x}", "json in json": "\\\\u{:04x}", "script": "\\x{:02x}", "html": "&#{};", "html in hexadecimal": "&#x{:x};",
    "html in html": "&amp;#{};", "address": "%{:02X}", "address in address": "%25{:02X}", "quoted-printable": "={:02X}",
}  # fmt: skip


def escaped(text):
    """The text in each of the ways, by their names. All that stands between two escapes stays as it is."""
    return {name: re.sub(r"[^A-Za-z0-9]", lambda sign, form=form: form.format(ord(sign[0])), text) for name, form in ESCAPES.items()}


# What may stand around a secret; each takes it and gives the whole text. The same as in Tests/SanitizingTests/Samples.swift.
WRAPPINGS = {
    "bare": lambda one: one,
    "sentence": lambda one: f"the key {one} was refused",
    "json": lambda one: f'{{"key":"{quoted(one)}","n":1}}',
    "json in json": lambda one: json.dumps({"body": json.dumps({"key": one})}),
    "csv": lambda one: f'1,"{one}",2',
    "escaped line feed": lambda one: f"line\\n{one}\\nline",
    "unicode escape": lambda one: f"line\\u000a{one}\\u000a",
    "angle brackets": lambda one: f"<value>{one}</value>",
    "code quotes": lambda one: f"`{one}`",
    "parentheses": lambda one: f"error ({one})",
    "environment": lambda one: f"KEY={one}\n",
    "colour": lambda one: f"\x1b[31m{one}\x1b[0m",
    "url": lambda one: f"https://host.example/path?x=1&q={one}#end",
}
RUNS = re.compile(rb"[A-Za-z0-9+/=_%.-]{8,}")


class Product:
    """Every class in every wrapping, with a secret of its own for each input it is planted in.

    What is looked for are pieces of eight characters of a secret's core in all its encodings, so that also a part of one is found, and
    finding is one look at each place of the text, however many secrets there are.
    """

    def __init__(self, seed):
        self.seed, self.pieces, self.places, self.harmless = seed, {}, [], set()

    def plant(self, place, lines=True):
        """169 texts for an input; without `lines` each is one line. A number stands before each secret, to see that it arrived."""
        texts = []
        number = len(self.places)
        self.places.append(place)
        self.harmless.clear()
        for wrapping, wrap in WRAPPINGS.items():
            for kind, secret in planted(f"{self.seed} {place} {wrapping}").items():
                label = f"{kind}, {wrapping}, {place}"
                for form in {*forms(core(secret)), core(secret).lower().encode()}:
                    width = 16 if set(form) <= set(b"0123456789abcdefABCDEF") else 8
                    for at in range(0, len(form) - width + 1, width // 2):
                        piece = form[at : at + width]
                        # What two have in common, as heads of JWTs, is a secret of neither.
                        self.pieces[piece] = label if self.pieces.get(piece, label) == label else None
                text = wrap(secret if lines else secret.replace("\n", "\\n"))
                text = text if lines else text.replace("\n", " ")
                # The search would find it, were it let out as it came in.
                if label not in self.found(text.encode()):
                    raise AssertionError(f"{label} can't be found in its own text")
                texts.append(f"t{number}n{len(texts):03} {text}")
        return texts

    def found(self, data):
        """Class, wrapping and input of all that is in the data; never the secret."""
        found = set()
        for run in set(RUNS.findall(data)) - self.harmless:
            windows = {run[at : at + 8] for at in range(len(run) - 7)} | {run[at : at + 16] for at in range(len(run) - 15)}
            here = {self.pieces[piece] for piece in self.pieces.keys() & windows} - {None}
            found |= here
            if not here:
                self.harmless.add(run)  # commands say the same again and again
        return found

    def arrived(self, place, data):
        """How many of the input's texts the data speaks of."""
        return len(set(re.findall(rb"t%dn\d{3}(?!\d)" % self.places.index(place), data)))


class Hostile(http.server.BaseHTTPRequestHandler):
    """An admin API whose answers are full of other people's secrets."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):  # noqa: N802 - http.server's name
        api = self.server.api
        api.seen.append((self.path, dict(self.headers)))
        status, more, body = api.answer(self.path, self.headers.get("Authorization", ""))
        if api.stalls.is_set():
            api.reached.set()
            api.goes_on.wait(60)
        data = json.dumps(body).encode() if not isinstance(body, bytes) else body
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            for name, value in more.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)
        except OSError:
            pass


class API:
    def __init__(self, secrets):
        self.secrets, self.mode, self.seen = list(secrets.values()), "rows", []
        self.stalls, self.reached, self.goes_on = threading.Event(), threading.Event(), threading.Event()
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
        self.server.daemon_threads = True
        self.server.handle_error = lambda *_: None  # whoever asked is gone
        self.server.api = self
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_address[1]}/v1"

    def close(self):
        self.goes_on.set()
        self.server.shutdown()
        self.server.server_close()

    def request_id(self):
        # A header has one line; of a PEM block its first.
        return {"x-request-id": "req_" + " ".join(secret.split("\n")[0] for secret in self.secrets[:3])}

    def answer(self, path, authorization):
        if self.mode == "rows":
            return 200, self.request_id(), self.page(path)
        if self.mode == "broken":
            return 200, self.request_id(), json.dumps(self.page(path)).encode()[:-20]
        if self.mode == "html":
            return 200, {}, ("<html>" + " ".join(self.secrets)).encode()
        if self.mode == "redirect":
            return 302, {"Location": "http://127.0.0.1:1/?token=" + urllib.parse.quote(self.secrets[0])}, b""
        status = int(self.mode)
        told = "refused " + authorization + "; others: " + ", ".join(self.secrets)
        error = {"message": told, "type": self.secrets[0], "code": self.secrets[4], "param": self.secrets[9]}
        return status, {**self.request_id(), "retry-after-ms": "1"}, {"error": error}

    def report(self, path):
        """One bucket for each day asked for, with a row for each secret: as user, model and line item."""
        query = {key: values[0] for key, values in urllib.parse.parse_qs(urllib.parse.urlsplit(path).query).items()}
        start = int(query["start_time"])
        end, width = int(query.get("end_time", start + 86_400)), {"1h": 3600, "1m": 60}.get(query.get("bucket_width"), 86_400)
        buckets = []
        for at in range(start, end, width):
            if "/costs" in path:
                amount = {"value": 1, "currency": "usd"}
                rows = [{"object": "costs.result", "amount": amount, "line_item": one, "project_id": one} for one in self.secrets]
            else:
                counts = {"input_tokens": 5, "output_tokens": 6, "num_model_requests": 1, "input_cached_tokens": 0}
                rows = [{"object": "result", **counts, "user_id": one, "model": one, "project_id": None} for one in self.secrets]
            buckets.append({"object": "bucket", "start_time": at, "end_time": at + width, "results": rows})
        return {"object": "page", "data": buckets, "has_more": False, "next_page": None}

    def page(self, path):
        if "start_time" in path:
            return self.report(path)
        if "/projects" not in path:
            return {"object": "list", "data": [], "has_more": False, "first_id": None, "last_id": None}
        rows = []
        for number, secret in enumerate(self.secrets):
            rows.append(
                {
                    "id": f"proj_{number:04}", "object": "organization.project", "created_at": 1_700_000_000 + number,
                    "name": f"dev {secret} do not use", "status": "active", "archived_at": None,
                    "note": secret, "nested": {"deep": [secret, {"key": secret}]},
                }
            )  # fmt: skip
        return {"object": "list", "data": rows, "has_more": False, "first_id": "proj_0000", "last_id": rows[-1]["id"]}


class LeakTest(CogniTest):
    def setUp(self):
        super().setUp()
        print(f"seed {SEED}", flush=True)
        self.secrets = planted(SEED)
        self.own = "sk-" + "admin-" + "".join(random.Random(SEED + 1).choices(LETTERS, k=48))
        self.master = base64.b64encode(random.Random(SEED + 2).randbytes(32)).decode()
        self.api = API(self.secrets)
        self.addCleanup(self.api.close)
        # What the test writes stands apart from what cogni writes.
        self.given = self.folder / "given"
        self.work = self.folder / "work"
        self.temporary = self.folder / "tmp"
        for path in (self.given, self.work, self.temporary):
            path.mkdir(mode=0o700)
        self.output = self.work / "output"
        self.env = {
            "OPENAI_ADMIN_KEY": self.own, "OPENAI_BASE_URL": self.api.url, "COGNI_MASTER_KEY": self.master,
            "COGNI_KEY_RING": str(self.work / "ring.json"), "TMPDIR": str(self.temporary),
        }  # fmt: skip
        self.needles = {}
        for name, secret in {**self.secrets, "own key": self.own}.items():
            self.needles[name] = forms(core(secret))
        self.needles["master key"] = forms(self.master[:-1])
        self.ran = 0

    def written(self, name, text):
        path = self.given / name
        path.write_text(text, encoding="utf-8")
        return path

    def yaml(self, transform="", more="", source="", name="demo"):
        text = f"pipeline: {name}\nsource:\n  connector: openai_admin\n  base_url: ${{OPENAI_BASE_URL}}\n"
        text += "  credential: ${OPENAI_ADMIN_KEY}\n  requests_per_minute: 60000\n  retry: { budget: 1s, max_delay: 1s }\n" + source
        text += "streams:\n  projects: {}\n  users: {}\n" + transform + "load:\n  directory: output\n  compression: none\n" + more
        return self.written(f"{name}.yaml", text)

    def search(self, what, data):
        for name, needles in self.needles.items():
            for needle in needles:
                self.assertNotIn(needle, data, f"{name} is in {what}")

    def quiet(self, *arguments, env=None, expect=None):
        """Runs a command and searches what it printed."""
        done = self.cogni(*arguments, env={**self.env, **(env or {})}, expect=expect, cwd=self.work)
        self.ran += 1
        words = " ".join(map(str, arguments))
        self.search(f"stdout of {words}", done.out.encode())
        self.search(f"stderr of {words}", done.error.encode())
        return done

    def search_files(self):
        count = 0
        for folder in (self.work, self.temporary):
            for path in sorted(folder.rglob("*")):
                self.search(f"the name {path.name}", path.name.encode())
                if path.is_file() and not path.is_symlink():
                    data = path.read_bytes()
                    count += 1
                    self.search(path, data)
                    self.search(path, opened(data))
        self.assertGreater(count, 0)
        self.assertEqual(list(self.temporary.iterdir()), [], "temporary files are left")

    def assertKeyReachedTheAPI(self):  # noqa: N802
        sent = [headers.get("Authorization") for _, headers in self.api.seen]
        self.assertIn(f"Bearer {self.own}", sent, "the key never reached the process, so nothing was shown")


class SinkTest(LeakTest):
    """A pipeline with every sink there is, each heard by a receiver that answers with secrets."""

    def setUp(self):
        super().setUp()
        answer = (500, {"x-told": self.secrets["github"]}, " ".join(self.secrets.values()).encode())
        self.hook, self.gateway, self.lineage = Receiver(answer), Receiver(answer), Receiver(answer)
        for receiver in (self.hook, self.gateway, self.lineage):
            self.addCleanup(receiver.close)
        # The webhook's address is a secret, as chat services make them, and so is what signs.
        self.address = "hook-" + "Zq9" * 9
        self.signing = "whs" + "ec_" + base64.b64encode(bytes(range(90, 122))).decode()
        self.env |= {
            "HOOK": f"{self.hook.url}/{self.address}", "COGNI_WEBHOOK_SECRET": self.signing, "USER": self.secrets["gitlab"],
            "SUDO_USER": self.secrets["slack"],
        }  # fmt: skip
        self.needles |= {"webhook's address": forms(self.address), "webhook's secret": forms(core(self.signing))}
        self.whole = self.whole_yaml()

    def whole_yaml(self, name="whole", streams="  projects: {}\n  users: {}\n"):
        return self.written(
            f"{name}.yaml",
            f"""pipeline: {name}
source:
  connector: openai_admin
  base_url: ${{OPENAI_BASE_URL}}
  credential: ${{OPENAI_ADMIN_KEY}}
  requests_per_minute: 60000
  retry: {{ budget: 1s, max_delay: 1s }}
streams:
{streams}transform:
  - sanitize: {{ unknown_fields: keep }}
  - encrypt: {{ fields: [name], key_ring: "${{COGNI_KEY_RING}}" }}
load: {{ directory: output, compression: none }}
alerts:
  webhook: ${{HOOK}}
  webhook_secret: ${{COGNI_WEBHOOK_SECRET}}
  webhook_networks: [127.0.0.1]
  disable_after_failures: 50
metrics: {{ pushgateway: "{self.gateway.url}" }}
lineage: {{ file: lineage.ndjson, url: "{self.lineage.url}" }}
""",
        )
