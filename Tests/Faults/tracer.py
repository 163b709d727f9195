"""Runs a program under ptrace, counts its calls on files below some folders, and strikes at the n-th of them.

One counter for all threads of the process, so "the 17th call" is one call of the whole run (strace's `when=` counts for
each thread apart). Only the calls asked for stop the program: a seccomp filter picks them. Linux on x86-64; the program
refuses to be looked into (`PR_SET_DUMPABLE`), so it takes root.
"""

import ctypes
import os
import signal
import struct
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field

import syscalls

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long

TRACEME, CONT, GETREGS, SETREGS, SYSCALL, SETOPTIONS = 0, 7, 12, 13, 24, 0x4200
SYSGOOD, FORK, VFORK, CLONE, EXEC, SECCOMP, EXITKILL = 0x1, 0x2, 0x4, 0x8, 0x10, 0x80, 0x100000
EVENT_SECCOMP = 7
WALL = 0x40000000
RAX, ORIG_RAX, ARGUMENTS = 10, 15, (14, 13, 12, 7, 9, 8)
AT_FDCWD = (1 << 64) - 100


@dataclass
class Call:
    """One call, as it was about to be made."""

    index: int  # from 1, over all threads
    name: str
    path: str  # the last one, absolute
    descriptor: int = -1
    inode: tuple = ()
    size: int = 0  # of a write; of an `ftruncate`: what the file is cut to
    offset: int | None = None  # of a `pwrite64`
    writes: bool = False  # an open with flags for writing
    result: int | None = None

    def __str__(self):
        return f"call {self.index}, {self.name} {self.path}"


@dataclass
class Traced:
    """A run that has ended. `fired` is the call that was struck, `None` when the run had fewer calls."""

    code: int = 0  # negative: the signal that ended it
    out: str = ""
    error: str = ""
    calls: list = field(default_factory=list)
    fired: Call | None = None


@dataclass
class Strike:
    """What happens to the call with this index, or to the first one from there on that `fits`.

    `kill`: SIGKILL instead of the call. `tear`: half of a write, then SIGKILL. `fail`: the call is not made and answers
    `-number`. `short`: half of a write is made, and the program is told so.
    """

    at: int
    kind: str
    number: int = 0
    # Threads change places from run to run, so the k-th call may be another one than was counted, and one that the kernel
    # never answers so.
    fits: Callable[[Call], bool] | None = None

    def meets(self, call):
        return call.index >= self.at and (self.fits is None or self.fits(call))


def trace(command, *, folders, environment, cwd, names=None, strike=None, results=False, limit=120):
    """Runs `command`; counts calls in `names` (default: all that change the disk) on paths below `folders`."""
    table = {**syscalls.CHANGING, **syscalls.READING}
    wanted = {table[name][0]: (name, table[name][1]) for name in (names or syscalls.CHANGING)}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
        pid = os.fork()
        if pid == 0:
            _become(command, environment, cwd, out.fileno(), error.fileno(), sorted(wanted))
        traced = _Loop(pid, wanted, [os.path.abspath(folder) for folder in folders], cwd, strike, results, limit).run()
        for name, file in (("out", out), ("error", error)):
            file.seek(0)
            setattr(traced, name, file.read().decode("utf-8", "replace"))
        return traced


def _become(command, environment, cwd, out, error, numbers):
    try:
        null = os.open("/dev/null", os.O_RDONLY)
        os.dup2(null, 0), os.dup2(out, 1), os.dup2(error, 2)
        os.chdir(cwd)
        if libc.ptrace(TRACEME, 0, None, None) != 0 or libc.prctl(38, 1, 0, 0, 0) != 0:
            os._exit(126)
        os.kill(os.getpid(), signal.SIGSTOP)  # until the tracer has set its options
        code = [(0x20, 0, 0, 4), (0x15, 1, 0, 0xC000003E), (0x06, 0, 0, 0x7FFF0000), (0x20, 0, 0, 0)]
        for number in numbers:  # equal: SECCOMP_RET_TRACE
            code += [(0x15, 0, 1, number), (0x06, 0, 0, 0x7FF00000)]
        code.append((0x06, 0, 0, 0x7FFF0000))
        program = ctypes.create_string_buffer(b"".join(struct.pack("<HBBI", *line) for line in code))
        head = ctypes.create_string_buffer(struct.pack("<HxxxxxxQ", len(code), ctypes.addressof(program)))
        if libc.prctl(22, 2, ctypes.c_void_p(ctypes.addressof(head)), 0, 0) != 0:
            os._exit(125)
        os.execvpe(command[0], command, environment)
    finally:
        os._exit(127)


class _Loop:
    def __init__(self, pid, wanted, folders, cwd, strike, results, limit):
        self.pid, self.wanted, self.folders, self.cwd = pid, wanted, folders, cwd
        self.strike, self.results, self.limit = strike, results, limit
        self.traced = Traced()
        self.known, self.under_way = set(), {}
        self.registers = (ctypes.c_ulonglong * 27)()
        self.memory = None

    def run(self):
        _, status = os.waitpid(self.pid, WALL)
        if not os.WIFSTOPPED(status):
            raise OSError(f"the child could not be traced: status {status}")
        self.ptrace(SETOPTIONS, self.pid, SYSGOOD | FORK | VFORK | CLONE | EXEC | SECCOMP | EXITKILL)
        self.known.add(self.pid)
        self.ptrace(CONT, self.pid)
        previous = signal.signal(signal.SIGALRM, lambda *_: os.kill(self.pid, signal.SIGKILL))
        signal.alarm(self.limit)
        try:
            while True:
                pid, status = os.waitpid(-1, WALL)
                if os.WIFEXITED(status) or os.WIFSIGNALED(status):
                    if pid == self.pid:
                        self.traced.code = os.waitstatus_to_exitcode(status)
                        return self.traced
                elif os.WIFSTOPPED(status):
                    self.stopped(pid, status)
        finally:
            signal.alarm(0)
            signal.signal(signal.SIGALRM, previous)
            if self.memory is not None:
                os.close(self.memory)

    def stopped(self, pid, status):
        number, event = os.WSTOPSIG(status), status >> 16
        if event == EVENT_SECCOMP:
            return self.called(pid)
        if number == signal.SIGTRAP | 0x80:
            return self.returned(pid)
        if event or number == signal.SIGTRAP:
            return self.ptrace(CONT, pid)
        if pid not in self.known:  # a new thread's first stop
            self.known.add(pid)
            return self.ptrace(CONT, pid)
        self.ptrace(CONT, pid, number)

    def called(self, pid):
        if self.ptrace(GETREGS, pid, ctypes.addressof(self.registers)) != 0:
            return
        name, shape = self.wanted[self.registers[ORIG_RAX]]
        call = self.describe(pid, name, shape)
        if call is None:
            return self.ptrace(CONT, pid)
        self.traced.calls.append(call)
        call.index = len(self.traced.calls)
        strike = self.strike if self.strike and self.traced.fired is None and self.strike.meets(call) else None
        if strike is None:
            return self.go_on(pid, call)
        self.traced.fired = call
        if strike.kind == "kill":
            os.kill(self.pid, signal.SIGKILL)
        elif strike.kind == "fail":
            self.registers[ORIG_RAX] = (1 << 64) - 1
            self.registers[RAX] = (1 << 64) - strike.number
            self.ptrace(SETREGS, pid, ctypes.addressof(self.registers))
            call.result = -strike.number
            self.ptrace(CONT, pid)
        else:  # half a write
            self.registers[ARGUMENTS[2]] = max(1, call.size // 2)
            self.ptrace(SETREGS, pid, ctypes.addressof(self.registers))
            self.under_way[pid] = call
            self.ptrace(SYSCALL, pid)

    def go_on(self, pid, call):
        if self.results:
            self.under_way[pid] = call
            self.ptrace(SYSCALL, pid)
        else:
            self.ptrace(CONT, pid)

    def returned(self, pid):
        call = self.under_way.pop(pid, None)
        if call is not None and self.ptrace(GETREGS, pid, ctypes.addressof(self.registers)) == 0:
            call.result = ctypes.c_long(self.registers[RAX]).value
            if self.strike and self.strike.kind == "tear" and call is self.traced.fired:
                return os.kill(self.pid, signal.SIGKILL)
        self.ptrace(CONT, pid)

    def describe(self, pid, name, shape):
        """The call, or `None` when it is not about our folders, or an open that only reads when those aren't asked for."""
        values = [self.registers[place] for place in ARGUMENTS]
        call = Call(0, name, "")
        if name in syscalls.FLAGS_AT:
            call.writes = bool(values[syscalls.FLAGS_AT[name]] & syscalls.WRITING)
        if name in syscalls.WRITES:
            call.size = values[2]
        if name == "pwrite64":
            call.offset = values[3]
        if name == "ftruncate":
            call.size = values[1]
        folder = self.cwd
        for kind, value in zip(shape, values):
            if kind == "d":
                folder = self.cwd if value & 0xFFFFFFFF == AT_FDCWD & 0xFFFFFFFF else self.opened(pid, value)
            elif kind == "p":
                text = self.text(value)
                call.path = os.path.normpath(os.path.join(folder, text)) if text else folder
            elif kind == "f":
                call.descriptor = ctypes.c_int(value & 0xFFFFFFFF).value
                call.path = self.opened(pid, value)
                try:
                    status = os.stat(f"/proc/{pid}/fd/{call.descriptor}")
                    call.inode = (status.st_dev, status.st_ino)
                except OSError:
                    pass
        if not any(call.path == folder or call.path.startswith(folder + "/") for folder in self.folders):
            return None
        if name in syscalls.FLAGS_AT and not call.writes and "read" not in {name for name, _ in self.wanted.values()}:
            return None
        return call

    def opened(self, pid, descriptor):
        try:
            return os.readlink(f"/proc/{pid}/fd/{ctypes.c_int(descriptor & 0xFFFFFFFF).value}").removesuffix(" (deleted)")
        except OSError:
            return ""

    def text(self, address):
        if not address:
            return ""
        if self.memory is None:
            self.memory = os.open(f"/proc/{self.pid}/mem", os.O_RDONLY)
        found = b""
        while b"\0" not in found and len(found) < 4096:
            room = 4096 - (address + len(found)) % 4096
            found += os.pread(self.memory, min(room, 256), address + len(found))
        return os.fsdecode(found.split(b"\0")[0])

    def ptrace(self, request, pid, data=0):
        """-1 when the thread is gone already, as it may be after a kill."""
        return libc.ptrace(request, pid, None, data)
