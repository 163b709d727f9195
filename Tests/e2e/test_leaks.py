"""Planted secrets, in every place that a stranger can write to, through every command and every way to fail: none comes out again.

Thirteen classes of secrets and our own key are put into reply bodies, error envelopes, headers, pipeline and connector files, the
environment, file names, arguments and a key program's complaints. Then everything that the process left is searched, in the clear and in
the usual encodings: what it printed, its output with state, staging and traces, its temporary files, its children's environment.
Each test also proves that the planted values did reach the process.
"""

import os
import shutil
import signal
import subprocess
import unittest

from harness import COGNI, environment
from planted import API, LeakTest, escaped


class Leaks(LeakTest):
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

    def test_our_own_key_with_escaped_punctuation_is_in_no_row_and_no_recording(self):
        file = self.yaml()
        for name, text in escaped(self.own).items():
            with self.subTest(name):
                row = {"id": "proj_1", "object": "organization.project", "created_at": 1_700_000_000, "archived_at": None, "status": "active"}
                body = {"object": "list", "data": [{**row, "name": f'{{"k":"{text}"}}', "note": f"got {text}"}], "has_more": False, "first_id": "a", "last_id": "a"}
                self.api.answer = lambda path, _, body=body: (200, {"x-request-id": f"r {text}"}, body)
                done = self.quiet("run", file, "--json", "--streams", "projects", expect=5)
                self.assertIn("column name of stream projects holds what looks like a secret (OPENAI_ADMIN_KEY)", done.error)
                self.assertFalse((self.output / "demo/current").exists(), "nothing is published")
                self.quiet("preview", file, "projects")
                self.quiet("record", file, self.work / f"recorded-{name.replace(' ', '-')}", "--streams", "projects", expect=0)
        self.assertKeyReachedTheAPI()
        self.search_files()
        self.assertIn("[OPENAI_ADMIN_KEY]", next((self.work / "recorded-json").rglob("projects/*.json")).read_text())

    def test_our_own_key_where_a_message_is_cut_shows_no_part_of_it(self):
        # Like nobody's key: known as ours, or not at all.
        own = "correct.horse_battery.staple_and.a_few.more_words.of_it"
        self.needles["own key of words"] = {own[:24].encode()}
        file = self.yaml()
        error = {"error": {"message": "no", "type": "x"}}
        for count in range(136, 204, 4):
            self.api.answer = lambda *_, count=count: (400, {"x-request-id": "r" * count + " " + own}, error)
            done = self.quiet("run", file, "--json", env={"OPENAI_ADMIN_KEY": own})
            self.assertIn("r" * 136, done.out)
        self.assertIn(f"Bearer {own}", [headers.get("Authorization") for _, headers in self.api.seen])
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

    def test_no_command_loads_what_the_environment_tells_openssl_to_load(self):
        """A provider of somebody else's would run in the process that holds the data keys."""
        mark, library = self.given / "was-loaded", self.given / "provider.so"
        source = self.written("provider.c", f"""
            #include <fcntl.h>
            __attribute__((constructor)) static void loaded(void) {{ open("{mark}", O_CREAT | O_WRONLY, 0600); }}
        """)
        compiler = shutil.which("clang") or shutil.which("cc")
        if compiler is None:
            self.skipTest("no C compiler")
        subprocess.run([compiler, "-shared", "-fPIC", "-o", library, source], check=True, capture_output=True)
        conf = self.written("openssl.cnf", f"""
            openssl_conf = all
            [all]
            providers = some
            [some]
            default = usual
            other = planted
            [usual]
            activate = 1
            [planted]
            module = {library}
            activate = 1
        """.replace("            ", ""))
        env = {"OPENSSL_CONF": str(conf), "OPENSSL_MODULES": str(self.given)}
        openssl = shutil.which("openssl")
        if openssl:  # the file is one that OpenSSL follows
            subprocess.run([openssl, "list", "-providers"], env={**os.environ, **env}, capture_output=True)
            self.assertTrue(mark.exists())
            mark.unlink()
        self.quiet("keys", "create", env={"COGNI_KEY_RING": str(self.given / "ring.json"), **env})
        self.quiet("run", self.yaml(), "--json", env=env, expect=0)
        self.assertFalse(mark.exists())

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
