"""Key rings in an operator's hands: where master keys come from, rotation, re-encryption, retirement, and the trail of openings."""

import base64
import json
import os
import pty
import re
import shutil
import signal
import subprocess
import unittest

from harness import COGNI, FIXTURE, CogniTest, content, environment

STREAMS = """
usage_completions: { since: 2025-11-01, group_by: [project_id, user_id, api_key_id, model, batch, service_tier, api_source] }
costs: { since: 2025-11-01, group_by: [project_id, line_item] }
users: {}
projects: {}
audit_logs: { since: 2025-11-01 }
"""
SEAL = '- encrypt: { fields: ["domain:user", "domain:email", "domain:person"], mode: %s, key_ring: "${COGNI_KEY_RING}" }'
TOKEN = re.compile(rb"ef1\.[sgh]\.([a-z2-7]{10})\.")
KMS = """#!/bin/sh
read line
data=$(printf '%s' "$line" | sed 's/.*"data":"\\([^"]*\\)".*/\\1/')
case "$line" in
  *'"op":"wrap"'*|*'"op":"unwrap"'*) printf '{"ok":true,"data":"%s"}\\n' "$(printf '%s' "$data" | tr 'A-Za-z' 'a-zA-Z')" ;;
  *) exit 3 ;;
esac
"""


class KeyTest(CogniTest):
    def setUp(self):
        super().setUp()
        self.place = self.folder / "keys"
        self.place.mkdir(mode=0o700)
        self.path = self.place / "ring.json"
        self.env = {"COGNI_KEY_RING": str(self.path)}
        self.cogni("keys", "create", env=self.env, expect=0)

    def keys(self, *arguments, expect=0, env=None, **rest):
        done = self.cogni("keys", *arguments, "--json", env={**self.env, **(env or {})}, expect=expect, **rest)
        return json.loads(done.out) if expect == 0 else done

    def private(self, name, text, mode=0o600):
        path = self.place / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def sealed(self, mode="deterministic", streams=STREAMS, load="", expect=0, more=(), env=None):
        self.pipeline_file = self.pipeline(streams, name="sealed", transform=SEAL % mode, load=load)
        done = self.replay(self.pipeline_file, *more, env={**self.env, **(env or {})}, expect=expect)
        self.summary = json.loads(done.out) if done.out else None
        return done if expect else self.at("sealed")

    def kids(self, output):
        """Path → keys of the tokens inside, of every file of the current generation."""
        return {
            file["path"]: {kid.decode() for kid in TOKEN.findall(content(output.current / file["path"]))}
            for _, _, file in output.files()
        }

    def assertKeysNoted(self, output):  # noqa: N802
        noted = {file["path"]: file.get("key_id") for _, _, file in output.files()}
        for path, kids in self.kids(output).items():
            self.assertLessEqual(len(kids), 1, f"{path} mixes keys")
            if kids:
                self.assertEqual(noted[path], kids.pop(), path)
        crypto = output.manifest["crypto"]
        self.assertEqual([key["kid"] for key in crypto["keys"]], output.manifest["key_ids"])
        self.assertLessEqual(set(filter(None, noted.values())), set(output.manifest["key_ids"]))

    def opened(self, output, stream, *more):
        """The stream's rows in the clear, sorted."""
        paths = [output.current / file["path"] for _, _, file in output.files(stream)]
        done = self.cogni("decrypt", *paths, "--reason", "test", *more, env=self.env, expect=0)
        self.assertNotRegex(done.out, r"ef1\.s\.", f"a token of {stream} stayed sealed")
        return sorted(done.out.splitlines())


class MasterKeys(KeyTest):
    def test_a_new_master_key_changes_no_byte_of_the_output_and_the_old_one_opens_nothing(self):
        output = self.sealed()
        before = output.tree()
        old_ring, old_master = self.path.read_bytes(), (self.place / "ring.json.master").read_bytes()
        kids = [key["kid"] for key in self.keys("list")["keys"]]
        made = self.keys("rewrap")
        self.assertEqual([key["kid"] for key in made["keys"]], kids)
        self.assertEqual(made["generation"], 2)
        self.assertEqual(sorted(path.name for path in self.place.iterdir()), ["ring.json", "ring.json.master"])
        self.assertEqual(output.tree(), before)
        self.sealed()
        self.assertEqual(self.summary["outcome"], "unchanged")
        self.assertEqual(output.tree(), before)
        self.assertNotEqual((self.place / "ring.json.master").read_bytes(), old_master)
        wrong = self.private("old", old_master.decode())
        done = self.keys("list", env={"COGNI_MASTER_KEY_FILE": str(wrong)}, expect=9)
        self.assertIn("is not the one that this key ring was made with", done.error)
        self.assertNotIn(json.loads(old_ring)["deks"][0]["wrapped"][0]["blob"], self.path.read_text())

    def test_the_ring_moves_between_file_command_credential_and_descriptor(self):
        kid = self.keys("list")["keys"][0]["kid"]
        key = base64.b64encode(bytes(range(40, 72))).decode()
        one = self.private("one", key + "\n")
        self.keys("rewrap", "--to-file", one)
        at_file = {"COGNI_MASTER_KEY_FILE": str(one)}
        self.assertEqual(self.keys("list", env=at_file)["keys"][0]["kid"], kid)
        self.keys("list", expect=9)  # what lies beside the ring opens it no more
        hook = self.private("kms", KMS, 0o700)
        self.keys("rewrap", "--to-command", hook, env=at_file)
        at_hook = {"COGNI_MASTER_KEY_COMMAND": str(hook)}
        self.keys("rewrap", env=at_hook)  # the KMS wraps a fresh key
        self.keys("list", env=at_file, expect=9)
        credentials = self.folder / "credentials"
        credentials.mkdir(mode=0o700)
        (credentials / "cogni-master-key").write_bytes(bytes(range(200, 232)))
        (credentials / "cogni-master-key").chmod(0o440)  # as systemd leaves it
        at_credential = {"CREDENTIALS_DIRECTORY": str(credentials)}
        self.keys("rewrap", "--to-credential", "cogni-master-key", env={**at_hook, **at_credential})
        self.assertEqual(self.keys("list", env=at_credential)["keys"][0]["kid"], kid, "the usual name needs no variable")
        self.keys("list", env={**at_credential, "COGNI_MASTER_KEY_CREDENTIAL": "cogni-master-key"})
        for bad in ("../ring.json", "none"):
            self.keys("list", env={**at_credential, "COGNI_MASTER_KEY_CREDENTIAL": bad}, expect=9)
        with open(one, "rb") as file:
            self.keys("rewrap", "--to-fd", str(file.fileno()), env=at_credential, descriptors=[file.fileno()])
        with open(one, "rb") as file:
            at_descriptor = {"COGNI_MASTER_KEY_FD": str(file.fileno())}
            self.assertEqual(self.keys("rotate", env=at_descriptor, descriptors=[file.fileno()])["keys"][0]["kid"], kid)
        self.keys("list", env=at_file)  # it is the same key, after all
        self.assertIn("is not open", self.keys("list", env={"COGNI_MASTER_KEY_FD": "9"}, expect=9).error)
        self.assertIn("a number above 2", self.keys("list", env={"COGNI_MASTER_KEY_FD": "1"}, expect=9).error)

    def test_an_open_key_is_not_inherited_by_the_programs_that_cogni_starts(self):
        hook = self.private("hook", "#!/bin/sh\nls -l /proc/self/fd > " + str(self.place / "seen") + "\nexit 1\n", 0o700)
        with open(self.place / "ring.json.master", "rb") as file:
            self.keys(
                "rewrap", "--to-command", hook, expect=9, descriptors=[file.fileno()],
                env={"COGNI_MASTER_KEY_FD": str(file.fileno())},
            )  # fmt: skip
        seen = (self.place / "seen").read_text()
        self.assertIn("/proc/", seen)
        self.assertNotIn("ring.json.master", seen)

    def test_a_key_command_is_started_with_signals_as_a_shell_hands_them_out(self):
        seen = self.place / "seen"
        hook = self.private("kms", KMS.replace("read line", f"grep -E 'Sig(Blk|Ign)' /proc/self/status > {seen}\nread line"), 0o700)
        self.keys("rewrap", "--to-command", hook)
        command = [COGNI, "keys", "list", "--json"]
        env = environment({**self.env, "COGNI_MASTER_KEY_COMMAND": str(hook)})

        def ignore():
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)

        # Whoever started cogni ignores the ends of children: ours are ours all the same.
        done = subprocess.run(command, env=env, capture_output=True, text=True, preexec_fn=ignore, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        lines = dict(line.split() for line in seen.read_text().splitlines())
        ours = (1 << 31) - 1  # above are those of the C library
        self.assertEqual({int(mask, 16) & ours for mask in lines.values()}, {0}, lines)

    def test_files_that_others_can_reach_are_refused_each_in_its_own_words(self):
        texts = set()
        for name in ("ring.json", "ring.json.master"):
            path = self.place / name

            def refused(what):
                done = self.keys("list", expect=9)
                self.assertIn(what, done.error)
                self.assertIn("mend:", done.error)
                texts.add(done.error.replace(str(self.place), ""))

            for mode, what in ((0o640, "read by others"), (0o604, "read by others"), (0o620, "written by others")):
                path.chmod(mode)
                refused(what)
            path.chmod(0o600)
            path.rename(self.place / "real")
            path.symlink_to(self.place / "real")
            refused("is a symbolic link")
            path.unlink()
            (self.place / "real").rename(path)
            if os.geteuid() == 0:
                os.chown(path, 12345, 12345)
                refused("belongs to another user")
                os.chown(path, 0, 0)
            self.keys("list")
        self.assertGreaterEqual(len(texts), 8)


class Epochs(KeyTest):
    def test_after_a_rotation_no_file_mixes_keys_and_lists_see_no_change(self):
        simulator = self.simulator()
        streams = STREAMS.replace("2025-11-01", "2026-11-10")
        pipeline = self.pipeline(streams, name="sealed", transform=SEAL % "deterministic", load="compression: none")
        self.live(pipeline, simulator, env=self.env, since=None)
        output = self.at("sealed")
        names = ("users", "usage_completions", "audit_logs")
        clear = {name: self.opened(output, name) for name in names}
        rows = {name: len(output.rows(name)) for name in names}
        self.assertTrue(all(rows.values()), rows)
        old, = output.manifest["key_ids"]
        new = next(key["kid"] for key in self.keys("rotate")["keys"] if key["state"] == "active")
        summary = json.loads(self.live(pipeline, simulator, env=self.env, since=None).out)
        self.assertEqual(summary["outcome"], "published")
        self.assertKeysNoted(output)
        self.assertEqual(output.manifest["key_ids"], [old, new])
        self.assertEqual([key["epoch"] for key in output.manifest["crypto"]["keys"]], [1, 2])
        kids = self.kids(output)
        self.assertEqual({kid for path, found in kids.items() if path.startswith("users/") for kid in found}, {new})
        reports = {kid for path, found in kids.items() if path.startswith("usage") for kid in found}
        self.assertEqual(reports, {old, new}, "days that were not read again keep their tokens")
        self.assertIsNone(output.stream("users_changes"), "nobody was added or removed")
        for name in names:
            self.assertEqual(self.opened(output, name), clear[name], name)
        notes = [note for stream in summary["streams"] for note in stream["notes"] if "do not join" in note]
        self.assertTrue(notes and old in notes[0] and new in notes[0], summary)
        self.cogni("verify", output.path, expect=0)
        # And from here on all of it under the new key.
        self.cogni("keys", "reencrypt", pipeline, "--output", self.output, env=self.env, expect=0)
        self.assertEqual(output.manifest["key_ids"], [new])
        self.assertEqual({kid for found in self.kids(output).values() for kid in found}, {new})
        for name in names:
            self.assertEqual(self.opened(output, name), clear[name], name)

    def test_reencryption_gives_every_token_the_new_key_and_keeps_every_row(self):
        for load in ("compression: none", "format: csv"):
            with self.subTest(load):
                shutil.rmtree(self.output, ignore_errors=True)
                output = self.sealed(load=load)
                clear = {name: self.opened(output, name) for name in ("users", "usage_completions", "audit_logs", "costs")}
                rows = {(name, part): 0 for name, part, _ in output.files()}
                for name, part, file in output.files():
                    rows[name, part] += file["rows"]
                inodes, before = output.inodes(), output.manifest
                new = next(key["kid"] for key in self.keys("rotate")["keys"] if key["state"] == "active")
                done = self.cogni(
                    "keys", "reencrypt", self.pipeline_file, "--output", self.output, "--json", env=self.env, expect=0
                )
                told = json.loads(done.out)
                self.assertTrue(told["published"], told)
                self.assertEqual(output.manifest["key_ids"], [new])
                self.assertKeysNoted(output)
                self.assertEqual({kid for found in self.kids(output).values() for kid in found}, {new})
                now = {(name, part): 0 for name, part, _ in output.files()}
                for name, part, file in output.files():
                    now[name, part] += file["rows"]
                self.assertEqual(now, rows)
                for name, found in clear.items():
                    self.assertEqual(self.opened(output, name), found, name)
                for stream in before["streams"]:
                    other = output.stream(stream["name"])
                    for fact in ("watermark", "coverage", "primary_key", "mode", "rows"):
                        self.assertEqual(other.get(fact), stream.get(fact))
                same = output.inodes()
                self.assertEqual({path: same.get(path) for path in inodes if path.startswith("projects/")},
                                 {path: inode for path, inode in inodes.items() if path.startswith("projects/")}, "hard links")  # fmt: skip
                changed = {change["stream"] for change in output.changes}
                self.assertTrue({"users", "usage_completions"} <= changed and "projects" not in changed, changed)
                for change in output.changes:
                    self.assertEqual(sum(file["rows"] for file in change["add"]), change["rows"])
                self.cogni("verify", output.path, expect=0)
                again = self.cogni("keys", "reencrypt", self.pipeline_file, "--output", self.output, "--json", env=self.env, expect=0)
                self.assertFalse(json.loads(again.out)["published"])
                self.sealed(load=load)
                self.assertEqual(self.summary["outcome"], "unchanged", "a run goes on as if it had been the key all along")

    def test_restated_values_change_their_key_with_their_report_and_can_be_opened(self):
        simulator = self.simulator()
        streams = "usage_completions: { since: 2026-11-12, group_by: [project_id, user_id, model] }\nusers: {}"
        transform = '- encrypt: { fields: ["domain:user", num_model_requests, input_tokens], key_ring: "${COGNI_KEY_RING}" }'
        names, clear, counts = ("usage_completions", "usage_completions_restatements"), {}, {}
        pipelines = {
            load: self.pipeline(streams, name=load, transform=transform, load=f"format: {load}\ncompression: none") for load in ("ndjson", "csv")
        }
        for file in pipelines.values():
            self.live(file, simulator, env=self.env, since=None)
        simulator.change(restate="larger", stream="*", **{"from": "2026-11-17T00:00:00Z", "until": "2026-11-19T00:00:00Z"})
        for load, file in pipelines.items():
            self.live(file, simulator, env=self.env, since=None, now="2026-11-20T18:00:00Z")
            clear[load] = {name: self.opened(self.at(load), name) for name in names}
            counts[load] = len(self.at(load).rows(names[1]))
        self.assertGreater(counts["ndjson"], 0, "nothing was restated")
        sealed = [row for row in self.at("ndjson").rows(names[1]) if row["measure"] in ("num_model_requests", "input_tokens")]
        self.assertTrue(sealed and all(TOKEN.match(row[side].encode()) for row in sealed for side in ("old_value", "new_value") if row[side]), sealed)
        opened = [json.loads(row) for row in clear["ndjson"][names[1]]]
        told = [row for row in opened if row["measure"] == "input_tokens" and row["change"] == "changed"]
        self.assertTrue(told and all(int(row["new_value"]) > int(row["old_value"]) for row in told), told)
        new = next(key["kid"] for key in self.keys("rotate")["keys"] if key["state"] == "active")
        for load, file in pipelines.items():
            output = self.at(load)
            self.cogni("keys", "reencrypt", file, "--output", self.output, env=self.env, expect=0)
            self.assertEqual({kid for found in self.kids(output).values() for kid in found}, {new})
            self.assertEqual({name: self.opened(output, name) for name in names}, clear[load])
            self.assertEqual(len(output.rows(names[1])), counts[load])
            self.cogni("verify", output.path, expect=0)
        # The next restatement of the same day goes into the same file, under the key of then.
        self.keys("rotate")
        simulator.change(restate="vanished", stream="*", **{"from": "2026-11-19T00:00:00Z", "until": "2026-11-20T00:00:00Z"})
        self.live(pipelines["ndjson"], simulator, env=self.env, since=None, now="2026-11-20T19:00:00Z")
        self.assertKeysNoted(self.at("ndjson"))
        more = self.opened(self.at("ndjson"), names[1])
        self.assertEqual(sorted(set(clear["ndjson"][names[1]]) - set(more))[:3], [])
        self.assertGreater(len(more), counts["ndjson"])

    def test_a_ring_that_a_program_prints_seals_and_opens_and_no_pipeline_file_names_the_program(self):
        plain = self.sealed(streams="users: {}").archives()
        program = self.private("print", f"#!/bin/sh\ntouch {self.folder}/asked\ncat {self.path}\n", 0o700)
        env = {"COGNI_KEY_RING": f"command:{program}", "COGNI_MASTER_KEY_FILE": f"{self.path}.master"}
        output = self.folder / "printed"
        self.replay(self.pipeline_file, output=output, env=env)
        self.assertEqual(self.at("sealed", output).archives(), plain)
        self.assertTrue((self.folder / "asked").exists())
        file = next((self.at("sealed", output).current / "users").iterdir())
        self.assertIn("--audit", self.cogni("decrypt", file, "--reason", "x", env=env, expect=2).error)
        opened = self.cogni("decrypt", file, "--reason", "x", "--audit", self.folder / "trail", env=env, expect=0).out
        self.assertNotIn("ef1.", opened)
        self.cogni("keys", "audit", env=env, expect=2)
        self.cogni("keys", "audit", "--file", self.folder / "trail", env=env, expect=0)
        self.assertIn("can't be changed from here", self.cogni("keys", "rotate", env=env, expect=9).error)
        self.assertIn("key ring", self.cogni("check", self.pipeline_file, "--offline", "--replay", FIXTURE, "--output", output, env=env).out)
        # Whoever may write pipeline files or arguments starts nothing.
        (self.folder / "asked").unlink()
        named = self.pipeline("users: {}", name="sealed", file="named.yaml", transform=SEAL.replace("${COGNI_KEY_RING}", f"command:{program}") % "deterministic")
        usual = self.pipeline("users: {}", name="sealed", file="usual.yaml", transform=SEAL.replace("COGNI_KEY_RING", f"RING:-command:{program}") % "deterministic")
        master = {"COGNI_MASTER_KEY_FILE": f"{self.path}.master"}
        for file in (named, usual):
            done = self.replay(file, output=self.folder / "none", env=master, expect=None)
            self.assertIn(done.code, (2, 9), done)
        self.cogni("keys", "list", "--ring", f"command:{program}", env=master, expect=9)
        self.assertFalse((self.folder / "asked").exists())

    def test_pseudonyms_cannot_change_their_key(self):
        self.sealed("pseudonym", streams="users: {}")
        tree = self.at("sealed").tree()
        self.keys("rotate")
        done = self.cogni("keys", "reencrypt", self.pipeline_file, "--output", self.output, env=self.env, expect=9)
        self.assertIn("has no way back", done.error)
        self.assertEqual(self.at("sealed").tree(), tree)
        self.assertIn("--full-refresh", self.sealed("pseudonym", streams="users: {}", expect=2).error)
        self.sealed("pseudonym", streams="users: {}", more=["--full-refresh"])

    def test_retiring_tells_what_becomes_unreadable_asks_and_spares_what_is_in_use(self):
        output = self.sealed(streams="users: {}")
        old, = output.manifest["key_ids"]
        self.keys("rotate")
        named = ["retire", old, "--output", output.path]
        done = self.keys(*named, "--yes", expect=9)
        self.assertIn("generation 1 (current) becomes unreadable in 1 files", done.error)
        self.cogni("keys", "reencrypt", self.pipeline_file, "--output", self.output, env=self.env, expect=0)
        done = self.keys(*named, expect=2)
        self.assertIn("generation 1 becomes unreadable in 1 files", done.error)
        self.assertIn("--yes", done.error)
        self.assertEqual(self.keys("list")["keys"][0]["state"], "decrypt-only", "nothing was done")
        self.keys(*named, "--yes")
        states = {key["kid"]: key["state"] for key in self.keys("list")["keys"]}
        self.assertEqual(states[old], "retired")
        self.assertTrue(self.opened(output, "users"))
        first = output.path / "generations/000001"
        path = next(path for path in (first / "users").iterdir())
        done = self.cogni("decrypt", path, "--reason", "x", env=self.env, expect=9)
        self.assertIn(f"a token can't be opened: its key {old} was retired", done.error)

    def test_a_key_that_is_not_there_is_told_before_anything_is_asked_for_it(self):
        done = self.keys("retire", "aaaaaaaaaa", expect=9)
        self.assertIn("has no key aaaaaaaaaa", done.error)
        self.assertNotIn("--yes", done.error)

    def ask(self, words, answer):
        """Runs `cogni keys` at a terminal where a person types the answer (`None`: Ctrl-C): its exit code, and what stood there."""
        parent, child = pty.openpty()
        try:
            process = subprocess.Popen([COGNI, "keys", *map(str, words)], stdin=child, stdout=subprocess.PIPE, stderr=child,
                                       env=environment(self.env), cwd=self.folder)  # fmt: skip
            os.close(child)
            shown = b""
            while b"retire it:" not in shown:
                shown += os.read(parent, 4096)
            if answer is None:
                process.send_signal(signal.SIGINT)
            else:
                os.write(parent, answer.encode() + b"\n")
            out, _ = process.communicate(timeout=60)
            while True:
                try:
                    more = os.read(parent, 4096)
                except OSError:  # all that there was has been read
                    break
                if not more:
                    break
                shown += more
        finally:
            os.close(parent)
        return process.returncode, (shown + out).decode()

    def test_at_a_terminal_a_person_is_asked_and_only_the_keys_name_is_yes(self):
        output = self.sealed(streams="users: {}")
        old, = output.manifest["key_ids"]
        self.keys("rotate")
        self.cogni("keys", "reencrypt", self.pipeline_file, "--output", self.output, env=self.env, expect=0)
        words = ["retire", old, "--output", output.path]
        for answer in ("yes", "", old[:-1]):
            code, shown = self.ask(words, answer)
            self.assertEqual(code, 2, shown)
            self.assertIn("generation 1 becomes unreadable in 1 files", shown)
            self.assertIn("nothing was retired", shown)
        code, shown = self.ask(words, None)
        self.assertEqual((code, shown.split("\r\n")[-2]), (130, "error: interrupted: stopped by a signal"))
        self.assertEqual(self.keys("list")["keys"][0]["state"], "decrypt-only")
        code, shown = self.ask(words, old)
        self.assertEqual(code, 0, shown)
        self.assertEqual({key["kid"]: key["state"] for key in self.keys("list")["keys"]}[old], "retired")

    def test_an_old_copy_of_the_ring_is_noticed(self):
        self.sealed(streams="users: {}")
        copy = self.path.read_bytes()
        self.keys("rotate")
        self.sealed(streams="users: {}")
        tree = self.at("sealed").tree()
        newest = self.path.read_bytes()
        self.path.write_bytes(copy)
        done = self.sealed(streams="users: {}", expect=9)
        self.assertIn("an old copy was put back", done.error)
        (self.output / "sealed/state.sqlite").unlink()  # who can put rings back can remove this as well
        self.assertIn("has no key", self.sealed(streams="users: {}", expect=9).error)
        self.assertEqual(self.at("sealed").tree(), tree)
        self.path.write_bytes(newest)
        self.sealed(streams="users: {}")


class Leftovers(KeyTest):
    """Streams that a run left as they were, beside streams that it wrote under other rules of encryption."""

    LATER = "2025-12-02T06:00:00Z"

    def written(self, seal, *more, streams="users: {}\nprojects: {}", **rest):
        self.pipeline_file = self.pipeline(streams, name="sealed", transform=SEAL % "deterministic" if seal else "")
        return self.replay(self.pipeline_file, *more, env=self.env, now=self.LATER, **rest)

    def assertUsersSealedUnder(self, kid, output):  # noqa: N802
        self.assertEqual(self.kids(output)[next(file["path"] for _, _, file in output.files("users"))], {kid})
        self.assertEqual(output.manifest["key_ids"], [kid])
        self.assertEqual([key["kid"] for key in output.manifest["crypto"]["keys"]], [kid])
        self.assertIn("users.email", [field["path"] for field in output.manifest["crypto"]["fields"]])
        self.assertTrue(any("@" in row for row in self.opened(output, "users")))

    def test_tokens_of_a_stream_that_was_left_out_can_be_opened_after_encryption_was_taken_away(self):
        output = self.sealed(streams="users: {}\nprojects: {}")
        old, = output.manifest["key_ids"]
        fields = output.manifest["crypto"]["fields"]
        self.written(False, "--full-refresh", "--streams", "projects")
        self.assertUsersSealedUnder(old, output)
        self.assertEqual(output.manifest["crypto"]["fields"], fields)
        self.written(False, "--full-refresh")
        self.assertEqual(output.manifest["key_ids"], [])
        self.assertNotIn("crypto", output.manifest)

    def test_a_key_of_a_stream_that_was_left_out_is_not_retired_unasked_and_can_be_changed(self):
        output = self.sealed(streams="users: {}\nprojects: {}")
        old, = output.manifest["key_ids"]
        self.written(False, "--full-refresh", "--streams", "projects")
        new = next(key["kid"] for key in self.keys("rotate")["keys"] if key["state"] == "active")
        done = self.keys("retire", old, "--output", output.path, "--yes", expect=9)
        self.assertIn("(current) becomes unreadable in 1 files", done.error)
        sealing = self.pipeline("users: {}\nprojects: {}", name="sealed", transform=SEAL % "deterministic")
        self.cogni("keys", "reencrypt", sealing, "--output", self.output, env=self.env, expect=0)
        self.keys("retire", old, "--output", output.path, "--yes")
        self.assertUsersSealedUnder(new, output)

    def test_tokens_of_a_stream_that_stayed_stale_can_be_opened_after_encryption_was_taken_away(self):
        output = self.sealed(streams="users: {}\nprojects: {}")
        old, = output.manifest["key_ids"]
        fixture = self.folder / "without-users"
        shutil.copytree(FIXTURE, fixture)
        shutil.rmtree(fixture / "users")
        self.written(False, "--full-refresh", fixture=fixture, expect=2)
        self.assertTrue(output.stream("users")["stale"])
        self.assertUsersSealedUnder(old, output)

    def test_clear_files_of_a_stream_that_was_left_out_are_not_said_to_be_encrypted(self):
        self.written(False, streams="users: {}\nprojects: {}\ninvites: {}")
        output = self.at("sealed")
        for refresh in (["--full-refresh"], []):
            self.written(True, "--streams", "projects,invites", *refresh, streams="users: {}\nprojects: {}\ninvites: {}")
            self.assertTrue(any("@" in (row["email"] or "") for row in output.rows("users")))
            self.assertNotIn("key_id", next(file for _, _, file in output.files("users")))
            paths = [field["path"] for field in output.manifest["crypto"]["fields"]]
            self.assertNotIn("users.email", paths)
            self.assertIn("invites.email", paths)
            self.assertKeysNoted(output)
        self.assertIn("--full-refresh --streams users", self.written(True, streams="users: {}\nprojects: {}\ninvites: {}", expect=2).error)

    def test_tokens_of_two_organizations_do_not_come_into_one_manifest(self):
        streams = "users: {}\ninvites: {}"
        output = self.sealed(streams=streams)
        tree = output.tree()
        text = self.pipeline_file.read_text().replace("  connector: openai_admin\n", "  connector: openai_admin\n  organization: org-other\n")
        self.pipeline_file.write_text(text)
        run = [self.pipeline_file, "--full-refresh"]
        done = self.replay(*run, "--streams", "invites", env=self.env, expect=2)
        self.assertIn("--full-refresh", done.error)
        self.assertEqual(output.tree(), tree)
        self.replay(*run, env=self.env)
        self.assertEqual(output.manifest["crypto"]["tenant"], "org-other")

    def test_a_reset_outlives_a_reencryption(self):
        output = self.sealed()
        self.keys("rotate")
        state = lambda: json.loads(self.cogni("state", "export", self.pipeline_file, "--output", self.output, env=self.env, expect=0).out)  # noqa: E731
        cursors = lambda: [mark["stream"] for mark in state()["streams"]]  # noqa: E731
        self.assertIn("usage_completions", cursors())
        self.cogni("state", "reset", self.pipeline_file, "--stream", "usage_completions", "--output", self.output, env=self.env, expect=0)
        left = cursors()
        self.assertNotIn("usage_completions", left)
        self.cogni("keys", "reencrypt", self.pipeline_file, "--output", self.output, env=self.env, expect=0)
        self.assertEqual(output.generation, "generations/000002")
        self.assertEqual(cursors(), left)


class Openings(KeyTest):
    def setUp(self):
        super().setUp()
        self.made = self.sealed(streams="users: {}\nprojects: {}")
        self.file = self.made.current / next(file["path"] for _, _, file in self.made.files("users"))
        self.trail = self.place / "ring.json.audit.ndjson"

    def decrypt(self, *more, expect=0, **rest):
        return self.cogni("decrypt", self.file, *more, env=self.env, expect=expect, **rest)

    def test_every_opening_is_in_the_chained_trail_before_its_first_byte(self):
        self.decrypt(expect=2)  # no reason
        self.decrypt("--reason", "  ", expect=2)
        self.assertFalse(self.trail.exists())
        self.decrypt("--reason", "ticket 1", "--fields", "email")
        out = self.folder / "out.ndjson"
        self.decrypt("--reason", "ticket 2", "--output", out)
        records = [json.loads(line) for line in self.trail.read_text().splitlines()]
        self.assertEqual([record["reason"] for record in records], ["ticket 1", "ticket 2"])
        self.assertEqual(records[0]["fields"], ["email"])
        self.assertEqual(records[1]["output"], str(out))
        self.assertEqual(records[0]["by"]["uid"], os.geteuid())
        self.assertEqual(records[0]["files"], [str(self.file)])
        self.assertEqual(records[0]["key_ids"], self.made.manifest["key_ids"])
        self.assertEqual(self.trail.stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.keys("audit")["records"], 2)
        # Where the record can't be kept, nothing is opened.
        self.trail.chmod(0o622)
        done = self.decrypt("--reason", "ticket 3", expect=6)
        self.assertEqual(done.out, "")
        self.assertIn(f"(audit trail {self.trail})", done.error)
        self.assertNotIn("key ring", done.error)

    def test_what_is_left_sealed_is_told_with_the_reason_that_holds(self):
        self.assertIn("left sealed: columns that were not asked for", self.decrypt("--reason", "x", "--fields", "email").error)
        self.assertNotIn("not asked for", self.decrypt("--reason", "x").error)

    def test_a_file_that_is_not_there_is_told_as_that(self):
        done = self.cogni("decrypt", self.folder / "none.ndjson", "--reason", "x", env=self.env, expect=2)
        self.assertIn(f"there is no file {self.folder}/none.ndjson", done.error)
        self.assertFalse(self.trail.exists())

    def test_nothing_is_encrypted_anew_in_an_output_that_is_not_there(self):
        done = self.cogni("keys", "reencrypt", self.pipeline_file, "--output", self.folder / "outptu", env=self.env, expect=2)
        self.assertIn("there is no output at", done.error)
        self.assertFalse((self.folder / "outptu").exists())

    def test_a_trail_that_was_touched_is_found_out(self):
        for number in range(4):
            self.decrypt("--reason", f"ticket {number}")
        lines = self.trail.read_text().splitlines(keepends=True)
        touched = {
            "changed": [lines[0].replace("ticket 0", "ticket 9"), *lines[1:]],
            "first taken out": lines[1:], "middle taken out": lines[:1] + lines[2:], "last taken out": lines[:3],
            "swapped": [lines[1], lines[0], *lines[2:]], "last changed": [*lines[:3], lines[3].replace("ticket", "Ticket")],
            "cut": [*lines[:3], lines[3][:40]], "emptied": [],
        }  # fmt: skip
        for name, text in touched.items():
            self.trail.write_text("".join(text))
            self.assertEqual(self.cogni("keys", "audit", env=self.env).code, 1, name)
            self.assertEqual(self.decrypt("--reason", "after", expect=6).out, "", name)
        self.trail.write_text("".join(lines))
        self.assertEqual(self.keys("audit")["records"], 4)
        # A crash between record and head leaves the head one behind: no forgery, and mended by the next opening.
        head = self.place / "ring.json.audit.ndjson.head"
        old = head.read_text()
        self.decrypt("--reason", "one more")
        head.write_text(old)
        self.assertEqual(self.keys("audit")["records"], 5)
        self.decrypt("--reason", "and another")
        self.assertEqual(json.loads(head.read_text())["number"], 6)

    def test_opened_rows_go_to_no_terminal_unasked_and_over_no_other_file(self):
        parent, child = pty.openpty()
        try:
            command = [COGNI, "decrypt", str(self.file), "--reason", "x"]
            done = subprocess.run(command, stdout=child, stderr=subprocess.PIPE, env=environment(self.env), timeout=60)
        finally:
            os.close(child)
            os.close(parent)
        self.assertEqual(done.returncode, 2, done)
        self.assertIn(b"shown on this terminal", done.stderr)
        self.assertFalse(self.trail.exists(), "nothing was opened, so there is nothing to note")
        out = self.folder / "out.ndjson"
        self.decrypt("--reason", "x", "--output", out, umask=0)
        self.assertEqual(out.stat().st_mode & 0o777, 0o600)
        before = out.read_bytes()
        self.assertIn("there already", self.decrypt("--reason", "x", "--output", out, expect=6).error)
        self.assertEqual(out.read_bytes(), before)
        link = self.folder / "link"
        link.symlink_to(self.folder / "nowhere")
        self.decrypt("--reason", "x", "--output", link, expect=6)
        self.assertFalse((self.folder / "nowhere").exists())

    def test_every_failure_of_a_token_has_the_same_words(self):
        row = next(row for row in content(self.file).decode().splitlines() if json.loads(row)["email"])
        email = json.loads(row)["email"]
        kid = email.split(".")[2]
        spoiled = {
            "bits": email[:-6] + ("A" if email[-6] != "A" else "B") + email[-5:],
            "key": email.replace(kid, "aaaaaaaaaa"),
            "algorithm": email.replace("ef1.s", "ef1.g"),
            "place": json.loads(row)["id"],
        }
        texts = set()
        for name, token in spoiled.items():
            path = self.folder / "one.ndjson"
            path.write_text(json.dumps({"email": token}) + "\n")
            rules = ["--tenant", self.made.manifest["crypto"]["tenant"], "--domain", "email=email"]
            done = self.cogni("decrypt", path, "--reason", "x", *rules, env=self.env, expect=9)
            self.assertNotIn(token, done.error, name)
            self.assertIn("row 1", done.error)
            texts.add(re.sub(r"key [a-z2-7]{10}", "key K", done.error))
        self.assertEqual(len(texts), 1, texts)


if __name__ == "__main__":
    unittest.main()
