"""Plans of random faults of the wire that end in success, with kills and resumes in between: the tree is the undisturbed run's.

Every trial has a seed of its own, which a failure prints: `python3 Tests/Faults/mixed.py SEED` runs that one alone."""

import os
import random
import signal
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent / "Wire")]

import stand  # noqa: E402
from report import Trial  # noqa: E402
from stand import ADMIN_KEYS, AUDIT, COMPLETIONS, COSTS, GROUPS, KEYS, MEMBERS, PROJECTS, USERS, Bench, Wrong, calm  # noqa: E402

SIMULATOR = stand.BIN_SIMULATOR
# The laboratory may try another cogni than the one beside the simulator.
stand.COGNI = os.environ.get("COGNI", stand.COGNI)
STREAMS = """
usage_completions: { since: 2026-11-08, bucket_width: 1h, group_by: [project_id, user_id, model] }
costs: { since: 2026-11-08, group_by: [project_id, line_item] }
users: {}
groups: {}
projects: {}
project_users: {}
project_api_keys: {}
admin_api_keys: {}
audit_logs: { since: 2026-11-08 }
"""
REPORTS, LISTS = (COMPLETIONS, COSTS), (USERS, GROUPS, PROJECTS, MEMBERS, KEYS, ADMIN_KEYS, AUDIT)
PATHS = REPORTS + LISTS
SOURCE = "page_limit: {}\nconcurrency: {}\nretry: {{ budget: 2m, max_delay: 1s }}\ntimeouts: {{ stall: 1s, page: 4s }}"
# What costs an attempt. A page that came broken six times is given up, so no path gets more than four of them.
BROKEN = (
    "reset_mid_body", "short_body", "cut_chunked", "cut_close", "truncate_json", "empty_body", "html_200", "error_200", "trailing_garbage", "bom",
    "duplicate_keys", "gzip_corrupt", "gzip_cut",
)  # fmt: skip
# What changes how a page looks and loses nothing.
ODD = (
    "gzip", "deflate", "chunked", "no_request_id", "same_request_id", "date_skew", "early_hints", "last_page_cursor", "long_cursors", "bare_cursors",
)  # fmt: skip


def answers(chance):
    """A reply in place of the page, after which it is asked for again."""
    kind = chance.choice(("status", "status", "retry_after", "retry_after_ms", "should_retry", "reset", "stall", "drip"))
    more = {
        "status": lambda: {"status": chance.choice((408, 409, 425, 429, 500, 502, 503, 504))},
        "retry_after": lambda: {"value": chance.choice(("1", "0", "abc", "Thu, 19 Nov 2026 12:00:00 GMT", "Fri, 20 Nov 2026 12:00:01 GMT"))},
        "retry_after_ms": lambda: {"ms": chance.randint(1, 300), "seconds": 600},
        "should_retry": lambda: {"status": chance.choice((400, 422, 500)), "value": "true"},
        "stall": lambda: {"at": chance.choice(("accept", "headers", "body"))},
        "drip": lambda: {"bytes": chance.choice((3, 200, 2000)), "interval_ms": chance.choice((10, 60))},
    }.get(kind, dict)()
    return {"fault": kind, **more}


def plan_of(chance):
    """Six to sixteen faults."""
    faults, broken, once = [], dict.fromkeys(PATHS, 0), set()
    for _ in range(chance.randint(6, 16)):
        path = chance.choice(PATHS)
        fault = {"path": path, "nth": chance.randint(1, 8)}
        kind = chance.random()
        if kind < 0.35:
            fault |= answers(chance)
        elif kind < 0.65:
            broken[path] += 1
            if broken[path] > 4:
                continue
            fault |= {"fault": chance.choice(BROKEN)}
            if fault["fault"] in ("short_body", "cut_chunked", "cut_close", "reset_mid_body", "truncate_json", "gzip_cut"):
                fault["keep"] = chance.choice((0, 1, chance.randint(2, 150)))
        elif kind < 0.85:
            del fault["nth"]
            fault |= {"fault": chance.choice(ODD)}
            if fault["fault"] == "date_skew":
                # A clock behind ours makes a report's last buckets open ones, which are then left for the next run.
                fault["seconds"] = chance.choice((300, 7200) if path in REPORTS else (-7200, 300, 7200))
        else:
            # One of its kind on a path: two of them in a row would be another fault than each alone.
            special = chance.choice(("empty_page", "overlap", "duplicate_row", "token_expired", "reversed", "newest_first", "rate_window", "rotating_last_id"))
            if path in once or path == ADMIN_KEYS or (special == "newest_first" and path not in REPORTS):
                continue
            once.add(path)
            fault |= {"fault": special}
            if special == "newest_first":
                del fault["nth"]  # all pages or none, else buckets are missing
            if special in ("overlap", "empty_page"):
                del fault["nth"]
                fault |= {"page": 2, "times": 1}
            if special == "rate_window":
                del fault["nth"]
                fault |= {"limit": chance.randint(5, 9), "seconds": 1}
        faults.append(fault)
    return faults


def disturbed(seed):
    """One trial; gives what it found."""
    chance = random.Random(seed)
    faults = plan_of(chance)
    kills = chance.choice((0, 1, 1, 2, 3))
    trial = Trial(injected=len(faults) + kills)
    where = f"seed {seed}"
    try:
        undisturbed = calm(STREAMS)
        with Bench() as bench:
            simulator = bench.simulator(faults=faults, seed=seed)
            pipeline = bench.pipeline(STREAMS, SOURCE.format(chance.choice((1, 2, 3, 5)), chance.choice((1, 3, 8))))
            for _ in range(kills):
                begun, after = len(simulator.log()), chance.randint(1, 60)
                process, out, error = bench.start(pipeline, simulator)
                stand.wait_for(lambda: process.poll() is not None or len(simulator.log()) - begun >= after)
                number = chance.choice((signal.SIGKILL, signal.SIGKILL, signal.SIGTERM))
                process.send_signal(number)
                code = process.wait()
                out.close()
                said = stand.read(error)
                trial.fired += code != 0
                if code not in (0, -number, 143):
                    raise Wrong(f"a run that was to be killed ended with {code}: {said[-500:]}")
                if bench.out().exists():
                    stand.same_data(undisturbed, bench.out(), "what a killed run shows")
                    trial.checked["P-02"] += 1
            done = bench.run(pipeline, simulator, timeout=300)
            if done.code != 0:
                raise Wrong(f"the run ended with {done.code}: {done.error[-800:]}")
            trial.fired += sum(1 for struck in done.struck if struck)
            stand.balances(done)
            stand.same_tree(undisturbed, bench.out())
            for promise in ("P-02", "P-10", "P-12", "P-13", "P-14") if kills else ("P-10", "P-12", "P-13", "P-14"):
                trial.checked[promise] += 1
            again = bench.run(pipeline, simulator, timeout=300)
            if again.code != 0 or again.summary["outcome"] != "unchanged":
                trial.differed += 1
                trial.fail(f"{where}: run again it was not unchanged: {again}")
    except Exception as wrong:  # noqa: BLE001 - each failure is one failed trial
        trial.fail(f"{where}: {type(wrong).__name__}: {wrong}; faults {faults}")
    return trial


class MixedFaults:
    """Trials for the laboratory. It brings its own simulator and pipeline."""

    def __init__(self, workload, seed, short):
        self.seed, self.short = seed, short

    def plans(self, scratch):
        calm(STREAMS)  # before the trials part into processes
        return [self.seed * 1000 + at for at in range(12 if self.short else 200)]

    def trial(self, plan, output):
        return disturbed(plan)


if __name__ == "__main__":
    found = [disturbed(int(seed)) for seed in sys.argv[1:]]
    for trial in found:
        print(f"{trial.injected} injected, {trial.fired} fired, {dict(trial.checked)}, {trial.differed} differed", *trial.failures, sep="\n  ")
    sys.exit(1 if any(trial.failures for trial in found) else 0)
