"""A body cut at every place: small replies under many parents, each cut a few times at different bytes, in every way in which a body can
be cut. Whatever the place, the cut body is never data: the run asks again and ends with the undisturbed tree."""

import json
import os

from stand import DAY, MEMBERS, NOW, claim, equal, same_tree
from tries import Try

PROJECTS = int(os.environ.get("COGNI_WIRE_CUTS", "60"))
# A page is asked for six times at most when it keeps coming cut.
HITS = 5
WAYS = {
    "with the connection's end, `Connection: close`": ["cut_close"],
    "with the connection's end, `Content-Length` named": ["short_body"],
    "inside a chunk or before the last one": ["cut_chunked"],
    "by a reset": ["reset_mid_body"],
    "with a length that fits the cut": ["truncate_json"],
    "inside gzip, with a length that fits the cut": ["gzip_cut"],
    "inside gzip, on `Connection: close`": ["gzip", "cut_close"],
    "inside gzip, `Content-Length` named": ["gzip", "short_body"],
    "inside gzip, in chunks": ["gzip", "cut_chunked"],
}
SOURCE = "concurrency: 64\nretry: { budget: 60s, max_delay: 1s }"


def tried(way, faults):
    def action(bench):
        simulator = bench.simulator("--projects", str(PROJECTS), "--users", "40")
        pipeline = bench.pipeline("project_users: {}", SOURCE)
        equal(bench.run(pipeline, simulator, output="calm").code, 0)
        paths = sorted({line["path"] for line in simulator.log() if line["template"] == MEMBERS})
        plan, places = [], set()
        for number, path in enumerate(paths):
            body = len(simulator.get(path + "?limit=100")[2])
            sent = body + (23 if faults[0].startswith("gzip") else 0)
            # Where the cut ends: before the last chunk's mark.
            end = sent + (len(f"{sent:x}") + 4 if "cut_chunked" in faults else 0)
            for hit in range(HITS):
                keep = (number * HITS + hit) * end // (len(paths) * HITS)
                if number == 0:
                    keep = end - 1 - hit  # the last bytes, one by one
                places.add(round(keep / end, 3))
                for fault in faults:
                    more = {} if fault == "gzip" else {"keep": keep}
                    plan.append({"fault": fault, "path": path, "nth": hit + 1, **more})
        simulator.ask("scenario", post={"faults": plan})
        done = bench.run(pipeline, simulator)
        equal(done.code, 0, way, done)
        equal(sum(done.struck), len(plan), "cuts that struck:")
        cuts = len(paths) * HITS
        retries = done.summary["totals"]["retries"]
        equal(retries, cuts, "cuts that were noticed")
        claim(len(places) > cuts // 2, "too few places")
        same_tree(bench.out("calm"), bench.out(), way)

    Try((13, 14, 17), f"cut {way}, at every place, a body is never data", faults, action)


for way, faults in WAYS.items():
    tried(way, faults)
