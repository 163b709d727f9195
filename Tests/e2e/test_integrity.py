"""Whatever happens to the bytes of an output, `verify` says so; and a state that can't be trusted is not written to."""

import gzip
import hashlib
import json
import os
import random
import shutil
import subprocess
import unittest
import zlib

from harness import CogniTest, has_zstd
from plain_api import PlainTest, page

FULL = bool(os.environ.get("COGNI_E2E_FULL"))
DAMAGES = int(os.environ.get("COGNI_E2E_DAMAGES", "500" if FULL else "100"))
SEED = int(os.environ.get("COGNI_E2E_SEED", "20261125"))


def canonical(value):
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(data):
    return hashlib.sha256(data).hexdigest()


class IntegrityTest(PlainTest, CogniTest):
    def setUp(self):
        super().setUp()
        self.turn = 0

        def things(_):
            return page(*({"id": f"t{number}", "name": f"thing {number} {self.turn}", "size": number} for number in range(40)))

        events = [{"id": f"e{day}", "at": 1793500000 + day * 86400, "note": "x" * day} for day in range(9)]
        self.server = self.api({"/things": things, "/events": b'{"data":%s,"has_more":false,"last_id":"e"}' % page(*events)[9:-1]})
        self.file = self.plain("things: {}\nevents: { since: 2026-11-01 }", load="bundle: zip")
        self.root = self.output / "demo"

    def generations(self, count):
        for self.turn in range(self.turn, self.turn + count):
            self.go(self.file, self.server)
        self.turn += 1

    def verify(self, what, *wanted, code=1):
        done = self.cogni("verify", self.root, "--all", "--json")
        self.assertEqual(done.code, code, f"{what}: {done.out[-2000:]}{done.error[-2000:]}")
        report = json.loads(done.out)
        self.assertEqual(report["ok"], code == 0)
        told = json.dumps(report["findings"], ensure_ascii=False)
        for word in wanted:
            self.assertIn(word, told, what)
        return report

    def folder_of(self, number):
        return self.root / f"generations/{number:06}"

    def signed_anew(self, number):
        """Makes `SHA256SUMS` and `_SUCCESS` agree with what is in a generation, as someone who covers his tracks would."""
        folder = self.folder_of(number)
        manifest = (folder / "manifest.json").read_bytes()
        files = {file["path"]: file["sha256"] for stream in json.loads(manifest)["streams"] for part in stream["partitions"] for file in part["files"]}
        names = ["changes.json", "manifest.json", "datapackage.json", *(f"schemas/{path.name}" for path in (folder / "schemas").iterdir())]
        rest = {name: digest((folder / name).read_bytes()) for name in names}
        text = "".join(f"{value}  {path}\n" for path, value in sorted({**files, **rest}.items(), key=lambda pair: pair[0].encode()))
        self.replace(folder / "SHA256SUMS", text.encode())
        record = json.loads((folder / "_SUCCESS").read_bytes())
        record.update(manifest_sha256=digest(manifest), sums_sha256=digest(text.encode()))
        self.replace(folder / "_SUCCESS", canonical(record))

    def replace(self, path, data):
        """A new file under the name: other generations' names for the old one keep it."""
        path.unlink()
        path.write_bytes(data)

    def edit(self, path, change):
        value = json.loads(path.read_bytes())
        change(value)
        self.replace(path, canonical(value))


class Damage(IntegrityTest):
    def test_every_random_damage_is_found(self):
        self.generations(4)
        self.verify("before", code=0)
        chance = random.Random(SEED)
        files = sorted(path for path in (self.root / "generations").rglob("*") if path.is_file())
        data = {path: path.read_bytes() for path in files}
        aside, kinds = self.folder / "aside", {}
        for number in range(DAMAGES):
            path = chance.choice(files)
            kind = chance.choice(("flip", "flip", "flip", "cut", "longer", "swap", "missing", "extra", "zeroed", "link", "folder"))
            what = f"damage {number} of seed {SEED}: {kind} {path.relative_to(self.root)}"
            bytes_, undo = bytearray(data[path]), [(path, aside)]
            other = chance.choice([each for each in files if data[each] != data[path]])
            extra = path.parent / chance.choice(("extra", ".hidden", "x-00001-0.ndjson.gz", "_SUCCESS.bak", "dt=2026-11-01 "))
            if kind != "extra":
                os.rename(path, aside)
            if kind == "flip":
                bit = chance.randrange(len(bytes_) * 8)
                bytes_[bit // 8] ^= 1 << bit % 8
                path.write_bytes(bytes_)
            elif kind == "cut":
                path.write_bytes(bytes_[: chance.randrange(len(bytes_))])
            elif kind == "longer":
                path.write_bytes(bytes_ + chance.choice((b"\0", b"\n", b" ", bytes_)))
            elif kind == "swap":
                os.rename(other, self.folder / "aside-too")
                undo.append((other, self.folder / "aside-too"))
                path.write_bytes(data[other])
                other.write_bytes(data[path])
            elif kind == "extra":
                undo = []
                chance.choice((extra.mkdir, lambda: extra.write_bytes(b"")))()
            elif kind == "zeroed":
                begin = chance.randrange(len(bytes_))
                end = min(len(bytes_), begin + chance.choice((1, 16, 512)))
                bytes_[begin:end] = bytes(b ^ 255 if not b else 0 for b in bytes_[begin:end])
                path.write_bytes(bytes_)
            elif kind == "link":
                path.symlink_to(aside)
            elif kind == "folder":
                path.mkdir()
            self.verify(what)
            kinds[kind] = kinds.get(kind, 0) + 1
            for wrong, right in undo:
                wrong.rmdir() if wrong.is_dir() and not wrong.is_symlink() else wrong.unlink(missing_ok=True)
                os.rename(right, wrong)
            if kind == "extra":
                extra.rmdir() if extra.is_dir() else extra.unlink()
        self.verify("after all was mended", code=0)
        print(f"seed {SEED}: {kinds} ", end="")

    def test_every_bit_of_the_chain_counts(self):
        self.generations(2)
        for name in ("_SUCCESS",):
            path = self.folder_of(2) / name
            good = path.read_bytes()
            step = 1 if FULL else 97
            for bit in range(SEED % step, len(good) * 8, step):
                bad = bytearray(good)
                bad[bit // 8] ^= 1 << bit % 8
                path.write_bytes(bad)
                self.verify(f"bit {bit} of {name}")
            path.write_bytes(good)

    def test_edits_of_the_chain_are_found_though_their_generation_agrees_with_itself(self):
        self.generations(4)
        whole = self.folder / "whole"
        shutil.copytree(self.root, whole, symlinks=True)

        def rows(value):
            value["streams"][0]["partitions"][0]["files"][0]["rows"] += 1
            value["streams"][0]["rows"] += 1

        def edited_middle():
            self.edit(self.folder_of(2) / "manifest.json", rows)
            self.signed_anew(2)

        def removed_middle():
            shutil.rmtree(self.folder_of(2))

        def removed_and_pointed_past():
            first = json.loads((self.folder_of(1) / "_SUCCESS").read_bytes())["manifest_sha256"]
            shutil.rmtree(self.folder_of(2))
            self.edit(self.folder_of(3) / "_SUCCESS", lambda it: it.update(previous_generation=1, previous_manifest_sha256=first))

        def pointed_past():
            first = json.loads((self.folder_of(1) / "_SUCCESS").read_bytes())["manifest_sha256"]
            self.edit(self.folder_of(3) / "_SUCCESS", lambda it: it.update(previous_generation=1, previous_manifest_sha256=first))

        def cut_off():
            self.edit(self.folder_of(3) / "_SUCCESS", lambda it: it.update(previous_generation=None, previous_manifest_sha256=None))

        def renumbered():
            self.edit(self.folder_of(3) / "_SUCCESS", lambda it: it.update(generation=2))

        def removed_newest():
            shutil.rmtree(self.folder_of(4))

        def removed_newest_and_pointed_back():
            self.cogni("rollback", self.root, "--to", "3", expect=0)
            shutil.rmtree(self.folder_of(4))

        def current_elsewhere():
            (self.root / "current").unlink()
            (self.root / "current").symlink_to(f"/{self.folder_of(3)}")

        def current_is_a_folder():
            (self.root / "current").unlink()
            shutil.copytree(self.folder_of(4), self.root / "current")

        def stray():
            (self.root / "generations/000005 ").mkdir()

        for damage in (edited_middle, removed_middle, removed_and_pointed_past, pointed_past, cut_off, renumbered, removed_newest,
                       removed_newest_and_pointed_back, current_elsewhere, current_is_a_folder, stray):  # fmt: skip
            damage()
            self.verify(damage.__name__)
            shutil.rmtree(self.root)
            shutil.copytree(whole, self.root, symlinks=True)
        self.verify("mended", code=0)

    def test_what_rollback_and_vacuum_leave_is_no_damage(self):
        self.generations(3)
        self.cogni("rollback", self.root, "--to", "1", expect=0)
        self.verify("rolled back", code=0)
        self.generations(2)
        self.verify("gone on", code=0)
        self.cogni("vacuum", self.root, "--keep", "2", expect=0)
        self.verify("vacuumed", code=0)


class Hostile(IntegrityTest):
    """Archives made to hurt who opens them. The manifest, its sums and the chain agree with them, as an attacker's would."""

    def hostile(self, what, data, facts=None, *wanted, code=1):
        """Puts `data` in the place of the stream's file."""
        self.edit(self.manifest, lambda value: self.entry(value).update(bytes=len(data), sha256=digest(data), **(facts or {})))
        self.replace(self.archive, data)
        self.signed_anew(1)
        limited = ("bash", "-c", 'ulimit -v 4000000; exec "$@"', "bash")
        done = self.cogni("verify", self.root, "--json", before=limited)
        self.assertEqual(done.code, code, f"{what}: {done}")
        return done

    def entry(self, value):
        return next(stream for stream in value["streams"] if stream["name"] == "things")["partitions"][0]["files"][0]

    def setUp(self):
        super().setUp()
        self.file = self.plain("things: {}")
        self.generations(1)
        self.manifest = self.folder_of(1) / "manifest.json"
        self.path = self.entry(json.loads(self.manifest.read_bytes()))["path"]
        self.archive = self.folder_of(1) / self.path
        self.good = self.archive.read_bytes()
        self.content = gzip.decompress(self.good)

    def test_bombs_wrong_sizes_and_what_stands_behind_the_end_are_found(self):
        self.hostile("the same again", self.good, code=0)
        squeeze = zlib.compressobj(9, wbits=31)
        bomb = b"".join(squeeze.compress(bytes(1 << 20)) for _ in range(300)) + squeeze.flush()
        self.hostile("300 MB of zeros", bomb)
        self.hostile("content and a bomb behind it", self.good + bomb)
        self.hostile("cut", self.good[:-5])
        self.hostile("cut before the last member's sum", self.good[:-8])
        self.hostile("a second member", self.good + gzip.compress(b'{"id":"x"}\n'))
        self.hostile("an empty second member, which is no content", self.good + gzip.compress(b""), code=0)
        self.hostile("garbage behind", self.good + b"garbage")
        self.hostile("zeros behind", self.good + bytes(512))
        self.hostile("no gzip at all", self.content)
        self.hostile("nothing", b"")
        self.hostile("an endless header", b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 1_000_000)
        self.hostile("a reserved flag", self.good[:3] + b"\xe0" + self.good[4:])
        other = self.content.replace(b"thing 7", b"thing 9")
        self.hostile("other content of the same length", gzip.compress(other, mtime=0))
        self.hostile("fewer rows than told", gzip.compress(b"".join(self.content.splitlines(True)[1:])))
        self.hostile("rows that are told wrong", self.good, {"rows": 41})
        self.hostile("content that is told shorter", self.good, {"rows": 40, "content_bytes": 10})
        self.hostile("negative sizes", self.good, {"content_bytes": -1})
        self.hostile("the size of a lie", self.good, {"content_bytes": 1 << 62})

    @unittest.skipUnless(has_zstd(), "zstd is not installed")
    def test_the_same_of_zstd(self):
        shutil.rmtree(self.output)
        self.file = self.plain("things: {}", load="compression: zstd", file="zstd.yaml")
        self.generations(1)
        self.path = self.entry(json.loads(self.manifest.read_bytes()))["path"]
        self.archive = self.folder_of(1) / self.path
        self.good = self.archive.read_bytes()

        def zstd(data, *options):
            return subprocess.run(["zstd", "-qc", *options], input=data, capture_output=True, check=True).stdout

        self.hostile("the same again", self.good, code=0)
        bomb = zstd(bytes(300 << 20), "-19", "--long=27")
        self.hostile("300 MB of zeros", bomb)
        self.hostile("a bomb behind it", self.good + bomb)
        self.hostile("cut", self.good[:-4])
        self.hostile("a second frame", self.good + zstd(b"{}\n"))
        self.hostile("a skippable frame behind, which is no content", self.good + b"\x50\x2a\x4d\x18\x04\0\0\0abcd", code=0)
        # A header that asks for 2 GB of history (window log 31), and one raw block with the right content.
        raw = b"".join((len(part) << 3 | last).to_bytes(3, "little") + part for part, last in ((self.content[:100], 0), (self.content[100:], 1)))
        self.hostile("a window of 2 GB", b"\x28\xb5\x2f\xfd\0\xa8" + raw)
        self.hostile("garbage behind", self.good + b"x")
        self.hostile("no checksum", zstd(self.content + b" ", "--no-check"))

    def test_names_that_lead_out_of_the_generation_are_never_opened(self):
        outside = self.folder / "outside.ndjson.gz"
        outside.write_bytes(self.good)
        for path in (
            "../../../outside.ndjson.gz", str(outside), "things/../../../../outside.ndjson.gz", "", ".", "things/", "things//x.ndjson.gz",
            "things/\0.ndjson.gz", "a" * 5000 + ".ndjson.gz", "things/\u2028.ndjson.gz", "_SUCCESS", "manifest.json",
        ):  # fmt: skip
            self.edit(self.manifest, lambda value, path=path: self.entry(value).update(path=path))
            self.signed_anew(1)
            self.verify(repr(path[:40]))

    def test_links_and_pipes_in_the_place_of_files_are_never_followed(self):
        outside = self.folder / "outside"
        outside.mkdir()
        shutil.copy(self.archive, outside)
        self.archive.unlink()
        self.archive.symlink_to(outside / self.archive.name)
        self.verify("a link to the very same bytes", "symbolic link")
        self.archive.unlink()
        os.mkfifo(self.archive)
        self.verify("a pipe that nobody writes to")
        self.archive.unlink()
        self.archive.parent.rmdir()
        self.archive.parent.symlink_to(outside)
        self.verify("a link to a folder")


class State(IntegrityTest):
    def golden(self):
        """One more generation, made by a run that nothing has disturbed; and the output before it."""
        self.generations(2)
        before = self.folder / "before"
        shutil.copytree(self.root, before, symlinks=True)
        self.go(self.file, self.server)
        golden = self.at().tree()
        shutil.rmtree(self.root)
        return before, golden

    def test_a_damaged_or_foreign_state_is_refused_before_any_write_and_can_be_rebuilt(self):
        before, golden = self.golden()
        whole = (before / "state.sqlite").read_bytes()
        size = int.from_bytes(whole[16:18], "big")
        chance = random.Random(SEED)
        damages = {
            "other application_id": whole[:68] + b"\0\0\0\x2a" + whole[72:], "newer user_version": whole[:60] + b"\0\0\x27\x10" + whole[64:],
            "cut in the middle": whole[: len(whole) // 2], "cut by a byte": whole[:-1], "only its header": whole[:100], "a byte": b"S",
            "garbage": chance.randbytes(len(whole)), "text": b"not a database\n" * 400, "garbage behind the header": whole[:100] + chance.randbytes(len(whole) - 100),
        }  # fmt: skip
        pages = range(len(whole) // size) if FULL else sorted(chance.sample(range(1, len(whole) // size), 3)) + [0]
        for number in pages:
            zeroed = whole[: number * size] + bytes(size) + whole[(number + 1) * size :]
            damages[f"page {number} zeroed"] = zeroed
        for what, bad in damages.items():
            shutil.copytree(before, self.root, symlinks=True)
            (self.root / "state.sqlite").write_bytes(bad)
            tree, asked = self.at().tree(), len(self.server.asked)
            done = self.go(self.file, self.server, expect=None)
            self.assertEqual(done.code, 6, f"{what}: {done}")
            self.assertIn("cogni state rebuild", done.error, what)
            self.assertEqual(len(self.server.asked), asked, f"{what}: no request")
            self.assertEqual(self.at().tree(), tree, f"{what}: no write")
            self.assertEqual((self.root / "state.sqlite").read_bytes(), bad, f"{what}: left as it was")
            self.cogni("state", "rebuild", self.file, "--output", self.output, env=self.server.environment, expect=0)
            self.assertEqual((self.root / "state.sqlite.damaged-1").read_bytes(), bad, f"{what}: kept aside")
            (self.root / "state.sqlite.damaged-1").unlink()
            self.go(self.file, self.server)
            self.assertEqual(self.at().tree(), golden, what)
            shutil.rmtree(self.root)

    def test_a_deleted_state_is_read_back_from_the_manifest_and_said_so(self):
        """Never from zero: what was read stays read."""
        before, golden = self.golden()
        for rebuild in (True, False):
            shutil.copytree(before, self.root, symlinks=True)
            (self.root / "state.sqlite").unlink()
            if rebuild:
                self.cogni("state", "rebuild", self.file, "--output", self.output, env=self.server.environment, expect=0)
            done = self.go(self.file, self.server, "--progress", "plain")
            self.assertEqual("was made anew from generation 2" in done.error, not rebuild, done.error)
            self.assertEqual(self.at().tree(), golden)
            shutil.rmtree(self.root)


if __name__ == "__main__":
    unittest.main()
