"""A signal stops a run in every phase where the next run can go on, and no signal and no closed stream harms the data."""

import os
import shutil
import signal
import subprocess
import time
import unittest
from pathlib import Path

from harness import COGNI, CogniTest, Done, environment, hears
from plain_api import PlainTest, page

NOW = "2026-11-20T12:00:00Z"
STOPPERS = ((signal.SIGINT, 130), (signal.SIGTERM, 143))
ROWS = [{"id": f"t{number:05}", "name": f"thing {number}", "size": number} for number in range(200)]


class Signals(PlainTest, CogniTest):
    STREAMS = "things: {}\nevents: { since: 2026-11-01 }"

    def setUp(self):
        super().setUp()
        # A shell that starts us in the background ignores SIGQUIT, and all that we start would, too.
        signal.signal(signal.SIGQUIT, signal.SIG_DFL)
        events = [{"id": f"e{day}", "at": 1793500000 + day * 86400, "note": "x"} for day in range(12)]
        self.pages = {"/things": page(*ROWS), "/events": b'{"data":%s,"has_more":false,"last_id":"e"}' % page(*events)[9:-1]}
        self.server = self.api(self.pages)
        self.file = self.plain(self.STREAMS)
        self.go(self.file, self.server, output=self.folder / "calm")
        self.calm = self.at(output=self.folder / "calm")

    def resume(self):
        self.server.gate.set()
        self.server.pages = self.pages
        done = self.go(self.file, self.server)
        self.assertBalances(done.summary)
        self.assertSameTree(self.calm, self.at())
        self.cogni("verify", self.output / "demo", expect=0)
        shutil.rmtree(self.output)

    def stop(self, process, number, code, what, pid=None):
        """Sends it, and expects the end within the 10 s that are promised."""
        while process.poll() is None and pid is None and not hears(process, number):
            pass
        began = time.monotonic()
        os.kill(pid or process.pid, number)
        out, error = process.communicate(timeout=60)
        took = time.monotonic() - began
        self.assertEqual(process.returncode, code, f"{what}: {error}")
        self.assertLess(took, 10, what)
        self.assertFalse(self.at().exists(), f"{what}: nothing is published")
        return Done(process.returncode, out, error)

    # -- where a run can be -----------------------------------------------------------------------------------------

    def test_while_a_reply_is_awaited(self):
        for number, code in STOPPERS:
            process = self.held(self.file, self.server)
            done = self.stop(process, number, code, "fetch")
            self.assertEqual(done.summary["outcome"], "interrupted")
            self.assertEqual({fault["exit_code"] for fault in done.summary["faults"]}, {code})
            self.resume()

    def test_while_a_retry_is_awaited(self):
        for number, code in STOPPERS:
            self.server.pages = {**self.pages, "/things": lambda _: (503, {"Retry-After": "200"}, b"{}")}
            before = len(self.server.asked)
            process = self.begin(self.file, self.server)
            self.wait(lambda: "/v1/things" in self.server.asked[before:] and self.has_begun(), process)
            self.stop(process, number, code, "retry")
            self.resume()

    @unittest.skipUnless(shutil.which("strace"), "strace is not installed")
    def test_while_partitions_are_closed_and_while_a_generation_is_built(self):
        """strace makes each call of a kind slow, so that the phase lasts; `reached` tells when the run is in it."""
        for phase, call, reached in (
            ("close", "write", lambda: any((self.output / "demo/.staging").rglob("*.made"))),
            ("build", "link,linkat", lambda: any((self.output / "demo/generations").glob(".building-*/*/*/*"))),
            ("commit", "fsync", lambda: any((self.output / "demo/generations").glob(".building-*/_SUCCESS"))),
        ):
            for number, code in STOPPERS:
                process, pid = self.traced(f"inject={call}:delay_enter=500000", call)
                self.wait(lambda: self.looked(reached), process, phase)
                self.stop(process, number, code, phase, pid)
                self.assertEqual([path.name for path in (self.output / "demo/generations").iterdir()], [], phase)
                self.resume()

    def test_a_second_signal_ends_a_slow_build_at_once(self):
        if not shutil.which("strace"):
            self.skipTest("strace is not installed")
        process, pid = self.traced("inject=link,linkat:delay_enter=60000000", "link,linkat")
        self.wait(lambda: self.looked(lambda: any((self.output / "demo/generations").glob(".building-*/*"))), process)
        os.kill(pid, signal.SIGTERM)
        self.wait(lambda: b"press again" in self.told.read_bytes(), process)
        os.kill(pid, signal.SIGTERM)

        def gone():
            try:
                return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
            except OSError:
                return True

        began = time.monotonic()
        self.wait(gone)
        self.assertLess(time.monotonic() - began, 10)
        process.kill()  # strace itself would wait for the end of its delay
        process.wait()
        self.assertFalse(self.at().exists())
        self.resume()

    def looked(self, condition):
        """The condition over folders that come and go meanwhile."""
        try:
            return condition()
        except FileNotFoundError:
            return False

    def traced(self, inject, call):
        """cogni below strace; gives strace's process, which ends with cogni's code, and cogni's id."""
        self.told = self.folder / "told"
        command = ["strace", "-f", "-o", "/dev/null", "-e", f"trace={call}", "-e", inject, COGNI]
        command += ["run", str(self.file), "--output", str(self.output), "--now", NOW, "--progress", "plain"]
        with open(self.told, "wb") as told:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=told, cwd=self.folder,
                env=environment(self.server.environment),
            )  # fmt: skip
        self.addCleanup(lambda: process.poll() is None and (process.kill(), process.wait()))
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")

        def traced():
            # strace starts children of its own first, and the right one is strace too until it becomes cogni.
            for child in children.read_text().split():
                try:
                    if Path(f"/proc/{child}/cmdline").read_bytes().startswith(COGNI.encode() + b"\0run"):
                        return int(child)
                except OSError:
                    pass
            return None

        self.wait(traced, process)
        pid = traced()
        process.communicate = lambda timeout=None: (process.wait(timeout), ("", self.told.read_text()))[1]
        return process, pid

    # -- other signals ----------------------------------------------------------------------------------------------

    def test_a_closed_terminal_does_not_stop_a_run(self):
        process = self.held(self.file, self.server)
        for _ in range(3):
            process.send_signal(signal.SIGHUP)
            process.send_signal(signal.SIGPIPE)
        self.server.gate.set()
        _, error = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, error)
        self.assertSameTree(self.calm, self.at())

    def test_sigquit_is_as_a_kill(self):
        process = self.held(self.file, self.server)
        process.send_signal(signal.SIGQUIT)
        process.communicate(timeout=60)
        self.assertEqual(process.returncode, -signal.SIGQUIT)
        self.assertFalse(self.at().exists())
        self.resume()

    def test_stopped_in_the_middle_of_a_request_and_let_go_on_it_finishes(self):
        process = self.held(self.file, self.server)
        process.send_signal(signal.SIGSTOP)
        self.wait(lambda: Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T", process)
        self.server.gate.set()
        time.sleep(2)  # the reply waits in the socket, and every clock goes on
        process.send_signal(signal.SIGCONT)
        _, error = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0, error)
        self.assertSameTree(self.calm, self.at())

    # -- closed streams ---------------------------------------------------------------------------------------------

    def test_closed_or_full_output_streams_leave_no_trace_in_the_data(self):
        for redirection in (">&-", "2>&-", ">&- 2>&-", "<&- >&- 2>&-", ">/dev/full", "2>/dev/full", ">/dev/full 2>/dev/full", "| true", "2>&1 | head -n 1"):
            for way in (("--json", "--progress", "plain"), ()):
                words = [COGNI, "run", self.file, "--output", self.output, "--now", NOW, *way]
                shell = 'set -o pipefail; "$@" ' + redirection
                done = subprocess.run(
                    ["bash", "-c", shell, "bash", *map(str, words)], cwd=self.folder, capture_output=True, timeout=60,
                    env=environment(self.server.environment), stdin=subprocess.DEVNULL,
                )  # fmt: skip
                # Only a result that was asked for and is lost is told; test_stdout says how.
                lost = redirection.startswith((">/dev/full", ">&-", "<&- >&-")) and "--json" in way
                self.assertEqual(done.returncode, 6 if lost else 0, f"{redirection}: {done.stderr}")
                self.assertSameTree(self.calm, self.at(), redirection)
                for path, data in self.at().everything():
                    if ".staging" not in str(path):
                        self.assertNotIn(b"things: started", data, f"{redirection}: progress was written into {path}")
                self.resume()


if __name__ == "__main__":
    unittest.main()
