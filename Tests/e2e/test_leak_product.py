"""Thirteen classes of secrets × thirteen wrappings × every input: none comes out of anything that cogni leaves.

Every input gets 169 secrets of its own, many in one text where it can hold them. A failure names class, wrapping and input, never the
secret. Before each text stands a number; that the numbers came out shows that the texts were told, and only the secrets were not.
"""

import base64
import concurrent.futures
import json
import os
import unittest
import urllib.parse

from planted import SEED, WRAPPINGS, LeakTest, Product, escaped
from receiver import Receiver

NOW = "2026-11-20T12:00:00Z"
ALL = 169
# Each answers for itself, so that a run tells as many errors as there are names.
ALONE = (
    "projects", "users", "invites", "groups", "roles", "admin_api_keys", "certificates", "audit_logs", "organization_spend_limit",
    *("usage_" + name for name in ("completions", "decisions", "embeddings", "moderations", "images", "audio_speeches",
                                   "audio_transcriptions", "vector_stores", "code_interpreter_sessions")),
)  # fmt: skip


def encodings(text):
    """As other programs write it, whole; base64 with what stands before it, as `user:key` does."""
    data = text.encode()
    percent = "".join(f"%{byte:02x}" for byte in data)
    in_base64 = [base64.b64encode(b"x" * before + data + b"x" * behind).decode() for before in range(3) for behind in range(3)]
    in_url = [one.replace("+", "-").replace("/", "_").rstrip("=") for one in in_base64]
    return [text, json.dumps(text)[1:-1], urllib.parse.quote(text, safe=""), percent, data.hex(), data.hex().upper(), *in_base64, *in_url[-3:]]


class LeakProduct(LeakTest):
    def setUp(self):
        super().setUp()
        self.product = Product(SEED)
        self.left = []  # all that was searched

    def search(self, what, data):
        super().search(what, data)
        found = sorted(self.product.found(data))
        self.assertEqual(found, [], f"{len(found)} of class, wrapping, input are in {what[:80] if isinstance(what, str) else what}")
        self.left.append(data)

    def assertArrived(self, *places, least=ALL):  # noqa: N802
        told = b"\n".join(self.left)
        for place in places:
            self.assertGreaterEqual(self.product.arrived(place, told), least, f"{place}: its texts were not told, so nothing was shown")

    def test_the_search_finds_each_of_them_in_every_encoding_and_names_it_without_showing_it(self):
        texts = self.product.plant("a place")
        self.assertEqual(len(texts), ALL)
        for text in texts:
            with self.assertRaises(AssertionError) as failure:
                self.search("a file", text.encode())
            told = str(failure.exception)
            self.assertIn(", a place", told)
            self.assertEqual(self.product.found(told.encode()), set(), "the failure shows the secret")
        for number, together in enumerate(zip(*map(encodings, texts), strict=True)):
            if number != 3:  # every byte after a percent sign: only our own key is looked for in that
                self.assertEqual(len(self.product.found("\n".join(together).encode())), ALL, f"encoding {number}")

    def test_every_field_of_a_reply_in_every_wrapping(self):
        fields = ("name", "status", "unknown field", "text in a list", "text in an object", "user_id", "model", "line_item", "project_id")
        planted = {field: self.product.plant(field) for field in fields}
        ids = self.product.plant("x-request-id", lines=False)

        def answer(path, _):
            header = {"x-request-id": ids[len(self.api.seen) % ALL]}
            if "start_time" in path:
                self.api.secrets = range(ALL)
                page = self.api.report(path)
                for bucket in page["data"]:
                    for number, row in enumerate(bucket["results"]):
                        names = ("line_item", "project_id") if "/costs" in path else ("user_id", "model")
                        row |= {name: planted[name][number] for name in names}
                return 200, header, page
            if "/projects" not in path:
                return 200, header, self.api.page(path)
            rows = [
                {
                    "id": f"proj_{number:04}", "object": "organization.project", "created_at": 1_700_000_000 + number,
                    "name": planted["name"][number], "status": planted["status"][number], "archived_at": None,
                    "note": planted["unknown field"][number],
                    "nested": {"deep": [planted["text in a list"][number], {"x": planted["text in an object"][number]}]},
                }
                for number in range(ALL)
            ]  # fmt: skip
            return 200, header, {"object": "list", "data": rows, "has_more": False, "first_id": "a", "last_id": "b"}

        self.api.answer = answer
        text = self.yaml("transform:\n  - sanitize: { unknown_fields: keep }\n").read_text()
        streams = "  usage_completions: { group_by: [user_id, model] }\n  costs: { group_by: [project_id, line_item] }\n"
        file = self.written("all.yaml", text.replace("  users: {}\n", streams))
        window = ["--since", "2026-11-19", "--now", NOW]
        self.quiet("run", file, "--json", *window, expect=0)
        self.quiet("preview", file, "projects", "--json", expect=0)
        self.quiet("check", file)
        self.quiet("record", file, self.work / "recorded", *window)
        self.search_files()
        for field in fields:
            self.assertArrived(field)
        self.assertKeyReachedTheAPI()

    def test_every_error_in_every_wrapping(self):
        fields = ("message", "type", "code", "param")
        planted = {field: self.product.plant(f"error's {field}") for field in fields}
        header = self.product.plant("error's x-request-id", lines=False)
        bodies = self.product.plant("a page of HTML"), self.product.plant("a broken page")
        places = self.product.plant("a redirect's Location", lines=False)
        ways = dict.fromkeys([*encodings(self.own), *escaped(self.own).values()])
        own = [wrap(text) for text in ways for wrap in WRAPPINGS.values()]
        place = "error's message"
        todo, asked, mode = [], [], ""

        def answer(*_):
            number = todo[len(asked) % len(todo)]
            asked.append(number)
            more = {"x-request-id": header[number % ALL]}
            if mode == "400":
                return 400, more, {"error": {field: planted[field][number] for field in fields}}
            if mode == "own":
                return 400, {}, {"error": {"message": f"own{number:03} {own[number]}", "type": "x"}}
            if mode == "html":
                return 200, more, ("<html>" + " ".join(bodies[0])).encode()
            if mode == "broken":
                return 200, more, json.dumps({"object": "list", "data": bodies[1]})[:-2].encode()
            return 302, {**more, "Location": "https://h.example/" + " ".join(places)}, b""

        self.api.answer = answer
        text = self.yaml(source="  concurrency: 16\n").read_text()
        file = self.written("all.yaml", text.replace("  projects: {}\n  users: {}\n", "".join(f"  {name}: {{}}\n" for name in ALONE)))
        for mode, count in (("400", ALL), ("own", len(own)), ("html", 1), ("broken", 1), ("302", 1)):
            # Texts of errors are short, so that each reply has one; a run tells as many as it has streams.
            todo = list(range(count))
            mark = {"own": "own", "400": f"t{self.product.places.index(place)}n"}.get(mode)
            while todo:
                asked.clear()
                done = self.quiet("run", file, "--json", "--now", NOW)
                self.assertNotEqual(done.code, 0, mode)
                told = {number for number in asked if mark is None or f"{mark}{number:03}" in done.out}
                self.assertNotEqual(told, set(), f"{mode}: no error was told")
                todo = [number for number in todo if number not in told]
        self.quiet("logs", self.output / "demo", "--json")
        self.search_files()
        self.assertArrived("error's message", "error's code", "error's param", "error's x-request-id")
        self.assertKeyReachedTheAPI()

    def test_every_header_and_cursor_in_every_wrapping(self):
        headers = {name: self.product.plant(name, lines=False) for name in ("openai-organization", "retry-after", "x-should-retry", "server")}
        cursors = self.product.plant("a cursor")
        asked = []

        def answer(path, _):
            number = len(asked)
            asked.append(path)
            more = {name: texts[number % ALL] for name, texts in headers.items()}
            if "after=" in path or "page=" in path:
                return 400, more, {"error": {"message": "no such cursor", "type": "x"}}
            page = {"object": "list", "data": [], "has_more": True, "next": cursors[number % ALL], "last_id": cursors[number % ALL]}
            return 200, more, page | {"next_page": cursors[number % ALL]}

        self.api.answer = answer
        text = self.yaml(source="  concurrency: 16\n").read_text()
        for start in range(0, ALL, len(ALONE)):
            file = self.written(f"all-{start}.yaml", text.replace("  projects: {}\n  users: {}\n", "".join(f"  {name}: {{}}\n" for name in ALONE))
                                .replace("pipeline: demo", f"pipeline: demo-{start}"))  # fmt: skip
            self.assertNotEqual(self.quiet("run", file, "--json", "--now", NOW).code, 0)
            self.quiet("check", file)
        # None of these is ever told; that they were sent is all there is to show.
        self.assertGreaterEqual(len(asked), ALL)

    def test_an_organizations_name_that_is_a_secret_is_nowhere(self):
        texts = self.product.plant("openai-organization", lines=False)[:13]
        for number, text in enumerate(texts):
            self.api.answer = lambda path, _, text=text: (200, {"openai-organization": text}, self.api.page(path))
            file = self.written("one.yaml", self.yaml().read_text().replace("pipeline: demo", f"pipeline: demo-{number}"))
            self.assertIn("manifest.json holds what looks like a secret", self.quiet("run", file, "--now", NOW, expect=5).error)
        self.search_files()

    def test_every_place_of_a_file_in_every_wrapping(self):
        def texts(place):
            return [json.dumps(text) for text in self.product.plant(place)]

        names = "".join(f"  {one}: {{}}\n" for one in texts("a stream's name"))
        settings = "".join(f"    {one}: 1\n" for one in texts("a setting's name"))
        top = "".join(f"{one}: true\n" for one in texts("a section's name"))
        start = "pipeline: x\nsource:\n  connector: openai_admin\n"
        for number, text in enumerate((f"{start}streams:\n{names}", f"{start}streams:\n  users:\n{settings}", start + top)):
            path = self.written(f"{number}.yaml", text)
            for form in ("text", "json", "github", "sarif"):
                self.quiet("validate", path, "--format", form)
            self.quiet("run", path, "--dry-run")
        # These are one to a file: reading ends where a list has no comma, or at a terminal's colours, and there is but one name, and one comment
        # beside it.
        comments = self.product.plant("a comment", lines=False)
        words = zip(texts("a pipeline's name"), texts("a connector's name"), texts("a base URL"), strict=True)
        for name, files in (
            ("list", [f"{start}transform: [ {one} x ]" for one in texts("a flow list")]),
            ("note", [f"{start}x: true # {one}" for one in comments]),
            ("value", [f"{start}load:\n  format: {one}" for one in texts("a setting's value")]),
            ("name", ["pipeline: {}\nsource:\n  connector: {}\n  base_url: {}\n".format(*three) for three in words]),
        ):
            done = self.quiet("validate", *(self.written(f"{name}-{at}.yaml", text) for at, text in enumerate(files)))
            if name == "list":
                self.assertEqual((done.out + done.error).count("not YAML"), ALL, "of what is no YAML no text is shown")
        streams = "".join(f"  - name: {one}\n    path: {two}\n" for one, two in zip(texts("a connector's stream"), texts("its path"), strict=True))
        more = "".join(f"{one}: 1\n" for one in texts("a connector's section"))
        connector = self.written("c.yaml", f'connector: c\nbase_url: "https://h.example"\n{more}streams:\n{streams}')
        self.quiet("discover", connector)
        self.quiet("validate", self.written("uses.yaml", f"pipeline: x\nsource:\n  connector: {connector}\n"))
        self.assertArrived(
            "a stream's name", "a setting's name", "a section's name", "a pipeline's name", "a connector's name", "a setting's value", "a connector's stream",
            "its path", "a connector's section",
        )  # fmt: skip
        # A line with colours is no YAML, and one with a private key is not shown; an address with any other secret is refused without it.
        self.assertArrived("a comment", least=ALL - 13 - 12)
        self.assertArrived("a base URL", least=ALL - 2 * 13)

    def test_every_argument_is_refused_in_every_wrapping(self):
        texts = self.product.plant("an argument")
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            for text, done in zip(texts, pool.map(lambda text: self.quiet("run", "x.yaml", "--streams", text), texts), strict=True):
                self.assertEqual((done.code, "looks like a secret" in done.error), (2, True), text[:6])
        whole = " ".join(self.product.plant("arguments"))
        for words in ([whole], ["keys", "retire", whole], ["decrypt", "x", "--reason", whole], ["run", f"{whole}.yaml"]):
            self.assertEqual(self.quiet(*words).code, 2)

    def test_the_environment_and_a_key_programs_complaints_in_every_wrapping(self):
        file = self.yaml()
        env = {name: " ".join(self.product.plant(name)) for name in ("USER", "SUDO_USER", "LOGNAME")}
        for words in (["run", file], ["disable", file, "--reason", "x"], ["enable", file], ["alerts", "list", file]):
            self.quiet(*words, env=env)
        ring = "/nowhere/" + " ".join(self.product.plant("COGNI_KEY_RING", lines=False)).replace("/", "_")
        self.assertNotEqual(self.quiet("keys", "list", env={"COGNI_KEY_RING": ring}).code, 0)
        self.assertNotEqual(self.quiet("check", file, env={"OPENAI_BASE_URL": " ".join(self.product.plant("OPENAI_BASE_URL"))}).code, 0)
        usual = self.yaml(name="usual", more="alerts: { webhook: \"${OPENAI_ADMIN_AUDIT_WEBHOOK:-}\" }\n")
        usual.write_text(usual.read_text().replace("streams:", "  organization: ${OPENAI_ORGANIZATION}\n  project: ${OPENAI_PROJECT}\n"
                                                   "  page_limit: ${OPENAI_ADMIN_LIMIT:-max}\nstreams:"))  # fmt: skip
        wanted = {"OPENAI_ORGANIZATION": "org-1", "OPENAI_PROJECT": "proj_1", "COGNI_WEBHOOK_SECRET": "whs" + "ec_" + "QUJD" * 11}
        for name in ("OPENAI_ORGANIZATION", "OPENAI_PROJECT", "OPENAI_ADMIN_LIMIT", "OPENAI_ADMIN_AUDIT_WEBHOOK", "COGNI_WEBHOOK_SECRET"):
            for texts in (self.product.plant(f"{name}, lines"), self.product.plant(name, lines=False)):
                for words in (["check", usual], ["validate", usual], ["run", usual, "--json"]):
                    self.quiet(*words, env=wanted | {name: " ".join(texts)})
        self.quiet("keys", "create", expect=0)
        for name in ("COGNI_MASTER_KEY_FILE", "COGNI_MASTER_KEY_COMMAND", "COGNI_MASTER_KEY_FD", "COGNI_MASTER_KEY_CREDENTIAL"):
            self.assertNotEqual(self.quiet("keys", "list", env={name: " ".join(self.product.plant(name)), "COGNI_MASTER_KEY": ""}).code, 0)
        hook, said = self.given / "hook", self.given / "said"
        env = {"COGNI_MASTER_KEY": "", "COGNI_MASTER_KEY_COMMAND": str(hook)}
        for place, to, end, step in (("a key program's stderr", ">&2", "exit 3", 1), ("a key program's stdout", "", "", 13)):
            hook.write_text(f"#!/bin/sh\ncat > /dev/null\ncat {said} {to}\n{end}\n")
            hook.chmod(0o700)
            texts = self.product.plant(place)
            for at in range(0, ALL, step):
                said.write_text(" ".join(texts[at : at + step]))
                self.assertEqual(self.quiet("keys", "list", env=env).code, 9)
        self.search_files()
        self.assertArrived("USER", "SUDO_USER", "COGNI_KEY_RING", "COGNI_MASTER_KEY_FILE", "a key program's stderr")

    def test_the_answers_of_receivers_in_every_wrapping(self):
        body = " ".join(self.product.plant("a webhook's answer")).encode()
        headers = {f"x-told-{n}": one for n, one in enumerate(self.product.plant("a webhook's header", lines=False))}
        receiver = Receiver((500, headers, body))
        self.addCleanup(receiver.close)
        more = f'alerts:\n  webhook: ${{HOOK}}\n  webhook_networks: [127.0.0.1]\nmetrics: {{ pushgateway: "{receiver.url}" }}\n'
        more += f'lineage: {{ file: lineage.ndjson, url: "{receiver.url}" }}\n'
        file = self.yaml(more=more)
        env = {"HOOK": receiver.url + "/x", "COGNI_WEBHOOK_SECRET": "whs" + "ec_" + "QUJD" * 11}
        for words in (["run", file, "--json"], ["alerts", "list", file, "--json"], ["alerts", "send", file, "--now"], ["metrics", file],
                      ["metrics", file, "--push", receiver.url], ["logs", self.output / "demo", "--events"]):  # fmt: skip
            self.quiet(*words, env=env)
        self.assertGreater(len(receiver.requests), 2)
        self.search_files()

    def test_the_files_of_commands_in_every_wrapping(self):
        users, models = self.product.plant("an event's user"), self.product.plant("an event's model")
        rows = [{"time": NOW, "user_id": one, "model": two, "input_tokens": 1, "output_tokens": 1} for one, two in zip(users, models, strict=True)]
        events = self.written("events.ndjson", "".join(json.dumps(row) + "\n" for row in rows))
        broken = self.written("broken.ndjson", "".join(f'{{"time": "{one}", "x": 1\n' for one in self.product.plant("a broken event", lines=False)))
        cells = [one.replace('"', '""') for one in self.product.plant("a cell")]
        table = self.written("events.csv", "time,user,model\n" + "".join(f'{NOW},"{one}","{one}"\n' for one in cells))
        models = ", ".join(f"{json.dumps(one)}: x" for one in self.product.plant("a mapping's model"))
        mapping = self.written("mapping.yaml", f"time: time\nuser: user\nmodel: model\nmodels: {{ {models} }}\n")
        plain = self.written("plain.yaml", "time: time\nuser: user\nmodel: model\n")
        wrong = self.written("wrong.yaml", "time: x\n" + "".join(f"{json.dumps(one)}: x\n" for one in self.product.plant("a mapping's key")))
        names = {one: {"type": "string", "enum": [two], "description": two}
                 for one, two in zip(self.product.plant("a schema's field"), self.product.plant("a schema's value"), strict=True)}  # fmt: skip
        schema = {"type": "object", "properties": {"data": {"type": "array", "items": {"type": "object", "properties": names}}}}
        reply = {"get": {"responses": {"200": {"content": {"application/json": {"schema": schema}}}}}}
        listed = {"get": {"responses": {"200": {"description": "a list"}}}}
        paths = {"/organization/users": reply} | {f"/organization/{one}": listed for one in self.product.plant("a schema's path")}
        document = self.written("openapi.json", json.dumps({"openapi": "3.1.0", "info": {"title": "x"}, "paths": paths}))
        text = self.yaml().read_text()
        file = self.written("usage.yaml", text.replace("  projects: {}\n", "  usage_completions: { group_by: [user_id, model] }\n"))
        self.api.secrets = self.api.secrets[:1]
        self.quiet("run", file, "--since", "2026-11-19", "--now", NOW, expect=0)
        span = ["--from", "2026-11-19", "--until", "2026-11-21"]
        for words in (["reconcile", file, "--events", events, *span], ["reconcile", file, "--events", events, *span, "--json"],
                      ["reconcile", file, "--events", events, *span, "--csv"], ["reconcile", file, "--events", broken, *span],
                      ["reconcile", file, "--events", table, "--mapping", mapping, *span, "--all"],
                      ["reconcile", file, "--events", table, "--mapping", plain, *span, "--all"],
                      ["reconcile", file, "--events", table, "--mapping", wrong, *span], ["schema", "--compare", document],
                      ["schema", "--compare", document, "--json"], ["keys", "audit", "--file", events], ["diff", events, document],
                      ["decrypt", events, "--reason", "x"]):  # fmt: skip
            self.assertNotEqual(self.quiet(*words).code, 0, words)
        (self.work / "ring.json").write_text(" ".join(self.product.plant("a key ring")))
        os.chmod(self.work / "ring.json", 0o600)
        self.assertEqual(self.quiet("keys", "list").code, 9)
        os.remove(self.work / "ring.json")
        self.search_files()
        self.assertArrived("an event's user", "an event's model", "a cell", "a mapping's key", "a schema's field", "a schema's path")


if __name__ == "__main__":
    unittest.main()
