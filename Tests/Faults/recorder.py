"""A file system in memory that writes a journal of every change and every sync: what power-loss images are made of.

usage: recorder.py MOUNTPOINT JOURNAL [BASE]     serves until it is unmounted, then writes JOURNAL

BASE is a folder whose tree stands there at the beginning, all of it durable. The journal is a pickle of (base, operations), in the
words of images.py. Needs FUSE 2 and the package `fusepy`.
"""

import errno
import os
import pickle
import stat
import sys
import time

from fuse import FUSE, FuseOSError, Operations
from images import ROOT, Node


class Recorder(Operations):
    """One inode number is never used twice, so the journal can name files by it."""

    def __init__(self, journal, base=None):
        self.journal = journal
        self.nodes = {ROOT: Node("folder")}
        self.operations = []
        if base:
            self.load(base, ROOT, {})
        self.base = pickle.dumps(self.nodes)

    def load(self, folder, number, seen):
        for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
            status = entry.stat(follow_symlinks=False)
            if status.st_ino in seen:
                self.nodes[number].entries[entry.name] = seen[status.st_ino]
                continue
            node = Node("link" if entry.is_symlink() else "folder" if entry.is_dir() else "file", status.st_mode & 0o7777)
            inner = self.add(node)
            self.nodes[number].entries[entry.name] = inner
            if node.kind == "link":
                node.target = os.readlink(entry.path)
            elif node.kind == "folder":
                self.load(entry.path, inner, seen)
            else:
                seen[status.st_ino] = inner
                with open(entry.path, "rb") as file:
                    node.data = bytearray(file.read())

    def add(self, node):
        number = len(self.nodes) + 1
        self.nodes[number] = node
        return number

    def log(self, *operation):
        self.operations.append(operation)

    # -- names ------------------------------------------------------------------------------------------------------

    def find(self, path):
        number = ROOT
        for part in path.split("/"):
            if part:
                node = self.nodes[number]
                if part not in node.entries:
                    raise FuseOSError(errno.ENOENT)
                number = node.entries[part]
        return number

    def above(self, path):
        folder, name = path.rsplit("/", 1)
        return self.find(folder), name

    def enter(self, path, node):
        folder, name = self.above(path)
        if name in self.nodes[folder].entries:
            raise FuseOSError(errno.EEXIST)
        number = self.add(node)
        self.nodes[folder].entries[name] = number
        self.log("make", number, node.kind, node.mode, node.target)
        self.log("names", [(folder, name, number)])
        return number

    def leave(self, path, kind):
        folder, name = self.above(path)
        number = self.find(path)
        if self.nodes[number].kind == "folder" and (kind != "folder" or self.nodes[number].entries):
            raise FuseOSError(errno.ENOTEMPTY if kind == "folder" else errno.EISDIR)
        del self.nodes[folder].entries[name]
        self.log("names", [(folder, name, None)])

    def getattr(self, path, handle=None):
        number = handle if handle else self.find(path)
        node = self.nodes[number]
        kinds = {"folder": stat.S_IFDIR, "link": stat.S_IFLNK, "file": stat.S_IFREG}
        names = sum(number == other for folder in self.nodes.values() for other in folder.entries.values())
        now = time.time()
        return {
            "st_mode": kinds[node.kind] | node.mode, "st_ino": number, "st_nlink": max(1, names), "st_size": len(node.data),
            "st_uid": os.getuid(), "st_gid": os.getgid(), "st_atime": now, "st_mtime": now, "st_ctime": now,
        }  # fmt: skip

    def readdir(self, path, handle):
        return [".", "..", *self.nodes[self.find(path)].entries]

    def mkdir(self, path, mode):
        self.enter(path, Node("folder", mode & 0o7777))

    def rmdir(self, path):
        self.leave(path, "folder")

    def unlink(self, path):
        self.leave(path, "file")

    def symlink(self, path, target):
        self.enter(path, Node("link", 0o777, target))

    def readlink(self, path):
        return self.nodes[self.find(path)].target

    def link(self, path, source):
        folder, name = self.above(path)
        number = self.find(source)
        self.nodes[folder].entries[name] = number
        self.log("names", [(folder, name, number)])

    def rename(self, old, new):
        number = self.find(old)
        (source, old_name), (target, new_name) = self.above(old), self.above(new)
        del self.nodes[source].entries[old_name]
        self.nodes[target].entries[new_name] = number
        self.log("names", [(source, old_name, None), (target, new_name, number)])

    # -- bytes ------------------------------------------------------------------------------------------------------

    def create(self, path, mode, info=None):
        return self.enter(path, Node("file", mode & 0o7777))

    def open(self, path, flags):
        number = self.find(path)
        if flags & os.O_TRUNC:
            self.truncate(path, 0, number)
        return number

    def read(self, path, size, offset, handle):
        return bytes(self.nodes[handle].data[offset : offset + size])

    def write(self, path, data, offset, handle):
        room = self.nodes[handle].data
        if len(room) < offset:
            room.extend(bytes(offset - len(room)))
        room[offset : offset + len(data)] = data
        self.log("data", handle, offset, bytes(data))
        return len(data)

    def truncate(self, path, length, handle=None):
        number = handle or self.find(path)
        room = self.nodes[number].data
        del room[length:]
        room.extend(bytes(length - len(room)))
        self.log("size", number, length)

    def chmod(self, path, mode):
        self.nodes[self.find(path)].mode = mode & 0o7777

    def chown(self, path, user, group):
        pass

    def utimens(self, path, times=None):
        pass

    def fsync(self, path, only_data, handle):
        self.log("sync", handle)

    def fsyncdir(self, path, only_data, handle):
        self.log("sync", self.find(path))

    def destroy(self, path):
        with open(self.journal, "wb") as file:
            pickle.dump((pickle.loads(self.base), self.operations), file)


if __name__ == "__main__":
    FUSE(
        Recorder(sys.argv[2], *sys.argv[3:4]), sys.argv[1], foreground=True, nothreads=True, hard_remove=True, use_ino=True,
        attr_timeout=0, entry_timeout=0, big_writes=True, fsname="cogni-lab",
    )  # fmt: skip
