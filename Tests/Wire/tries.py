"""How a behaviour is tried: undisturbed beside disturbed, or in its own words."""

from stand import BASE, SHORT, SOURCE, Bench, calm, claim, equal, same_data, same_tree

TRIES = []


class Try:
    """One line of the suite: which behaviours, what is claimed, by which names of the simulator, and how it is found out."""

    def __init__(self, numbers, text, names, action):
        self.numbers = (numbers,) if isinstance(numbers, int) else tuple(numbers)
        self.text, self.names, self.action = text, set(names), action
        TRIES.append(self)


def names_of(faults, switches):
    return {fault["fault"] for fault in faults} | set(switches or {})


def same(numbers, text, *faults, switches=None, retried=None, notes="", also=None, calm_switches=None, **rest):
    """The run ends with 0 and leaves the undisturbed run's tree, byte for byte.

    retried: True when the faults must have cost attempts, False when none. calm_switches: of the undisturbed run; as the run's."""

    def action(bench):
        streams, load, options = rest.get("streams", BASE), rest.get("load", ""), rest.get("options", ())
        undisturbed = calm(streams, load=load, switches=switches if calm_switches is None else calm_switches, options=options)
        pipeline = bench.pipeline(streams, rest.get("source", SOURCE), load)
        rough = bench.simulator(*options, faults=faults, switches=switches)
        done = bench.run(pipeline, rough)
        equal(done.code, 0, text, done)
        claim(all(done.struck), "a fault never struck:", done.struck)
        same_tree(undisturbed, bench.out(), text)
        retries = done.summary["totals"]["retries"]
        if retried is True:
            claim(retries > 0, "nothing was tried again")
        if retried is False:
            equal(retries, 0, "tried again")
        told = " ".join(note for stream in done.summary["streams"] for note in stream["notes"])
        claim(notes in told, "no note says", notes, "but:", told)
        if also:
            also(bench, done)

    return Try(numbers, text, names_of(faults, switches), action)


def fails(numbers, text, *faults, code, stream, words=(), hits=None, whole=False, cap=None, source=SHORT, also=None, **rest):
    """One stream fails: code, words, the others published, nothing of it published; without the faults the next run is golden.

    hits: so many times the (first) fault struck, for what is not tried again. whole: nothing at all is published.
    cap: bytes of memory that the run may take at most. Of several tries of one claim the first shows that the next run mends it."""
    mends = not any(one.text == text for one in TRIES)

    def action(bench):
        streams, switches, options = rest.get("streams", BASE), rest.get("switches"), rest.get("options", ())
        undisturbed = calm(streams, switches=switches, options=options)
        simulator = bench.simulator(*options, faults=faults, switches=switches)
        pipeline = bench.pipeline(streams, source)
        done = bench.run(pipeline, simulator)
        equal(done.code, code, text, done)
        claim(all(done.struck), "a fault never struck:", done.struck)
        told = done.said
        for word in (f"stream {stream}", "mend:", *words):
            claim(word in told, f"the error does not say {word!r}:", told)
        if hits is not None:
            equal(done.struck[0], hits, "requests that were refused:")
            last = done.asked(faults[0]["path"])[-1]
            claim(faults[0]["fault"] in last["faults"], "a request went out after the fault that was final:", last)
        if cap:
            claim(done.rss <= cap, f"peak memory {done.rss >> 20} MiB is over {cap >> 20} MiB")
        simulator.ask("scenario", post={"seed": 1, "faults": []})
        if whole:
            claim(not bench.out().exists(), "something was published")
        else:
            entries = {entry["name"]: entry for entry in bench.out().manifest["streams"]}
            equal({name for name, entry in entries.items() if entry["stale"]}, {stream}, "stale streams:")
            equal(entries[stream]["partitions"], [], "the failed stream's files:")
            for entry in undisturbed.manifest["streams"]:
                if entry["name"] != stream:
                    equal(entries[entry["name"]]["partitions"], entry["partitions"], "another stream differs:", entry["name"])
        if also:
            also(bench, done)
        if mends:
            again = bench.run(pipeline, simulator)
            equal(again.code, 0, again)
            same_data(undisturbed, bench.out(), "after the mend")

    return Try(numbers, text, names_of(faults, rest.get("switches")), action)


def told(numbers, text, *names):
    """A try that needs its own words. `names`: of the simulator's faults and switches that it uses."""

    def decorate(action):
        Try(numbers, text, names, action)
        return action

    return decorate


def attempt(one):
    """`None`, or what went wrong."""
    try:
        with Bench() as bench:
            one.action(bench)
    except Exception as error:  # noqa: BLE001 - each failure is one failed claim
        return f"{type(error).__name__}: {error}"
    return None

