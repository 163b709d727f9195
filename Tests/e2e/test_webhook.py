"""The webhook: signed, at least once, after the commit, never for what did not happen, and never in the run's way."""

import base64
import hashlib
import hmac
import json
import os
import signal
import socket
import sqlite3
import time
import unittest

from harness import CogniTest
from receiver import Receiver

try:
    from standardwebhooks.webhooks import Webhook
except ImportError:  # the run of all tests makes an environment that has it
    Webhook = None

SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()
OTHER = "whsec_" + base64.b64encode(bytes(range(40, 72))).decode()
STREAMS = "users: {}\nprojects: {}\ncosts: { since: 2026-11-12, group_by: [project_id] }"


def signed(request, secret=SECRET):
    """By the specification, in the standard library's words."""
    headers = request["headers"]
    message = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request["body"]
    code = hmac.new(base64.b64decode(secret.removeprefix("whsec_")), message, hashlib.sha256).digest()
    return "v1," + base64.b64encode(code).decode() in headers["webhook-signature"].split(" ")


class WebhookTest(CogniTest):
    def setUp(self):
        super().setUp()
        self.receiver = self.listen()

    def listen(self, answers=200):
        receiver = Receiver(answers)
        self.addCleanup(receiver.close)
        return receiver

    def told(self, streams=STREAMS, url=None, alerts="", networks="[127.0.0.1]"):
        self.hook = {"HOOK": url or f"{self.receiver.url}/hook", "COGNI_WEBHOOK_SECRET": SECRET}
        more = "alerts:\n  webhook: ${HOOK}\n"
        if networks:
            more += f"  webhook_networks: {networks}\n"
        more += "".join(f"  {line}\n" for line in alerts.splitlines())
        return self.pipeline(streams, more=more, source="retry: { budget: 1s, max_delay: 1s }")

    def types(self, receiver=None):
        return [json.loads(one["body"])["type"] for one in (receiver or self.receiver).requests]

    def events(self, pipeline):
        return json.loads(self.cogni("alerts", "list", pipeline, "--output", self.output, "--json", env=self.hook, expect=0).out)

    def send(self, pipeline, *more, expect=0):
        return self.cogni("alerts", "send", pipeline, "--output", self.output, *more, env=self.hook, expect=expect)


class Sending(WebhookTest):
    def test_a_published_generation_is_told_and_its_signature_holds(self):
        pipeline, simulator = self.told(), self.simulator()
        self.live(pipeline, simulator, env=self.hook)
        self.assertEqual(self.types(), ["generation.published"])
        [request] = self.receiver.requests
        self.assertTrue(signed(request))
        self.assertFalse(signed(request, OTHER))
        body = json.loads(request["body"])
        self.assertEqual(body["data"]["generation"], 1)
        manifest = hashlib.sha256(self.at().manifest_bytes).hexdigest()
        self.assertEqual(body["data"]["manifest_sha256"], manifest)
        self.assertEqual(request["headers"]["content-type"], "application/json")
        self.assertLess(abs(int(request["headers"]["webhook-timestamp"]) - time.time()), 300)
        if Webhook is None:
            self.skipTest("no standardwebhooks here")
        self.assertEqual(Webhook(SECRET).verify(request["body"], request["headers"]), body)

    def test_a_receiver_that_talks_has_taken_the_event_and_gets_it_once(self):
        self.receiver = self.listen((200, {}, b"thank you " * 1000))
        pipeline, simulator = self.told("users: {}"), self.simulator()
        self.live(pipeline, simulator, env=self.hook)
        [event] = self.events(pipeline)["events"]
        self.assertEqual((event["state"], event["last_answer"]), ("sent", "answered 200"))
        self.send(pipeline, "--now")
        self.assertEqual(self.types(), ["generation.published"])

    def test_an_unchanged_run_tells_nothing(self):
        pipeline, simulator = self.told(), self.simulator()
        for _ in range(2):
            self.live(pipeline, simulator, env=self.hook)
        self.assertEqual(self.types(), ["generation.published"])

    def test_two_secrets_sign_both_while_a_receiver_changes_over(self):
        pipeline, simulator = self.told("users: {}"), self.simulator()
        self.live(pipeline, simulator, env={**self.hook, "COGNI_WEBHOOK_SECRET": f"{OTHER} {SECRET}"})
        [request] = self.receiver.requests
        self.assertTrue(signed(request, SECRET) and signed(request, OTHER))

    def test_a_failed_run_is_told_thinly_and_its_exit_code_stays(self):
        pipeline, simulator = self.told(), self.simulator()
        self.live(pipeline, simulator, env=self.hook)
        self.live(pipeline, simulator, env={**self.hook, "OPENAI_ADMIN_KEY": "sk-admin-wrong-" + "x" * 40}, expect=3)
        self.assertEqual(self.types(), ["generation.published", "run.failed"])
        body = json.loads(self.receiver.requests[-1]["body"])
        self.assertEqual((body["data"]["class"], body["data"]["exit_code"]), ("denied", 3))
        self.assertLess(len(self.receiver.requests[-1]["body"]), 20_000)
        for word in (b"sk-admin", b"@", b"Incorrect", b"whsec"):
            self.assertNotIn(word, self.receiver.requests[-1]["body"])

    def test_a_run_that_does_not_commit_is_never_told_as_published(self):
        pipeline, simulator = self.told(), self.simulator()
        self.live(pipeline, simulator, "--dry-run", env=self.hook)
        self.assertEqual(self.types(), [])
        simulator.faults({"fault": "status", "status": 500, "path": "/organization/users", "times": 1000}, {"fault": "status", "status": 500, "path": "/organization/projects", "times": 1000},
                         {"fault": "status", "status": 500, "path": "/organization/costs", "times": 1000})  # fmt: skip
        self.live(pipeline, simulator, env=self.hook, expect=4)
        self.assertNotIn("generation.published", self.types())

    def test_only_events_that_were_asked_for_are_told(self):
        pipeline, simulator = self.told(alerts="events: [run.failed]"), self.simulator()
        self.live(pipeline, simulator, env=self.hook)
        self.assertEqual(self.types(), [])

    def test_a_switch_and_a_rollback_are_told(self):
        pipeline, simulator = self.told(), self.simulator()
        self.live(pipeline, simulator, env=self.hook)
        self.cogni("disable", pipeline, "--output", self.output, "--reason", "ada@example.com left", env=self.hook, expect=0)
        self.cogni("enable", pipeline, "--output", self.output, env=self.hook, expect=0)
        simulator.change(rename=self.at().rows("projects")[0]["id"], name="Renamed")
        self.live(pipeline, simulator, env=self.hook)
        self.cogni("rollback", self.at().path, "--to", "1", env=self.hook, expect=0)
        self.send(pipeline, "--now")
        self.assertEqual(self.types()[:3], ["generation.published", "pipeline.disabled", "pipeline.enabled"])
        self.assertEqual(self.types()[-1], "generation.rolled_back")
        self.assertNotIn(b"ada@", b"".join(one["body"] for one in self.receiver.requests))
        self.assertEqual(json.loads(self.receiver.requests[-1]["body"])["data"]["generation"], 1)


class Failing(WebhookTest):
    def test_a_receiver_that_does_not_take_it_never_fails_the_run_and_gets_it_later(self):
        elsewhere = self.listen()
        answers = {
            "500": 500, "429": 429, "redirect": (302, {"Location": f"{elsewhere.url}/stolen"}, b""),
            "large": (500, {}, b"x" * 3_000_000), "slow": "hang",
        }  # fmt: skip
        simulator = self.simulator()
        for name, answer in answers.items():
            with self.subTest(name):
                receiver = self.receiver = self.listen(lambda number, answer=answer: answer if number == 1 else 200)
                self.output = self.folder / f"output-{name}"
                pipeline = self.told("users: {}")
                done = self.live(pipeline, simulator, env=self.hook, expect=0)
                self.assertIn("webhook was not taken", done.error)
                self.assertEqual(self.events(pipeline)["events"][0]["state"], "waiting")
                receiver.release.set()
                self.send(pipeline, "--now")
                first, second = receiver.requests
                self.assertEqual(first["headers"]["webhook-id"], second["headers"]["webhook-id"])
                self.assertEqual(first["body"], second["body"])
                self.assertGreaterEqual(int(second["headers"]["webhook-timestamp"]), int(first["headers"]["webhook-timestamp"]))
                self.assertTrue(signed(second))
                self.assertEqual(self.events(pipeline)["events"][0]["state"], "sent")
        self.assertEqual(elsewhere.requests, [])

    def test_nobody_listens_and_the_event_waits_for_its_time(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        pipeline, simulator = self.told("users: {}", url=f"http://127.0.0.1:{port}/hook"), self.simulator()
        self.live(pipeline, simulator, env=self.hook, expect=0)
        [event] = self.events(pipeline)["events"]
        self.assertEqual((event["state"], event["attempts"]), ("waiting", 1))
        self.assertGreater(event["next_attempt"], event["last_attempt"])

    def test_410_stops_all_until_it_is_resumed(self):
        self.receiver.answers = 410
        pipeline, simulator = self.told("users: {}"), self.simulator()
        self.live(pipeline, simulator, env=self.hook)
        self.cogni("disable", pipeline, "--output", self.output, env=self.hook, expect=0)
        self.assertEqual(len(self.receiver.requests), 1)
        self.assertIn("410", self.events(pipeline)["stopped"]["reason"])
        self.assertIn("resume", self.send(pipeline, "--now").error)
        self.receiver.answers = 200
        self.cogni("alerts", "resume", pipeline, "--output", self.output, env=self.hook, expect=0)
        self.send(pipeline, "--now")
        self.assertEqual(self.types(), ["generation.published", "generation.published", "pipeline.disabled"])

    def test_after_the_last_attempt_it_is_given_up(self):
        self.receiver.answers = 503
        pipeline, simulator = self.told("users: {}"), self.simulator()
        self.live(pipeline, simulator, env=self.hook)
        for _ in range(9):
            self.send(pipeline, "--now", expect=4)
        [event] = self.events(pipeline)["events"]
        self.assertEqual((event["state"], event["attempts"], event["last_answer"]), ("given_up", 10, "answered 503"))
        self.assertEqual(self.send(pipeline, "--now").out, "0 sent, 0 waiting\n")

    def test_private_addresses_are_not_talked_to_unless_they_are_named(self):
        simulator = self.simulator()
        port = self.receiver.port
        hosts = ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0", "[::ffff:127.0.0.1]"]
        for number, host in enumerate(hosts):
            for networks in ("", "[10.0.0.0/8]"):
                with self.subTest(host, networks=networks):
                    self.output = self.folder / f"output-{number}{len(networks)}"
                    # Only the plain spellings of loopback pass the pipeline file with http; the others are refused there.
                    scheme = "http" if host in ("127.0.0.1", "localhost") else "https"
                    pipeline = self.told("users: {}", url=f"{scheme}://{host}:{port}/hook", networks=networks)
                    self.live(pipeline, simulator, env=self.hook, expect=0)
                    [event] = self.events(pipeline)["events"]
                    self.assertEqual(event["state"], "waiting")
        self.assertEqual(self.receiver.requests, [])

    def test_without_a_secret_nothing_is_sent_and_the_run_says_what_to_set(self):
        pipeline, simulator = self.told("users: {}"), self.simulator()
        done = self.live(pipeline, simulator, env={"HOOK": self.hook["HOOK"]}, expect=0)
        self.assertIn("COGNI_WEBHOOK_SECRET", done.error)
        bad = self.live(pipeline, simulator, env={**self.hook, "COGNI_WEBHOOK_SECRET": "whsec_c2hvcnQ="}, expect=0)
        self.assertIn("no webhook secret", bad.error)
        self.assertNotIn("c2hvcnQ", bad.error + bad.out)
        self.assertEqual(self.receiver.requests, [])
        self.assertIn("set COGNI_WEBHOOK_SECRET", self.cogni("check", pipeline, "--offline", "--output", self.output,
                      env={"HOOK": self.hook["HOOK"], **simulator.environment}, expect=2).out)

    def test_a_literal_secret_is_refused_and_not_repeated(self):
        pipeline = self.told("users: {}", alerts=f"webhook_secret: {SECRET}")
        done = self.cogni("validate", pipeline, env=self.hook, expect=2)
        self.assertNotIn(SECRET[6:], done.out + done.error)


class Dying(WebhookTest):
    """At least once: whatever moment the sender dies at, the event comes, always under the same id."""

    def kill(self, process):
        os.kill(process.pid, signal.SIGKILL)
        process.wait()

    def run_in_background(self, pipeline, simulator):
        return self.start("run", pipeline, "--now", "2026-11-20T12:00:00Z", "--since", "2026-11-12", "--output", self.output,
                          env={**simulator.environment, **self.hook})  # fmt: skip

    def test_killed_between_the_commit_and_the_sending(self):
        # A socket that nobody accepts at: the connection is made by the kernel, and no request is ever read.
        with socket.socket() as deaf:
            deaf.bind(("127.0.0.1", 0))
            deaf.listen(8)
            pipeline = self.told("users: {}", url=f"http://127.0.0.1:{deaf.getsockname()[1]}/hook")
            simulator = self.simulator()
            process = self.run_in_background(pipeline, simulator)
            self.wait_for_commit()
            self.kill(process)
        self.hook["HOOK"] = f"{self.receiver.url}/hook"
        self.send(pipeline, "--now")
        self.assertEqual(self.types(), ["generation.published"])
        self.assertTrue(signed(self.receiver.requests[0]))

    def wait_for_commit(self):
        end = time.monotonic() + 60
        path = self.output / "demo/state.sqlite"
        while time.monotonic() < end:
            if path.exists():
                try:
                    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as state:
                        if state.execute("SELECT count(*) FROM outbox").fetchone()[0]:
                            return
                except sqlite3.Error:
                    pass  # it is being made, or written
            time.sleep(0.005)
        self.fail("no event came into the outbox")

    def test_killed_after_the_sending_and_before_the_mark(self):
        self.receiver.answers = lambda number: "hang" if number == 1 else 200
        pipeline, simulator = self.told("users: {}"), self.simulator()
        process = self.run_in_background(pipeline, simulator)
        self.receiver.wait(1)
        self.kill(process)
        self.send(pipeline, "--now")
        first, second = self.receiver.requests
        self.assertEqual(first["headers"]["webhook-id"], second["headers"]["webhook-id"])
        self.assertEqual(self.events(pipeline)["events"][0]["state"], "sent")
        self.send(pipeline, "--now")
        self.assertEqual(len(self.receiver.requests), 2)

    def test_the_next_run_tells_of_a_generation_whose_run_died_before_its_state_knew(self):
        pipeline, simulator = self.told("projects: {}"), self.simulator()
        self.live(pipeline, simulator, env=self.hook)
        # What a crash between the swap and the ledger leaves: the state of before, beside the generation of after.
        state = self.output / "demo/state.sqlite"
        kept = state.read_bytes()
        simulator.change(rename=self.at().rows("projects")[0]["id"], name="Renamed")
        self.live(pipeline, simulator, env=self.hook)
        self.assertTrue(self.at().generation.endswith("2"))
        state.write_bytes(kept)
        self.live(pipeline, simulator, env=self.hook)
        ids = [one["headers"]["webhook-id"] for one in self.receiver.requests]
        self.assertEqual(self.types(), ["generation.published"] * 3)
        self.assertEqual(ids[2], ids[1])
        self.assertNotEqual(ids[1], ids[0])


if __name__ == "__main__":
    unittest.main()
