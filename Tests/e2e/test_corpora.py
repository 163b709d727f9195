"""Parsers against texts that nobody here wrote. Where the corpora are (docs/testing.md) they are used; elsewhere the tests skip."""

import base64
import csv
import json
import os
import re
import unittest
from pathlib import Path

from harness import ROOT, CogniTest, rows
from plain_api import PlainTest, page

csv.field_size_limit(1 << 24)
CORPORA = Path(os.environ.get("COGNI_CORPORA", ROOT.parent / "shared/corpora"))
LIST = """
  - name: {name}
    mode: snapshot
    path: /{name}
    pagination: {{ style: none }}
    primary_key: [id]
    columns:
      - {{ name: id, type: string }}
      - {{ name: note, type: json, nullable: true }}
"""


def needs(name):
    return unittest.skipUnless((CORPORA / name).is_dir(), f"skipped: no corpora ({name})")


@needs("JSONTestSuite")
class JSONTestSuite(PlainTest, CogniTest):
    """Each text in three places of a page: where a column is, where none is, and beside the rows. One stream each, one run."""

    PLACES = ((b'{"data":[{"id":"a","note":', b"}]}"), (b'{"data":[{"id":"a","unknown":', b"}]}"), (b'{"aside":[1,', b'],"data":[{"id":"a"}]}'))

    def statuses(self, prefix):
        files = sorted((CORPORA / "JSONTestSuite/test_parsing").glob(prefix + "*.json"))
        pages, streams, of = {}, [], {}
        for number, file in enumerate(files):
            for place, (before, after) in enumerate(self.PLACES):
                name = f"s{number}_{place}"
                pages["/" + name] = before + file.read_bytes() + after
                streams.append(name)
                of[name] = file.name
        server = self.api(pages)
        pipeline = self.plain("things: {}", source="concurrency: 16\nretry: { budget: 1s, max_delay: 1s }\nrequests_per_minute: 600000")
        connector = self.folder / "plain.connector.yaml"
        head = connector.read_text().split("streams:")[0]
        connector.write_text(head + "streams:" + "".join(LIST.format(name=name) for name in streams))
        pipeline.write_text(pipeline.read_text().replace("  things: {}\n", "".join(f"  {name}: {{}}\n" for name in streams)))
        done = self.go(pipeline, server, expect=None)
        self.assertIn(done.code, (0, 5), done)
        self.assertGreater(len(files), 20)
        return {stream["name"]: (stream["status"], of[stream["name"]]) for stream in done.summary["streams"]}, done, pages

    def test_every_page_with_a_text_that_must_be_refused_is_refused(self):
        statuses, done, _ = self.statuses("n_")
        self.assertEqual([it for it in statuses.values() if it[0] != "failed"], [])
        self.assertEqual({fault["code"] for fault in done.summary["faults"]}, {"badReply"})

    def test_every_page_with_a_text_that_must_be_accepted_is_accepted_with_its_value(self):
        statuses, _, pages = self.statuses("y_")
        self.assertEqual([it for it in statuses.values() if it[0] != "ok"], [])
        for name in statuses:
            if name.endswith("_0"):
                [row] = self.at().rows(name)
                wanted = json.loads(pages["/" + name].decode())["data"][0]["note"]
                self.assertEqual(plain(row["note"]), plain(wanted), statuses[name])
        self.cogni("verify", self.output / "demo", expect=0)

    def test_texts_that_may_go_either_way_neither_crash_nor_break_the_archive(self):
        statuses, _, _ = self.statuses("i_")
        self.assertEqual({it[0] for it in statuses.values()} - {"ok", "failed"}, set())
        if self.at().exists():
            self.cogni("verify", self.output / "demo", expect=0)


def plain(value):
    """Numbers as their value, and what the archive cannot hold as what it writes instead."""
    if isinstance(value, dict):
        return {plain(key): plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [plain(each) for each in value]
    if isinstance(value, str) and re.fullmatch(r"-?\d+(\.\d+)?([eE][+-]?\d+)?", value) and type(value) is not str:
        return float(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, str):
        return "".join("\ufffd" if letter == "\0" or 0xD800 <= ord(letter) < 0xE000 else letter for letter in str(value))
    return value


def archived(output):
    """The rows of `things`, texts as Python has them."""
    return {row["id"]: row for _, _, file in output.files("things") for row in rows(output.current / file["path"])}


class Texts(PlainTest, CogniTest):
    """Texts go through every kind of field into each format and compression, and come out as they went in."""

    def through(self, texts):
        def things(_):
            made = [{"id": f"n{number}", "name": text, "more": {text: [text]}, "size": number} for number, text in enumerate(texts)]
            return page(*made, *({"id": "id:" + text, "name": None} for text in texts))

        server = self.api({"/things": things})
        for format_ in ("ndjson", "csv"):
            for compression in ("none", "gzip", "zstd"):
                pipeline = self.plain("things: {}", load=f"format: {format_}\ncompression: {compression}", file=f"{format_}-{compression}.yaml")
                pipeline.write_text(pipeline.read_text() + "transform:\n  - sanitize: { secrets: keep }\n")
                output = self.folder / f"{format_}-{compression}"
                self.go(pipeline, server, output=output)
                self.output = output
                self.cogni("verify", output / "demo", expect=0)
                found = archived(self.at())
                for number, text in enumerate(texts):
                    wanted = plain(text)
                    row = found[f"n{number}"]
                    self.assertEqual(row["name"], wanted)
                    more = json.loads(row["more"]) if format_ == "csv" else row["more"]
                    self.assertEqual(more, {wanted: [wanted]})
                    self.assertIn("id:" + wanted, found)

    @needs("blns")
    def test_naughty_strings_come_out_as_they_went_in(self):
        texts = [base64.b64decode(text).decode("utf-8") for text in json.loads((CORPORA / "blns/blns.base64.json").read_text())]
        self.assertGreater(len(texts), 400)
        self.through(sorted(set(texts)))

    @needs("csv-spectrum")
    def test_cells_that_break_csv_readers_come_out_as_they_went_in(self):
        texts = set()
        for file in (CORPORA / "csv-spectrum/json").glob("*.json"):
            found = json.loads(file.read_text())
            for row in found if isinstance(found, list) else [found]:
                texts |= {*row, *row.values()}
        for file in (CORPORA / "csv-spectrum/csvs").glob("*.csv"):
            text = file.read_bytes().decode()
            texts |= {text, *(cell for row in csv.reader(text.splitlines(True)) for cell in row)}
        self.assertGreater(len(texts), 20)
        self.through(sorted(texts))

    def test_texts_of_our_own_that_break_readers_come_out_as_they_went_in(self):
        self.through(["", " ", "\0", "a\0b", "\r", "\r\n", "\n", '"', '""', "'", ",", '","', "=1+1", "@SUM(A1)", "\t", "\u2028", "\u2029", "\ufeff", "\ufffe",
                      "\uffff", "é", "e\u0301", "\U0001f469\u200d\U0001f469", "\u202e", "null", "NULL", "\\N", "\\", "\\n", "true", "1e400", "-0", "NaN",
                      "x" * 70_000, "\x7f", "\x1b[31m", "\x85", "a\rb", "../../etc/passwd", "CON", "\U0010ffff"])  # fmt: skip


    def test_keys_and_ids_that_only_look_alike_stay_two(self):
        twins = {"\u00e9": 1, "e\u0301": 2, "a": 3}
        server = self.api({"/things": page({"id": "\u00e9", "more": twins}, {"id": "e\u0301", "more": {"x": twins}})})
        self.go(self.plain("things: {}\nparts: {}"), server)
        first, second = archived(self.at())["\u00e9"], archived(self.at())["e\u0301"]
        self.assertEqual(plain(first["more"]), twins)
        self.assertEqual(plain(second["more"]), {"x": twins})
        self.assertEqual(len([target for target in server.asked if target.endswith("/parts")]), 2, "each is a parent of its own")


def snippets():
    """(file, whether it is invalid, text) of the YAML test suite; its files are a list with block texts, two spaces deep."""
    shown = str.maketrans({"␣": " ", "←": "\r", "⇔": "\ufeff", "↵": "\n", "»": "\t"})
    for file in sorted((CORPORA / "yaml-test-suite/src").glob("*.yaml")):
        text = None
        for item in re.split(r"(?m)^- (?=name:|yaml:|fail:|tags:|from:|skip:)", file.read_text(encoding="utf-8")):
            block = re.search(r"(?ms)^(?:  )?yaml: \|-?(\d?)\n(.*?)(?=^  [a-z]+:|\Z)", item)
            if block:
                text = "".join(line[4:] if line.startswith("    ") else line.lstrip(" ") for line in block.group(2).splitlines(True))
                text = re.sub("—*»", "\t", text).translate(shown).replace("∎\n", "")
                yield file.stem, re.search(r"(?m)^(?:  )?fail: true", item) is not None, text


@needs("yaml-test-suite")
class YAMLTestSuite(CogniTest):
    def test_no_text_crashes_the_readers_and_none_is_taken_for_a_pipeline_or_a_connector(self):
        found = list(snippets())
        self.assertGreater(len(found), 250)
        self.assertGreater(sum(invalid for _, invalid, _ in found), 50)
        named = self.folder / "connector-in.yaml"
        for number, (name, invalid, text) in enumerate(found):
            path = self.folder / f"{number:03}-{name}{'-invalid' if invalid else ''}.yaml"
            path.write_bytes(text.encode("utf-8", "surrogatepass"))
        paths = sorted(path.name for path in self.folder.glob("[0-9]*.yaml"))
        done = self.cogni("validate", *paths, "--format", "json", expect=2)
        told = {entry["file"] for entry in json.loads(done.out)["diagnostics"]}
        self.assertEqual([path for path in paths if path not in told], [], "each has a mistake that is told")
        for path in paths[:: 1 if os.environ.get("COGNI_E2E_FULL") else 8]:
            named.write_text(f"pipeline: demo\nsource:\n  connector: {path}\n  credential: ${{X:-x}}\nstreams: {{}}\n")
            done = self.cogni("validate", named, expect=2)
            self.assertIn("error", done.out + done.error)
            self.cogni("discover", path, expect=2)


if __name__ == "__main__":
    unittest.main()
