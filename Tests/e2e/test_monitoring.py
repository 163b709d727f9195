"""Metrics as Prometheus' own tools read them, alerts that really fire, and the files in `ops/`.

Needs Debian's prometheus and prometheus-pushgateway (no server of the machine's is used: each test starts its own on ports that
the kernel chooses), systemd-analyze, and from the package index kubernetes-validate. What is missing is skipped and said.
"""

import ast
import http.server
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
import types
import unittest
import urllib.request

from harness import BIN, FIXTURE, ROOT, CogniTest

OPS = ROOT / "ops"
STREAMS = "users: {}\nprojects: {}\ncertificates: {}\nproject_certificates: {}\ncosts: { since: 2026-11-12, group_by: [project_id] }"
WRONG = {"OPENAI_ADMIN_KEY": "sk-admin-wrong-" + "x" * 40}
LINE = re.compile(r'^(?P<name>[a-z_]+)\{(?P<labels>[^}]*)\} (?P<value>-?[0-9.]+)$')


def needs(program):
    return unittest.skipUnless(shutil.which(program), f"no {program} here")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def read(text):
    """{(name, {label: value}): number}, read by hand: the tools below are the second opinion."""
    found = {}
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        match = LINE.match(line)
        labels = frozenset(tuple(one) for one in re.findall(r'([a-z_]+)="([^"]*)"', match["labels"]))
        found[match["name"], labels] = float(match["value"])
    return found


class MetricsTest(CogniTest):
    def setUp(self):
        super().setUp()
        self.server = self.simulator()
        self.pipe = self.pipeline(STREAMS, more="alerts: { disable_after_failures: 3, certificate_expiry: 30d }",
                                  source="retry: { budget: 1s, max_delay: 1s }")  # fmt: skip

    def good(self, *more, **rest):
        return self.live(self.pipe, self.server, *more, **rest)

    def bad(self, expect=3):
        return self.live(self.pipe, self.server, env=WRONG, expect=expect)

    @property
    def file(self):
        return self.output / "demo/metrics.prom"

    def value(self, name, **labels):
        found = read(self.file.read_text())
        return found.get((name, frozenset({"pipeline": "demo", **labels}.items())))


class Numbers(MetricsTest):
    def test_they_are_what_the_run_says_and_counters_go_on(self):
        first = self.good().summary
        for stream in first["streams"]:
            name = stream["name"]
            self.assertEqual(self.value("admin_rows_fetched_total", stream=name), stream["fetched"])
            self.assertEqual(self.value("admin_requests_total", stream=name), stream["requests"])
            self.assertEqual(self.value("admin_archive_rows", stream=name), len(self.at().rows(name)))
            self.assertEqual(self.value("admin_archive_bytes", stream=name), stream["bytes"])
        second = self.good().summary
        for one, two in zip(first["streams"], second["streams"]):
            self.assertEqual(self.value("admin_requests_total", stream=one["name"]), one["requests"] + two["requests"])
        self.assertEqual(self.value("admin_sync_runs_total", outcome="published"), 1)
        self.assertEqual(self.value("admin_sync_runs_total", outcome="unchanged"), 1)
        self.assertEqual(self.value("admin_sync_failures_total", **{"class": "denied"}), 0)
        for stage in ("fetch", "close", "publish"):
            self.assertIsNotNone(self.value("admin_stage_duration_seconds", stage=stage))

    def test_a_failed_run_counts_and_the_last_success_stays(self):
        self.good()
        success = self.value("admin_last_success_timestamp_seconds")
        for number in range(1, 4):
            self.bad()
            self.assertEqual(self.value("admin_sync_failures_total", **{"class": "denied"}), number)
        self.assertEqual(self.value("admin_last_exit_code"), 3)
        self.assertEqual(self.value("admin_last_success_timestamp_seconds"), success)
        self.assertEqual((self.value("admin_pipeline_enabled"), self.value("admin_consecutive_failures")), (0, 3))
        self.cogni("enable", self.pipe, "--output", self.output, expect=0)
        self.assertEqual(self.value("admin_pipeline_enabled"), 1)

    def test_a_first_run_that_never_began_says_why_and_nothing_of_what_is_not_there(self):
        done = self.live(self.pipe, self.server, env={"OPENAI_ADMIN_KEY": ""}, expect=3)
        self.assertNotIn("warning", done.error)
        self.assertFalse(self.output.exists())

    def test_a_run_without_a_key_counts_as_well(self):
        self.good()
        self.live(self.pipe, self.server, env={"OPENAI_ADMIN_KEY": ""}, expect=3)
        self.assertEqual(self.value("admin_sync_failures_total", **{"class": "denied"}), 1)

    def test_the_cursor_is_behind_by_the_time_since_its_end(self):
        self.good(now="2026-11-20T12:00:00Z")
        self.assertEqual(self.value("admin_cursor_drift_seconds", stream="costs"), 12 * 3600)
        self.assertEqual(self.value("admin_cursor_timestamp_seconds", stream="costs"), 1795132800)
        self.assertIsNone(self.value("admin_cursor_drift_seconds", stream="users"), "a list has no cursor in time")

    def test_certificates_near_their_end_are_counted_as_the_archive_says(self):
        self.good()
        counted = 0
        for stream in ("certificates", "project_certificates"):
            rows = self.at().rows(stream)
            ends = [row["certificate_details_expires_at"] for row in rows if row["deleted_at"] is None]
            expected = sum(end is not None and end <= "2026-12-20T12:00:00Z" for end in ends)
            self.assertEqual(self.value("admin_certificates_expiring", stream=stream), expected)
            self.assertEqual(self.value("admin_certificate_expiring_total", stream=stream), expected)
            counted += len(rows)
        self.assertGreater(counted, 0, "an organization without certificates says nothing")
        # All of them, when looked at from far enough ahead.
        self.pipe.write_text(self.pipe.read_text().replace("certificate_expiry: 30d", "certificate_expiry: 40000d"))
        self.good()
        rows = [row for row in self.at().rows("certificates") if row["deleted_at"] is None and row["certificate_details_expires_at"]]
        self.assertEqual(self.value("admin_certificates_expiring", stream="certificates"), len(rows))
        self.assertEqual(self.value("admin_certificate_expiring_total", stream="certificates"), len(rows), "each counted once")
        # The counter stays when the number falls.
        self.pipe.write_text(self.pipe.read_text().replace("certificate_expiry: 40000d", "certificate_expiry: 1d"))
        self.good()
        self.assertLess(self.value("admin_certificates_expiring", stream="certificates"), len(rows))
        self.assertEqual(self.value("admin_certificate_expiring_total", stream="certificates"), len(rows))

    def test_rows_that_relate_to_nothing_are_counted_by_kind_and_the_number_falls_again(self):
        found = {relation["name"]: relation["rows"] for relation in self.related(False) if "skipped" not in relation}
        self.assertGreater(found["unknown_projects"], 0, "an organization in which all relates says nothing")
        for kind, rows in found.items():
            self.assertEqual(self.value("admin_relationship_breaks", kind=kind), rows)
        self.assertIsNone(self.value("admin_relationship_breaks", kind="unknown_keys"), "a relation without its lists is left out")
        mended = {relation["name"]: relation["rows"] for relation in self.related(True) if "skipped" not in relation}
        self.assertEqual(mended["unknown_projects"], 0)
        self.assertEqual(self.value("admin_relationship_breaks", kind="unknown_projects"), 0)

    def related(self, isWhole):
        """The relations of a run over recorded replies; not whole: one project that costs name is not among the projects."""
        fixture = self.folder / f"replay-{isWhole}"
        shutil.copytree(FIXTURE, fixture)
        for page in [] if isWhole else sorted((fixture / "projects").glob("*.json")):
            reply = json.loads(page.read_text())
            reply["data"] = reply["data"][:-3]
            page.write_text(json.dumps(reply))
        file = self.pipeline("costs: { group_by: [project_id, line_item] }\nprojects: {}")
        self.replay(file, "--full-refresh", fixture=fixture)
        return self.at().manifest["diagnostics"]["relations"]

    def test_days_that_came_out_differently_are_counted(self):
        self.good()
        self.server.change(restate="larger", stream="costs", **{"from": "2026-11-17T00:00:00Z", "until": "2026-11-19T00:00:00Z"})
        done = self.good()
        self.assertEqual(done.stream("costs")["counters"], {"restated_buckets": 2})
        self.assertEqual(self.value("admin_restated_buckets_total", stream="costs"), 2)

    def test_the_file_can_stand_where_node_exporter_looks(self):
        folder = self.folder / "textfile"
        folder.mkdir()
        self.pipe.write_text(self.pipe.read_text() + f"metrics: {{ file: {folder}/cogni-demo.prom }}\n")
        self.good(umask=0o077)
        self.assertEqual(os.listdir(folder), ["cogni-demo.prom"])
        self.assertEqual((folder / "cogni-demo.prom").stat().st_mode & 0o777, 0o644)
        text = (folder / "cogni-demo.prom").read_text()
        self.assertEqual(self.cogni("metrics", self.pipe, "--output", self.output, expect=0).out, text)
        folder.chmod(0o500)
        if os.geteuid() != 0:
            self.assertIn("warning: metrics", self.good(expect=0).error)

    def test_a_name_that_node_exporter_would_not_read_is_a_mistake(self):
        self.pipe.write_text(self.pipe.read_text() + "metrics: { file: metrics.txt }\n")
        self.assertIn(".prom", self.cogni("validate", self.pipe, expect=2).out)


@needs("promtool")
class Prometheus(MetricsTest):
    def test_a_state_that_was_made_anew_has_none_until_a_run_has_ended(self):
        self.good()
        self.cogni("state", "rebuild", self.pipe, "--output", self.output, expect=0)
        for more in ([], ["--json"], ["--push", "http://127.0.0.1:9"]):
            self.assertIn("since its state was made anew", self.cogni("metrics", self.pipe, "--output", self.output, *more, expect=2).error)
        self.good()
        self.assertIn("admin_sync_runs_total", self.cogni("metrics", self.pipe, "--output", self.output, expect=0).out)

    def test_promtool_finds_nothing_to_say(self):
        self.good()
        self.bad()
        done = subprocess.run(["promtool", "check", "metrics"], input=self.file.read_text(), capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))

    def test_the_rules_are_sound_and_behave_as_their_own_tests_say(self):
        for command in (["check", "rules", "cogni.rules.yml"], ["check", "config", "prometheus.yml"], ["test", "rules", "cogni.rules.test.yml"]):
            done = subprocess.run(["promtool", *command], cwd=OPS / "prometheus", capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_each_alert_has_its_steps_in_the_runbook_and_a_test_in_which_it_fires(self):
        alerts = re.findall(r"alert: (\w+)", (OPS / "prometheus/cogni.rules.yml").read_text())
        tests = (OPS / "prometheus/cogni.rules.test.yml").read_text()
        self.assertEqual([alert for alert in alerts if f"alertname: {alert}\n        exp_alerts:\n" not in tests], [])
        headings = re.findall(r"^#+ (\w+)$", (ROOT / "docs/runbook.md").read_text(), re.MULTILINE)
        self.assertEqual([alert for alert in alerts if alert not in headings], [])
        self.assertGreater(len(alerts), 5)

    def serve(self):
        """The metrics file over HTTP, as node_exporter would show it."""
        path = self.file

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):  # noqa: N802
                body = path.read_bytes()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return server.server_address[1]

    def prometheus(self, target):
        shutil.copy(OPS / "prometheus/cogni.rules.yml", self.folder / "cogni.rules.yml")
        config = {
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": ["cogni.rules.yml"],
            "scrape_configs": [{"job_name": "cogni", "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}],
        }  # fmt: skip
        (self.folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
        port = free_port()
        log = open(self.folder / "prometheus.log", "w")
        self.addCleanup(log.close)
        process = subprocess.Popen(
            ["prometheus", f"--config.file={self.folder}/prometheus.yml", f"--storage.tsdb.path={self.folder}/tsdb",
             f"--web.listen-address=127.0.0.1:{port}"], cwd=self.folder, stdout=log, stderr=log,
        )  # fmt: skip

        def end():
            process.kill()
            process.wait()

        self.addCleanup(end)
        return port

    def firing(self, port):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/alerts", timeout=10) as reply:
                alerts = json.load(reply)["data"]["alerts"]
        except OSError:
            return None
        return {one["labels"]["alertname"]: one["labels"] for one in alerts if one["state"] == "firing"}

    def until(self, claim, what, seconds=90):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if claim():
                return
            time.sleep(0.3)
        self.fail(f"{what} within {seconds} s\n{(self.folder / 'prometheus.log').read_text()[-3000:]}")

    @needs("prometheus")
    def test_a_real_prometheus_loads_the_rules_and_the_alerts_fire_and_clear(self):
        self.good()
        port = self.prometheus(self.serve())
        self.until(lambda: self.firing(port) is not None, "Prometheus did not answer")
        for _ in range(3):
            self.bad()
        self.until(lambda: {"CogniPipelineDisabled", "CogniRunFailed"} <= (self.firing(port) or {}).keys(), "the alerts did not fire")
        self.assertEqual(self.firing(port)["CogniPipelineDisabled"]["pipeline"], "demo")
        self.good("--probe")
        self.until(
            lambda: not {"CogniPipelineDisabled", "CogniRunFailed"} & (self.firing(port) or {"CogniRunFailed": 1}).keys(),
            "the alerts did not clear",
        )

    @needs("prometheus-pushgateway")
    def test_a_real_pushgateway_takes_them(self):
        port = free_port()
        process = subprocess.Popen(["prometheus-pushgateway", f"--web.listen-address=127.0.0.1:{port}"],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

        def text():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as reply:
                    return reply.read().decode()
            except OSError:
                return None

        self.log = self.folder / "prometheus.log"
        self.log.write_text("")
        self.until(text, "the Pushgateway did not answer")
        self.pipe.write_text(self.pipe.read_text() + f"metrics: {{ pushgateway: 'http://127.0.0.1:{port}' }}\n")
        self.good()
        self.assertRegex(text(), r'admin_sync_runs_total\{[^}]*outcome="published"[^}]*pipeline="demo"[^}]*\} 1')
        self.bad()
        self.assertRegex(text(), r'admin_last_exit_code\{[^}]*pipeline="demo"[^}]*\} 3')
        self.cogni("metrics", self.pipe, "--output", self.output, "--push", f"http://127.0.0.1:{port}/", expect=0)
        self.cogni("metrics", self.pipe, "--output", self.output, "--push", "http://127.0.0.1:9", expect=4)


class Files(CogniTest):
    """The examples in `ops/`: what their own tools say of them, and that their commands exist."""

    def commands(self, text):
        return re.findall(r"\bcogni ((?:[a-z]+ ?)+)", text)

    def test_every_command_they_show_is_one_of_cognis(self):
        known = set(re.findall(r"^  ([a-z]+) ", self.cogni("--help", expect=0).out, re.MULTILINE))
        for path in (OPS / "cron/cogni.cron", OPS / "systemd/cogni@.service", OPS / "airflow/cogni_dag.py", OPS / "kubernetes/cronjob.yaml"):
            text = path.read_text()
            used = [words.split()[0] for words in self.commands(text.replace("/usr/local/bin/", "")) if words.split()[0] in known]
            if "kubernetes" in str(path):
                used.append(re.search(r"args: \[(\w+),", text)[1])
            self.assertTrue(used, path)
            self.assertEqual([one for one in used if one not in known], [], path)

    @needs("systemd-analyze")
    def test_systemd_accepts_the_units(self):
        folder = self.folder / "units"
        shutil.copytree(OPS / "systemd", folder)
        unit = folder / "cogni@.service"
        unit.write_text(unit.read_text().replace("/usr/local/bin/cogni", str(BIN / "cogni")))
        done = subprocess.run(["systemd-analyze", "verify", "--man=no", str(unit), str(folder / "cogni@.timer")], capture_output=True, text=True)
        complaints = [line for line in (done.stdout + done.stderr).splitlines() if "cogni" in line]
        self.assertEqual((complaints, done.returncode), ([], 0), done.stdout + done.stderr)
        calendar = re.search(r"OnCalendar=(.+)", (folder / "cogni@.timer").read_text())[1]
        self.assertEqual(subprocess.run(["systemd-analyze", "calendar", calendar], capture_output=True).returncode, 0)

    def test_a_folder_that_not_every_machine_has_does_not_keep_the_unit_from_starting(self):
        paths = re.search(r"^ReadWritePaths=(.+)$", (OPS / "systemd/cogni@.service").read_text(), re.MULTILINE)[1].split()
        self.assertEqual([path for path in paths if not path.startswith("-")], ["/srv/cogni/output"])

    def test_kubernetes_schemas_accept_the_manifests(self):
        try:
            import kubernetes_validate
            import yaml
        except ImportError:
            self.skipTest("no kubernetes-validate here")
        kinds = []
        for document in yaml.safe_load_all((OPS / "kubernetes/cronjob.yaml").read_text()):
            kubernetes_validate.validate(document, "1.30", strict=True)
            kinds.append(document["kind"])
        self.assertEqual(kinds, ["CronJob", "PersistentVolumeClaim"])

    def test_each_cron_line_is_one_and_its_command_parses(self):
        lines = [line for line in (OPS / "cron/cogni.cron").read_text().splitlines() if line and not line.startswith("#") and "=" not in line.split()[0]]
        self.assertEqual(len(lines), 3)
        bounds = [(0, 59), (0, 23), (1, 31), (1, 12), (0, 7)]
        for line in lines:
            *fields, user, command = line.split(None, 6)
            self.assertEqual(user, "cogni")
            for field, (low, high) in zip(fields, bounds):
                for part in field.split(","):
                    base, _, step = part.partition("/")
                    self.assertTrue(base == "*" or all(low <= int(one) <= high for one in base.split("-")), line)
                    self.assertTrue(step == "" or 1 <= int(step) <= high, line)
            self.assertNotIn("%", command, "cron makes a line end of it")
            self.assertEqual(subprocess.run(["sh", "-n", "-c", command]).returncode, 0, line)

    def dag(self):
        """The DAG as Airflow would import it, with the few names of Airflow that it uses."""
        tasks = {}

        class Dag:
            def __init__(self, **settings):
                self.settings = settings

            def __enter__(self):
                return self

            def __exit__(self, *_):
                pass

        class BashOperator:
            def __init__(self, task_id, bash_command, **settings):
                self.task_id, self.bash_command, self.settings, self.next = task_id, bash_command, settings, []
                tasks[task_id] = self

            def __rshift__(self, other):
                self.next.append(other.task_id)
                return other

        modules = {"airflow": types.SimpleNamespace(DAG=Dag), "airflow.operators.bash": types.SimpleNamespace(BashOperator=BashOperator)}
        source = (OPS / "airflow/cogni_dag.py").read_text()
        ast.parse(source)
        kept = {name: sys.modules.get(name) for name in modules}
        sys.modules.update(modules)
        try:
            exec(compile(source, "cogni_dag.py", "exec"), {"__name__": "cogni_dag"})  # noqa: S102
        finally:
            for name, module in kept.items():
                sys.modules.pop(name) if module is None else sys.modules.__setitem__(name, module)
        return tasks

    def test_the_dags_commands_run_and_their_exit_codes_are_what_airflow_needs(self):
        tasks = self.dag()
        self.assertEqual({name: task.next for name, task in tasks.items()}, {"check": ["run"], "run": ["verify"], "verify": []})
        simulator = self.simulator()
        (self.folder / "pipelines").mkdir()
        text = self.pipeline("users: {}", name="openai-admin").read_text()
        (self.folder / "pipelines/openai-admin.yaml").write_text(text)

        def bash(task, key=simulator.key):
            env = {**os.environ, **simulator.environment, "OPENAI_ADMIN_KEY": key, "PATH": f"{BIN}:{os.environ['PATH']}"}
            return subprocess.run(["bash", "-c", tasks[task].bash_command], cwd=self.folder, env=env, capture_output=True, timeout=120).returncode

        self.assertEqual([bash(task) for task in ("check", "run", "verify")], [0, 0, 0])
        self.assertEqual(bash("run", WRONG["OPENAI_ADMIN_KEY"]), 3)
        self.cogni("disable", self.folder / "pipelines/openai-admin.yaml", expect=0)
        for task in ("check", "run"):
            self.assertEqual(bash(task), tasks[task].settings["skip_on_exit_code"])

    @needs("airflow")
    def test_airflow_itself_runs_the_dag(self):
        """Airflow is large: the environment of all tests has none. `pip install apache-airflow` beside it, and have `airflow` on the path."""
        simulator = self.simulator()
        (self.folder / "pipelines").mkdir()
        pipeline = self.folder / "pipelines/openai-admin.yaml"
        pipeline.write_text(self.pipeline("users: {}", name="openai-admin").read_text())
        dags = self.folder / "dags"
        dags.mkdir()
        text = (OPS / "airflow/cogni_dag.py").read_text()
        self.assertEqual(text.count('HOME = "/srv/cogni"'), 1)
        (dags / "cogni_dag.py").write_text(text.replace('HOME = "/srv/cogni"', f'HOME = "{self.folder}"'))
        env = {
            **os.environ, **simulator.environment, "PATH": f"{BIN}:{os.environ['PATH']}", "AIRFLOW_HOME": str(self.folder / "airflow"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(dags), "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        }  # fmt: skip

        def airflow(*words):
            return subprocess.run(["airflow", *words], env=env, cwd=self.folder, capture_output=True, text=True, timeout=300)

        def told(*words):
            text = airflow(*words, "--output", "json").stdout
            return json.loads(text[text.index("[{"):])

        def states(day):
            """Of the tasks, after a run of that day."""
            done = airflow("dags", "test", "cogni_openai_admin", day)
            runs = [run["run_id"] for run in told("dags", "list-runs", "cogni_openai_admin") if run["logical_date"].startswith(day)]
            self.assertEqual(len(runs), 1, done.stdout[-2000:] + done.stderr[-2000:])
            return {one["task_id"]: one["state"] for one in told("tasks", "states-for-dag-run", "cogni_openai_admin", runs[0])}

        done = airflow("db", "migrate")
        self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr[-2000:])
        self.assertEqual(states("2026-11-20"), {"check": "success", "run": "success", "verify": "success"})
        self.assertEqual(self.at("openai-admin").generation, "generations/000001")
        self.cogni("disable", pipeline, expect=0)
        self.assertEqual(states("2026-11-21"), {"check": "skipped", "run": "skipped", "verify": "skipped"})


if __name__ == "__main__":
    unittest.main()
