"""Planted secrets, in every place that a stranger can write to, through every command and every way to fail: none comes out again.

Thirteen classes of secrets and our own key are put into reply bodies, error envelopes, headers, pipeline and connector files, the
environment, file names, arguments and a key program's complaints. Then everything that the process left is searched, in the clear and in
the usual encodings: what it printed, its output with state, staging and traces, its temporary files, its children's environment.
Each test also proves that the planted values did reach the process.
"""

import base64
import binascii
import http.server
import json
import os
import random
import shutil
import signal
import string
import subprocess
import threading
import unittest
import urllib.parse

from harness import COGNI, CogniTest, environment, opened

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

    def page(self, path):
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


class Leaks(CogniTest):
    def setUp(self):
        super().setUp()
        print(f"seed {SEED}", flush=True)
        self.secrets = planted(SEED)
        self.own = "sk-" + "admin-" + "".join(random.Random(SEED + 1).choice(LETTERS) for _ in range(48))
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

    # -- the tests --------------------------------------------------------------------------------------------------

    def test_no_command_lets_out_what_the_api_and_the_environment_hold(self):
        plain = self.yaml()
        sealed = self.yaml('transform:\n  - encrypt: { fields: [name], key_ring: "${COGNI_KEY_RING}" }\n', name="sealed")
        kept = self.yaml("transform:\n  - sanitize: { unknown_fields: keep }\n", name="kept")
        self.quiet("keys", "create", expect=0)  # proves that COGNI_MASTER_KEY reached the process: no file was made
        self.assertFalse((self.work / "ring.json.master").exists())
        for name, file in (("demo", plain), ("sealed", sealed), ("kept", kept)):
            with self.subTest(name):
                for command in ("validate", "discover", "plan"):
                    self.quiet(command, file)
                self.quiet("check", file)
                self.quiet("run", file, "--json", expect=0)
                self.quiet("run", file, "--progress", "plain", expect=0)
                self.quiet("run", file, "--dry-run", "--full-refresh")
                self.quiet("preview", file, "projects", expect=0)
                self.quiet("preview", file, "projects", "--json", expect=0)
                output = self.output / name
                for words in (["verify", output], ["history", output, "--json"], ["logs", output, "--json"], ["logs", output],
                              ["diff", output, output], ["state", "show", file], ["state", "export", file],
                              ["vacuum", output, "--keep", "1"], ["state", "rebuild", file], ["disable", file, "--reason", "x"],
                              ["run", file], ["enable", file, "--reason", "x"]):  # fmt: skip
                    self.quiet(*words)
        text = (self.at("demo").text("projects") + self.at("kept").text("projects")).count("…")
        self.assertGreaterEqual(text, 2 * len(self.secrets), "the planted values are in the rows, masked")
        self.quiet("record", plain, self.work / "recorded", expect=0)
        self.assertGreater(len(list((self.work / "recorded").rglob("*.json"))), 0)
        users = next(file["path"] for _, _, file in self.at("sealed").files("projects"))
        self.quiet("decrypt", self.at("sealed").current / users, "--reason", "a test", "--output", self.work / "out.ndjson", expect=0)
        for words in (["keys", "list"], ["keys", "rotate"], ["keys", "reencrypt", sealed], ["keys", "audit"]):
            self.quiet(*words, expect=0)
        self.assertKeyReachedTheAPI()
        self.search_files()
        self.assertGreater(self.ran, 50)

    def test_no_failure_quotes_what_it_failed_on(self):
        file = self.yaml()
        for mode in ("400", "401", "403", "404", "409", "429", "500", "503", "broken", "html", "redirect"):
            with self.subTest(mode):
                self.api.mode = mode
                done = self.quiet("run", file, "--json")
                self.assertNotEqual(done.code, 0, mode)
                for words in (["check", file], ["preview", file, "projects"], ["record", file, self.work / f"r-{mode}"],
                              ["logs", self.output / "demo"], ["history", self.output / "demo"]):  # fmt: skip
                    self.quiet(*words)
        self.assertKeyReachedTheAPI()
        self.search_files()

    def test_files_and_arguments_with_secrets_are_refused_and_not_repeated(self):
        for name, secret in {**self.secrets, "own": self.own}.items():
            flat = secret.replace("\n", "\\n")
            with self.subTest(name):
                for number, text in enumerate((
                    f'pipeline: x\nsource:\n  connector: openai_admin\n  credential: "{flat}"\n',
                    f'pipeline: x\n"{flat}": true\nsource: {{ connector: openai_admin }}\n',
                    f'pipeline: "{flat}"\nsource:\n  connector: "{flat}"\n  base_url: "https://h.example/{flat}"\n',
                    f'pipeline: x\nsource:\n  connector: openai_admin\nstreams:\n  "{flat}": {{ "{flat}": "{flat}" }}\n',
                    f'pipeline: x\nsource: [ "{flat}"\n',
                    f'pipeline: x\nsource: &a {{ x: "{flat}" }}\nload: *a\n',
                )):  # fmt: skip
                    path = self.written(f"{number}.yaml", text)
                    for form in ("text", "json", "github", "sarif") if number == 3 else ("text",):
                        self.assertEqual(self.quiet("validate", path, "--format", form).code, 2, text)
                    if number == 0:
                        self.assertEqual(self.quiet("run", path).code, 2)
                connector = self.written("c.yaml", f'connector: c\nbase_url: "{flat}"\n"{flat}": 1\nstreams:\n  - name: "{flat}"\n')
                self.quiet("discover", connector)
                self.quiet("validate", self.written("uses.yaml", f"pipeline: x\nsource:\n  connector: {connector}\n"))
                if name == "pem":
                    continue
                for words in (["run", secret], ["run", "x.yaml", "--streams", secret], ["decrypt", "x", "--reason", secret],
                              [secret], ["keys", "retire", secret]):  # fmt: skip
                    done = self.quiet(*words)
                    self.assertEqual(done.code, 2, done)
                    self.assertIn("looks like a secret", done.error)
                # Where a path comes from the environment, it is shown, and its secret is not.
                if "/" not in secret:
                    self.assertEqual(self.quiet("keys", "list", env={"COGNI_KEY_RING": f"/nowhere/{secret}/ring"}).code, 9)

    def test_a_key_program_sees_nothing_of_ours_and_its_complaints_are_cleaned(self):
        hook = self.given / "hook"
        seen = self.given / "seen"
        complaints = " ".join(self.secrets.values()).replace("\n", " ")
        hook.write_text(f"#!/bin/sh\nenv > {seen}\ntr '\\0' ' ' < /proc/$$/cmdline >> {seen}\ncat >> {seen}\necho '{complaints}' >&2\nexit 3\n")
        hook.chmod(0o700)
        env = {"COGNI_MASTER_KEY": "", "COGNI_MASTER_KEY_COMMAND": str(hook)}
        self.quiet("keys", "create", env=env, expect=9)
        data = seen.read_bytes()
        self.assertIn(b'"op":"wrap"', data, "the program was asked")
        self.assertNotIn(self.own.encode(), data)
        self.search("a child's environment", data)
        hook.write_text(f"#!/bin/sh\necho '{complaints}'\n")  # on stdout, as if it were the answer
        self.quiet("keys", "create", env=env, expect=9)
        self.search_files() if any(self.work.iterdir()) else None

    def test_proxies_and_files_that_the_environment_names_are_not_used(self):
        other = API(self.secrets)  # would answer as well, were it asked
        self.addCleanup(other.close)
        proxy = other.url.removesuffix("/v1")
        (self.given / ".netrc").write_text("machine 127.0.0.1 login someone password netrc-was-read\n")
        (self.given / ".netrc").chmod(0o600)
        keys, conf = self.given / "tls-keys", self.written("openssl.cnf", "openssl_conf = nothing\n[nothing]\nbroken = value\n")
        env = {"HOME": str(self.given), "NETRC": str(self.given / ".netrc"), "SSLKEYLOGFILE": str(keys), "OPENSSL_CONF": str(conf)}
        env |= {name: proxy for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")}
        self.quiet("run", self.yaml(), "--json", env=env, expect=0)
        self.assertKeyReachedTheAPI()
        self.assertEqual(other.seen, [], "the proxy was asked")
        self.assertEqual({headers["Authorization"] for _, headers in self.api.seen}, {f"Bearer {self.own}"})
        self.assertFalse(keys.exists())

    def test_the_running_process_shows_its_secrets_to_nobody_and_leaves_no_core(self):
        self.api.stalls.set()
        file = self.yaml()
        os.chmod(self.folder, 0o755)
        program, changed = COGNI, {}
        if os.geteuid() == 0:  # to see what others may see of it, it must not be root's
            copy = shutil.copy(COGNI, self.folder / "cogni")
            nobody = {"user": 65534, "group": 65534, "extra_groups": []}
            if subprocess.run([copy, "--version"], capture_output=True, **nobody).returncode == 0:
                program, changed = str(copy), nobody
        for path in (self.given, self.work, self.temporary):
            os.chmod(path, 0o777)
        os.chmod(file, 0o644)
        process = subprocess.Popen(
            [program, "run", str(file), "--output", "output"], cwd=self.work, env=environment(self.env), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            **changed,
        )  # fmt: skip
        try:
            self.assertTrue(self.api.reached.wait(60), "no request came")
            with open(f"/proc/{process.pid}/cmdline", "rb") as arguments:
                self.search("the arguments", arguments.read())
            with open(f"/proc/{process.pid}/limits") as limits:
                line = next(line for line in limits if line.startswith("Max core file size"))
            self.assertEqual(line.split()[4:6], ["0", "0"])
            # The kernel gives the files of a process that may not be looked at to root.
            self.assertEqual(os.stat(f"/proc/{process.pid}/environ").st_uid, 0)
        finally:
            process.send_signal(signal.SIGABRT)
            out, error = process.communicate(timeout=60)
        self.assertEqual(process.returncode, -signal.SIGABRT)
        self.search("stdout", out)
        self.search("stderr", error)
        self.assertKeyReachedTheAPI()
        self.assertEqual([path for path in self.work.rglob("core*")], [])
        self.search_files()


if __name__ == "__main__":
    unittest.main()
