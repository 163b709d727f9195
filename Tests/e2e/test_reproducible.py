"""The same data gives the same bytes, however it was asked for and wherever."""

import hashlib
import json
import shutil
import subprocess
import tarfile
import unittest
import zipfile

from harness import ROOT, CogniTest, content, has_zstd

ALL = ROOT / "pipelines/openai-admin.yaml"
SOME = """
usage_completions: { since: 2026-11-12, bucket_width: 1h, group_by: [project_id, user_id, model] }
usage_embeddings: { since: 2026-11-12 }
costs: { since: 2026-11-12 }
projects: {}
users: {}
groups: {}
group_users: {}
project_users: {}
project_user_roles: {}
project_api_keys: {}
roles: {}
audit_logs: { since: 2026-11-12 }
"""


class Reproducible(CogniTest):
    def test_concurrency_and_page_size_leave_no_trace(self):
        simulator = self.simulator()
        trees = {}
        for concurrency, limit in ((4, "max"), (1, "max"), (8, "max"), (4, "3"), (8, "1")):
            folder = self.folder / f"c{concurrency}-{limit}"
            pipeline = self.pipeline(SOME, source=f"concurrency: {concurrency}\npage_limit: {limit}")
            done = self.live(pipeline, simulator, output=folder)
            self.assertBalances(done.summary)
            trees[concurrency, limit] = (self.at(output=folder), done.summary["totals"]["requests"])
        first, requests = trees[4, "max"]
        self.assertGreater(trees[8, "1"][1], 3 * requests, "small pages need more requests")
        for shape, (tree, _) in trees.items():
            self.assertSameTree(first, tree, f"concurrency and page limit {shape}")

    def test_place_time_zone_language_and_umask_leave_no_trace(self):
        self.replay(ALL)
        (self.folder / "elsewhere" / "deep").mkdir(parents=True)
        self.replay(
            ALL, output=self.folder / "öther output", umask=0o077, cwd=self.folder / "elsewhere/deep",
            env={"TZ": "Asia/Kathmandu", "LANG": "tr_TR.UTF-8", "LC_ALL": "C", "HOME": str(self.folder)},
        )  # fmt: skip
        other = self.at("openai-admin", self.folder / "öther output")
        self.assertSameTree(self.at("openai-admin"), other, "another place")

    def test_little_memory_leaves_no_trace(self):
        self.replay(ALL)
        self.replay(ALL, "--max-memory", "16MiB", output=self.folder / "small")
        self.assertSameTree(self.at("openai-admin"), self.at("openai-admin", self.folder / "small"))

    def test_a_day_at_a_time_gives_the_rows_of_one_run(self):
        simulator = self.simulator()
        reports = "usage_completions: { lookback: 1d, group_by: [project_id, model] }\ncosts: { lookback: 1d }"
        pipeline = self.pipeline(reports)
        for day in ("2026-11-14", "2026-11-16", "2026-11-19"):
            self.live(pipeline, simulator, "--until", day, output=self.folder / "steps")
        self.live(pipeline, simulator, "--until", "2026-11-19", output=self.folder / "once")
        steps, once = self.at(output=self.folder / "steps"), self.at(output=self.folder / "once")
        self.assertSameData(steps, once, "in steps and at once")
        self.assertEqual(len(steps.generations), 3)


class KnownRepeats(CogniTest):
    """What zstd is told of rows while they are words, and of finished lines, leads to one file."""

    @unittest.skipUnless(has_zstd(), "zstd is not installed")
    def test_old_and_new_rows_make_the_file_that_new_rows_alone_make(self):
        simulator = self.simulator(
            "--projects", "6", "--users", "40", "--keys", "3", "--models", "6", "--rows-per-bucket", "120",
            "--days", "12", "--audit-events", "4000", small=False,
        )  # fmt: skip
        reports = """
usage_completions: { lookback: 1d, bucket_width: 1h, group_by: [project_id, user_id, api_key_id, model, batch, service_tier] }
costs: { lookback: 1d }
audit_logs: { lookback: 1d }
"""
        for form in ("ndjson", "csv"):
            with self.subTest(form):
                # A month's file takes in each step's rows beside the lines of the step before.
                pipeline = self.pipeline(reports, load=f"compression: zstd\nformat: {form}\npartition_by: month")
                steps, once = self.folder / f"steps-{form}", self.folder / f"once-{form}"
                for day in ("2026-11-13", "2026-11-16", "2026-11-19"):
                    self.live(pipeline, simulator, "--until", day, output=steps)
                self.live(pipeline, simulator, "--until", "2026-11-19", output=once)
                steps, once = self.at(output=steps), self.at(output=once)
                self.assertEqual(len(steps.generations), 3)
                found = [
                    {(stream, partition): file["sha256"] for stream, partition, file in output.files()}
                    for output in (steps, once)
                ]
                self.assertEqual(*found)
                stream, _, file = max(once.files(), key=lambda found: found[2]["content_bytes"])
                self.assertEqual(stream, "usage_completions")
                self.assertGreater(file["content_bytes"], 3 << 20, "more than a window holds")
                self.assertEqual(
                    hashlib.sha256(content(once.current / file["path"])).hexdigest(), file["content_sha256"]
                )


class Formats(CogniTest):
    def text(self, load):
        """Content of every archive by stream and partition, and the output, of a run with this `load:`."""
        self.shapes = getattr(self, "shapes", 0) + 1
        folder = self.folder / str(self.shapes)
        self.replay(self.pipeline(None, load=load), output=folder)
        self.replay(self.pipeline(None, load=load), output=folder / "again")
        output = self.at(output=folder)
        self.assertSameTree(output, self.at(output=folder / "again"), load)
        found = {}
        for stream, partition, file in output.files():
            found.setdefault((stream, partition), b"")
            found[stream, partition] += content(output.current / file["path"])
        self.assertEqual(len(output.manifest["streams"]), 45)
        return found, output

    @unittest.skipUnless(has_zstd(), "zstd is not installed")
    def test_every_compression_holds_the_same_content(self):
        for form in ("ndjson", "csv"):
            plain, output = self.text(f"format: {form}\ncompression: none")
            self.assertTrue(all(file["path"].endswith("." + form) for _, _, file in output.files()))
            for codec, ending in (("gzip", ".gz"), ("zstd", ".zst")):
                found, output = self.text(f"format: {form}\ncompression: {codec}")
                self.assertEqual(found, plain, f"{form} as {codec}")
                self.assertTrue(all(file["path"].endswith(f".{form}{ending}") for _, _, file in output.files()))

    def test_csv_and_ndjson_tell_the_same_rows(self):
        _, ndjson = self.text("format: ndjson")
        _, csv = self.text("format: csv")
        for entry in ndjson.manifest["streams"]:
            left, right = ndjson.rows(entry["name"]), csv.rows(entry["name"])
            self.assertEqual(len(left), len(right), entry["name"])
            schema = json.loads((ndjson.current / entry["schema"]).read_bytes())
            inner = {field["name"] for field in schema["fields"] if field["type"] in ("any", "object", "array")}
            for one, other in zip(left, right, strict=True):
                self.assertEqual(list(one), list(other))
                for column, value in one.items():
                    if isinstance(value, str) and column not in inner:
                        self.assertEqual(other[column], value, (entry["name"], column))

    def test_months_hold_the_rows_of_their_days(self):
        _, days = self.text("partition_by: day")
        _, months = self.text("partition_by: month")
        self.assertEqual({part for name, part, _ in months.files("costs")}, {"dt=2025-11"})
        for stream in ("costs", "usage_completions"):
            self.assertEqual(months.text(stream), days.text(stream), stream)
        # Events are in the order of their ids within a partition, so a month has them in another order than its days.
        self.assertEqual(*(sorted(output.text("audit_logs").splitlines()) for output in (months, days)))

    def test_small_files_split_between_lines_and_lose_none(self):
        _, whole = self.text("partition_by: month")
        _, split = self.text("partition_by: month\nmax_file_size: 2KB")
        for stream in ("costs", "usage_completions", "users"):
            self.assertEqual(split.text(stream), whole.text(stream), stream)
        names = [file["path"].rsplit("/", 1)[-1] for _, _, file in split.files("costs")]
        self.assertGreater(len(names), 3)
        self.assertEqual([name.split("-")[1] for name in names], [f"{n:05}" for n in range(1, len(names) + 1)])
        self.assertTrue(all(file["content_bytes"] <= 4000 for _, _, file in split.files("costs")))

    def test_bundles_hold_the_whole_generation_and_open_with_other_tools(self):
        for bundle in ("zip", "tar.zst"):
            _, output = self.text(f"bundle: {bundle}")
            [path] = output.current.glob(f"*.{bundle}")
            inside = self.unpack(path)
            expected = {file["path"] for _, _, file in output.files()} | {"manifest.json", "SHA256SUMS"}
            self.assertLessEqual(expected, set(inside))
            for name in expected:
                self.assertEqual(inside[name], (output.current / name).read_bytes(), name)

    def unpack(self, path):
        target = self.folder / ("unpacked-" + path.suffix[1:])
        target.mkdir()
        if path.suffix == ".zip":
            with zipfile.ZipFile(path) as archive:
                self.assertIsNone(archive.testzip())
                archive.extractall(target)
            if shutil.which("unzip"):
                subprocess.run(["unzip", "-tq", path], check=True, capture_output=True)
        else:
            if not has_zstd():
                self.skipTest("zstd is not installed")
            plain = target.with_suffix(".tar")
            plain.write_bytes(content(path))
            with tarfile.open(plain) as archive:
                for member in archive.getmembers():
                    self.assertEqual((member.uid, member.gid, member.uname), (0, 0, ""), member.name)
                archive.extractall(target, filter="data") if hasattr(tarfile, "data_filter") else archive.extractall(target)
        if shutil.which("bsdtar"):
            subprocess.run(["bsdtar", "-tf", path], check=True, capture_output=True)
        return {str(p.relative_to(target)): p.read_bytes() for p in target.rglob("*") if p.is_file()}


if __name__ == "__main__":
    unittest.main()
