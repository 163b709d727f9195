#!/usr/bin/env python3
"""Loads an NDJSON output of cogni into DuckDB, and later only what has changed.

    docs/examples/load_duckdb.py OUTPUT DATABASE

One table for each stream, with a column `dt` where the stream has partitions. One database holds one output: which manifest was
loaded last stands in the table `_cogni`, which tables it gave, and by which schemas, in `_cogni_streams`. Rows and these notes
change in one transaction. Needs the PyPI package `duckdb`.
"""
import json
import pathlib
import sys

import duckdb

TYPES = {"integer": "BIGINT", "number": "DECIMAL(38, 18)", "datetime": "TIMESTAMPTZ", "boolean": "BOOLEAN", "string": "VARCHAR"}


def read(path):
    return json.loads(path.read_bytes())


def missed(generation, loaded):
    """The generations that lead from the manifest `loaded` to this one, newest first. None: they do not lead there.

    The way goes by number and always downwards, so it ends. Several generations may have the manifest `loaded`; the first one met
    will do, since equal manifests hold equal rows.
    """
    link = read(generation / "_SUCCESS")
    if link["manifest_sha256"] == loaded:
        return []
    passed = [generation]
    while link["previous_manifest_sha256"] != loaded:
        number, digest = link["previous_generation"], link["previous_manifest_sha256"]
        if number is None or number >= link["generation"]:
            return None  # the first generation: the output was rolled back to before `loaded`
        before = generation.parent / f"{number:06}"
        if not (before / "_SUCCESS").exists():
            return None  # vacuumed away
        link = read(before / "_SUCCESS")
        if link["manifest_sha256"] != digest:
            return None  # another generation than the one that was followed
        passed.append(before)
    return passed


def changed(passed):
    """What these generations, newest first, do to each partition: {(stream, partition): paths to load}."""
    jobs = {}
    for folder in reversed(passed):  # the last word on each partition wins
        for change in read(folder / "changes.json")["changes"]:
            jobs[change["stream"], change["partition"].get("dt")] = [file["path"] for file in change["add"]]
    return jobs


def everything(manifest):
    return {
        (stream["name"], partition["partition"].get("dt")): [file["path"] for file in partition["files"]]
        for stream in manifest["streams"]
        for partition in stream["partitions"]
    }


def main(output, database):
    generation = (pathlib.Path(output) / "current").resolve()  # once: `current` may be swapped while we read
    manifest = read(generation / "manifest.json")
    streams = {stream["name"]: stream for stream in manifest["streams"]}
    db = duckdb.connect(database)
    db.execute("BEGIN")
    db.execute("CREATE TABLE IF NOT EXISTS _cogni (manifest_sha256 VARCHAR)")
    db.execute("CREATE TABLE IF NOT EXISTS _cogni_streams (stream VARCHAR, schema_sha256 VARCHAR)")
    loaded = db.execute("SELECT manifest_sha256 FROM _cogni").fetchone()
    passed = missed(generation, loaded[0]) if loaded else None

    # A table stays when it can be brought up to date. It is made anew when the way to here is not known, or when its stream
    # has other columns by now; it goes when its stream has gone.
    tables = dict(db.execute("SELECT stream, schema_sha256 FROM _cogni_streams").fetchall())
    stay = {name for name, stream in streams.items() if passed is not None and tables.get(name) == stream["schema_sha256"]}
    for name in (tables.keys() | streams.keys()) - stay:
        db.execute(f'DROP TABLE IF EXISTS "{name}"')
    jobs = {job: paths for job, paths in everything(manifest).items() if job[0] not in stay}
    jobs |= {job: paths for job, paths in changed(passed or []).items() if job[0] in stay}

    columns = {}
    for name, stream in streams.items():
        fields = read(generation / stream["schema"])["fields"]
        columns[name] = {field["name"]: TYPES.get(field["type"], "JSON") for field in fields}
        definition = ", ".join(f'"{column}" {kind}' for column, kind in columns[name].items())
        db.execute(f'CREATE TABLE IF NOT EXISTS "{name}" (dt VARCHAR, {definition})')
    rows = 0
    for (name, dt), paths in sorted(jobs.items(), key=lambda job: (job[0][0], job[0][1] or "")):
        db.execute(f'DELETE FROM "{name}" WHERE dt IS NOT DISTINCT FROM ?', [dt])
        if paths:
            files = [str(generation / path) for path in paths]
            cells = ", ".join(f'"{column}"' for column in columns[name])
            lines = f"read_json(?, format = 'newline_delimited', columns = {columns[name]})"
            rows += db.execute(f'INSERT INTO "{name}" SELECT ?, {cells} FROM {lines}', [dt, files]).fetchone()[0]

    db.execute("DELETE FROM _cogni")
    db.execute("INSERT INTO _cogni VALUES (?)", [read(generation / "_SUCCESS")["manifest_sha256"]])
    db.execute("DELETE FROM _cogni_streams")
    for name, stream in streams.items():
        db.execute("INSERT INTO _cogni_streams VALUES (?, ?)", [name, stream["schema_sha256"]])
    db.execute("COMMIT")
    print(f"{len(jobs)} partitions replaced, {rows} rows loaded")


if __name__ == "__main__":
    main(*sys.argv[1:])
