#!/usr/bin/env python3
"""Loads an NDJSON output of cogni into DuckDB, and later only what has changed.

    docs/examples/load_duckdb.py OUTPUT DATABASE

One table for each stream, with a column `dt` where the stream has partitions. Which manifest was loaded last stands in the table
`_cogni`; rows and that note change in one transaction. Needs the PyPI package `duckdb`.
"""
import hashlib
import json
import pathlib
import sys

import duckdb

TYPES = {"integer": "BIGINT", "number": "DECIMAL(38, 18)", "datetime": "TIMESTAMPTZ", "boolean": "BOOLEAN", "string": "VARCHAR"}


def read(path):
    return json.loads(path.read_bytes())


def digest(generation):
    return hashlib.sha256((generation / "manifest.json").read_bytes()).hexdigest()


def work(output, generation, loaded):
    """What to do to get from the manifest `loaded` to `generation`: {(stream, partition): paths to load}."""
    by_digest = {digest(folder): folder for folder in (output / "generations").glob("[0-9]*")}
    missed, at = [], generation
    while at is not None and digest(at) != loaded:
        missed.append(at)
        at = by_digest.get(read(at / "changes.json")["previous_manifest_sha256"])
    jobs = {}
    if loaded is not None and at is None:
        return None  # rolled back, or vacuumed away: the caller loads everything
    for folder in reversed(missed):  # oldest first; the last word on each partition wins
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
    output = pathlib.Path(output)
    generation = (output / "current").resolve()  # once: `current` may be swapped while we read
    manifest = read(generation / "manifest.json")
    db = duckdb.connect(database)
    db.execute("BEGIN")
    db.execute("CREATE TABLE IF NOT EXISTS _cogni (manifest_sha256 VARCHAR)")
    row = db.execute("SELECT manifest_sha256 FROM _cogni").fetchone()
    jobs = work(output, generation, row and row[0])
    if jobs is None:
        for stream in manifest["streams"]:
            db.execute(f'DROP TABLE IF EXISTS "{stream["name"]}"')
        jobs = everything(manifest)
    schemas = {stream["name"]: read(generation / stream["schema"])["fields"] for stream in manifest["streams"]}
    rows = 0
    for (stream, dt), paths in sorted(jobs.items(), key=lambda job: (job[0][0], job[0][1] or "")):
        if stream not in schemas:  # the stream is gone from the pipeline
            db.execute(f'DROP TABLE IF EXISTS "{stream}"')
            continue
        columns = {field["name"]: TYPES.get(field["type"], "JSON") for field in schemas[stream]}
        definition = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        db.execute(f'CREATE TABLE IF NOT EXISTS "{stream}" (dt VARCHAR, {definition})')
        db.execute(f'DELETE FROM "{stream}" WHERE dt IS NOT DISTINCT FROM ?', [dt])
        if paths:
            files = [str(generation / path) for path in paths]
            names = ", ".join(f'"{name}"' for name in columns)
            rows += db.execute(
                f'INSERT INTO "{stream}" SELECT ?, {names} FROM read_json(?, format = \'newline_delimited\', columns = {columns})',
                [dt, files],
            ).fetchone()[0]
    db.execute("DELETE FROM _cogni")
    db.execute("INSERT INTO _cogni VALUES (?)", [digest(generation)])
    db.execute("COMMIT")
    print(f"{len(jobs)} partitions replaced, {rows} rows loaded")


if __name__ == "__main__":
    main(*sys.argv[1:])
