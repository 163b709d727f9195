"""Null counts and sums in the manifest are those of the rows, by another program's arithmetic."""

import json
import unittest
from decimal import Decimal, localcontext

from harness import ROOT, CogniTest, has_zstd, rows

STREAMS = """
usage_completions: {}
costs: { group_by: [project_id, line_item] }
projects: {}
project_api_keys: {}
users: {}
"""


def added(rows, schema):
    """What rows of one file add up to: every digit counts, so no float ever stands in between."""
    nulls, sums = {}, {}
    with localcontext() as context:
        context.prec = 200
        for field in schema["fields"]:
            name = field["name"]
            values = [row[name] for row in rows]
            missing = sum(value is None for value in values)
            if missing:
                nulls[name] = missing
            numbers = [value for value in values if value is not None]
            if field["type"] in ("integer", "number") and numbers:
                sums[name] = format(sum((Decimal(str(value)) for value in numbers), Decimal(0)).normalize(), "f")
    return nulls, sums


class Totals(CogniTest):
    def check(self, compression):
        pipeline = self.pipeline(STREAMS, load=f"compression: {compression}")
        self.replay(pipeline)
        output = self.at()
        proven = 0
        for name, _, file in output.files():
            schema = json.loads((output.current / output.stream(name)["schema"]).read_text())
            nulls, sums = added(rows(output.current / file["path"]), schema)
            self.assertEqual(file["nulls"], nulls, file["path"])
            self.assertEqual(file["sums"], sums, file["path"])
            proven += len(sums)
        self.assertGreater(proven, 50)
        self.cogni("verify", output.path, expect=0)

    def test_every_file_adds_up_as_the_manifest_says(self):
        self.check("gzip")

    def test_csv_adds_up_to_the_same(self):
        totals = []
        for format in ("ndjson", "csv"):
            self.replay(self.pipeline(STREAMS, name=format, load=f"format: {format}"))
            files = self.at(format).files()
            totals.append({(name, partition): (file["nulls"], file["sums"]) for name, partition, file in files})
            self.cogni("verify", self.at(format).path, expect=0)
        self.assertEqual(totals[0], totals[1])

    @unittest.skipUnless(has_zstd(), "needs zstd")
    def test_zstd_adds_up_too(self):
        self.check("zstd")

    def test_a_loader_proves_its_load_with_them(self):
        try:
            import duckdb
        except ImportError:
            self.skipTest("no duckdb here")
        proven = 0
        for format in ("ndjson", "csv"):
            self.replay(self.pipeline(STREAMS, name=format, load=f"format: {format}"))
            output = self.at(format)
            for name, _, file in output.files():
                schema = json.loads((output.current / output.stream(name)["schema"]).read_text())
                columns = {field["name"]: "VARCHAR" for field in schema["fields"]}
                path = str(output.current / file["path"])
                if format == "csv":
                    more = "header = true, auto_detect = false, delim = ',', quote = '\"', escape = '\"', allow_quoted_nulls = false"
                    loaded = duckdb.sql(f"FROM read_csv('{path}', columns = {columns}, {more})")
                else:
                    loaded = duckdb.sql(f"FROM read_json('{path}', format = 'newline_delimited', columns = {columns})")

                def one(what):
                    [(value,)] = loaded.aggregate(what).fetchall()
                    return value

                self.assertEqual(one("count(*)"), file["rows"])
                for column, nulls in file["nulls"].items():
                    self.assertEqual(one(f'count(*) - count("{column}")'), nulls, f"{path} {column}")
                for column, total in file["sums"].items():
                    # DECIMAL(38, 20): a loader's own exact type.
                    self.assertEqual(one(f'sum("{column}"::DECIMAL(38, 20))'), Decimal(total), f"{path} {column}")
                    proven += 1
        self.assertGreater(proven, 100)

    def test_a_column_of_tokens_has_no_sum(self):
        ring = {"COGNI_KEY_RING": str(ROOT / "Fixtures/keys/example.keyring.json")}
        pipeline = self.pipeline(STREAMS, transform='- encrypt: { fields: ["domain:user", costs.amount_value] }')
        self.replay(pipeline, env=ring)
        for _, _, file in self.at().files("costs"):
            self.assertNotIn("amount_value", file["sums"])
        self.assertTrue(any("quantity" in file["sums"] for _, _, file in self.at().files("costs")))
        self.cogni("verify", self.at().path, expect=0)

    def test_a_manifest_that_says_another_sum_is_found(self):
        self.replay(self.pipeline(STREAMS))
        path = self.at().current.resolve() / "manifest.json"
        text = path.read_text()
        self.assertIn('"sums":{"amount_value":"', text)
        path.chmod(0o600)
        path.write_text(text.replace('"sums":{"amount_value":"', '"sums":{"amount_value":"1', 1))
        done = self.cogni("verify", self.at().path, "--json", expect=1)
        problems = [finding["problem"] for finding in json.loads(done.out)["findings"]]
        self.assertIn("totals", problems)


if __name__ == "__main__":
    unittest.main()
