"""Power-loss images: which trees a disk may hold when the power goes after some operations of a recorded run.

POSIX promises that what was synced is there: a file's bytes after a sync of the file, a folder's names after a sync of the folder.
Of everything else any part may be there or not.

- strict: nothing but what was synced.
- zeroed: all names and sizes, but bytes that were not synced are zeros, as after delayed allocation.
- mixed: of names and blocks that were not synced, a seeded choice.
"""

import hashlib
import os
import random
from pathlib import Path

ROOT = 1
BLOCK = 4096


class Node:
    """A file, folder or link of the recorder."""

    def __init__(self, kind, mode=0o755, target=""):
        self.kind, self.mode, self.target = kind, mode, target
        self.data = bytearray()
        self.entries = {}


class Disk:
    """A recorded run up to some point: what is durable, and what has happened since."""

    def __init__(self, base):
        self.kinds = {number: (node.kind, node.mode, node.target) for number, node in base.items()}
        self.durable = {number: bytes(node.data) for number, node in base.items() if node.kind == "file"}
        self.names = {number: dict(node.entries) for number, node in base.items() if node.kind == "folder"}
        self.loose_data = {}  # inode → [(kind, …)] since its last sync
        self.loose_names = []  # [[(folder, name, inode or None)]], parts are taken out as their folders are synced

    def apply(self, operation):
        kind, number, *rest = operation
        if kind == "make":
            self.kinds[number] = tuple(rest)
            if rest[0] == "file":
                self.durable[number] = b""
            elif rest[0] == "folder":
                self.names[number] = {}
        elif kind in ("data", "size"):
            self.loose_data.setdefault(number, []).append((kind, *rest))
        elif kind == "names":
            self.loose_names.append(list(number))
        elif self.kinds[number][0] == "folder":
            for change in self.loose_names:
                for part in [part for part in change if part[0] == number]:
                    put(self.names, part)
                    change.remove(part)
            self.loose_names = [change for change in self.loose_names if change]
        else:
            self.durable[number] = written(self.durable[number], self.loose_data.pop(number, []))

    def image(self, kind, seed=0):
        """inode of a folder → names, inode of a file → bytes."""
        names = {number: dict(entries) for number, entries in self.names.items()}
        data = dict(self.durable)
        if kind == "strict":
            return names, data
        chance = random.Random(seed)
        ordered = kind == "mixed" and chance.random() < 0.5
        reach = {folder: chance.random() * (len(self.loose_names) + 1) for folder in sorted(names)}
        for at, change in enumerate(self.loose_names):
            # Names of one folder in their order up to some point, as a journal keeps them, or any of them.
            if kind == "mixed" and not ordered and chance.random() < 0.5:
                continue
            for part in change:
                if not ordered or at < reach[part[0]]:
                    put(names, part)
        for number, changes in sorted(self.loose_data.items()):
            if kind == "zeroed":
                whole = written(data[number], changes)
                data[number] = data[number][: len(whole)] + bytes(max(0, len(whole) - len(data[number])))
            else:
                data[number] = written(data[number], pieces(changes, chance))
        return names, data


def put(names, part):
    folder, name, number = part
    if number is None:
        names[folder].pop(name, None)
    else:
        names[folder][name] = number


def written(data, changes):
    room = bytearray(data)
    for change in changes:
        if change[0] == "size":
            del room[change[1] :]
            room.extend(bytes(change[1] - len(room)))
        else:
            _, offset, content = change
            room.extend(bytes(max(0, offset - len(room))))
            room[offset : offset + len(content)] = content
    return bytes(room)


def pieces(changes, chance):
    """The changes with some of their blocks left out; now and then the size alone arrives."""
    for change in changes:
        if change[0] == "size":
            if chance.random() < 0.5:
                yield change
            continue
        _, offset, content = change
        end = offset + len(content)
        at = offset
        while at < end:
            stop = min(end, (at // BLOCK + 1) * BLOCK)
            if chance.random() < 0.5:
                yield "data", at, content[at - offset : stop - offset]
            elif chance.random() < 0.3:
                yield "data", at, bytes(stop - at)
            at = stop


def signature(disk, image):
    """Equal images need only be tried once."""
    names, data = image
    found, stack = [], [("", ROOT)]
    while stack:
        path, folder = stack.pop()
        for name, number in names[folder].items():
            kind, _, target = disk.kinds[number]
            if kind == "folder":
                stack.append((f"{path}/{name}", number))
            content = data[number] if kind == "file" else target.encode()
            found.append((f"{path}/{name}", kind, number if kind == "file" else 0, hashlib.sha256(content).digest()))
    return hashlib.sha256(repr(sorted(found)).encode()).digest()


def write(disk, image, folder):
    """Makes the image as real files. A file with two names is one file."""
    names, data = image
    made = {}

    def fill(path, number):
        path.mkdir()
        for name, inner in names[number].items():
            kind, mode, target = disk.kinds[inner]
            here = path / name
            if kind == "folder":
                fill(here, inner)
            elif kind == "link":
                here.symlink_to(target)
            elif inner in made:
                os.link(made[inner], here)
            else:
                here.write_bytes(data[inner])
                here.chmod(mode)
                made[inner] = here

    fill(Path(folder), ROOT)
