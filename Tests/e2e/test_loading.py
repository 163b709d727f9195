"""The loader that the documents show, `docs/examples/load_duckdb.py`: after each load the database holds the current generation, whatever lies between."""

import json
import shutil
import subprocess
import sys
import unittest

from harness import ROOT, CogniTest, rows

PROGRAM = ROOT / "docs/examples/load_duckdb.py"
VENV = ROOT / ".build/venv-readers/bin/python"
PYTHON = str(VENV) if VENV.exists() else sys.executable
HAS_DUCKDB = subprocess.run([PYTHON, "-c", "import duckdb"], capture_output=True).returncode == 0
# Prints {table: rows}, a row as its `dt` and the columns asked for; the loader's own tables are left out.
DUMP = """
import json, sys, duckdb
columns, db = json.loads(sys.argv[2]), duckdb.connect(sys.argv[1], read_only=True)
tables = [name for (name,) in db.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall() if not name.startswith("_cogni")]
chosen = {name: ", ".join(f'"{column}"' for column in ["dt", *columns.get(name, [])]) for name in tables}
print(json.dumps({name: db.execute(f'SELECT {chosen[name]} FROM "{name}"').fetchall() for name in tables}))
"""
STREAMS = """
costs: { group_by: [project_id, line_item] }
projects: {}
"""


@unittest.skipUnless(HAS_DUCKDB, "duckdb is not installed: run Tests/readers/run.sh once")
class Loading(CogniTest):
    def setUp(self):
        super().setUp()
        self.database = self.folder / "warehouse.duckdb"

    def load(self):
        """Loads; what it printed."""
        done = subprocess.run(
            [PYTHON, PROGRAM, self.at().path, self.database], capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
        )
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        return done.stdout.strip()

    def assertHoldsTheCurrentGeneration(self):  # noqa: N802 - as unittest names them
        """One table for each stream, with the rows of its files: compared by `dt` and all columns of text."""
        output, texts, wanted = self.at(), {}, {}
        for stream in output.manifest["streams"]:
            name = stream["name"]
            fields = json.loads((output.current / stream["schema"]).read_bytes())["fields"]
            texts[name] = [field["name"] for field in fields if field["type"] == "string"]
            wanted[name] = []
        for name, partition, file in output.files():
            day = partition.partition("=")[2] or None
            wanted[name] += [[day, *(row[column] for column in texts[name])] for row in rows(output.current / file["path"])]
        done = subprocess.run([PYTHON, "-c", DUMP, self.database, json.dumps(texts)], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr[-2000:])
        found = json.loads(done.stdout)
        self.assertEqual(sorted(found), sorted(wanted), "one table for each stream")
        for name in wanted:
            self.assertEqual(sorted(found[name], key=repr), sorted(wanted[name], key=repr), name)
        self.assertTrue(any(wanted.values()), "an empty generation says nothing")

    def test_a_load_that_has_missed_generations_replaces_only_what_they_changed(self):
        pipeline = self.pipeline(STREAMS)
        self.replay(pipeline, "--until", "2025-11-05")
        self.load()
        self.replay(pipeline, "--until", "2025-11-08")
        self.replay(pipeline, "--until", "2025-11-10")
        self.assertLess(int(self.load().split()[0]), len(list(self.at().files("costs"))))
        self.assertHoldsTheCurrentGeneration()
        self.assertEqual(self.load(), "0 partitions replaced, 0 rows loaded")

    def test_a_fresh_database_gets_everything_though_old_generations_are_gone(self):
        pipeline = self.pipeline(STREAMS)
        self.replay(pipeline, "--until", "2025-11-05")
        self.replay(pipeline, "--until", "2025-11-10")
        self.cogni("vacuum", self.at().path, "--keep", 1, expect=0)
        self.load()
        self.assertHoldsTheCurrentGeneration()

    def test_a_database_whose_generation_is_gone_gets_everything(self):
        pipeline = self.pipeline(STREAMS)
        for until in ["2025-11-05", "2025-11-07", "2025-11-10"]:
            self.replay(pipeline, "--until", until)
            if until == "2025-11-05":
                self.load()
        self.cogni("vacuum", self.at().path, "--keep", 1, expect=0)
        self.load()
        self.assertHoldsTheCurrentGeneration()

    def test_one_generation_behind_is_mended_also_when_the_one_before_is_gone(self):
        pipeline = self.pipeline(STREAMS)
        self.replay(pipeline, "--until", "2025-11-08")
        self.load()
        self.replay(pipeline, "--until", "2025-11-10")
        self.cogni("vacuum", self.at().path, "--keep", 1, expect=0)
        self.assertLess(int(self.load().split()[0]), len(list(self.at().files("costs"))))
        self.assertHoldsTheCurrentGeneration()

    def test_two_generations_with_one_manifest_end_the_first_load_and_every_other(self):
        pipeline = self.pipeline(STREAMS)
        for until in [None, "2025-11-05", None]:
            self.replay(pipeline, *(["--until", until] if until else []), "--full-refresh")
            self.load()
            self.assertHoldsTheCurrentGeneration()
        digests = [json.loads((folder / "_SUCCESS").read_bytes())["manifest_sha256"] for folder in (self.at().path / "generations").iterdir()]
        self.assertEqual((len(digests), len(set(digests))), (3, 2), "the first and the last are one manifest")
        self.database.unlink()
        self.load()
        self.assertHoldsTheCurrentGeneration()

    def test_a_rollback_takes_the_tables_along_that_the_generation_does_not_have(self):
        self.replay(self.pipeline(STREAMS))
        self.replay(self.pipeline(STREAMS + "users: {}\n"))
        self.load()
        self.assertHoldsTheCurrentGeneration()
        self.cogni("rollback", self.at().path, "--to", 1, expect=0)
        self.load()
        self.assertHoldsTheCurrentGeneration()
        self.replay(self.pipeline(STREAMS + "users: {}\n"))
        self.load()
        self.assertHoldsTheCurrentGeneration()

    def test_a_stream_that_was_taken_out_takes_its_table_along(self):
        self.replay(self.pipeline(STREAMS + "users: {}\n"))
        self.load()
        self.replay(self.pipeline(STREAMS))
        self.load()
        self.assertHoldsTheCurrentGeneration()

    def test_a_new_column_makes_the_streams_table_anew_and_no_other(self):
        bookshop = ROOT / "docs/examples/bookshop"
        shutil.copy(bookshop / "connector.yaml", self.folder / "connector.yaml")
        text = (bookshop / "pipeline.yaml").read_text().replace("docs/examples/bookshop/connector.yaml", "connector.yaml")
        pipeline = self.folder / "pipeline.yaml"
        pipeline.write_text(text.replace("pipeline: bookshop", "pipeline: demo"))
        more = dict(fixture=bookshop / "replay", now="2025-11-04T06:00:00Z")
        self.replay(pipeline, **more)
        self.load()
        connector = (self.folder / "connector.yaml").read_text()
        last = "      - { name: till_seen_at, type: timestamp, nullable: true, volatile: true }\n"
        self.assertIn(last, connector)
        (self.folder / "connector.yaml").write_text(connector.replace(last, last + "      - { name: region, type: string, nullable: true }\n"))
        self.replay(pipeline, "--full-refresh", **more)
        self.load()
        self.assertHoldsTheCurrentGeneration()
        self.assertEqual(self.load(), "0 partitions replaced, 0 rows loaded")


if __name__ == "__main__":
    unittest.main()
