"""Reads an output with the tools that other people use, and holds what they see against the manifest.

usage: check_output.py OUTPUT...        OUTPUT: the folder that holds `current`

Every check prints a line; the last line is `N passed, N failed`. A tool that is not there is a skip, with its name.
"""

import csv
import gzip
import hashlib
import importlib.util
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

passed = failed = 0
csv.field_size_limit(1 << 30)


def check(name, good, why=""):
    global passed, failed
    if good:
        passed += 1
        print(f"ok      {name}")
    else:
        failed += 1
        print(f"FAILED  {name}: {why}")


def skip(name, why):
    print(f"skipped {name}: {why}")


def run(*command, cwd=None):
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, errors="replace")
    return done.returncode, done.stdout + done.stderr


def content(path):
    if path.name.endswith(".gz"):
        return gzip.decompress(path.read_bytes())
    if path.name.endswith(".zst"):
        return subprocess.run(["zstd", "-dcq", str(path)], capture_output=True, check=True).stdout
    return path.read_bytes()


def files(manifest):
    for stream in manifest["streams"]:
        for partition in stream["partitions"]:
            for file in partition["files"]:
                yield stream, partition, file


def check_sums(current):
    if not shutil.which("sha256sum"):
        return skip("sha256sum -c", "sha256sum is not installed")
    status, said = run("sha256sum", "-c", "--strict", "--quiet", "SHA256SUMS", cwd=current)
    check("sha256sum -c", status == 0, said.strip()[:300])


def check_manifest(current, manifest):
    raw = (current / "manifest.json").read_bytes()
    again = json.dumps(manifest, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    check("manifest.json is canonical", raw == again, "its bytes are not those of canonical JSON")
    success = json.loads((current / "_SUCCESS").read_bytes())
    digest = hashlib.sha256(raw).hexdigest()
    check("_SUCCESS names the manifest", success["manifest_sha256"] == digest, success["manifest_sha256"])


def check_tools(current, manifest):
    for suffix, tool in ((".gz", "gzip"), (".zst", "zstd")):
        paths = [current / f["path"] for _, _, f in files(manifest) if f["path"].endswith(suffix)]
        if not paths:
            continue
        if not shutil.which(tool):
            skip(f"{tool} -t", f"{tool} is not installed")
            continue
        bad = [p.name for p in paths if run(tool, "-tq", str(p))[0] != 0]
        check(f"{tool} -t on {len(paths)} files", not bad, ", ".join(bad))
    for bundle in [*current.glob("*.tar.zst"), *current.glob("*.zip")]:
        if not shutil.which("bsdtar"):
            skip(f"bsdtar -tf {bundle.name}", "bsdtar is not installed")
            continue
        status, listed = run("bsdtar", "-tf", str(bundle))
        names = listed.split("\n")[:-1]
        wanted = sorted([f["path"] for _, _, f in files(manifest)] + ["manifest.json", "SHA256SUMS"])
        good = status == 0 and set(wanted) <= set(names) and names == sorted(names)
        check(f"bsdtar -tf {bundle.name}", good, listed[:300])
        bad = [n for n in names if n.startswith("/") or ".." in n.split("/") or n.endswith("/")]
        check(f"{bundle.name} has plain entries only", not bad, ", ".join(bad))


def ndjson_rows(data, columns):
    if data and not data.endswith(b"\n"):
        raise ValueError("no line feed at the end")
    if b"\r" in data:
        raise ValueError("a carriage return")
    lines = data.decode("utf-8").split("\n")[:-1]
    for number, line in enumerate(lines, 1):
        pairs = json.loads(line, object_pairs_hook=lambda p: p if any(k == columns[0] for k, _ in p) else dict(p))
        if [key for key, _ in pairs] != columns:
            raise ValueError(f"line {number} has other keys, or in another order, than the schema")
    return len(lines)


def csv_rows(data, columns):
    text = data.decode("utf-8")
    rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    if rows[0] != columns:
        raise ValueError("the header is not the schema's")
    if any(len(row) != len(columns) for row in rows):
        raise ValueError("a row of another width")
    return len(rows) - 1


def check_rows(current, manifest):
    for stream, _, file in files(manifest):
        name = f"Python reads {file['path']}"
        try:
            schema = json.loads((current / stream["schema"]).read_bytes())
            columns = [field["name"] for field in schema["fields"]]
            data = content(current / file["path"])
            digest = hashlib.sha256(data).hexdigest()
            if digest != file["content_sha256"] or digest[:16] not in file["path"]:
                raise ValueError(f"content hash {digest}")
            if len(data) != file["content_bytes"]:
                raise ValueError(f"{len(data)} bytes of content")
            rows = (csv_rows if ".csv" in file["path"] else ndjson_rows)(data, columns)
            check(name, rows == file["rows"], f"{rows} rows, the manifest says {file['rows']}")
        except (ValueError, OSError, KeyError, IndexError) as error:
            check(name, False, repr(error))


def check_profiles(current):
    if not (current / "datapackage.json").exists():
        return skip("official profile", "a generation without files has no datapackage.json")
    if not importlib.util.find_spec("dplib") or not importlib.util.find_spec("jsonschema"):
        return skip("official profile", "dplib-py and jsonschema are not installed")
    import dplib
    import jsonschema

    profiles = Path(dplib.__file__).parent / "profiles" / "2.0"
    for profile, paths in (
        ("datapackage.json", [current / "datapackage.json"]),
        ("tableschema.json", sorted((current / "schemas").glob("*.json"))),
    ):
        validator = jsonschema.Draft7Validator(json.loads((profiles / profile).read_text()))
        for path in paths:
            errors = [e.message[:200] for e in validator.iter_errors(json.loads(path.read_bytes()))]
            check(f"{path.relative_to(current)} satisfies the 2.0 profile", not errors, "; ".join(errors[:3]))


def check_frictionless(current, manifest):
    if not (current / "datapackage.json").exists():
        return skip("frictionless", "a generation without files has no datapackage.json")
    if not importlib.util.find_spec("frictionless"):
        return skip("frictionless", "frictionless[json] is not installed")
    if any(f["path"].endswith(".zst") for _, _, f in files(manifest)):
        return skip("frictionless", "it does not support zstd")
    program = Path(sys.executable).parent / "frictionless"
    status, said = run(str(program), "validate", "--json", "datapackage.json", cwd=current)
    try:
        report = json.loads(said[said.index("{") :])
        errors = [e["message"] for t in report["tasks"] for e in t["errors"]] + [e["message"] for e in report["errors"]]
        warnings = report["warnings"] + [w for t in report["tasks"] for w in t["warnings"]]
        rows = sum(t["stats"]["rows"] for t in report["tasks"])
    except (ValueError, KeyError) as error:
        return check("frictionless validate", False, f"{error!r}: {said[:300]}")
    check("frictionless validate", status == 0 and report["valid"] and not warnings, "; ".join(errors + warnings)[:600])
    wanted = sum(s["rows"] for s in manifest["streams"])
    check("frictionless reads every row", rows == wanted, f"{rows}, the manifest says {wanted}")


def check_duckdb(current, manifest):
    if not importlib.util.find_spec("duckdb"):
        return skip("DuckDB", "duckdb is not installed")
    import duckdb

    for stream in manifest["streams"]:
        if not stream["rows"]:
            continue
        paths = [f["path"] for p in stream["partitions"] for f in p["files"]]
        suffix = "." + paths[0].rsplit("/", 1)[1].split(".", 1)[1]
        glob = f"{current}/{stream['name']}/**/*{suffix}"
        reader = (
            f"read_csv('{glob}', header = true, delim = ',', quote = '\"', escape = '\"', all_varchar = true,"
            " allow_quoted_nulls = false, hive_partitioning = true, hive_types_autocast = false)"
            if ".csv" in suffix
            else f"read_json('{glob}', format = 'newline_delimited', maximum_object_size = 67108864,"
            " hive_partitioning = true, hive_types_autocast = false)"
        )
        try:
            dated = bool(stream["partitions"][0]["partition"])
            key = "dt" if dated else "''"
            got = dict(duckdb.sql(f"select cast({key} as varchar), count(*) from {reader} group by 1").fetchall())
            wanted = {
                p["partition"].get("dt", ""): sum(f["rows"] for f in p["files"]) for p in stream["partitions"]
            }
            check(f"DuckDB loads {stream['name']}", got == wanted, f"{got} instead of {wanted}")
        except duckdb.Error as error:
            check(f"DuckDB loads {stream['name']}", False, str(error)[:400])


def main(outputs):
    if not outputs:
        sys.exit(__doc__)
    for output in outputs:
        current = Path(output) / "current"
        print(f"== {output}")
        if not current.is_dir():
            check("current", False, "is not there")
            continue
        current = current.resolve()
        manifest = json.loads((current / "manifest.json").read_bytes())
        check_sums(current)
        check_manifest(current, manifest)
        check_tools(current, manifest)
        check_rows(current, manifest)
        check_profiles(current)
        check_frictionless(current, manifest)
        check_duckdb(current, manifest)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


main(sys.argv[1:])
